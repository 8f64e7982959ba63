//! Prompts from lines, in the order in which a cache meets them.

use crate::order::{Held, Prompt};
use trace_core::cli::Progress;
use trace_core::{Line, Outcome, Reader};

/// Give every request of `input` to `take`: requests as they are read, then
/// outcomes in the order of the input they came from. How many lines there were.
///
/// # Errors
///
/// Those of reading and of `take`.
pub(crate) fn each_prompt(
    input: &mut Reader<'_>,
    take: impl FnMut(Prompt<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    each_line(input, |_, _| {}, take)
}

/// The same, and `see` sees every line as it is read.
///
/// # Errors
///
/// Those of reading and of `take`.
pub(crate) fn each_line(
    input: &mut Reader<'_>,
    mut see: impl FnMut(&Line, Option<&Outcome>),
    mut take: impl FnMut(Prompt<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let mut held = Held::default();
    let mut progress = Progress::new("trace-stats: read", None);
    let (mut line, mut outcome) = (Line::default(), None);
    let mut lines = 0u64;
    while input.read_outcome(&mut line, &mut outcome)? {
        see(&line, outcome.as_ref());
        match &outcome {
            Some(outcome) => held.push(&line, outcome)?,
            None => take(Prompt::of(&line, None))?,
        }
        lines += 1;
        if lines.is_multiple_of(4096) {
            progress.set(lines, "lines");
        }
    }
    progress.finish();
    held.release(take)?;
    Ok(lines)
}
