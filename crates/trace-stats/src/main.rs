//! `trace-stats`: numbers about a trace, or about its outcomes.

use std::io::BufWriter;
use std::process::ExitCode;
use trace_core::Reader;
use trace_core::cli::{self, InputArgs};
use trace_stats::steady::Choice;
use trace_stats::{Command, cache, compare, lint, prefixes, telemetry, windows};

fn main() -> ExitCode {
    cli::main(|args: trace_stats::Args| {
        let output = BufWriter::new(cli::stdout()?);
        let notes = std::io::stderr();
        match &args.command {
            None if args.partial.combine => {
                args.input.outlast_interrupt()?;
                trace_stats::combine(&args, args.input.sources()?, output, notes)
            }
            None if args.window == Some(Choice::Auto) => {
                args.input.outlast_interrupt()?;
                trace_stats::run_steady(&args, output, notes)
            }
            None => over(&args.input, |input| {
                trace_stats::run(&args, input, output, notes)
            }),
            Some(Command::Cache(args)) => {
                over(&args.input, |input| cache::run(args, input, output, notes))
            }
            Some(Command::Prefixes(args)) => over(&args.input, |input| {
                prefixes::run(args, input, output, notes)
            }),
            Some(Command::Compare(args)) => compare::run(args, output),
            Some(Command::Lint(args)) => {
                over(&args.input, |input| lint::run(args, input, output, notes))
            }
            Some(Command::Telemetry(args)) => telemetry::run(args, output, notes),
            Some(Command::Windows(args)) => {
                over(&args.input, |input| windows::run(args, input, output))
            }
        }
    })
}

/// Open the files, run over them, and say what was skipped.
fn over(
    files: &InputArgs,
    run: impl FnOnce(&mut Reader<'static>) -> anyhow::Result<u8>,
) -> anyhow::Result<u8> {
    files.outlast_interrupt()?;
    let mut input = files.open()?;
    let code = run(&mut input)?;
    cli::report_skipped("trace-stats", &input);
    Ok(code)
}
