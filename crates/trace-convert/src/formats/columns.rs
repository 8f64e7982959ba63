//! The columns of a table of any kind, and the keys of objects: what they are
//! called, and which of our fields each becomes.
//!
//! Names are compared by their words, so that `prompt_tokens`, `Prompt Tokens`
//! and `promptTokens` are one. A unit at the end is none of them
//! (`arrival_time_ms`). Of several names of one field the likelier is taken,
//! and the others stay columns of their own.

use crate::clock::TimeUnit;
use crate::words::words;
use std::collections::HashMap;
use trace_core::Field;

/// Our fields, and what others call them, in small letters and in one word;
/// the likelier first.
const ALIASES: [(Field, &[&str]); 11] = [
    (
        Field::Timestamp,
        &[
            "timestamp",
            "arrivaltime",
            "arrivaltimestamp",
            "arrivedat",
            "arrival",
            "requesttimestamp",
            "requesttime",
            "requestcreatedat",
            "requeststarttime",
            "requeststart",
            "timestampstart",
            "starttimestamp",
            "starttime",
            "startedat",
            "start",
            "submittime",
            "submittedat",
            "createdat",
            "created",
            "createtime",
            "datetime",
            "eventtime",
            "time",
            "ts",
        ],
    ),
    (
        Field::InputLength,
        &[
            "inputlength",
            "prompttokens",
            "inputtokens",
            "numprefilltokens",
            "prefilltokens",
            "numprompttokens",
            "numinputtokens",
            "contexttokens",
            "requesttokens",
            "promptlength",
            "inputlen",
            "promptlen",
            "isl",
            "inputtokencount",
            "prompttokencount",
            "prompttokenscount",
            "inputsequencelength",
            "tokensin",
            "intokens",
            "promptsize",
        ],
    ),
    (
        Field::OutputLength,
        &[
            "outputlength",
            "completiontokens",
            "outputtokens",
            "numdecodetokens",
            "decodetokens",
            "numoutputtokens",
            "numcompletiontokens",
            "generatedtokens",
            "numgeneratedtokens",
            "responsetokens",
            "outputlen",
            "osl",
            "completionlength",
            "responselength",
            "outputtokencount",
            "outputtokenscount",
            "completiontokencount",
            "completiontokenscount",
            "outputsequencelength",
            "tokensout",
            "outtokens",
            // Splitwise calls the tokens of an answer so, beside prompt_size.
            "tokensize",
        ],
    ),
    (
        Field::SessionId,
        &["sessionid", "conversationid", "session", "threadid"],
    ),
    (
        Field::Model,
        &["model", "modelname", "providedmodelname", "requestmodel"],
    ),
    (Field::TextInput, &["textinput", "prompt"]),
    (Field::HashIds, &["hashids"]),
    (Field::Delay, &["delay"]),
    (Field::Messages, &["messages"]),
    (Field::Payload, &["payload"]),
    (Field::Extra, &["extra"]),
];

/// What holds counts of tokens in objects, and what they are called there.
const USAGES: [&str; 4] = ["usage", "usagedetails", "tokenusage", "tokencount"];
const OF_USAGE: [(Field, [&str; 2]); 2] = [
    (Field::InputLength, ["input", "prompt"]),
    (Field::OutputLength, ["output", "completion"]),
];

/// Words that say since when a time counts.
const SINCE: [&str; 3] = ["unix", "epoch", "utc"];

/// The field that `name` stands for, and how likely: 0 is the likeliest.
fn alias(name: &str) -> Option<(Field, usize)> {
    // Where names are paths, all but lengths are of the whole, not of a part.
    let Some((around, last)) = name.rsplit_once('.') else {
        return of_words(words(name));
    };
    let part = of_words(words(last));
    let length =
        |(field, _): &(Field, usize)| matches!(field, Field::InputLength | Field::OutputLength);
    let tokens = words(last).last().is_some_and(|word| word == "tokens");
    if let Some(found) = part.filter(length)
        && tokens
    {
        return Some((found.0, found.1 + 100));
    }
    let holder = words(around.rsplit('.').next().unwrap_or(around)).concat();
    let last = words(last).concat();
    let found = OF_USAGE.iter().find(|(_, names)| names.contains(&&*last));
    let found = found.filter(|_| USAGES.contains(&&*holder));
    found.map(|(field, _)| (*field, 200))
}

fn of_words(mut words: Vec<String>) -> Option<(Field, usize)> {
    let in_one = |words: &[String]| {
        let name = words.concat();
        ALIASES.iter().find_map(|(field, names)| {
            let rank = names.iter().position(|known| *known == name)?;
            Some((*field, rank))
        })
    };
    let whole = in_one(&words);
    let of_time = |word: &String| TimeUnit::of_word(word).is_some() || SINCE.contains(&&**word);
    while words.len() > 1 && words.last().is_some_and(of_time) {
        words.pop();
    }
    // A delay is in our unit, or not ours.
    whole.or_else(|| in_one(&words).filter(|(field, _)| *field == Field::Timestamp))
}

/// Whether this names a field.
pub(crate) fn is_known(name: &str) -> bool {
    alias(name).is_some()
}

/// Whether this names `field`.
pub(crate) fn is_alias(name: &str, field: Field) -> bool {
    alias(name).is_some_and(|(known, _)| known == field)
}

/// Whether any of these names a prompt or its length.
pub(crate) fn asks(names: &[String]) -> bool {
    let asking = [Field::InputLength, Field::TextInput];
    names
        .iter()
        .any(|name| alias(name).is_some_and(|(field, _)| asking.contains(&field)))
}

/// One `--map` entry: our field, or any name, and the column it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub(crate) to: String,
    pub(crate) from: String,
}

