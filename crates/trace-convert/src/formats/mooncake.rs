//! Our own line: Mooncake's, extended. Read by the reader every tool uses.

use crate::args::Args;
use crate::format::{Decode, Format};
use crate::head::Head;
use crate::input::Opened;
use crate::record::Record;
use crate::report::Report;
use trace_core::{Error, Reader, Source};

/// Mooncake traces, and results of trace-send.
pub(crate) static FORMAT: Format = Format {
    name: "mooncake",
    about: "Mooncake traces and what these tools write, results included",
    detect: |head| match head {
        Head::Empty => true,
        Head::Json { array, keys } => {
            let asks = ["input_length", "text_input", "messages", "payload"];
            !array && asks.iter().any(|ask| keys.iter().any(|key| key == ask))
        }
        _ => false,
    },
    needs: "one JSON object per line with one of input_length, text_input, messages, payload",
    decoder: |_: &Args| Ok(Box::new(Mooncake { reader: None })),
};

struct Mooncake {
    reader: Option<Reader<'static>>,
}

impl Decode for Mooncake {
    fn open(&mut self, input: Opened, _: &mut Report) -> anyhow::Result<()> {
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
        Ok(more)
    }
}
