//! From values to figures, and to their intervals if those are wanted.

use super::{Gaps, Measure, Metrics, WhenFailed};
use crate::confidence::{Batches, Intervals};
use trace_core::Outcome;
use trace_core::quantile::Values;

/// What has a mean in each stretch of time.
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

/// Count the quantities of `outcome` in the stretch it was scheduled in.
pub(super) fn count(batches: &mut Batches, outcome: &Outcome) {
    let scheduled = outcome.scheduled_ms.or(outcome.due_ms).or(outcome.sent_ms);
    let Some(time) = scheduled else { return };
    let failed = outcome.error.is_some();
    let measures = Measure::ALL.into_iter().filter_map(|measure| {
        let value = measure
            .of(outcome)
            .filter(|_| !failed || measure.when_failed() == WhenFailed::Measured)?;
        // Times are whole microseconds; anything else is taken to the thousandth.
        let micros = (value * 1e3).round() as u64;
        Some((Quantity::Of(measure), 1, micros))
    });
    let gaps = Gaps::totals(outcome).filter(|_| !failed);
    let gaps = gaps.into_iter().flat_map(|(tokens, chunks, sum)| {
        [(Quantity::Itl, tokens, sum), (Quantity::Icl, chunks, sum)]
    });
    let tokens = [
        (Quantity::Input, outcome.input_tokens),
        (Quantity::Output, outcome.output_tokens),
        (Quantity::Cached, outcome.cached_tokens),
    ];
    let tokens = tokens.into_iter().filter(|_| !failed);
    let tokens = tokens.filter_map(|(quantity, tokens)| Some((quantity, 1, tokens?)));
    let all = measures.chain(gaps).chain(tokens);
    batches.add(
        time,
        all.map(|(quantity, count, sum)| (quantity.index(), count, sum)),
    );
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
        if let Some(intervals) = &mut self.intervals {
            let mean = self.batches;
            let mean = mean.map(|batches| (batches, quantity.index(), quantity.unit()));
            intervals.push(name, &ranked, mean);
        }
    }
}
