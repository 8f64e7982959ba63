//! `trace-stats`: numbers about a trace, or about its outcomes.

use std::io::BufWriter;
use std::process::ExitCode;
use trace_core::cli;
use trace_stats::{Command, cache, prefixes};

fn main() -> ExitCode {
    cli::main(|args: trace_stats::Args| {
        let files = match &args.command {
            Some(Command::Cache(args)) => &args.input,
            Some(Command::Prefixes(args)) => &args.input,
            None => &args.input,
        };
        files.outlast_interrupt()?;
        let mut input = files.open()?;
        let output = BufWriter::new(cli::stdout()?);
        let notes = std::io::stderr();
        let code = match &args.command {
            Some(Command::Cache(args)) => cache::run(args, &mut input, output, notes)?,
            Some(Command::Prefixes(args)) => prefixes::run(args, &mut input, output, notes)?,
            None => trace_stats::run(&args, &mut input, output, notes)?,
        };
        cli::report_skipped("trace-stats", &input);
        Ok(code)
    })
}
