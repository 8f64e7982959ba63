//! ShareGPT: conversations, whose every question becomes a request.
//!
//! ```text
//! [{"id":"a","conversations":[{"from":"human","value":"…"},{"from":"gpt","value":"…"}]}]
//! ```
//!
//! `from`/`value` and `role`/`content`, under `conversations`, `conversation`
//! (LMSYS-Chat, WildChat), `items` or `messages`, in an array or one object per
//! line. A request for each turn of the user
//! that is answered, and for the last: `messages` is the conversation as far,
//! the recorded answers in it, so that turns share growing prefixes as in a
//! real chat, and so do `hash_ids`; `session_id` is the `id`. `input_length`
//! is the tokens of these messages, `output_length` those of the recorded
//! answer; the last answer, which no later turn repeats, is the field
//! `completion`. `model` is the model. WildChat's `timestamp` of an answer, or
//! else that of the conversation (LMSYS: `tstamp`), is when its turn arrives;
//! others have no times.
//!
//! Memory is one conversation, 50 bytes for each id and 70 for each block.

use crate::args::Args;
use crate::clock::{Clock, TimeUnit, decimal};
use crate::counter::{Counter, content};
use crate::format::Format;
use crate::formats::ids::Ids;
use crate::formats::member::{session, text, text_of};
use crate::formats::objects::{Expand, Made, Objects, carry};
use crate::head::Head;
use crate::json::Members;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use trace_core::date::date;
use trace_core::{Field, SessionId};

/// ShareGPT and its relatives.
pub(crate) static FORMAT: Format = Format {
    name: "sharegpt",
    about: "ShareGPT conversations, from/value or role/content; LMSYS-Chat, WildChat",
    detect: |head| {
        let array = matches!(head, Head::Json { array: true, .. });
        let chat =
            |key: &&str| head.has(&format!("{key}.from")) || head.has(&format!("{key}.role"));
        // The first conversation may be empty.
        let named = KEYS[..2].iter().any(|key| head.has(key));
        named || KEYS[..3].iter().any(chat) || (array && head.has("messages.role"))
    },
    needs: "JSON objects with conversations of from and value, or role and content",
    decoder: |args: &Args| {
        Ok(Box::new(Objects::new(ShareGpt {
            counter: Counter::new(args)?,
            clock: args.clock(),
            ids: Ids::new("conversation"),
        })))
    },
};

/// What the turns stand under.
const KEYS: [&str; 4] = ["conversations", "conversation", "items", "messages"];

/// What tells one conversation from another.
const IDS: [&str; 4] = ["id", "session_id", "conversation_id", "conversation_hash"];

/// When a conversation was held.
const TIMES: [&str; 2] = ["timestamp", "tstamp"];

struct ShareGpt {
    counter: Counter,
    clock: Clock,
    ids: Ids,
}

impl Expand for ShareGpt {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let chat = Chat::of(object, report)?;
        let asking = chat.asking();
        if asking.is_empty() {
            report.count(Kind::Dropped, "conversations without a question", 1);
            return Ok(());
        }
        let counted = chat.count(&mut self.counter, report)?;
        let id = self.id(object, report);
        let model = text_of(object, "model")?;
        let held = time(object)?;
        let taken = [&KEYS[..], &IDS[..], &TIMES[..], &["model"]].concat();
        for end in asking {
            let record = made.next();
            record.change(Field::SessionId).session_id = Some(id.clone());
            record.change(Field::Messages).messages = Some(json(&chat.turns[..=end])?);
            self.counter.measure(counted.until(end), record, report);
            record.change(Field::Model).model.clone_from(&model);
            let answered_at = chat.turns.get(end + 1).and_then(|answer| answer.time);
            if let Some(at) = answered_at.or(held) {
                let at = self.clock.place(at, report)?;
                record.change(Field::Timestamp).timestamp = Some(at);
                report.assume("the time told of an answer or a conversation is its arrival");
            }
            record.change(Field::OutputLength).output_length = counted.answer(&chat, end);
            if let Some(answer) = chat.last_answer(end) {
                record.add("completion", &answer.content);
            }
            carry(record, object, &taken);
        }
        Ok(())
    }
}

/// The turns of a conversation.
struct Chat {
    /// The key they stand under.
    key: &'static str,
    turns: Vec<Message>,
}

