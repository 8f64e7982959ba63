//! Dynamo's agentic Mooncake: a header line, then rows of a workflow.
//!
//! `not_before_ms` becomes `timestamp`. What a row depends on, and the play it
//! belongs to, stay on the line, but nothing here obeys them.

use crate::args::Args;
use crate::format::{Decode, Format};
use crate::input::Opened;
use crate::json;
use crate::lines::Lines;
use crate::record::Record;
use crate::report::{Kind, Report};
use anyhow::{Context, bail};
use std::collections::HashMap;
use std::io::{Cursor, Read};
use trace_core::{BLOCK_TOKENS, Error, Field, Micros, Reader, Source};

/// Traces that begin with `{"schema":"dynamo.agentic_mooncake",…}`.
pub(crate) static FORMAT: Format = Format {
    name: "agentic-mooncake",
    about: "Dynamo's agentic Mooncake, which begins with a header line",
    detect: |head| head.has("schema") && head.has("version") && !head.has("input_length"),
    needs: "a first line with schema and version",
    decoder: |args: &Args| {
        Ok(Box::new(Agentic {
            reader: None,
            block_size: args.from_block_size,
            given: args.from_block_size.is_some(),
            local: false,
            ids: HashMap::new(),
        }))
    },
};

struct Agentic {
    reader: Option<Reader<'static>>,
    block_size: Option<u64>,
    given: bool,
    /// Whether an id means something within its play only.
    local: bool,
    ids: HashMap<(Vec<u8>, u64), u64>,
}

impl Decode for Agentic {
    fn open(&mut self, input: Opened, report: &mut Report) -> anyhow::Result<()> {
        let mut lines = Lines::new(&input.name, input.bytes);
        let mut header = Vec::new();
        lines.append(&mut header)?;
        let start = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&header);
        let members: json::Members<'_> = serde_json::from_slice(start)
            .with_context(|| format!("{}:1: cannot read the header", input.name))?;
        let text = |name: &str| members.get(name).map(String::from_utf8_lossy);
        let schema = text("schema").unwrap_or_default();
        if !schema.contains("agentic_mooncake") {
            bail!(
                "{}:1: a header of the format {schema}, which is not known",
                input.name
            );
        }
        if let Some(size) = members.get("block_size") {
            let size = serde_json::from_slice::<u64>(size)
                .ok()
                .filter(|size| *size > 0);
            let size = size
                .with_context(|| format!("{}:1: block_size is not a number above 0", input.name))?;
            if !self.given {
                if self.block_size.is_some_and(|other| other != size) {
                    bail!(
                        "{}:1: blocks of {size} tokens, unlike the file before",
                        input.name
                    );
                }
                self.block_size = Some(size);
            }
        }
        self.local = text("hash_id_scope").is_some_and(|scope| scope != "\"global\"");
        report.assume(format!(
            "blocks of {} tokens",
            self.block_size.unwrap_or(BLOCK_TOKENS)
        ));
        report.count(Kind::Dropped, "header lines", 1);
        // The header's line is given back empty, so that line numbers hold.
        let bytes = Cursor::new(b"\n".to_vec()).chain(lines.into_bytes());
        let source = Source::stream(&input.name, bytes);
        let source = match &input.tag {
            Some(tag) => source.tagged(tag),
            None => source,
        };
        self.reader = Some(Reader::over([source]));
        Ok(())
    }

    fn read(&mut self, record: &mut Record, report: &mut Report) -> Result<bool, Error> {
        let Some(reader) = &mut self.reader else {
            return Ok(false);
        };
        if !reader.read(&mut record.line)? {
            return Ok(false);
        }
        record.spelled();
        if let Some(raw) = record
            .line
            .raw("not_before_ms")
            .filter(|raw| *raw != b"null")
        {
            let millis = serde_json::from_slice(raw)
                .ok()
                .and_then(Micros::from_millis);
            let at = millis
                .ok_or_else(|| record.error("not_before_ms: expected milliseconds, 0 or more"))?;
            record.change(Field::Timestamp).timestamp = Some(at);
        }
        let waits = record
            .line
            .raw("dependencies")
            .is_some_and(|raw| raw.len() > 2);
        if waits {
            report.count(
                Kind::Noted,
                "requests with dependencies, which are kept on the line and not obeyed",
                1,
            );
        }
        if self.local {
            let play = record
                .line
                .raw("play_id")
                .or_else(|| record.line.raw("session_id"));
            let play = play.unwrap_or_default().to_vec();
            if let Some(ids) = &mut record.change(Field::HashIds).hash_ids {
                for id in ids {
                    let next = self.ids.len() as u64;
                    *id = *self.ids.entry((play.clone(), *id)).or_insert(next);
                }
                report.count(
                    Kind::Changed,
                    "hash_ids numbered anew, since a play's ids are its own",
                    1,
                );
            }
        }
        Ok(true)
    }

    fn block_size(&self) -> Option<u64> {
        Some(self.block_size.unwrap_or(BLOCK_TOKENS))
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::{convert, convert_with};

    const TRACE: &str = "{\"schema\":\"dynamo.agentic_mooncake\",\"version\":2,\"block_size\":64,\"hash_id_scope\":\"play\",\"source\":{}}\n{\"request_id\":\"a\",\"play_id\":\"p\",\"session_id\":\"s\",\"model\":\"m\",\"input_length\":65,\"output_length\":3,\"hash_ids\":[0,1],\"not_before_ms\":12.5,\"dependencies\":[]}\n{\"request_id\":\"b\",\"play_id\":\"q\",\"session_id\":\"t\",\"input_length\":64,\"output_length\":3,\"hash_ids\":[0],\"not_before_ms\":null,\"dependencies\":[{\"request_id\":\"a\"}]}\n";

    #[test]
    fn rows_become_requests_and_ids_of_plays_stay_apart() {
        let (out, error, report) = convert_with("", TRACE);
        assert_eq!(error, None);
        let lines: Vec<&str> = out.lines().collect();
        assert!(
            lines[0].contains("\"hash_ids\":[0,1]") && lines[0].ends_with("\"timestamp\":12.5}"),
            "{out}"
        );
        assert!(
            lines[1].contains("\"hash_ids\":[2]") && lines[1].contains("\"dependencies\":[{"),
            "{out}"
        );
        assert_eq!(report.read, 2);
        let joined = convert("--block-size 128", TRACE);
        assert!(
            joined.contains("\"hash_ids\":[0],\"not_before_ms\":12.5"),
            "{joined}"
        );
    }

    #[test]
    fn bad_rows_keep_their_line_number() {
        let (_, error, _) = convert_with("", &format!("{TRACE}oops\n"));
        assert!(error.unwrap().starts_with("in:4:1:"));
    }
}
