//! Qwen-Bailian: lines like ours, but seconds, blocks of 16 tokens, and
//! conversations as a chain of `parent_chat_id`.

use crate::args::Args;
use crate::clock::{TimeUnit, decimal};
use crate::format::{Decode, Format};
use crate::formats::member::session;
use crate::input::Opened;
use crate::record::Record;
use crate::report::{Kind, Report};
use std::collections::HashMap;
use trace_core::{Error, Field, Micros, Reader, SessionId, Source};

/// The public Qwen-Bailian traces.
pub(crate) static FORMAT: Format = Format {
    name: "bailian",
    about: "Qwen-Bailian traces: seconds, chat_id and parent_chat_id, blocks of 16 tokens",
    detect: |head| head.has("chat_id") && head.has("parent_chat_id") && head.has("timestamp"),
    needs: "JSON lines with chat_id, parent_chat_id, timestamp",
    decoder: |args: &Args| {
        Ok(Box::new(Bailian {
            unit: args.unit_or(TimeUnit::S),
            reader: None,
            roots: Roots::default(),
            block_size: args.from_block_size.unwrap_or(16),
        }))
    },
};

struct Bailian {
    unit: TimeUnit,
    reader: Option<Reader<'static>>,
    block_size: u64,
    roots: Roots,
}

/// The first chat of every chat's conversation: 40 bytes a request whose ids
/// are numbers, as published ones are, and 100 of others.
#[derive(Default)]
struct Roots {
    numbers: HashMap<i64, i64>,
    others: HashMap<SessionId, SessionId>,
}

impl Roots {
    fn get(&self, chat: &SessionId) -> Option<SessionId> {
        if let SessionId::Number(number) = chat
            && let Some(root) = self.numbers.get(number)
        {
            return Some(SessionId::Number(*root));
        }
        self.others.get(chat).cloned()
    }

    fn insert(&mut self, chat: SessionId, root: SessionId) {
        match (&chat, &root) {
            (SessionId::Number(chat), SessionId::Number(root)) => {
                self.numbers.insert(*chat, *root);
            }
            _ => {
                self.others.insert(chat, root);
            }
        }
    }
}

impl Decode for Bailian {
    fn open(&mut self, input: Opened, report: &mut Report) -> anyhow::Result<()> {
        let source = Source::stream(&input.name, input.bytes);
        let source = match &input.tag {
            Some(tag) => source.tagged(tag),
            None => source,
        };
        self.reader = Some(Reader::over([source]));
        report.assume(format!(
            "timestamp in {}, blocks of {} tokens",
            self.unit.as_str(),
            self.block_size
        ));
        Ok(())
    }

    fn block_size(&self) -> Option<u64> {
        Some(self.block_size)
    }

    fn read(&mut self, record: &mut Record, report: &mut Report) -> Result<bool, Error> {
        let Some(reader) = &mut self.reader else {
            return Ok(false);
        };
        if !reader.read(&mut record.line)? {
            return Ok(false);
        }
        record.spelled();
        if let Some(text) = text(record, "timestamp") {
            let micros = decimal(&text, self.unit).and_then(|m| u64::try_from(m).ok());
            let micros =
                micros.ok_or_else(|| record.error("timestamp: expected a number, 0 or more"))?;
            record.change(Field::Timestamp).timestamp = Some(Micros::from_micros(micros));
        }
        let chat = id(record, "chat_id").ok_or_else(|| record.error("no chat_id"))?;
        let parent = id(record, "parent_chat_id");
        let known = parent.as_ref().and_then(|parent| self.roots.get(parent));
        report.count(
            Kind::Noted,
            "turns whose parent_chat_id is not in the trace, which begin a session",
            u64::from(parent.is_some() && known.is_none()),
        );
        let root = known.unwrap_or_else(|| chat.clone());
        self.roots.insert(chat, root.clone());
        record.change(Field::SessionId).session_id = Some(root);
        Ok(true)
    }
}

fn text(record: &Record, name: &str) -> Option<String> {
    let raw = record.line.raw(name)?;
    std::str::from_utf8(raw).ok().map(str::to_owned)
}

/// The chat that the member `name` tells; `null`, -1 and nothing are none.
fn id(record: &Record, name: &str) -> Option<SessionId> {
    let raw = record.line.raw(name)?;
    let plain = raw.strip_suffix(b".0").unwrap_or(raw);
    let none: [&[u8]; 4] = [b"null", b"-1", b"\"-1\"", b"\"\""];
    (!none.contains(&plain)).then(|| session(plain))
}

#[cfg(test)]
mod tests {
    use crate::tests::convert;

    #[test]
    fn chains_become_sessions_and_seconds_milliseconds() {
        let trace = concat!(
            r#"{"chat_id": 5, "parent_chat_id": -1, "timestamp": 0.0, "input_length": 20, "output_length": 3, "type": "text", "turn": 1, "hash_ids": [0, 1]}"#,
            "\n",
            r#"{"chat_id": 6, "parent_chat_id": 5, "timestamp": 61.123456, "input_length": 40, "output_length": 3, "type": "text", "turn": 2, "hash_ids": [0, 1, 2]}"#,
            "\n",
            r#"{"chat_id": 9, "parent_chat_id": 6, "timestamp": 70, "input_length": 40, "output_length": 3, "type": "text", "turn": 3, "hash_ids": [0, 1, 2]}"#,
            "\n",
        );
        let out = convert("", trace);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(
            lines[1],
            r#"{"chat_id": 6, "parent_chat_id": 5, "timestamp": 61123.456, "input_length": 40, "output_length": 3, "type": "text", "turn": 2, "hash_ids": [0, 1, 2],"session_id":5}"#
        );
        assert!(lines.iter().all(|line| line.ends_with("\"session_id\":5}")));
    }

    #[test]
    fn ids_may_be_texts_and_a_root_has_no_parent() {
        let trace = concat!(
            r#"{"chat_id":"a","parent_chat_id":null,"timestamp":0.5,"input_length":1}"#,
            "\n",
            r#"{"chat_id":"b","parent_chat_id":"a","timestamp":1,"input_length":1}"#,
            "\n",
            r#"{"chat_id":"c","parent_chat_id":"-1","timestamp":1,"input_length":1}"#,
            "\n",
        );
        let out = convert("", trace);
        let sessions = out.lines().map(|line| line.split("session_id").nth(1));
        let sessions: Vec<_> = sessions.map(|rest| rest.unwrap()).collect();
        assert_eq!(sessions, ["\":\"a\"}", "\":\"a\"}", "\":\"c\"}"]);
    }
}
