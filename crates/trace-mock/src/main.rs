//! An LLM server that needs no GPU, and writes down what it receives.

use std::process::ExitCode;

fn main() -> ExitCode {
    trace_core::cli::main(|args: trace_mock::Args| trace_mock::run(&args))
}
