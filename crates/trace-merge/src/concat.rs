//! Inputs one after the other in time.

use crate::merge::arrival;
use crate::namespace::Namespace;
use anyhow::Context;
use std::io::Write;
use trace_core::{Field, Line, Micros, Reader, Writer, cli};

/// Write `inputs` in turn, each moved to begin `gap` after the last line of
/// the one before it; the first stays where it is.
///
/// Times within an input keep their distances: an input that begins at 100 ms
/// begins 100 ms after the point where it is put.
///
/// # Errors
/// An input that is not sorted or cannot be read, and whatever writing gives.
pub fn concat(
    inputs: Vec<Reader<'_>>,
    gap: Micros,
    space: impl Fn(usize, usize) -> Option<Namespace>,
    out: &mut Writer<impl Write>,
) -> anyhow::Result<()> {
    let count = inputs.len();
    let mut start = Micros::ZERO;
    let mut end = Micros::ZERO;
    let mut line = Line::default();
    let mut millis = Vec::new();
    for (number, mut input) in inputs.into_iter().enumerate() {
        if number > 0 {
            start = end + gap;
        }
        let mut last = Micros::ZERO;
        while input.read(&mut line)? {
            last = arrival(&line, last)?;
            end = start + last;
            if line.request.timestamp.is_some() && start > Micros::ZERO {
                millis.clear();
                end.push_millis(&mut millis);
                line.set(Field::Timestamp, &millis)?;
            }
            if let Some(space) = space(number, count) {
                space.apply(&mut line)?;
            }
            out.write_line(&line).context("cannot write")?;
        }
        cli::report_skipped("trace-merge", &input);
    }
    Ok(())
}
