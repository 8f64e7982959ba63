//! Inputs one after the other in time.

use crate::output::Output;
use crate::plan::{Part, Plan};
use crate::sort::Sorter;
use crate::trace::{Notes, Order, Trace};
use std::io::Write;
use trace_core::Micros;

/// Write `parts` in turn, each moved to begin `gap` after the last line of
/// the one before it; the first stays where it is.
///
/// Times within an input keep their distances: an input that begins at 100 ms
/// begins 100 ms after the point where it is put. Only one is open at a time.
///
/// # Errors
/// An input that is not sorted or cannot be read, and whatever writing gives.
pub(crate) fn concat(
    parts: Vec<Part<'_>>,
    gap: Micros,
    plan: Plan,
    out: &mut Output<impl Write>,
) -> anyhow::Result<Notes> {
    let mut notes = Notes::default();
    let mut start = Micros::ZERO;
    for mut part in parts {
        part.edit.shift = part.edit.shift.later(start);
        let mut trace = part.open(plan, 1)?;
        let end = match plan.order {
            Order::Sorted => copy(&mut trace, out)?,
            Order::Any => sorted(&mut trace, plan.memory, out)?,
        };
        if let Some(end) = end {
            start = end + gap;
        }
        notes.add(&trace.notes);
    }
    Ok(notes)
}

/// Write the lines as they come, and tell when the last arrives.
fn copy(trace: &mut Trace<'_>, out: &mut Output<impl Write>) -> anyhow::Result<Option<Micros>> {
    let mut end = None;
    while let Some(time) = trace.read()? {
        end = Some(time);
        out.write(trace.spelled()?)?;
    }
    Ok(end)
}

/// Write the lines sorted, and tell when the last arrives.
fn sorted(
    trace: &mut Trace<'_>,
    memory: u64,
    out: &mut Output<impl Write>,
) -> anyhow::Result<Option<Micros>> {
    let mut end = None;
    let mut sorter = Sorter::new(memory);
    while let Some(time) = trace.read()? {
        end = end.max(Some(time));
        sorter.push([time.as_micros()], trace.spelled()?)?;
    }
    sorter.drain(|_, line| out.write(line))?;
    Ok(end)
}
