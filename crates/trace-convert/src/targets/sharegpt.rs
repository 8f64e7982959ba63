//! ShareGPT: one conversation per line, for each session whose text is there.
//!
//! ```text
//! {"id":"a","conversations":[{"from":"human","value":"…"},{"from":"gpt","value":"…"}]}
//! ```
//!
//! `messages` are the conversation as far, so the last turn's are taken;
//! `text_input` adds a question, and the field `completion` beside it, if
//! there is one, its answer. A request without a session is a conversation of
//! its own. Requests without text are dropped, as are times and lengths, which
//! the format has no place for. Conversations are written at the end, in the
//! order they began: all text is held.

use crate::format::{Encode, Out, Target};
use crate::json::{Members, push_text};
use crate::record::Record;
use crate::report::{Kind, Report};
use anyhow::Context;
use serde_json::value::RawValue;
use std::collections::HashMap;
use trace_core::SessionId;

/// Conversations, one per line.
pub(crate) static TARGET: Target = Target {
    name: "sharegpt",
    about: "ShareGPT conversations, one per line, where there is text; holds it all",
    encoder: |_| Ok(Box::new(ShareGpt::default())),
};

#[derive(Default)]
struct ShareGpt {
    /// The id of every conversation, and its turns as JSON.
    conversations: Vec<(String, Vec<Vec<u8>>)>,
    places: HashMap<SessionId, usize>,
}

impl Encode for ShareGpt {
    fn write(
        &mut self,
        record: &mut Record,
        _: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let request = record.request();
        if request.messages.is_none() && request.text_input.is_none() {
            // Counted before or after this call, by --repeat.
            report.written = report.written.wrapping_sub(1);
            report.drop_request("requests without text");
            return Ok(());
        }
        let timed = request.timestamp.is_some() || request.delay.is_some();
        report.count(Kind::Dropped, "times", timed.into());
        let place = match &request.session_id {
            Some(session) => *self
                .places
                .entry(session.clone())
                .or_insert(self.conversations.len()),
            None => self.conversations.len(),
        };
        if place == self.conversations.len() {
            let id = match &request.session_id {
                Some(session) => session.to_string(),
                None => {
                    report.count(Kind::Invented, "id", 1);
                    format!("conversation_{}", place + 1)
                }
            };
            self.conversations.push((id, Vec::new()));
        }
        let turns = &mut self.conversations[place].1;
        if let Some(messages) = &request.messages {
            let said = said(messages.get()).map_err(|reason| record.error(reason))?;
            let longer = said.len() >= turns.len();
            report.count(
                Kind::Dropped,
                "turns that stand in no later one, as their history was cut",
                u64::from(!longer),
            );
            *turns = said;
        } else if let Some(text) = &request.text_input {
            let mut value = Vec::new();
            push_text(&mut value, text);
            turns.push(turn("human", &value));
            let mut answer = Vec::new();
            if record.value("completion", &mut answer) {
                turns.push(turn("gpt", &answer));
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>, _: &mut Report) -> anyhow::Result<()> {
        for (id, turns) in self.conversations.drain(..) {
            let mut line = b"{\"id\":".to_vec();
            push_text(&mut line, &id);
            line.extend_from_slice(b",\"conversations\":[");
            line.extend_from_slice(&turns.join(&b','));
            line.extend_from_slice(b"]}");
            out.write_bytes(&line).context("cannot write")?;
        }
        Ok(())
    }
}

/// The turns that `messages` are.
fn said(messages: &str) -> Result<Vec<Vec<u8>>, String> {
    let messages: Vec<&RawValue> =
        serde_json::from_str(messages).map_err(|_| "messages: expected an array")?;
    let one = |message: &&RawValue| {
        let members: Members<'_> =
            serde_json::from_str(message.get()).map_err(|_| "messages: expected objects")?;
        let role: Option<String> = members
            .get("role")
            .and_then(|raw| serde_json::from_slice(raw).ok());
        let from = match role.ok_or("messages: a message without role")?.as_str() {
            "user" => "human",
            "assistant" => "gpt",
            "tool" | "function" => "tool",
            _ => "system",
        };
        Ok(turn(from, members.get("content").unwrap_or(b"\"\"")))
    };
    messages.iter().map(one).collect()
}

/// The JSON of one turn.
fn turn(from: &str, value: &[u8]) -> Vec<u8> {
    let mut json = format!("{{\"from\":\"{from}\",\"value\":").into_bytes();
    json.extend_from_slice(value);
    json.push(b'}');
    json
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};

    #[test]
    fn a_conversation_comes_back_without_its_last_answer() {
        let text = r#"{"id":"a","conversations":[{"from":"system","value":"s"},{"from":"human","value":"1?"},{"from":"gpt","value":"1\n"},{"from":"human","value":"2?"}]}"#;
        assert_eq!(convert("--to sharegpt", text), format!("{text}\n"));
    }

    #[test]
    fn texts_and_their_completions_are_turns() {
        let text = concat!(
            r#"{"timestamp":1,"text_input":"a","completion":"b","session_id":7}"#,
            "\n",
            r#"{"text_input":"x"}"#,
            "\n",
            r#"{"text_input":"c","session_id":7}"#,
            "\n",
            r#"{"input_length":7}"#,
            "\n",
        );
        let expected = concat!(
            r#"{"id":"7","conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"},{"from":"human","value":"c"}]}"#,
            "\n",
            r#"{"id":"conversation_2","conversations":[{"from":"human","value":"x"}]}"#,
            "\n",
        );
        let (out, error, report) = convert_with("--to sharegpt", text);
        assert_eq!((out.as_str(), error), (expected, None));
        assert_eq!(report.of(Kind::Dropped, "requests without text"), 1);
        assert_eq!(report.written, 3);
    }
}
