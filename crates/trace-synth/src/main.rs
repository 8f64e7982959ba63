//! Make request traces; see `trace-synth --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    trace_core::cli::main(|args: trace_synth::Args| {
        trace_synth::run(&args, trace_core::cli::stdout()?)
    })
}
