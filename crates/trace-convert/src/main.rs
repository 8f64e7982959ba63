//! Any known trace in, request lines out; see the library.

use anyhow::Context;
use std::process::ExitCode;
use trace_convert::{Args, Input, Report};
use trace_core::cli;

fn main() -> ExitCode {
    cli::main(|args: Args| {
        args.input.outlast_interrupt()?;
        let inputs = Input::from_arguments(&args.input)?;
        let mut report = Report::default();
        if let Some(path) = &args.report {
            // Before an hour's work, not after it.
            std::fs::File::create(path)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let done = trace_convert::run(&args, inputs, cli::stdout()?, &mut report);
        if let Some(path) = &args.report {
            std::fs::write(path, format!("{:#}\n", report.to_json()))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        if let (Ok(()), Some(page)) = (&done, &report.statistics) {
            trace_core::say!("{page}");
        }
        if let (Ok(()), Some(line)) = (&done, report.line()) {
            trace_core::say!("trace-convert: {line}");
        }
        done.map(|()| cli::DONE)
    })
}
