//! Numbers about a trace, or about its outcomes.
//!
//! ```text
//! bytes → Reader → Request, Outcome → Summary → Report → table | json | csv | markdown | prometheus
//! ```
//!
//! A [`Summary`] takes lines one after the other and holds no line: of each
//! metric its values while they are few, then a sketch of them, and of prefixes
//! what [`prefix`] needs. So a report on any number of requests fits in memory,
//! and nothing depends on the order of the lines, except the hit rate of a
//! cache, for which outcomes are put back into the order of the input. Parts of
//! an input can be counted apart and added up ([`partial`]).
//!
//! A [`Report`] is plain data: numbers by name. How it is printed is
//! [`mod@format`]'s business.
//!
//! Beside the report there are questions of their own: what a KV cache of a
//! given size would have had ([`cache`]), what prompts share ([`prefixes`]),
//! how far apart two traces are ([`compare`]), what is odd about one ([`lint`]),
//! and which slices of it are worth a run ([`windows`]).
//!
//! ```text
//! trace-stats conversation.jsonl
//! trace-send --url mock: trace.jsonl | trace-stats --format json
//! trace-stats cache --capacities 1000,10000,100000 conversation.jsonl
//! ```

mod args;
pub mod arrivals;
pub mod assertion;
pub mod by;
pub mod cache;
pub mod catalogue;
pub mod collection;
pub mod compare;
pub mod confidence;
pub mod flaw;
pub mod fluxperf;
pub mod format;
pub mod ids;
mod input;
#[cfg(test)]
mod laws;
pub mod lengths;
pub mod lint;
mod numbered;
pub mod order;
pub mod partial;
pub mod prefix;
pub mod prefixes;
pub mod report;
pub mod results;
pub mod sharing;
pub mod slo;
pub mod steady;
mod suggest;
pub mod summary;
pub mod telemetry;
pub mod tree;
pub mod windows;
pub mod workload;

pub use args::{Args, Command};
pub use format::Format;
pub use report::{Kind, Report, Value};
pub use summary::Summary;

use anyhow::{Context, ensure};
use collection::Collection;
use format::Columns;
use partial::Settings;
use std::io::Write;
use trace_core::cli;
use trace_core::{Reader, Source};

/// Read `input` to its end and print the report on `output`, and on `notes`
/// what is not part of it. Gives the exit code.
///
/// # Errors
///
/// Those of reading and writing.
pub fn run(
    args: &Args,
    input: &mut Reader<'_>,
    mut output: impl Write,
    mut notes: impl Write,
) -> anyhow::Result<u8> {
    let mut collection = begin(args, args.settings()?)?;
    collection.read(input)?;
    conclude(args, collection, &mut output, &mut notes)
}

/// The same over the steady state of each level of what `args` name, which is
/// read twice.
///
/// # Errors
///
/// Those of opening, reading and writing; an input without outcomes.
pub fn run_steady(
    args: &Args,
    mut output: impl Write,
    mut notes: impl Write,
) -> anyhow::Result<u8> {
    ensure!(
        !args.partial.partial,
        "--window auto needs the whole run: look for it in one pass, then give --partial --window A..B"
    );
    let [mut first, mut second] = steady::twice::open(&args.input)?;
    let mut settings = args.settings()?;
    settings.window = steady::search(&mut first)?;
    let mut collection = begin(args, settings)?;
    collection.read(&mut second)?;
    cli::report_skipped("trace-stats", &second);
    conclude(args, collection, &mut output, &mut notes)
}

/// Add up the partial lines of `sources` and print the report on `output`, and
/// on `notes` what is not part of it. Gives the exit code.
///
/// # Errors
///
/// Those of reading, of parts that do not add up, and of writing.
pub fn combine(
    args: &Args,
    sources: Vec<Source<'_>>,
    mut output: impl Write,
    mut notes: impl Write,
) -> anyhow::Result<u8> {
    let collection = partial::combine(sources)?;
    conclude(args, collection, &mut output, &mut notes)
}

/// Nothing yet, and the files that go with it.
fn begin(args: &Args, settings: Settings) -> anyhow::Result<Collection> {
    let collection = Collection::new(settings);
    match &args.output_dir {
        Some(folder) => collection.with_files(folder, args.telemetry.as_deref()),
        None => Ok(collection),
    }
}

/// Print what was counted, as a report or as a partial line.
fn conclude(
    args: &Args,
    collection: Collection,
    output: &mut impl Write,
    notes: &mut impl Write,
) -> anyhow::Result<u8> {
    if args.partial.partial {
        partial::write(&collection, output).context("cannot write the partial line")?;
        return Ok(cli::DONE);
    }
    let mut report = collection.report()?;
    assertion::judge(&args.assert.assertions, &mut report);
    let columns = Columns::of(&args.quantiles);
    print(&report, args.format, &columns, output, notes)?;
    tell(&report, notes)
}

/// Say of each assertion whether it holds; the exit code that follows.
fn tell(report: &Report, notes: &mut impl Write) -> anyhow::Result<u8> {
    let mut code = cli::DONE;
    for (group, judged) in assertion::all(report) {
        let mark = if judged.passed() { "passed" } else { "FAILED" };
        let colon = if group.is_empty() { "" } else { ": " };
        let words = judged.in_words();
        writeln!(notes, "trace-stats: {mark}: {group}{colon}{words}")?;
        if !judged.passed() {
            code = cli::NO;
        }
    }
    Ok(code)
}

/// Print a report, and say on `notes` when there was nothing to report on.
fn print(
    report: &Report,
    format: format::Format,
    columns: &Columns,
    output: &mut impl Write,
    notes: &mut impl Write,
) -> anyhow::Result<u8> {
    if report.requests == 0 {
        writeln!(notes, "trace-stats: the input holds no requests")?;
    }
    format::print(report, format, columns, output, notes).context("cannot write the report")?;
    Ok(cli::DONE)
}

/// The report on all lines of `input`.
///
/// # Errors
///
/// Those of reading; a trace of more blocks than can be numbered.
pub fn summarize(args: &Args, input: &mut Reader<'_>) -> anyhow::Result<Report> {
    let mut collection = Collection::new(args.settings()?);
    collection.read(input)?;
    collection.report()
}