impl Chat {
    fn of(object: &Members<'_>, report: &mut Report) -> Result<Self, String> {
        let (key, turns) = KEYS
            .into_iter()
            .find_map(|key| Some((key, object.get(key)?)))
            .ok_or("no conversations")?;
        let turns: Vec<&RawValue> =
            serde_json::from_slice(turns).map_err(|_| format!("{key}: expected an array"))?;
        let turns = turns.iter().map(|turn| Message::of(turn, key, report));
        Ok(Self {
            key,
            turns: turns.collect::<Result<_, _>>()?,
        })
    }

    /// The places of those turns of the user behind which a model has to
    /// speak.
    fn asking(&self) -> Vec<usize> {
        let asks = |turn: &Message| turn.role == "user" || turn.role == "tool";
        let last = |at: usize| self.turns.get(at + 1).is_none_or(|next| !asks(next));
        let all = 0..self.turns.len();
        all.filter(|at| asks(&self.turns[*at]) && last(*at))
            .collect()
    }

    /// The answer to the turn at `end`, if no later turn repeats it.
    fn last_answer(&self, end: usize) -> Option<&Message> {
        let answer = self
            .turns
            .get(end + 1)
            .filter(|turn| turn.role == "assistant");
        answer.filter(|_| end + 2 == self.turns.len())
    }

    fn count(&self, counter: &mut Counter, report: &mut Report) -> Result<Counted, String> {
        let mut counted = Counted::default();
        for turn in &self.turns {
            let text =
                content(&turn.content, report).map_err(|why| format!("{}: {why}", self.key))?;
            counter.append(&text, &mut counted.tokens)?;
            counted.ends.push(counted.tokens.len());
        }
        Ok(counted)
    }
}

/// The tokens of a conversation.
#[derive(Default)]
struct Counted {
    tokens: Vec<u32>,
    /// How many there are at the end of each turn.
    ends: Vec<usize>,
}

impl Counted {
    /// Those to the end of this turn.
    fn until(&self, turn: usize) -> &[u32] {
        &self.tokens[..self.ends[turn]]
    }

    /// How many the answer behind this turn has, if there is one.
    fn answer(&self, chat: &Chat, turn: usize) -> Option<u64> {
        let behind = chat.turns[turn + 1..].iter();
        let answers = behind.take_while(|turn| turn.role == "assistant").count();
        let tokens = self.ends[turn + answers] - self.ends[turn];
        (answers > 0).then_some(tokens as u64)
    }
}

impl ShareGpt {
    /// A session of its own for this conversation.
    fn id(&mut self, object: &Members<'_>, report: &mut Report) -> SessionId {
        let told = IDS.iter().find_map(|name| object.get(name));
        self.ids.own(told.map(session), report)
    }
}

/// A turn of a conversation.
struct Message {
    /// Who speaks, as OpenAI calls it.
    role: &'static str,
    /// The JSON of what is said.
    content: Vec<u8>,
    /// Of a tool, or of one who calls it: other members.
    calls: Vec<(&'static str, Vec<u8>)>,
    /// Microseconds since 1970, where that is told.
    time: Option<i64>,
}

/// When a conversation or a turn was held: a date, or seconds since 1970.
fn time(members: &Members<'_>) -> Result<Option<i64>, String> {
    let found = TIMES
        .iter()
        .find_map(|name| Some((name, members.get(name)?)));
    let Some((name, raw)) = found else {
        return Ok(None);
    };
    let spelled = text(raw).unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned());
    let micros = date(&spelled).or_else(|| decimal(&spelled, TimeUnit::S));
    let micros = micros.ok_or_else(|| format!("{name}: expected a date or seconds"))?;
    Ok(Some(micros))
}

