//! What is kept of a run to hold it against another.

use crate::results::{Duration, Measure};
use crate::workload::per_second;
use std::collections::BTreeMap;
use std::hash::BuildHasher;
use trace_core::{Line, Micros, Outcome};

/// What makes a request of one run that of another: stage, concurrency, round
/// and seq.
pub type Identity = (Option<String>, Option<u64>, Option<u64>, Option<u64>);

/// The quantities that are compared.
const MEASURES: [Measure; 6] = [
    Measure::Ttft,
    Measure::Tpot,
    Measure::Latency,
    Measure::UserTtft,
    Measure::UserLatency,
    Measure::Lateness,
];

/// Their names, that of the tokens behind them.
pub(super) fn names() -> [&'static str; MEASURES.len() + 1] {
    let mut names = ["output_tokens"; MEASURES.len() + 1];
    for (name, measure) in names.iter_mut().zip(MEASURES) {
        *name = measure.name();
    }
    names
}

/// A number for what `line` asks: two lines that ask the same have the same one,
/// others hardly ever.
pub fn prompt(line: &Line) -> u64 {
    const ASKS: [&str; 5] = [
        "input_length",
        "hash_ids",
        "text_input",
        "messages",
        "payload",
    ];
    let asked = ASKS.map(|name| line.raw(name).filter(|json| *json != b"null"));
    foldhash::fast::FixedState::default().hash_one(asked)
}

/// One request that was tried.
#[derive(Debug, Clone)]
pub struct Record {
    /// What it asked, as [`prompt`] gives it.
    pub prompt: u64,
    /// When it was scheduled; requests are neighbours in this order.
    pub scheduled: Micros,
    /// Whether it failed.
    pub failed: bool,
    /// Its value of each of `names`: infinite for a time of a request that
    /// failed.
    pub values: [Option<f64>; MEASURES.len() + 1],
}

/// The requests of a run that were tried: some 200 bytes for each.
#[derive(Debug, Default)]
pub struct Run {
    /// By identity; several of one identity make it unknown which is meant.
    pub records: BTreeMap<Identity, Vec<Record>>,
    /// Requests that were given up or never sent.
    pub unserved: u64,
    duration: Duration,
}

impl Run {
    /// Take the next outcome, of a request that asked `prompt`.
    pub fn push(&mut self, prompt: u64, outcome: &Outcome) {
        if outcome
            .error
            .as_ref()
            .is_some_and(|error| error.kind.is_unserved())
        {
            self.unserved += 1;
            return;
        }
        self.duration.push(outcome, (None, None));
        let failed = outcome.error.is_some();
        let mut values = [None; MEASURES.len() + 1];
        for (value, measure) in values.iter_mut().zip(MEASURES) {
            *value = measure.counted(outcome, true);
        }
        values[MEASURES.len()] = outcome
            .output_tokens
            .filter(|_| !failed)
            .map(|tokens| tokens as f64);
        let identity = (
            outcome.stage.clone(),
            outcome.concurrency,
            outcome.round,
            outcome.seq,
        );
        let scheduled = outcome.scheduled_ms.or(outcome.due_ms).or(outcome.sent_ms);
        self.records.entry(identity).or_default().push(Record {
            prompt,
            scheduled: scheduled.unwrap_or_default(),
            failed,
            values,
        });
    }

    /// Every request, in the order in which they were scheduled.
    pub fn in_order(&self) -> Vec<&Record> {
        let mut records: Vec<&Record> = self.records.values().flatten().collect();
        records.sort_by_key(|record| record.scheduled);
        records
    }

    /// Every value of a quantity of `names`, in that order.
    pub(super) fn values(&self, quantity: usize) -> Vec<f64> {
        let records = self.in_order().into_iter();
        records
            .filter_map(|record| record.values[quantity])
            .collect()
    }

    /// Requests that were tried.
    pub fn tried(&self) -> u64 {
        self.records
            .values()
            .map(|records| records.len() as u64)
            .sum()
    }

    /// Requests that failed.
    pub fn failed(&self) -> u64 {
        let failed = self
            .records
            .values()
            .flatten()
            .filter(|record| record.failed);
        failed.count() as u64
    }

    /// Requests that were answered, per second from the first schedule to the
    /// last end.
    pub fn throughput(&self) -> Option<f64> {
        per_second(
            (self.tried() - self.failed()) as f64,
            self.duration.length()?,
        )
    }

    /// Requests of both runs that have one identity, which is theirs alone, and ask
    /// the same, in the order in which this run scheduled them; and how many of one
    /// identity ask something else.
    pub fn pairs<'a>(&'a self, other: &'a Self) -> (Vec<(&'a Record, &'a Record)>, u64) {
        let known = self.records.iter();
        let both = known
            .filter(|(identity, _)| identity.3.is_some())
            .filter_map(|(identity, records)| {
                match (records.as_slice(), other.records.get(identity)?.as_slice()) {
                    ([one], [two]) => Some((one, two)),
                    _ => None,
                }
            });
        let (mut pairs, unlike): (Vec<_>, Vec<_>) =
            both.partition(|(one, two)| one.prompt == two.prompt);
        pairs.sort_by_key(|(one, _)| one.scheduled);
        (pairs, unlike.len() as u64)
    }
}
