//! Outcomes come as they finish; requests go in their order.

use trace_core::{Error, Line, Reader};

/// What tells outcomes of one input apart, in the order they were asked for.
pub(crate) type Place = (Option<String>, Option<u64>, Option<u64>, Option<u64>);

/// `first` and the rest of `input` in the order of (`stage`, `concurrency`,
/// `round`, `seq`), lines without these as they came. Holds the input.
///
/// # Errors
/// As the reader has them, and an outcome field of a wrong type.
pub(crate) fn restored(first: Line, input: &mut Reader<'_>) -> Result<Vec<Line>, Error> {
    let mut lines = vec![(place(&first)?, first)];
    for line in input {
        let line = line?;
        lines.push((place(&line)?, line));
    }
    lines.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

pub(crate) fn place(line: &Line) -> Result<Place, Error> {
    let outcome = line.outcome()?.unwrap_or_default();
    Ok((
        outcome.stage,
        outcome.concurrency,
        outcome.round,
        outcome.seq,
    ))
}