impl Message {
    fn of(turn: &RawValue, key: &str, report: &mut Report) -> Result<Self, String> {
        let members: Members<'_> =
            serde_json::from_str(turn.get()).map_err(|_| format!("{key}: expected objects"))?;
        let role = members.get("from").or_else(|| members.get("role"));
        let role: String = role
            .and_then(|raw| serde_json::from_slice(raw).ok())
            .ok_or_else(|| format!("{key}: a turn without from or role"))?;
        let role = match role.to_ascii_lowercase().as_str() {
            "human" | "user" | "prompter" => "user",
            "gpt" | "assistant" | "model" | "chatgpt" | "bing" | "bard" | "bot" => "assistant",
            // A model that calls a tool speaks, too.
            "function_call" | "tool_call" => "assistant",
            "system" | "developer" => "system",
            // Endpoints take what a tool said only where it names the call.
            "tool" if members.get("tool_call_id").is_some() => "tool",
            "tool" | "function" | "observation" | "tool_response" => {
                report.count(Kind::Changed, "words of tools, to words of the user", 1);
                "user"
            }
            _ => return Err(format!("{key}: an unknown speaker, {role:?}")),
        };
        let content = members.get("value").or_else(|| members.get("content"));
        let content = match content {
            Some(content) => content.to_vec(),
            // Null beside a call of a tool; else nothing was said.
            None if members.get("tool_calls").is_some() => b"null".to_vec(),
            None => b"\"\"".to_vec(),
        };
        let time = time(&members).map_err(|why| format!("{key}: {why}"))?;
        let mut calls = Vec::new();
        for name in ["name", "tool_calls", "tool_call_id"] {
            if let Some(raw) = members.get(name) {
                calls.push((name, raw.to_vec()));
            }
        }
        Ok(Self {
            role,
            content,
            calls,
            time,
        })
    }
}

