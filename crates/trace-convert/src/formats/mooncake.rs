//! Our own line: Mooncake's, extended. Read by the reader every tool uses.

use crate::args::Args;
use crate::clock::{TimeUnit, decimal};
use crate::format::{Decode, Format};
use crate::head::Head;
use crate::input::Opened;
use crate::record::Record;
use crate::report::Report;
use trace_core::{BLOCK_TOKENS, Error, Field, Micros, Reader, Source};

/// Mooncake traces, and results of trace-send.
pub(crate) static FORMAT: Format = Format {
    name: "mooncake",
    about: "Mooncake traces and what these tools write, results included",
    detect: |head| match head {
        Head::Empty => true,
        Head::Json { array, keys } => {
            let has = |name: &&str| keys.iter().any(|key| key == name);
            let asks = ["input_length", "text_input", "messages", "payload"];
            // Lengths under our name beside a time under another's are a
            // trace of someone else's.
            let foreign_time = ["arrival_ms", "arrival_s", "arrival_time", "arrived_at"];
            let foreign = !has(&"timestamp") && foreign_time.iter().any(has);
            !array && !foreign && asks.iter().any(has)
        }
        _ => false,
    },
    needs: "one JSON object per line with one of input_length, text_input, messages, payload",
    decoder: |args: &Args| {
        Ok(Box::new(Mooncake {
            reader: None,
            block_size: args.from_block_size.unwrap_or(BLOCK_TOKENS),
            unit: args.unit_or(TimeUnit::Ms),
        }))
    },
};

struct Mooncake {
    reader: Option<Reader<'static>>,
    block_size: u64,
    unit: TimeUnit,
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
        if more && self.unit != TimeUnit::Ms {
            self.set_unit(record, Field::Timestamp)?;
            self.set_unit(record, Field::Delay)?;
        }
        Ok(more)
    }

    fn block_size(&self) -> Option<u64> {
        Some(self.block_size)
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

#[cfg(test)]
mod tests {
    use crate::tests::convert;

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
