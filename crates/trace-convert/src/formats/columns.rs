//! The columns of a table of any kind: what they are called, and how their
//! values are read.

use crate::record::Record;
use trace_core::{Field, LineError, Micros, SessionId};

/// Our fields, and the names others give them, in small letters.
const ALIASES: [(Field, &[&str]); 11] = [
    (
        Field::Timestamp,
        &[
            "timestamp",
            "arrival_time",
            "arrival_timestamp",
            "arrived_at",
            "arrival_ms",
            "start_time",
            "request_time",
            "time",
            "ts",
            "created_at",
            "arrival_s",
            "timestamp_ms",
            "timestamp_s",
        ],
    ),
    (
        Field::InputLength,
        &[
            "input_length",
            "prompt_tokens",
            "input_tokens",
            "num_prefill_tokens",
            "prefill_tokens",
            "num_prompt_tokens",
            "context_tokens",
            "request_tokens",
            "prompt_length",
            "input_len",
            "prompt_len",
            "isl",
            "contexttokens",
        ],
    ),
    (
        Field::OutputLength,
        &[
            "output_length",
            "completion_tokens",
            "output_tokens",
            "num_decode_tokens",
            "decode_tokens",
            "generated_tokens",
            "response_tokens",
            "output_len",
            "osl",
            "generatedtokens",
        ],
    ),
    (
        Field::SessionId,
        &["session_id", "conversation_id", "session"],
    ),
    (Field::Model, &["model", "model_name"]),
    (Field::TextInput, &["text_input", "prompt"]),
    (Field::HashIds, &["hash_ids"]),
    (Field::Delay, &["delay"]),
    (Field::Messages, &["messages"]),
    (Field::Payload, &["payload"]),
    (Field::Extra, &["extra"]),
];

pub(crate) fn alias(name: &str) -> Option<Field> {
    let name = name.to_ascii_lowercase().replace([' ', '-'], "_");
    let found = ALIASES
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()));
    found.map(|(field, _)| *field)
}

/// Whether any of these names a prompt or its length.
pub(crate) fn asks(names: &[String]) -> bool {
    let asking = [Field::InputLength, Field::TextInput];
    names
        .iter()
        .any(|name| alias(name).is_some_and(|field| asking.contains(&field)))
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
}

/// Set a field from JSON; a length may be a number in a string.
pub(crate) fn set_json(
    field: Field,
    key: &str,
    raw: &[u8],
    record: &mut Record,
    time: &mut Option<String>,
) -> Result<(), LineError> {
    let wrong = |record: &Record, expected: &str| {
        let shown: String = String::from_utf8_lossy(raw).chars().take(40).collect();
        record.error(format!("{key}: {shown}, expected {expected}"))
    };
    let plain = || {
        let text = serde_json::from_slice::<String>(raw);
        text.unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned())
    };
    let whole = |record: &Record| {
        let number = plain().trim().parse::<f64>().ok();
        let number = number.filter(|n| n.fract() == 0.0 && (0.0..9e15).contains(n));
        number
            .map(|n| n as u64)
            .ok_or_else(|| wrong(record, "a whole number, 0 or more"))
    };
    let raw_value = |record: &Record, opens: u8, expected: &str| {
        let value = serde_json::from_slice(raw)
            .ok()
            .filter(|_| raw.first() == Some(&opens));
        value.ok_or_else(|| wrong(record, expected))
    };
    match field {
        Field::Timestamp => *time = Some(plain()),
        Field::InputLength => {
            let length = whole(record)?;
            record.change(field).input_length = Some(length);
        }
        Field::OutputLength => {
            let length = whole(record)?;
            record.change(field).output_length = Some(length);
        }
        Field::Delay => {
            let millis = plain()
                .trim()
                .parse::<f64>()
                .ok()
                .and_then(Micros::from_millis);
            let delay = millis.ok_or_else(|| wrong(record, "milliseconds, 0 or more"))?;
            record.change(field).delay = Some(delay);
        }
        Field::HashIds => {
            let ids = serde_json::from_slice::<Vec<u64>>(raw);
            let ids = ids.map_err(|_| wrong(record, "an array of integers"))?;
            record.change(field).hash_ids = Some(ids);
        }
        Field::SessionId => {
            let number = std::str::from_utf8(raw)
                .ok()
                .and_then(|text| text.parse().ok());
            let id = number.map_or_else(|| SessionId::Text(plain()), SessionId::Number);
            record.change(field).session_id = Some(id);
        }
        Field::Model => record.set_model(&plain()),
        Field::TextInput => record.change(field).text_input = Some(plain()),
        Field::Messages => {
            let value = raw_value(record, b'[', "an array of messages")?;
            record.change(field).messages = Some(value);
        }
        Field::Payload => {
            let value = raw_value(record, b'{', "an object")?;
            record.change(field).payload = Some(value);
        }
        Field::Extra => {
            let value = raw_value(record, b'{', "an object")?;
            record.change(field).extra = Some(value);
        }
        _ => record.add(key, raw),
    }
    Ok(())
}
