//! Numbers about a trace, or about its outcomes.
//!
//! ```text
//! bytes → Reader → Request, Outcome → Summary → Report → table | json | csv | markdown
//! ```
//!
//! A [`Summary`] takes lines one after the other and holds no line: of each
//! value 8 bytes, of equal ones less, and of prefixes what [`prefix`] needs.
//! So a report on millions of requests fits in memory, its quantiles are
//! exact, and nothing depends on the order of the lines, except the hit rate
//! of a cache, for which outcomes are put back into the order of the input.
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
pub mod cache;
pub mod compare;
pub mod flaw;
pub mod format;
pub mod group;
pub mod ids;
mod input;
pub mod lengths;
pub mod lint;
pub mod order;
pub mod prefix;
pub mod prefixes;
pub mod report;
pub mod results;
pub mod sharing;
pub mod summary;
pub mod tree;
pub mod windows;
pub mod workload;

pub use args::{Args, Command};
pub use format::Format;
pub use report::{Kind, Report, Value};
pub use summary::Summary;

use anyhow::Context;
use group::Groups;
use std::io::Write;
use trace_core::cli::{self, Progress};
use trace_core::{Line, Reader};

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
    let report = summarize(args, input)?;
    print(&report, args.format, &mut output, &mut notes)
}

/// Print a report, and say on `notes` when there was nothing to report on.
fn print(
    report: &Report,
    format: format::Format,
    output: &mut impl Write,
    notes: &mut impl Write,
) -> anyhow::Result<u8> {
    if report.requests == 0 {
        writeln!(notes, "trace-stats: the input holds no requests")?;
    }
    format::print(report, format, output, notes).context("cannot write the report")?;
    Ok(cli::DONE)
}

/// The report on all lines of `input`.
///
/// # Errors
///
/// Those of reading; a trace of more blocks than can be numbered.
pub fn summarize(args: &Args, input: &mut Reader<'_>) -> anyhow::Result<Report> {
    let mut whole = Summary::new(args.blocks());
    if args.cache {
        whole = whole.with_cache();
    }
    let mut groups = Groups::new(&args.by, args.blocks());
    let mut progress = Progress::new("trace-stats: read", None);
    let mut line = Line::default();
    let mut lines = 0u64;
    while input.read(&mut line)? {
        let outcome = line.outcome()?;
        whole.push(&line, outcome.as_ref())?;
        groups.push(&line, outcome.as_ref())?;
        lines += 1;
        if lines.is_multiple_of(4096) {
            progress.set(lines, "lines");
        }
    }
    progress.finish();
    let mut report = whole.finish()?;
    if input.skipped() > 0 {
        report
            .scalars
            .push(("skipped_lines", Value::Count(input.skipped())));
    }
    report.groups = groups.finish()?;
    Ok(report)
}
