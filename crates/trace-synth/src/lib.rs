//! Make request traces.
//!
//! A trace is put together from parts that don't know of each other:
//!
//! ```text
//! arrivals   when          constant, renewal, sine              arrival.rs, gap.rs, curve.rs
//!                          a rate over time                     rate_curve.rs, intensity.rs, pieces.rs, rescaled.rs
//! × lengths  how long      distributions, files, mixtures       length.rs, dist.rs, form.rs, empirical.rs
//! × prefixes what is shared  nothing, a pool of blocks, texts   prefix.rs, beginning.rs, popularity.rs
//! × sessions what goes on    turns, think time, tools           conversation.rs, agenda.rs, script.rs, tools.rs
//! → Synth    requests in time order                             synth.rs, requests.rs
//! ```
//!
//! On the command line the same parts are groups of flags: [`when`] and
//! [`shape`]. Each part draws from its own stream of randomness, named for it, so that
//! the same seed gives the same arrivals whatever the lengths are. All
//! arithmetic that decides a byte is done by [`draw`] and `libm`, equal on
//! every machine; the tests hold a hash of what each generator writes.
//!
//! ```sh
//! trace-synth sine --rate 5..50 --period 10m --duration 1h | trace-stats
//! ```

pub mod agenda;
pub mod args;
pub mod arrival;
pub mod beginning;
pub mod conversation;
pub mod curve;
pub mod curve_file;
pub mod dist;
pub mod draw;
pub mod drawn;
pub mod empirical;
mod form;
pub mod gap;
pub mod grafana;
pub mod intensity;
pub mod length;
pub mod length_at;
pub mod like;
pub mod normal;
pub mod pattern;
pub mod pickle;
pub mod pieces;
pub mod popularity;
pub mod prefix;
pub mod rate;
pub mod rate_curve;
pub mod requests;
pub mod rescaled;
pub mod runs;
pub mod scale;
pub mod script;
pub mod servegen;
pub mod session;
pub mod shape;
pub mod sharing;
pub mod sine;
pub mod synth;
mod term;
pub mod tools;
pub mod traffic_designer;
pub mod when;
pub mod words;

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use trace_core::{Writer, cli};

pub use args::{Args, Command};
pub use requests::{Requests, Row};
pub use synth::Synth;

/// Write the trace that `args` describe to `stdout`, or to the file they name.
///
/// A progress line shows on a terminal when the trace goes to a file; in a
/// pipe that is left to whoever reads it.
///
/// # Errors
/// Flags that contradict each other, and a file that cannot be read or
/// written. An error of `stdout` has its [`io::Error`] as its cause.
pub fn run(args: &Args, stdout: impl Write) -> anyhow::Result<u8> {
    if let Command::Curve(curve) = &args.command
        && curve.dry_run
    {
        curve.counts(stdout)?;
        return Ok(cli::DONE);
    }
    // First, so that a mistake in the flags doesn't empty a file.
    let trace = args.command.requests()?;
    let written = match destination(&args.command) {
        None if stdout_is_a_file() => write_watched(trace, stdout).context("cannot write")?,
        None => write_telling(trace, stdout, |_| {}).context("cannot write")?,
        Some(path) => {
            let file =
                File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
            write_watched(trace, file)
                .with_context(|| format!("cannot write {}", path.display()))?
        }
    };
    if let Some(wanted) = args.command.wanted().filter(|wanted| written < *wanted) {
        trace_core::say!(
            "trace-synth: {written} of {wanted} requests: the rate adds up to no more before it is 0 for good, or before 2^53 ms"
        );
    }
    Ok(cli::DONE)
}

fn destination(command: &Command) -> Option<PathBuf> {
    match command {
        Command::Sine(args) => args.destination(),
        _ => None,
    }
}

/// `error` as `name:line:column: reason`.
pub(crate) fn json_error(name: &str, error: &serde_json::Error) -> anyhow::Error {
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or(&reason);
    // serde_json counts the columns of an empty line from 0.
    let (line, column) = (error.line().max(1), error.column().max(1));
    anyhow::anyhow!("{name}:{line}:{column}: {reason}")
}

/// Write all of `trace` to `output`.
///
/// # Errors
/// Those of `output`.
pub fn write(trace: impl Requests, output: impl Write) -> io::Result<()> {
    write_telling(trace, output, |_| {}).map(|_| ())
}

fn write_watched(trace: impl Requests, output: impl Write) -> io::Result<u64> {
    let mut progress = cli::Progress::new("requests", None);
    let written = write_telling(trace, output, |count| progress.set(count, ""));
    progress.finish();
    written
}

/// Write, and `tell` how many requests were, now and then, and give it at
/// last.
fn write_telling(
    mut trace: impl Requests,
    output: impl Write,
    mut tell: impl FnMut(u64),
) -> io::Result<u64> {
    const NOW_AND_THEN: u64 = 1 << 15;
    let mut lines = Writer::new(output);
    let mut row = Row::default();
    let mut count = 0u64;
    while trace.fill(&mut row) {
        lines.write_with(&row.request, &row.members)?;
        count += 1;
        if count.is_multiple_of(NOW_AND_THEN) {
            tell(count);
        }
    }
    lines.flush()?;
    Ok(count)
}

#[cfg(unix)]
fn stdout_is_a_file() -> bool {
    use std::os::fd::AsFd;
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    stdout.is_ok_and(|fd| {
        File::from(fd)
            .metadata()
            .is_ok_and(|metadata| metadata.is_file())
    })
}

#[cfg(not(unix))]
fn stdout_is_a_file() -> bool {
    false
}