/// `timestamp=start_time`.
pub(crate) fn parse_mapping(text: &str) -> Result<Mapping, String> {
    let (to, from) = text.split_once('=').ok_or("expected FIELD=COLUMN")?;
    if to.is_empty() || from.is_empty() {
        return Err("expected FIELD=COLUMN".to_owned());
    }
    if let Some(field) = Field::from_name(to.as_bytes())
        && (field.is_outcome() || matches!(field, Field::Tools | Field::Source))
    {
        return Err(format!(
            "{to} cannot be mapped; request fields and new names can"
        ));
    }
    Ok(Mapping {
        to: to.to_owned(),
        from: from.to_owned(),
    })
}

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    Field(Field),
    /// A member of that name.
    Member(String),
    /// A member, whose tokens belong to that length, too.
    Part(Field),
}

/// Tokens that a length of this name leaves out, and what they are called
/// beside it: Anthropic's, and Langfuse's.
const PARTS: [(&str, Field, &[&str]); 3] = [
    (
        "inputtokens",
        Field::InputLength,
        &["cachereadinputtokens", "cachecreationinputtokens"],
    ),
    (
        "input",
        Field::InputLength,
        &[
            "cachereadinputtokens",
            "cachecreationinputtokens",
            "inputcachedtokens",
        ],
    ),
    ("output", Field::OutputLength, &["outputreasoningtokens"]),
];

/// What becomes of each of these columns: what `mappings` say, else what
/// their names do. A field is that of one column.
pub(crate) fn roles(names: &[String], mappings: &[Mapping]) -> Vec<Role> {
    let mut roles: Vec<Role> = names.iter().cloned().map(Role::Member).collect();
    let mut likeliest: HashMap<&str, (usize, usize)> = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        if let Some(mapping) = mappings.iter().find(|m| m.from == *name) {
            roles[at] = match Field::from_name(mapping.to.as_bytes()) {
                Some(field) => Role::Field(field),
                None => Role::Member(mapping.to.clone()),
            };
            continue;
        }
        // A column that was mapped leaves no room for a guess.
        let free = |field: Field| !mappings.iter().any(|m| m.to == field.name());
        if let Some((field, rank)) = alias(name).filter(|(field, _)| free(*field)) {
            let best = likeliest.entry(field.name()).or_insert((rank, at));
            *best = (*best).min((rank, at));
        }
    }
    if likeliest.contains_key(Field::Messages.name()) {
        // What is asked is in one place.
        likeliest.remove(Field::TextInput.name());
    }
    for (_, at) in likeliest.into_values() {
        if let Some((field, _)) = alias(&names[at]) {
            roles[at] = Role::Field(field);
            parts(field, at, names, &mut roles);
        }
    }
    roles
}

/// Give the columns that belong to the length at `at` their role.
fn parts(field: Field, at: usize, names: &[String], roles: &mut [Role]) {
    let split = |name: &str| {
        let (around, last) = name.rsplit_once('.').unwrap_or(("", name));
        (around.to_owned(), words(last).concat())
    };
    let (around, name) = split(&names[at]);
    let known = PARTS
        .iter()
        .find(|(of, length, _)| *of == name && *length == field);
    for (beside, role) in names.iter().zip(roles) {
        let (its, part) = split(beside);
        if known.is_some_and(|(.., parts)| its == around && parts.contains(&&*part)) {
            *role = Role::Part(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_of(name: &str) -> Option<Field> {
        alias(name).map(|(field, _)| field)
    }

    #[test]
    fn names_are_compared_by_their_words() {
        for (name, field) in [
            ("Prompt Tokens", Field::InputLength),
            ("promptTokens", Field::InputLength),
            ("PROMPT-TOKENS", Field::InputLength),
            ("arrival_time_us", Field::Timestamp),
            ("timestamp_start_unix_ms", Field::Timestamp),
            ("startTimeUnixNano", Field::Timestamp),
            ("Time (s)", Field::Timestamp),
            ("usage.completion_tokens", Field::OutputLength),
            ("usageDetails.input", Field::InputLength),
            ("attributes.llm.token_count.completion", Field::OutputLength),
        ] {
            assert_eq!(field_of(name), Some(field), "{name}");
        }
        for name in [
            "user.model",
            "s",
            "max_tokens",
            "prompt_ms",
            "a.prompt",
            "x",
        ] {
            assert_eq!(field_of(name), None, "{name}");
        }
    }

    #[test]
    fn a_field_is_that_of_one_column_the_likeliest() {
        let names = [
            "created_at",
            "timestamp",
            "usage.prompt_tokens",
            "prompt_tokens",
        ];
        let names = names.map(str::to_owned);
        let found = roles(&names, &[]);
        assert_eq!(found[1], Role::Field(Field::Timestamp));
        assert_eq!(found[0], Role::Member("created_at".into()));
        assert_eq!(found[3], Role::Field(Field::InputLength));
        let mapped = parse_mapping("timestamp=created_at").unwrap();
        let found = roles(&names, &[mapped]);
        assert_eq!(found[0], Role::Field(Field::Timestamp));
        assert_eq!(found[1], Role::Member("timestamp".into()));
    }

    #[test]
    fn what_a_cache_held_is_part_of_a_prompt() {
        let names = |length: &str| {
            [
                length.to_owned(),
                "usage.cache_read_input_tokens".to_owned(),
            ]
        };
        let found = roles(&names("usage.input_tokens"), &[]);
        assert_eq!(found[1], Role::Part(Field::InputLength));
        let found = roles(&names("usage.prompt_tokens"), &[]);
        assert!(matches!(found[1], Role::Member(_)));
        let found = roles(&names("input_tokens"), &[]);
        assert!(matches!(found[1], Role::Member(_)));
    }
}
