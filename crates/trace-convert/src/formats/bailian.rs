//! Qwen-Bailian: lines like ours, but seconds, blocks of 16 tokens, and
//! conversations as a chain of `parent_chat_id`.

use crate::args::Args;
use crate::clock::{TimeUnit, decimal};
use crate::format::{Decode, Format};
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
            roots: HashMap::new(),
            block_size: args.from_block_size.unwrap_or(16),
        }))
    },
};

struct Bailian {
    unit: TimeUnit,
    reader: Option<Reader<'static>>,
    block_size: u64,
    /// The first chat of every chat's conversation: 40 bytes a request.
    roots: HashMap<i64, i64>,
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
            "timestamp in {}, blocks of 16 tokens",
            self.unit.as_str()
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
        let chat = integer(record, "chat_id")?;
        let parent = integer(record, "parent_chat_id")?;
        let root = match self.roots.get(&parent) {
            Some(root) => *root,
            None => {
                if parent >= 0 {
                    report.count(
                        Kind::Noted,
                        "turns whose parent_chat_id is not in the trace, which begin a session",
                        1,
                    );
                }
                chat
            }
        };
        self.roots.insert(chat, root);
        record.change(Field::SessionId).session_id = Some(SessionId::Number(root));
        Ok(true)
    }
}

fn text(record: &Record, name: &str) -> Option<String> {
    let raw = record.line.raw(name)?;
    std::str::from_utf8(raw).ok().map(str::to_owned)
}

fn integer(record: &Record, name: &str) -> Result<i64, Error> {
    let text = text(record, name);
    let number = text.and_then(|text| text.trim_end_matches(".0").parse().ok());
    number.ok_or_else(|| record.error(format!("{name}: expected an integer")).into())
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
}
