//! Draws a request trace or its outcomes.

use std::process::ExitCode;

fn main() -> ExitCode {
    trace_core::cli::main(|args: trace_plot::Args| trace_plot::run(&args))
}
