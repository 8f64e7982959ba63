//! When the clocks of outcomes began: those of one run did at one moment.

use crate::partial::micros;
use serde::{Deserialize, Serialize};
use trace_core::{Micros, Outcome};

/// By how much wall clocks of one run may differ: machines that share a run, and
/// a clock that was set meanwhile.
const TOLERANCE: Micros = Micros::from_micros(1_000_000);

/// The first and the last moment at which a clock began, by the wall clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clocks {
    #[serde(with = "micros")]
    first: Option<Micros>,
    #[serde(with = "micros")]
    last: Option<Micros>,
}

impl Clocks {
    /// Take that of an outcome, if it tells.
    pub(super) fn push(&mut self, outcome: &Outcome) {
        let times = outcome.sent_unix_ms.zip(outcome.sent_ms);
        let began = times.map(|(unix, sent)| unix.saturating_sub(sent));
        self.append(Self {
            first: began,
            last: began,
        });
    }

    /// Take all of another.
    pub(super) fn append(&mut self, other: Self) {
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
    }

    /// How far apart they began, if that is too far for one run.
    pub(super) fn apart(self) -> Option<Micros> {
        let apart = self.last?.saturating_sub(self.first?);
        (apart > TOLERANCE).then_some(apart)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ms, served, service};
    use super::*;

    /// Sent so long after its run began, which was at `began` by the wall clock.
    fn sent(began: f64, sent: f64) -> Outcome {
        Outcome {
            sent_unix_ms: ms(began + sent),
            ..served(sent, sent, 50.0, 80.0)
        }
    }

    #[test]
    fn one_run_has_one_clock() {
        let run = [
            sent(1e12, 0.0),
            sent(1e12, 60_000.0),
            sent(1e12 + 900.0, 5.0),
        ];
        assert_eq!(service(&run).apart, None);
        let unknown = [served(0.0, 0.0, 50.0, 80.0), sent(1e12, 0.0)];
        assert_eq!(service(&unknown).apart, None);
    }

    #[test]
    fn runs_that_lie_one_over_the_other_are_told() {
        let runs = [sent(1e12, 0.0), sent(1e12 + 7_000.0, 0.0)];
        assert_eq!(service(&runs).apart, ms(7_000.0));
    }
}
