//! Merge request traces by arrival time; see the library.

use std::process::ExitCode;
use trace_core::cli;
use trace_merge::{Args, Input};

fn main() -> ExitCode {
    cli::main(|args: Args| {
        args.input.outlast_interrupt()?;
        let inputs = Input::all(&args.input)?;
        let watched = output_is_a_new_file(&inputs)?;
        trace_merge::run(&args, inputs, cli::stdout()?, watched)?;
        Ok(cli::DONE)
    })
}

/// Whether stdout is a file, and so stderr free for progress.
///
/// # Errors
/// When the file is one of the inputs.
#[cfg(unix)]
fn output_is_a_new_file(inputs: &[Input<'_>]) -> anyhow::Result<bool> {
    use std::os::fd::AsFd;
    let stdout = std::io::stdout().as_fd().try_clone_to_owned()?;
    let file = std::fs::File::from(stdout);
    trace_merge::refuse_output_as_input(inputs, &file)?;
    Ok(file.metadata().is_ok_and(|metadata| metadata.is_file()))
}

#[cfg(not(unix))]
fn output_is_a_new_file(_: &[Input<'_>]) -> anyhow::Result<bool> {
    Ok(false)
}
