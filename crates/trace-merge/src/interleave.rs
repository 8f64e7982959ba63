//! Inputs side by side in time.

use crate::limit;
use crate::merge::merge;
use crate::output::Output;
use crate::plan::{Part, Plan};
use crate::sort::Sorter;
use crate::spool::Spool;
use crate::trace::{Notes, Order, Trace};
use std::io::Write;
use trace_core::Error;

/// Write `parts` as one trace, sorted by time; of equal times the line of the
/// earlier input comes first.
///
/// # Errors
/// An input that is not sorted or cannot be read, and whatever writing gives.
pub(crate) fn interleave(
    parts: Vec<Part<'_>>,
    plan: Plan,
    out: &mut Output<impl Write>,
) -> anyhow::Result<Notes> {
    if plan.order == Order::Any {
        return sorted(parts, plan, out);
    }
    let allowed = limit::open_files();
    let together = plan.open_files.map_or(allowed, |wish| wish.min(allowed));
    if parts.len() <= together {
        return at_once(parts, plan, |_, line| out.write(line));
    }
    in_groups(parts, together, plan, out)
}

/// All inputs are open at the same time.
fn at_once(
    parts: Vec<Part<'_>>,
    plan: Plan,
    sink: impl FnMut([u64; 1], &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<Notes> {
    let count = parts.len();
    let opened: Result<Vec<Trace<'_>>, Error> = parts
        .into_iter()
        .map(|part| part.open(plan, count))
        .collect();
    let mut traces = opened?;
    merge(&mut traces, sink)?;
    let mut notes = Notes::default();
    traces.iter().for_each(|trace| notes.add(&trace.notes));
    Ok(notes)
}

/// Neighbouring inputs are merged into a temporary file, as many at a time as
/// can be open; then those are merged.
fn in_groups(
    parts: Vec<Part<'_>>,
    together: usize,
    plan: Plan,
    out: &mut Output<impl Write>,
) -> anyhow::Result<Notes> {
    let mut notes = Notes::default();
    let mut spool = Spool::default();
    let mut parts = parts.into_iter().peekable();
    while parts.peek().is_some() {
        let group = parts.by_ref().take(together).collect();
        spool.begin();
        notes.add(&at_once(group, plan, |key, line| spool.push(key, line))?);
    }
    spool.drain(|_, line| out.write(line))?;
    Ok(notes)
}

/// Every input is read to its end before the first line is written.
fn sorted(parts: Vec<Part<'_>>, plan: Plan, out: &mut Output<impl Write>) -> anyhow::Result<Notes> {
    let mut notes = Notes::default();
    let mut sorter = Sorter::new(plan.memory);
    for part in parts {
        let mut trace = part.open(plan, 1)?;
        while let Some(time) = trace.read()? {
            sorter.push([time.as_micros()], trace.spelled()?)?;
        }
        notes.add(&trace.notes);
    }
    sorter.drain(|_, line| out.write(line))?;
    Ok(notes)
}
