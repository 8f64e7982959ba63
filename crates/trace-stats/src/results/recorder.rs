//! From values to figures, and to their intervals if those are wanted.

use super::{Measure, Metrics, gaps, tokens_per_chunk};
use crate::confidence::{Batches, Intervals, Repeated};
use trace_core::Outcome;
use trace_core::quantile::{Ranked, Values};

/// What is counted in each stretch of time: measures stand at their own index,
/// these behind them.
const BEHIND: usize = Measure::ALL.len();
/// Gaps that are of a token and of a chunk, and those that are of either.
const GAP: usize = BEHIND;
const TOKEN_GAP: usize = BEHIND + 1;
const CHUNK_GAP: usize = BEHIND + 2;
const INPUT: usize = BEHIND + 3;
const OUTPUT: usize = BEHIND + 4;
const CACHED: usize = BEHIND + 5;

/// What a metric is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Of(Measure),
    Itl,
    Icl,
    Input,
    Output,
    Cached,
}

impl Quantity {
    /// The figures of `values`, and what one whole unit of it is in those of the
    /// metric.
    fn intervals(
        self,
        all: &mut Intervals,
        name: &'static str,
        values: &Ranked<'_>,
        batches: &Batches,
    ) {
        let mut push = |counted: &[usize], unit| all.push(name, values, (batches, counted, unit));
        match self {
            Self::Of(measure) => push(&[measure as usize], 1e-3),
            Self::Itl => push(&[GAP, TOKEN_GAP], 1e-3),
            Self::Icl => push(&[GAP, CHUNK_GAP], 1e-3),
            Self::Input => push(&[INPUT], 1.0),
            Self::Output => push(&[OUTPUT], 1.0),
            Self::Cached => push(&[CACHED], 1.0),
        }
    }
}

/// Count the quantities of `outcome` in the stretch it was scheduled in, those of
/// `failures` as infinite where they are censored.
pub(super) fn count(batches: &mut Batches, outcome: &Outcome, failures: bool) {
    let scheduled = outcome.scheduled_ms.or(outcome.due_ms).or(outcome.sent_ms);
    let Some(time) = scheduled else { return };
    for measure in Measure::ALL {
        let value = measure.counted(outcome, failures);
        // Times are whole microseconds; anything else is taken to the thousandth.
        let counted = value.map(|value| Repeated::once(value, (value * 1e3).round() as u64));
        batches.add(measure as usize, time, counted);
    }
    if outcome.error.is_some() {
        return;
    }
    let tokens = [
        (INPUT, outcome.input_tokens),
        (OUTPUT, outcome.output_tokens),
        (CACHED, outcome.cached_tokens),
    ];
    for (quantity, tokens) in tokens {
        let counted = tokens.map(|tokens| Repeated::once(tokens as f64, tokens));
        batches.add(quantity, time, counted);
    }
    match tokens_per_chunk(outcome).filter(|&tokens| tokens > 1) {
        None => batches.add(GAP, time, gaps::repeated(outcome, 1)),
        Some(tokens) => {
            batches.add(TOKEN_GAP, time, gaps::repeated(outcome, tokens));
            batches.add(CHUNK_GAP, time, gaps::repeated(outcome, 1));
        }
    }
}

/// Takes the figures of each metric.
pub(super) struct Recorder<'a> {
    pub(super) metrics: Metrics,
    pub(super) batches: Option<&'a Batches>,
    pub(super) intervals: Option<Intervals>,
}

impl Recorder<'_> {
    /// The figures of `values`.
    pub(super) fn record(&mut self, name: &'static str, values: &mut Values, quantity: Quantity) {
        let ranked = values.ranked();
        self.metrics.push((name, ranked.spread()));
        if let Some((intervals, batches)) = self.intervals.as_mut().zip(self.batches) {
            quantity.intervals(intervals, name, &ranked, batches);
        }
    }
}
