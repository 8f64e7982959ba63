//! Azure LLM inference traces of 2023, 2024 and 2025: a date, `ContextTokens`,
//! `GeneratedTokens`, and `NumImages` in the multimodal one.
//!
//! The dates differ: seven decimals without a zone, six with one, `T` and `Z`,
//! and whole seconds without any.

use crate::args::Args;
use crate::clock::Clock;
use crate::format::{Decode, Format};
use crate::history::History;
use crate::input::Opened;
use crate::record::{Name, Record};
use crate::report::Report;
use crate::table::Table;
use trace_core::date::{date, has_zone};
use trace_core::{Error, Field};

/// The tables of the AzurePublicDataset.
pub(crate) static FORMAT: Format = Format {
    name: "azure",
    about: "Azure LLM inference traces of 2023, 2024 and 2025 (CSV)",
    detect: |head| head.has_columns(&REQUIRED),
    needs: "the columns TIMESTAMP, ContextTokens, GeneratedTokens",
    decoder: |args| Ok(Box::new(Azure::new(args))),
};

const REQUIRED: [&str; 3] = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];

/// The other columns, and what the line calls them.
type Rest = Vec<(usize, Name)>;

struct Azure {
    clock: Clock,
    history: Option<History>,
    /// Whether it was said how dates without a zone are read.
    said_zone: bool,
    open: Option<(Table, [usize; 3], Rest)>,
}

impl Azure {
    fn new(args: &Args) -> Self {
        Self {
            clock: args.clock(),
            history: args.invents_ids().then(|| History::new(args.block_size())),
            said_zone: false,
            open: None,
        }
    }
}

impl Decode for Azure {
    fn open(&mut self, input: Opened, report: &mut Report) -> anyhow::Result<()> {
        let table = Table::open(input)?;
        let used = table.columns(REQUIRED)?;
        let rest = table.others(&used, &[("NumImages", "num_images")]);
        report.assume("zero at the first row");
        self.open = Some((table, used, rest));
        Ok(())
    }

    fn has_clock(&self) -> bool {
        true
    }

    fn read(&mut self, record: &mut Record, report: &mut Report) -> Result<bool, Error> {
        let Some((table, [timestamp, input, output], rest)) = &mut self.open else {
            return Ok(false);
        };
        if !table.next(report)? {
            return Ok(false);
        }
        record.begin(table.name(), table.line());
        let text = table.text(*timestamp)?;
        let micros = date(text).ok_or_else(|| {
            table.error(
                *timestamp,
                format!("{text:?}, expected a date like 2023-11-16 18:17:03.97"),
            )
        })?;
        if !self.said_zone && !has_zone(text) {
            self.said_zone = true;
            report.assume("dates without a zone are UTC");
        }
        let (input, output) = (table.whole(*input)?, table.whole(*output)?);
        let at = self.clock.place(micros, report);
        let at = at.map_err(|reason| table.error(*timestamp, reason))?;
        let request = record.change(Field::Timestamp);
        request.timestamp = Some(at);
        request.input_length = Some(input);
        request.output_length = Some(output);
        request.source = table.tag().map(str::to_owned);
        if let Some(history) = &mut self.history {
            history.mark(record, report)?;
        }
        table.carry(rest, record);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::{convert, convert_with};

    #[test]
    fn every_release_is_read() {
        for rows in [
            "2023-11-16 18:17:03.9799600,10,2\r\n2023-11-16 18:17:04.0319600,600,3",
            "2024-05-10 00:00:00.948+00:00,10,2\n2024-05-10 02:00:01+02:00,600,3\n",
        ] {
            let out = convert(
                "",
                &format!("TIMESTAMP,ContextTokens,GeneratedTokens\r\n{rows}"),
            );
            let expected = "{\"timestamp\":0,\"input_length\":10,\"output_length\":2,\"hash_ids\":[0]}\n{\"timestamp\":52,\"input_length\":600,\"output_length\":3,\"hash_ids\":[1,2]}\n";
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_zone_is_assumed_only_where_there_is_none() {
        for (date, assumed) in [
            ("2023-11-16 18:17:03.97", true),
            ("2024-05-10 00:00:00.948+00:00", false),
            ("2024-10-15T12:00:00Z", false),
        ] {
            let (_, error, report) = convert_with(
                "",
                &format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{date},1,1\n"),
            );
            assert_eq!(error, None);
            let line = report.line().unwrap();
            assert_eq!(line.contains("without a zone"), assumed, "{line}");
        }
        let (_, error, _) = convert_with(
            "",
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-02-29 00:00:00,1,1\n",
        );
        assert!(
            error
                .unwrap()
                .starts_with("in:2:1: TIMESTAMP: \"2023-02-29")
        );
    }

    #[test]
    fn images_are_carried_along() {
        let out = convert(
            "",
            "TIMESTAMP,NumImages,ContextTokens,GeneratedTokens\n2024-10-15T12:00:00.269Z,3,770,491\n",
        );
        assert!(out.contains("\"num_images\":3"), "{out}");
    }

    #[test]
    fn a_time_before_the_first_is_an_error_that_helps() {
        let (out, error, _) = convert_with(
            "",
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:01,1,1\n2023-11-16 18:00:00,1,1\n",
        );
        assert_eq!(out.lines().count(), 1);
        assert_eq!(
            error.unwrap(),
            "in:3:1: TIMESTAMP: the time goes back to 1 s before the first request; --repair=order sorts (and holds the trace)"
        );
    }
}
