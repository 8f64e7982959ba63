//! Look at every line, print what is odd.

use super::args::{Args, Format};
use super::finding::{Finding, Findings};
use super::rules::Lint;
use anyhow::Context;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use trace_core::cli::{self, Progress};
use trace_core::{Line, Reader};

/// All that was found.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// What this object is: always `lint`.
    kind: &'static str,
    /// Number of lines.
    requests: u64,
    /// Findings of each kind.
    counts: BTreeMap<&'static str, u64>,
    /// The first few of each kind.
    findings: &'a [Finding],
}

/// Look at `input` and print what is odd on `output`, how much it is on
/// `notes`. Gives the exit code: 1 if anything is.
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
    let mut lint = Lint::new(args.block_size.block_size, args.limit);
    let mut progress = Progress::new("trace-stats: read", None);
    let (mut line, mut outcome) = (Line::default(), None);
    let mut lines = 0u64;
    while input.read_outcome(&mut line, &mut outcome)? {
        lint.push(&line, outcome.as_ref())?;
        lines += 1;
        if lines.is_multiple_of(4096) {
            progress.set(lines, "lines");
        }
    }
    progress.finish();
    let findings = lint.finish();
    print(&findings, lines, args.format, &mut output).context("cannot write the findings")?;
    if args.format == Format::Text {
        writeln!(notes, "trace-stats: {}", in_words(&findings, lines))?;
    }
    Ok(if findings.is_empty() {
        cli::DONE
    } else {
        cli::NO
    })
}

fn print(
    findings: &Findings,
    requests: u64,
    format: Format,
    output: &mut impl Write,
) -> io::Result<()> {
    match format {
        Format::Text => {
            for finding in findings.listed() {
                let Finding {
                    file,
                    line,
                    kind,
                    message,
                } = finding;
                writeln!(output, "{file}:{line}: {}: {message}", kind.name())?;
            }
        }
        Format::Json => {
            let counts = findings.counts().iter();
            let report = Report {
                kind: "lint",
                requests,
                counts: counts.map(|(kind, &count)| (kind.name(), count)).collect(),
                findings: findings.listed(),
            };
            serde_json::to_writer_pretty(&mut *output, &report)?;
            writeln!(output)?;
        }
    }
    output.flush()
}

fn in_words(findings: &Findings, lines: u64) -> String {
    let total: u64 = findings.counts().values().sum();
    if total == 0 {
        return format!("nothing odd in {lines} lines");
    }
    let kinds = findings.counts().iter();
    let kinds: Vec<String> = kinds
        .map(|(kind, count)| format!("{} {count}", kind.name()))
        .collect();
    let listed = findings.listed().len() as u64;
    let rest = if listed < total {
        format!("; {listed} of them listed, --limit 0 lists all")
    } else {
        String::new()
    };
    let plural = if total == 1 { "" } else { "s" };
    format!(
        "{total} finding{plural} in {lines} lines: {}{rest}",
        kinds.join(", ")
    )
}
