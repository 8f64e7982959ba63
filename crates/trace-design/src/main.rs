//! Check a drawn curve; see the library.

use std::io::{self, Read};
use std::process::ExitCode;
use trace_core::cli;

fn main() -> ExitCode {
    cli::main(|args: trace_design::Args| {
        let mut text = String::new();
        args.open()?.read_to_string(&mut text)?;
        trace_design::run(&args.name(), &text, io::stdout().lock())?;
        Ok(cli::DONE)
    })
}
