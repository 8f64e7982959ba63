//! Our own line: Mooncake's, extended. Read by the reader every tool uses.

use crate::args::Args;
use crate::clock::{TimeUnit, decimal};
use crate::format::{Decode, Format};
use crate::formats::block_size::BlockSize;
use crate::formats::columns::is_alias;
use crate::formats::member::number;
use crate::head::Head;
use crate::input::Opened;
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use trace_core::{Error, Field, Micros, Reader, Source};

/// Mooncake traces, and results of trace-send.
pub(crate) static FORMAT: Format = Format {
    name: "mooncake",
    about: "Mooncake traces and what these tools write, results included",
    detect: |head| match head {
        Head::Empty => true,
        Head::Json {
            array: false,
            spread: false,
            keys,
        } => is_ours(keys),
        _ => false,
    },
    needs: "one JSON object per line with one of input_length, text_input, messages, payload",
    decoder: |args: &Args| {
        Ok(Box::new(Mooncake {
            reader: None,
            block_size: BlockSize::new(args),
            unit: args.unit_or(TimeUnit::Ms),
        }))
    },
};

/// The smallest number that is rather a date than a time since a trace began,
/// in any unit: thirty years of seconds, or eleven days of milliseconds.
const DATE: f64 = 1e9;

/// Whether lines with these keys are ours: they ask, and do not tell times or
/// lengths by others' names alone, as logs of someone else do.
fn is_ours(keys: &[String]) -> bool {
    let has = |name: &str| keys.iter().any(|key| key == name);
    let asks = ["input_length", "text_input", "messages", "payload"];
    let others = |field: Field| {
        let theirs = |key: &String| {
            !key.contains('.') && Field::from_name(key.as_bytes()).is_none() && is_alias(key, field)
        };
        !has(field.name()) && keys.iter().any(theirs)
    };
    let foreign = [Field::Timestamp, Field::InputLength]
        .into_iter()
        .any(others);
    asks.into_iter().any(has) && !foreign
}

struct Mooncake {
    reader: Option<Reader<'static>>,
    block_size: BlockSize,
    unit: TimeUnit,
}

impl Decode for Mooncake {
    fn open(&mut self, mut input: Opened, report: &mut Report) -> anyhow::Result<()> {
        self.block_size.open(&mut input, report)?;
        if input
            .first_member("messages")
            .is_some_and(|raw| is_answered(&raw))
        {
            let reason = "files whose first messages end with an answer, which is asked with them (--from sharegpt asks for it)";
            report.count(Kind::Noted, reason, 1);
        }
        let first = input.first_member("timestamp");
        if first.is_some_and(|raw| number(&raw).is_some_and(|time| time >= DATE)) {
            let reason = "files whose timestamps are dates (--zero lets the first arrive at 0)";
            report.count(Kind::Noted, reason, 1);
        }
        let source = Source::stream(&input.name, input.bytes);
        let source = match &input.tag {
            Some(tag) => source.tagged(tag),
            None => source,
        };
        self.reader = Some(Reader::over([source]));
        Ok(())
    }

    fn read(&mut self, record: &mut Record, _: &mut Report) -> Result<bool, Error> {
        let Some(reader) = &mut self.reader else {
            return Ok(false);
        };
        let more = reader.read(&mut record.line)?;
        record.spelled();
        if more {
            self.block_size.check(record)?;
        }
        if more && self.unit != TimeUnit::Ms {
            self.set_unit(record, Field::Timestamp)?;
            self.set_unit(record, Field::Delay)?;
        }
        Ok(more)
    }

    fn block_size(&self) -> Option<u64> {
        Some(self.block_size.get())
    }
}

impl Mooncake {
    /// Read a time in the unit that was given.
    fn set_unit(&self, record: &mut Record, field: Field) -> Result<(), Error> {
        let Some(raw) = record.line.raw(field.name()).filter(|raw| *raw != b"null") else {
            return Ok(());
        };
        let micros = std::str::from_utf8(raw)
            .ok()
            .and_then(|text| decimal(text, self.unit));
        let micros = micros.and_then(|micros| u64::try_from(micros).ok());
        let micros = micros
            .ok_or_else(|| record.error(format!("{}: a time that cannot be", field.name())))?;
        let time = Some(Micros::from_micros(micros));
        match field {
            Field::Delay => record.change(field).delay = time,
            _ => record.change(field).timestamp = time,
        }
        Ok(())
    }
}

/// Whether the last message of a chat is one of the model's.
fn is_answered(messages: &[u8]) -> bool {
    let all: Vec<Members<'_>> = serde_json::from_slice(messages).unwrap_or_default();
    let last = all.last().and_then(|message| message.get("role"));
    last == Some(b"\"assistant\"")
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};

    #[test]
    fn chats_with_their_answers_are_told_and_can_be_taken_apart() {
        let chat =
            r#"{"messages":[{"role":"user","content":"1?"},{"role":"assistant","content":"1"}]}"#;
        let (out, error, report) = convert_with("", chat);
        assert_eq!((out, error), (format!("{chat}\n"), None));
        assert_eq!(report.of(Kind::Noted, "files whose first messages"), 1);
        let out = convert("--from sharegpt", chat);
        assert!(
            out.contains(r#""messages":[{"role":"user","content":"1?"}]"#),
            "{out}"
        );
        assert!(out.contains(r#""completion":"1""#), "{out}");
    }

    #[test]
    fn logs_with_messages_are_not_ours() {
        let log = r#"{"startTime":1735689600.5,"prompt_tokens":20,"completion_tokens":10,"messages":[{"role":"user","content":"hi"}]}"#;
        let out = convert("", log);
        assert_eq!(
            out,
            "{\"timestamp\":0,\"input_length\":20,\"output_length\":10,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}\n"
        );
        let log = log.replace(r#"[{"role":"user","content":"hi"}]"#, "{}");
        assert!(convert("", &log).contains(r#""hash_ids":[0]"#));
        let ours = r#"{"messages":[],"sent_ms":5,"input_tokens":3,"output_tokens":4}"#;
        assert_eq!(convert("", ours), format!("{ours}\n"));
    }

    #[test]
    fn lines_that_were_printed_wide_are_read() {
        let wide = "{\n  \"timestamp\": 7,\n  \"input_length\": 5,\n  \"ttft_ms\": 2.5\n}\n{\n  \"timestamp\": 9,\n  \"input_length\": 5\n}\n";
        let expected = "{\"timestamp\":7,\"input_length\":5,\"hash_ids\":[0],\"ttft_ms\":2.5}\n{\"timestamp\":9,\"input_length\":5,\"hash_ids\":[1]}\n";
        assert_eq!(convert("", wide), expected);
    }

    #[test]
    fn dates_are_told() {
        let (_, error, report) =
            convert_with("", r#"{"timestamp":1700000000000,"input_length":5}"#);
        assert_eq!(error, None);
        assert_eq!(report.of(Kind::Noted, "files whose timestamps"), 1);
    }

    #[test]
    fn seconds_are_read_when_said() {
        assert_eq!(
            convert(
                "--time-unit s",
                "{\"timestamp\": 1.5, \"input_length\":1, \"delay\":2}\n"
            ),
            "{\"timestamp\": 1500, \"input_length\":1, \"delay\":2000}\n"
        );
    }
}
