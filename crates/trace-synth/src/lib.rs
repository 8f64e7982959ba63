//! Make request traces.
//!
//! A trace is put together from parts that don't know of each other:
//!
//! ```text
//! arrivals   when          constant, renewal, sine              arrival.rs, gap.rs, curve.rs
//! × lengths  how long      distributions, files, mixtures       length.rs, dist.rs, empirical.rs
//! × prefixes what is shared  nothing, or a pool of blocks       prefix.rs
//! → Synth    an iterator of requests                            synth.rs
//! ```
//!
//! Each part draws from its own stream of randomness, named for it, so that
//! the same seed gives the same arrivals whatever the lengths are. All
//! arithmetic that decides a byte is done by [`draw`] and `libm`, equal on
//! every machine; the tests hold a hash of what each generator writes.
//!
//! ```sh
//! trace-synth sine --rate 5..50 --period 10m --duration 1h | trace-stats
//! ```

pub mod args;
pub mod arrival;
pub mod curve;
pub mod dist;
pub mod draw;
pub mod empirical;
pub mod gap;
pub mod length;
pub mod normal;
pub mod prefix;
pub mod rate;
pub mod sine;
pub mod synth;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use trace_core::{Request, Writer, cli};

pub use args::{Args, Command};
pub use synth::Synth;

/// Write the trace that `args` describe to `stdout`, or to the file they name.
///
/// Fails if flags contradict each other, or on a file that cannot be read or
/// written; an error of `stdout` stays an [`std::io::Error`].
pub fn run(args: &Args, stdout: impl Write) -> anyhow::Result<u8> {
    // First, so that a mistake in the flags doesn't empty a file.
    let synth = args.command.synth()?;
    match destination(&args.command) {
        None => write(synth, stdout)?,
        Some(path) => {
            let file =
                File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
            write(synth, file).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(cli::DONE)
}

fn destination(command: &Command) -> Option<PathBuf> {
    match command {
        Command::Rate(_) => None,
        Command::Sine(args) => args.destination(),
    }
}

/// Write all of `synth` to `output`.
pub fn write(mut synth: Synth, output: impl Write) -> std::io::Result<()> {
    let mut trace = Writer::new(output);
    let mut request = Request::default();
    while synth.fill(&mut request) {
        trace.write(&request)?;
    }
    trace.flush()
}