/// The messages as OpenAI's endpoint takes them.
fn json(messages: &[Message]) -> Result<Box<RawValue>, String> {
    let mut json = String::from("[");
    let raw = |json: &mut String, raw: &[u8]| {
        let raw = std::str::from_utf8(raw).map_err(|error| error.to_string())?;
        json.push_str(raw);
        Ok::<(), String>(())
    };
    for message in messages {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str("{\"role\":\"");
        json.push_str(message.role);
        json.push_str("\",\"content\":");
        raw(&mut json, &message.content)?;
        for (name, value) in &message.calls {
            json.push_str(",\"");
            json.push_str(name);
            json.push_str("\":");
            raw(&mut json, value)?;
        }
        json.push('}');
    }
    json.push(']');
    RawValue::from_string(json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::convert_with;

    const EXPECTED: &str = concat!(
        r#"{"input_length":2,"output_length":2,"hash_ids":[0],"session_id":"a","messages":[{"role":"user","content":"1?"}]}"#,
        "\n",
        r#"{"input_length":6,"hash_ids":[0],"session_id":"a","messages":[{"role":"user","content":"1?"},{"role":"assistant","content":"1\n"},{"role":"user","content":"2?"}]}"#,
        "\n",
    );

    #[test]
    fn both_spellings_say_the_same() {
        for text in [
            r#"[{"id":"a","conversations":[{"from":"human","value":"1?"},{"from":"gpt","value":"1\n"},{"from":"human","value":"2?"}]}]"#,
            r#"{"id":"a","conversations":[{"role":"user","content":"1?"},{"role":"assistant","content":"1\n"},{"role":"user","content":"2?"}]}"#,
        ] {
            let (out, error, _) = convert_with("", text);
            assert_eq!((out.as_str(), error), (EXPECTED, None));
        }
    }

    #[test]
    fn conversations_of_one_id_are_sessions_of_their_own() {
        let one = r#"{"id":"a","conversations":[{"from":"human","value":"1"},{"from":"gpt","value":"2"}]}"#;
        let (out, _, report) = convert_with("", &format!("[{one},{one},{one}]"));
        let lines: Vec<&str> = out.lines().collect();
        for (line, id) in lines.iter().zip(["a", "a_2", "a_3"]) {
            assert!(
                line.contains(&format!("\"session_id\":\"{id}\",")),
                "{line}"
            );
        }
        assert_eq!(report.of(Kind::Changed, "ids of"), 2);
    }

    #[test]
    fn turns_share_their_whole_blocks_and_nothing_else() {
        let say = |who: &str, n: usize| {
            let words = format!("{} ", &who[..1]).repeat(n);
            format!(r#"{{"from":"{who}","value":"{words}"}}"#)
        };
        let chat = [
            say("human", 30),
            say("gpt", 20),
            say("human", 9),
            say("gpt", 2),
        ]
        .join(",");
        let other = say("human", 16);
        let text = format!(
            r#"[{{"id":1,"conversations":[{chat}]}},{{"id":2,"conversations":[{other}]}}]"#
        );
        let (out, error, _) = convert_with("--tokenizer words --block-size 16", &text);
        assert_eq!(error, None);
        let starts: Vec<&str> = out
            .lines()
            .map(|l| l.split(",\"session").next().unwrap())
            .collect();
        assert_eq!(
            starts,
            [
                r#"{"input_length":30,"output_length":20,"hash_ids":[0,1]"#,
                r#"{"input_length":59,"output_length":2,"hash_ids":[0,1,2,3]"#,
                r#"{"input_length":16,"hash_ids":[0]"#,
            ]
        );
    }

    #[test]
    fn chats_of_lmsys_and_wildchat_are_read() {
        let lmsys = r#"{"conversation_id":"c1","model":"vicuna-13b","conversation":[{"content":"1?","role":"user"},{"content":"1\n","role":"assistant"}],"turn":1,"language":"English","redacted":false}"#;
        let (out, error, _) = convert_with("", lmsys);
        assert_eq!(error, None);
        assert_eq!(
            out,
            concat!(
                r#"{"input_length":2,"output_length":2,"hash_ids":[0],"session_id":"c1","model":"vicuna-13b","messages":[{"role":"user","content":"1?"}],"completion":"1\n","turn":1,"language":"English","redacted":false}"#,
                "\n"
            )
        );
        let chat = |hash: &str, held: &str, answered: &str| {
            format!(
                r#"{{"conversation_hash":"{hash}","model":"gpt-4","timestamp":"{held}","conversation":[{{"content":"a","role":"user","timestamp":null}},{{"content":"b","role":"assistant","timestamp":{answered}}}]}}"#
            )
        };
        let chats = [
            chat("x", "2023-04-09T00:02:53Z", "\"2023-04-09 00:02:50+00:00\""),
            chat("y", "2023-04-09T00:02:53Z", "null"),
            chat("z", "2023-04-09T00:02:51Z", "null"),
        ];
        let (out, error, report) = convert_with("", &chats.join("\n"));
        assert_eq!(error, None);
        let times: Vec<&str> = out.lines().map(|l| l.split(',').next().unwrap()).collect();
        let expected = [
            "{\"timestamp\":0",
            "{\"timestamp\":3000",
            "{\"timestamp\":1000",
        ];
        assert_eq!(times, expected);
        assert_eq!(report.of(Kind::Noted, "requests that arrive before"), 1);
        let (_, error, _) = convert_with("", &chat("w", "yesterday", "null"));
        assert_eq!(
            error.unwrap(),
            "in:1:1: timestamp: expected a date or seconds"
        );
    }

    #[test]
    fn what_a_tool_says_is_answered_too() {
        let said = r#"[{"id":"t","items":[{"from":"human","value":"a"},{"from":"function_call","value":"f(b)"},{"from":"observation","value":"42"},{"from":"gpt","value":"c"}]}]"#;
        let (out, error, report) = convert_with("", said);
        assert_eq!(error, None);
        let last = out.lines().nth(1).unwrap();
        assert!(last.contains(r#"{"role":"assistant","content":"f(b)"},{"role":"user","content":"42"}],"completion":"c""#), "{last}");
        assert_eq!(report.of(Kind::Changed, "words of tools"), 1);
        let called = r#"[{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]},{"role":"tool","content":"42","tool_call_id":"1"},{"role":"assistant","content":"c"}]}]"#;
        let (out, error, _) = convert_with("", called);
        assert_eq!(error, None);
        let last = out.lines().nth(1).unwrap();
        assert!(last.contains(r#"{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]},{"role":"tool","content":"42","tool_call_id":"1"}],"completion":"c""#), "{last}");
    }

    #[test]
    fn a_conversation_without_a_question_is_reported() {
        let (out, error, report) = convert_with(
            "",
            r#"[{"id":1,"conversations":[{"from":"gpt","value":"1"}]}]"#,
        );
        assert_eq!((out.as_str(), error), ("", None));
        assert_eq!(report.of(Kind::Dropped, "conversations without"), 1);
        let (_, error, _) = convert_with(
            "",
            r#"[{"id":1,"conversations":[{"from":"cat","value":"1"}]}]"#,
        );
        assert_eq!(
            error.unwrap(),
            "in:1:1: conversations: an unknown speaker, \"cat\""
        );
    }
}
