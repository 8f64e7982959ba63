//! `trace-send`: parse, hand over, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    trace_core::cli::main(|args: trace_send::Args| {
        let input = args.input.open()?;
        trace_send::run(&args, input, trace_core::cli::stdout()?)
    })
}
