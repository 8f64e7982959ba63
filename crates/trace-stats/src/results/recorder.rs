//! From values to figures, and to their intervals if those are wanted.

use super::{Gaps, Measure, Metrics};
use crate::confidence::{Batches, Intervals, Repeated};
use trace_core::Outcome;
use trace_core::quantile::Values;

/// What is counted in each stretch of time.
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
    /// Its place among the cells of a stretch.
    fn index(self) -> usize {
        let behind = Measure::ALL.len();
        match self {
            Self::Of(measure) => measure as usize,
            Self::Itl => behind,
            Self::Icl => behind + 1,
            Self::Input => behind + 2,
            Self::Output => behind + 3,
            Self::Cached => behind + 4,
        }
    }

    /// What one of its whole units is, in those of the metric.
    fn unit(self) -> f64 {
        match self {
            Self::Of(_) | Self::Itl | Self::Icl => 1e-3,
            Self::Input | Self::Output | Self::Cached => 1.0,
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
        batches.add(Quantity::Of(measure).index(), time, counted);
    }
    if outcome.error.is_some() {
        return;
    }
    let tokens = [
        (Quantity::Input, outcome.input_tokens),
        (Quantity::Output, outcome.output_tokens),
        (Quantity::Cached, outcome.cached_tokens),
    ];
    for (quantity, tokens) in tokens {
        let counted = tokens.map(|tokens| Repeated::once(tokens as f64, tokens));
        batches.add(quantity.index(), time, counted);
    }
    batches.add(Quantity::Itl.index(), time, Gaps::by_token(outcome));
    batches.add(Quantity::Icl.index(), time, Gaps::by_chunk(outcome));
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
            intervals.push(name, &ranked, (batches, quantity.index(), quantity.unit()));
        }
    }
}
