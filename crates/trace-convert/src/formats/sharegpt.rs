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
//! real chat; `session_id` is the `id`. There are no times, and lengths need
//! a tokenizer, so there are none: readers count the text.
//!
//! Memory is one conversation, and 50 bytes for each id.

use crate::format::Format;
use crate::formats::objects::{Expand, Made, Objects, carry, session};
use crate::head::Head;
use crate::json::{Members, push_text};
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
    decoder: |_| Ok(Box::new(Objects::new(ShareGpt::default()))),
};

#[derive(Default)]
struct ShareGpt {
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
            .map(|turn| message(turn))
            .collect::<Result<Vec<_>, _>>()?;
        let asks = |i: usize| {
            turns[i].0 == "user" && turns.get(i + 1).is_none_or(|(role, _)| *role != "user")
        };
        let asking: Vec<usize> = (0..turns.len()).filter(|i| asks(*i)).collect();
        if asking.is_empty() {
            report.count(Kind::Dropped, "conversations without a question", 1);
            return Ok(());
        }
        let answered = turns.last().is_some_and(|(role, _)| *role == "assistant");
        report.count(
            Kind::Dropped,
            "last answers, whose length needs a tokenizer",
            answered.into(),
        );
        let id = self.id(object, report);
        for end in asking {
            let mut messages = vec![b'['];
            for (role, content) in &turns[..=end] {
                if messages.len() > 1 {
                    messages.push(b',');
                }
                messages
                    .extend_from_slice(format!("{{\"role\":\"{role}\",\"content\":").as_bytes());
                messages.extend_from_slice(content);
                messages.push(b'}');
            }
            messages.push(b']');
            let messages = String::from_utf8(messages)
                .ok()
                .and_then(|text| RawValue::from_string(text).ok())
                .ok_or("conversations: no JSON")?;
            let record = made.next();
            record.change(Field::SessionId).session_id = Some(id.clone());
            record.change(Field::Messages).messages = Some(messages);
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

/// The role, as OpenAI calls it, and the JSON of the content of a turn.
fn message(turn: &RawValue) -> Result<(&'static str, Vec<u8>), String> {
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
    let mut json = Vec::new();
    match content {
        Some(content) => json.extend_from_slice(content),
        None => push_text(&mut json, ""),
    }
    Ok((role, json))
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::convert_with;

    const EXPECTED: &str = concat!(
        r#"{"session_id":"a","messages":[{"role":"user","content":"1?"}]}"#,
        "\n",
        r#"{"session_id":"a","messages":[{"role":"user","content":"1?"},{"role":"assistant","content":"1\n"},{"role":"user","content":"2?"}]}"#,
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
                line.starts_with(&format!("{{\"session_id\":\"{id}\",")),
                "{line}"
            );
        }
        assert_eq!(report.of(Kind::Changed, "ids of"), 2);
        assert_eq!(report.of(Kind::Dropped, "last answers"), 3);
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
