//! Outcomes of the shards of one run, as one file.
//!
//! Each of several senders sent every so-many-th line of one trace, and wrote
//! what happened in the order in which it did. The merge puts a line where
//! its request stood in the trace: by stage, concurrency, round and `seq`.
//! Stages come in the order in which the files first have them, which is the
//! order of the recipe; an alphabet would put `main` before `warmup`.

use crate::output::Output;
use crate::plan::{Part, Plan};
use crate::sort::Sorter;
use crate::trace::{Notes, Order, Trace};
use std::io::Write;
use trace_core::{Error, ErrorKind, Line, Outcome};

/// Stage, concurrency, round and seq: a request's identity.
type Identity = [u64; 4];

/// Write the outcomes of all `parts` in the order of their identities, one
/// for each.
///
/// Of several with the same identity one that was served wins over one that
/// was cancelled or never sent; else the first that was read stays.
///
/// # Errors
/// A line that is no outcome, and whatever reading and writing gives.
pub(crate) fn outcomes(
    parts: Vec<Part<'_>>,
    plan: Plan,
    out: &mut Output<impl Write>,
) -> anyhow::Result<(Notes, Duplicates)> {
    let plan = Plan {
        order: Order::Any,
        ..plan
    };
    let mut notes = Notes::default();
    let mut stages = Vec::new();
    let mut sorter = Sorter::new(plan.memory);
    for part in parts {
        let mut trace = part.open(plan, 1)?;
        while let Some(identity) = next(&mut trace, plan, &mut stages)? {
            sorter.push(identity, trace.spelled()?)?;
        }
        notes.add(&trace.notes);
    }
    // No order of time is asked of outcomes.
    notes.misplaced = 0;
    let mut chosen = Chosen::new(stages);
    sorter.drain(|identity, line| chosen.take(identity, line, |line| out.write(line)))?;
    chosen.finish(|line| out.write(line))?;
    Ok((notes, chosen.duplicates))
}

/// Go to the next outcome, and tell whose it is.
fn next(
    trace: &mut Trace<'_>,
    plan: Plan,
    stages: &mut Vec<String>,
) -> anyhow::Result<Option<Identity>> {
    while trace.read()?.is_some() {
        match outcome(trace) {
            Ok(outcome) => return Ok(Some(identity(&outcome, stages))),
            Err(Error::Line(error)) if plan.skip_invalid => {
                trace.notes.skipped += 1;
                trace.notes.first_skipped.get_or_insert(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn outcome(trace: &Trace<'_>) -> Result<Outcome, Error> {
    let no_outcome =
        "no seq, so not an outcome of trace-send; traces are merged without --outcomes";
    let outcome = trace.line()?.outcome().map_err(|error| {
        // The line is known by its place in the file, not in the reader.
        match trace.wrong(error.reason.clone()) {
            Error::Line(at) => trace_core::LineError {
                column: error.column,
                ..at
            },
            _ => error,
        }
    })?;
    let outcome = outcome.filter(|outcome| outcome.seq.is_some());
    outcome.ok_or_else(|| trace.wrong(no_outcome))
}

fn identity(outcome: &Outcome, stages: &mut Vec<String>) -> Identity {
    let stage = outcome.stage.as_ref().map(|stage| {
        let known = stages.iter().position(|known| known == stage);
        known.unwrap_or_else(|| {
            stages.push(stage.clone());
            stages.len() - 1
        })
    });
    // Nothing comes before zero.
    let rank = |number: Option<u64>| number.map_or(0, |number| number.saturating_add(1));
    [
        rank(stage.map(|stage| stage as u64)),
        rank(outcome.concurrency),
        rank(outcome.round),
        outcome.seq.unwrap_or_default(),
    ]
}

/// How many outcomes were left out because another has the same identity.
#[derive(Debug, Default)]
pub(crate) struct Duplicates {
    pub(crate) count: u64,
    /// The first such identity, for people.
    pub(crate) first: String,
}

impl Duplicates {
    /// Say it on stderr.
    pub(crate) fn report(&self) {
        if self.count > 0 {
            let Self { count, first } = self;
            trace_core::say!(
                "trace-merge: left out {count} outcomes of requests that have another, the first: {first}"
            );
        }
    }
}

/// The outcome that stays, of those with the same identity.
struct Chosen {
    stages: Vec<String>,
    current: Option<Identity>,
    line: Vec<u8>,
    duplicates: Duplicates,
}

impl Chosen {
    fn new(stages: Vec<String>) -> Self {
        Self {
            stages,
            current: None,
            line: Vec::new(),
            duplicates: Duplicates::default(),
        }
    }

    fn take(
        &mut self,
        identity: Identity,
        line: &[u8],
        write: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.current == Some(identity) {
            if self.duplicates.count == 0 {
                self.duplicates.first = self.spelled(identity);
            }
            self.duplicates.count += 1;
            if is_unserved(&self.line) && !is_unserved(line) {
                self.line.clear();
                self.line.extend_from_slice(line);
            }
            return Ok(());
        }
        self.finish(write)?;
        self.current = Some(identity);
        self.line.clear();
        self.line.extend_from_slice(line);
        Ok(())
    }

    fn finish(&mut self, mut write: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        match self.current.take() {
            Some(_) => write(&self.line),
            None => Ok(()),
        }
    }

    fn spelled(&self, [stage, concurrency, round, seq]: Identity) -> String {
        let mut text = String::new();
        if let Some(stage) = (stage as usize).checked_sub(1) {
            text += &format!("stage {} ", self.stages[stage]);
        }
        for (name, rank) in [("concurrency", concurrency), ("round", round)] {
            if let Some(number) = rank.checked_sub(1) {
                text += &format!("{name} {number} ");
            }
        }
        text + &format!("seq {seq}")
    }
}

/// Whether the request was given up by the user or never sent.
fn is_unserved(line: &[u8]) -> bool {
    let outcome = Line::parse("", &String::from_utf8_lossy(line)).and_then(|line| line.outcome());
    let error = outcome.ok().flatten().and_then(|outcome| outcome.error);
    error.is_some_and(|error| ErrorKind::is_unserved(error.kind))
}
