//! Any known trace in, request lines out, and the wrangling of one trace.
//!
//! ```text
//! trace-convert BurstGPT_1.csv --from-time 10m --to-time 20m --zero --speed 2 | trace-send --url http://localhost:8000
//! ```
//!
//! A format is told by its header or its first object and read by a decoder
//! under `formats/`, one row at a time; what is done to a request stands
//! under `transform/`; how it is written, under `targets/`. Columns no field
//! of ours holds become members of the line. Lines of our own format keep
//! their bytes, but for the values that change.
//!
//! What was dropped or made up is counted in a [`Report`].

mod args;
mod clock;
mod counter;
mod elements;
mod fit;
mod format;
mod formats;
mod head;
mod history;
mod input;
mod json;
mod library;
mod limit;
mod lines;
mod mt19937;
mod pipeline;
mod quick;
mod record;
mod report;
mod statistics;
mod table;
mod targets;
mod transform;
mod words;

pub use args::Args;
pub use args::Compat;
pub use clock::TimeUnit;
pub use formats::Mapping;
pub use input::Input;
pub use report::{Kind, Report};
pub use targets::Tpot;
pub use transform::condition::Condition;
pub use transform::pace::Shift;
pub use transform::render::RenderAs;
pub use transform::repair::{Failed, Repair};
pub use transform::sample::SampleBy;

use anyhow::{Context, bail};
use format::{Decode, Format, Out};
use head::Head;
use input::Opened;
use pipeline::Pipeline;
use quick::Quick;
use record::Record;
use std::io::Write;
use trace_core::cli::Progress;
use trace_core::{Error, Writer};

/// Convert `inputs` to `output` as `args` say.
///
/// The report is filled as the work goes on, and holds what happened so far
/// when this ends with an error.
///
/// # Errors
/// A format that cannot be told, a row that cannot be read, a request that
/// cannot be written, and whatever writing gives.
pub fn run(
    args: &Args,
    inputs: Vec<Input>,
    mut output: impl Write,
    report: &mut Report,
) -> anyhow::Result<()> {
    args.check_limits()?;
    let mut out: Out<'_> = Writer::new(&mut output);
    let mut reading: Option<Reading> = None;
    let mut quick = Quick::for_args(args).filter(|_| !inputs.iter().any(Input::is_tagged));
    let mut quickly_read: Option<String> = None;
    let mut progress = Progress::new("converted", None);
    for input in inputs {
        let over = reading.as_ref().is_some_and(|r| r.pipeline.is_over());
        if over || quick.as_ref().is_some_and(Quick::is_over) {
            break;
        }
        let opened = input.open()?;
        if opened.head == Head::Empty {
            report.count(Kind::Noted, "inputs with nothing in them", 1);
            continue;
        }
        let (format, how) = choose(args, &opened)?;
        report.read_as(format.name, how, format.name == "mooncake");
        if format.name != "mooncake" {
            if let Some(first) = &quickly_read {
                return Err(mixed(&opened.name, format.name, first, "mooncake"));
            }
            quick = None;
        }
        if let Some(quick) = &mut quick {
            quickly_read.get_or_insert(opened.name.to_string());
            quick.copy(opened, &mut out, report)?;
            continue;
        }
        let reading = match &mut reading {
            Some(reading) => {
                reading.go_on(format, opened, report)?;
                reading
            }
            None => reading.insert(Reading::begin(args, format, opened, report)?),
        };
        let mut tell = |read| progress.set(read, "requests");
        reading.read_on(args.input.skip_invalid, &mut out, report, &mut tell)?;
    }
    progress.finish();
    match &mut reading {
        Some(reading) => reading.pipeline.finish(&mut out, report)?,
        None if quickly_read.is_some() => {}
        // A table has its header even so.
        None => Pipeline::new(args, args.block_size(), false)?.finish(&mut out, report)?,
    }
    out.flush().context("cannot write")
}

/// Requests from one look at the clock to the next.
const PROGRESS_STEP: u64 = 16 * 1024;

