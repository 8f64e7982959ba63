//! `trace-send`: parse, hand over, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    trace_core::cli::main(|args: trace_send::Args| {
        if let Some(recipe) = &args.recipe {
            let typed: Vec<String> = std::env::args().skip(1).collect();
            return trace_send::cook(recipe, &args, &typed);
        }
        let input = args.input.open()?;
        trace_send::run(&args, input, trace_core::cli::stdout()?)
    })
}
