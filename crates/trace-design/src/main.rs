//! Draw traffic in the browser; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    trace_core::cli::main(|args: trace_design::Args| trace_design::run(&args))
}