/// The format of an input, and how that was told.
fn choose(args: &Args, opened: &Opened) -> anyhow::Result<(&'static Format, &'static str)> {
    if args.from == "auto" && !args.mappings.is_empty() {
        let name = match opened.head {
            Head::Table(_) => "csv",
            Head::Json { .. } => "jsonl",
            _ => bail!(
                "{}: --map is for CSV and JSON, this is {}",
                opened.name,
                opened.head.describe()
            ),
        };
        let format = format::by_name(name).context("an unknown format")?;
        return Ok((format, "by --map"));
    }
    if args.from == "auto" {
        let format = format::detect(&opened.name, &opened.head)?;
        return Ok((format, opened.head.how()));
    }
    let format = format::by_name(&args.from).context("an unknown format")?;
    let fits = match (format.name, &opened.head) {
        ("csv", Head::Table(_)) | ("jsonl", Head::Json { .. }) => true,
        // Lines with messages are requests, if nobody says otherwise.
        ("sharegpt", head) if head.has("messages.role") => true,
        _ => (format.detect)(&opened.head),
    };
    if !fits {
        return Err(format::refuse(&opened.name, &opened.head, format));
    }
    Ok((format, "as said"))
}

fn mixed(name: &str, format: &str, first: &str, its: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{name} is {format}, {first} is {its}: convert each on its own and put them together with trace-merge"
    )
}

/// The decoder at work, and what its requests go through.
struct Reading {
    format: &'static Format,
    /// The file that decided.
    first: String,
    decoder: Box<dyn Decode>,
    pipeline: Pipeline,
    record: Record,
}

impl Reading {
    fn begin(
        args: &Args,
        format: &'static Format,
        opened: Opened,
        report: &mut Report,
    ) -> anyhow::Result<Self> {
        let first = opened.name.to_string();
        let mut decoder = (format.decoder)(args)?;
        decoder.open(opened, report)?;
        let block_size = decoder.block_size().unwrap_or_else(|| args.block_size());
        let pipeline = Pipeline::new(args, block_size, decoder.has_clock())?;
        Ok(Self {
            format,
            first,
            decoder,
            pipeline,
            record: Record::default(),
        })
    }

    /// Read the input to its end, or to that of what is wanted; `tell` how far
    /// it has come, now and then.
    fn read_on(
        &mut self,
        skip_invalid: bool,
        out: &mut Out<'_>,
        report: &mut Report,
        tell: &mut impl FnMut(u64),
    ) -> anyhow::Result<()> {
        while !self.pipeline.is_over() {
            if report.read.is_multiple_of(PROGRESS_STEP) {
                tell(report.read);
            }
            match self.decoder.read(&mut self.record, report) {
                Ok(true) => {
                    report.read += 1;
                    self.pipeline.push(&mut self.record, out, report)?;
                }
                Ok(false) => break,
                Err(Error::Line(error)) if skip_invalid => report.skip(&error),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn go_on(
        &mut self,
        format: &'static Format,
        opened: Opened,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        if self.format.name != format.name {
            return Err(mixed(
                &opened.name,
                format.name,
                &self.first,
                self.format.name,
            ));
        }
        self.decoder.open(opened, report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// The output for the input `text`, the error if there was one, and the
    /// report; flags stand between spaces.
    pub(crate) fn convert_with(flags: &str, text: &str) -> (String, Option<String>, Report) {
        let args = Args::parse_from(format!("trace-convert {flags}").split_whitespace());
        let mut out = Vec::new();
        let mut report = Report::default();
        let done = run(&args, vec![Input::text("in", text)], &mut out, &mut report);
        let error = done.err().map(|error| format!("{error:#}"));
        (String::from_utf8(out).unwrap(), error, report)
    }

    /// The output, where all goes well.
    pub(crate) fn convert(flags: &str, text: &str) -> String {
        let (out, error, _) = convert_with(flags, text);
        assert_eq!(error, None);
        out
    }
}
