//! A trace in, the part of it that is wanted out.
//!
//! ```text
//! trace-convert day.jsonl.gz --from-time 10m --to-time 20m --zero --speed 2 | trace-send --url http://localhost:8000
//! ```
//!
//! Reads the Mooncake format and checks every line of it; see [`window`] for
//! what can be kept and how time is changed. Lines that need no change go
//! through byte for byte. Memory is one line.

mod args;
pub mod window;

pub use args::Args;

use anyhow::Context;
use std::io::Write;
use trace_core::{Field, Line, Reader, Writer, cli};
use window::Window;

/// Copy the lines of `input` that `args` asks for to `output`.
///
/// # Errors
/// A line that is no request, and whatever writing gives.
pub fn run(args: &Args, mut input: Reader<'_>, output: impl Write) -> anyhow::Result<()> {
    let mut out = Writer::new(output);
    let mut window = Window::new(args);
    let mut line = Line::default();
    let mut millis = Vec::new();
    while !window.is_over() && input.read(&mut line)? {
        let Some(time) = window.place(&line.request) else {
            continue;
        };
        set_millis(&mut line, Field::Timestamp, time.timestamp, &mut millis)?;
        set_millis(&mut line, Field::Delay, time.delay, &mut millis)?;
        out.write_line(&line).context("cannot write")?;
    }
    out.flush().context("cannot write")?;
    cli::report_skipped("trace-convert", &input);
    Ok(())
}

/// Put `time` in the field, if it is there and differs.
fn set_millis(
    line: &mut Line,
    field: Field,
    time: Option<trace_core::Micros>,
    millis: &mut Vec<u8>,
) -> anyhow::Result<()> {
    let now = match field {
        Field::Delay => line.request.delay,
        _ => line.request.timestamp,
    };
    if let (Some(time), true) = (time, time != now) {
        millis.clear();
        time.push_millis(millis);
        line.set(field, millis)?;
    }
    Ok(())
}
