//! Cut, speed up and check a trace; see the library.

use std::process::ExitCode;
use trace_core::cli;

fn main() -> ExitCode {
    cli::main(|args: trace_convert::Args| {
        trace_convert::run(&args, args.input.open()?, cli::stdout()?)?;
        Ok(cli::DONE)
    })
}
