//! Merge request traces by arrival time; see the library.

use std::process::ExitCode;
use trace_core::cli;

fn main() -> ExitCode {
    cli::main(|args: trace_merge::Args| {
        trace_merge::run(&args, args.input.open_each()?, cli::stdout()?)?;
        Ok(cli::DONE)
    })
}
