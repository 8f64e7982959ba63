//! `trace-stats`: numbers about a trace, or about its outcomes.

use std::io::BufWriter;
use std::process::ExitCode;
use trace_core::cli;

fn main() -> ExitCode {
    cli::main(|args: trace_stats::Args| {
        args.input.outlast_interrupt()?;
        let mut input = args.input.open()?;
        let output = BufWriter::new(cli::stdout()?);
        let code = trace_stats::run(&args, &mut input, output, std::io::stderr())?;
        cli::report_skipped("trace-stats", &input);
        Ok(code)
    })
}
