//! ShareGPT: conversations, whose every question becomes a request.
//!
//! ```text
//! [{"id":"a","conversations":[{"from":"human","value":"…"},{"from":"gpt","value":"…"}]}]
//! ```
//!
//! `from`/`value` and `role`/`content`, under `conversations` or `messages`,
//! in an array or one object per line. A request for each turn of the user
//! that is answered, and for the last: `messages` is the conversation as far,
//! the recorded answers in it, so that turns share growing prefixes as in a
//! real chat, and so do `hash_ids`; `session_id` is the `id`. `input_length`
//! is the tokens of these messages, `output_length` those of the recorded
//! answer; the last answer, which no later turn repeats, is the field
//! `completion`. There are no times.
//!
//! Memory is one conversation, 50 bytes for each id and 70 for each block.

use crate::counter::{Counter, content};
use crate::format::Format;
use crate::formats::objects::{Expand, Made, Objects, carry, session};
use crate::head::Head;
use crate::json::Members;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use std::collections::HashMap;
use trace_core::{Field, SessionId};

/// ShareGPT and its relatives.
pub(crate) static FORMAT: Format = Format {
    name: "sharegpt",
    about: "ShareGPT conversations, from/value or role/content",
    detect: |head| {
        let array = matches!(head, Head::Json { array: true, .. });
        head.has("conversations.from")
            || head.has("conversations.role")
            || (array && head.has("messages.role"))
    },
    needs: "JSON objects with conversations of from and value, or role and content",
    decoder: |args| {
        Ok(Box::new(Objects::new(ShareGpt {
            counter: Counter::new(args)?,
            ids: HashMap::new(),
            unnamed: 0,
        })))
    },
};

struct ShareGpt {
    counter: Counter,
    /// How often each id was seen.
    ids: HashMap<SessionId, u64>,
    /// Conversations without an id.
    unnamed: u64,
}

impl Expand for ShareGpt {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let (key, turns) = ["conversations", "messages"]
            .into_iter()
            .find_map(|key| Some((key, object.get(key)?)))
            .ok_or("no conversations")?;
        let turns: Vec<&RawValue> =
            serde_json::from_slice(turns).map_err(|_| format!("{key}: expected an array"))?;
        let turns = turns
            .iter()
            .map(|turn| Message::of(turn))
            .collect::<Result<Vec<_>, _>>()?;
        let asks = |i: usize| {
            turns[i].role == "user" && turns.get(i + 1).is_none_or(|next| next.role != "user")
        };
        let asking: Vec<usize> = (0..turns.len()).filter(|i| asks(*i)).collect();
        if asking.is_empty() {
            report.count(Kind::Dropped, "conversations without a question", 1);
            return Ok(());
        }
        let mut tokens = Vec::new();
        let mut ends = Vec::new();
        for turn in &turns {
            let text = content(&turn.content, report).map_err(|why| format!("{key}: {why}"))?;
            self.counter.append(&text, &mut tokens)?;
            ends.push(tokens.len());
        }
        let id = self.id(object, report);
        for end in asking {
            let answers = turns[end + 1..].iter();
            let answered = answers.take_while(|turn| turn.role == "assistant").count();
            let record = made.next();
            record.change(Field::SessionId).session_id = Some(id.clone());
            record.change(Field::Messages).messages = Some(json(&turns[..=end])?);
            self.counter.measure(&tokens[..ends[end]], record, report);
            if answered > 0 {
                let output = (ends[end + answered] - ends[end]) as u64;
                record.change(Field::OutputLength).output_length = Some(output);
            }
            // The answers before stand in the messages of a later turn.
            let answer = turns.get(end + 1).filter(|turn| turn.role == "assistant");
            if let Some(answer) = answer.filter(|_| end + 2 == turns.len()) {
                record.add("completion", &answer.content);
            }
            carry(
                record,
                object,
                &["id", "conversations", "messages", "session_id"],
            );
        }
        Ok(())
    }
}

impl ShareGpt {
    /// A session of its own for this conversation.
    fn id(&mut self, object: &Members<'_>, report: &mut Report) -> SessionId {
        let Some(raw) = object.get("id").or_else(|| object.get("session_id")) else {
            self.unnamed += 1;
            report.count(Kind::Invented, "session_id", 1);
            return SessionId::Text(format!("conversation_{}", self.unnamed));
        };
        let mut id = session(raw);
        let base = id.to_string();
        let mut seen = self.ids.get(&id).copied().unwrap_or(0);
        self.ids.insert(id.clone(), seen + 1);
        if seen > 0 {
            report.count(Kind::Changed, "ids of conversations that came again", 1);
        }
        while seen > 0 {
            id = SessionId::Text(format!("{base}_{}", seen + 1));
            seen = if self.ids.contains_key(&id) {
                seen + 1
            } else {
                0
            };
        }
        self.ids.entry(id.clone()).or_insert(1);
        id
    }
}

/// A turn of a conversation.
struct Message {
    /// Who speaks, as OpenAI calls it.
    role: &'static str,
    /// The JSON of what is said.
    content: Vec<u8>,
}

impl Message {
    fn of(turn: &RawValue) -> Result<Self, String> {
        let members: Members<'_> =
            serde_json::from_str(turn.get()).map_err(|_| "conversations: expected objects")?;
        let role = members.get("from").or_else(|| members.get("role"));
        let role: String = role
            .and_then(|raw| serde_json::from_slice(raw).ok())
            .ok_or("conversations: a turn without from or role")?;
        let role = match role.as_str() {
            "human" | "user" => "user",
            "gpt" | "assistant" | "model" | "chatgpt" | "bing" | "bard" => "assistant",
            "system" => "system",
            "tool" | "function" => "tool",
            other => return Err(format!("conversations: an unknown speaker, {other:?}")),
        };
        let content = members.get("value").or_else(|| members.get("content"));
        let content = content.unwrap_or(b"\"\"").to_vec();
        Ok(Self { role, content })
    }
}

/// The messages as OpenAI's endpoint takes them.
fn json(messages: &[Message]) -> Result<Box<RawValue>, String> {
    let mut json = String::from("[");
    for Message { role, content } in messages {
        if json.len() > 1 {
            json.push(',');
        }
        let content = std::str::from_utf8(content).map_err(|error| error.to_string())?;
        json.push_str("{\"role\":\"");
        json.push_str(role);
        json.push_str("\",\"content\":");
        json.push_str(content);
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
