//! The measures of all requests.

use super::{Measure, Quantity, Recorder};
use serde::{Deserialize, Serialize};
use trace_core::Outcome;
use trace_core::quantile::Values;
use trace_core::verdict::CLIENT_LIMIT;

/// The measures of requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Times {
    samples: [Values; Measure::ALL.len()],
    /// Whether visible content ever began later than output did.
    differs: bool,
    /// Requests that left later than a client may be.
    late: u64,
}

impl Times {
    /// None yet; each exact up to `limit` distinct values.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            samples: Measure::ALL.map(|_| Values::new(limit)),
            differs: false,
            late: 0,
        }
    }

    /// A request that was answered, or failed and is `censored` or left out.
    pub(super) fn push(&mut self, outcome: &Outcome, censored: bool) {
        self.differs |= outcome.first_content_ms.is_some();
        for (measure, sample) in Measure::ALL.into_iter().zip(&mut self.samples) {
            let Some(value) = measure.counted(outcome, censored) else {
                continue;
            };
            sample.push(value);
            let late = measure == Measure::Lateness && value > CLIENT_LIMIT.as_millis();
            self.late += u64::from(late);
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        self.differs |= other.differs;
        self.late += other.late;
        for (mine, theirs) in self.samples.iter_mut().zip(other.samples) {
            mine.append(theirs);
        }
    }

    /// Requests that left later than a client may be.
    pub(super) fn late(&self) -> u64 {
        self.late
    }

    pub(super) fn describe(self, figures: &mut Recorder<'_>) {
        for (measure, mut sample) in Measure::ALL.into_iter().zip(self.samples) {
            if measure != Measure::FirstContent || self.differs {
                figures.record(measure.name(), &mut sample, Quantity::Of(measure));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{failed, metric, ms, served, service};
    use trace_core::{ErrorKind, Outcome};

    #[test]
    fn user_times_start_at_the_schedule() {
        let service = service(&[served(100.0, 104.5, 50.0, 80.0)]);
        let max = |name| metric(&service, name).unwrap().max;
        assert_eq!(max("ttft_ms"), Some(50.0));
        assert_eq!(max("user_ttft_ms"), Some(54.5));
        assert_eq!(max("latency_ms"), Some(80.0));
        assert_eq!(max("user_latency_ms"), Some(84.5));
        assert_eq!(max("lateness_ms"), Some(4.5));
        assert_eq!(service.duration, ms(84.5));
    }

    #[test]
    fn a_failure_is_an_infinite_latency_in_quantiles_only() {
        let service = service(&[
            served(0.0, 0.0, 50.0, 80.0),
            served(0.0, 0.0, 60.0, 90.0),
            failed(ErrorKind::Stream),
        ]);
        assert_eq!((service.succeeded, service.failed), (2, 1));
        let latency = metric(&service, "latency_ms").unwrap();
        assert_eq!((latency.count, latency.censored), (2, 1));
        assert_eq!((latency.p50, latency.p90), (Some(90.0), None));
        assert_eq!((latency.mean, latency.max), (Some(85.0), Some(90.0)));
        let lateness = metric(&service, "lateness_ms").unwrap();
        assert_eq!((lateness.count, lateness.censored), (3, 0));
    }

    #[test]
    fn when_everything_failed_the_quantiles_are_infinite() {
        let service = service(&vec![failed(ErrorKind::Connect); 3]);
        let latency = metric(&service, "latency_ms").unwrap();
        assert_eq!((latency.count, latency.censored), (0, 3));
        assert_eq!((latency.mean, latency.p50), (None, None));
        assert_eq!(service.throughput_rps, Some(0.0));
    }

    #[test]
    fn answers_that_were_not_streamed_have_no_first_token() {
        let whole = Outcome {
            ttft_ms: None,
            ..served(0.0, 0.0, 0.0, 80.0)
        };
        let service = service(&[whole, failed(ErrorKind::Http)]);
        assert_eq!(metric(&service, "ttft_ms"), None);
        assert_eq!(metric(&service, "latency_ms").unwrap().censored, 1);
    }
}
