//! What happened to requests: times, tokens, failures.
//!
//! ```text
//! Outcome → Results (Times, Gaps, Tokens, Duration) → Service → Report
//! ```
//!
//! [`Results`] collects one set of outcomes: everything, or the outcomes of one
//! group. What two of them collected adds up ([`Results::append`]).
//!
//! Two clocks are reported side by side. *Service* times run from the moment a
//! request was sent; *user* times from the moment the trace wanted it sent, so
//! that a client or a concurrency cap that holds requests back cannot hide the
//! wait (coordinated omission).
//!
//! A failed request is censored in every latency: infinite in quantiles,
//! absent from means. Requests cancelled or skipped were never served and are
//! counted apart. Token counts and gaps are those of the requests that
//! succeeded.

mod clocks;
mod duration;
#[cfg(test)]
pub(crate) mod fixture;
mod gaps;
mod measure;
mod recorder;
mod rules;
mod service;
mod times;
mod tokens;
mod verdict;

pub use duration::{Duration, end_of};
pub use gaps::GapUnit;
pub(crate) use gaps::tokens_per_chunk;
pub use measure::{Measure, WhenFailed};
pub use rules::Rules;
pub use service::Service;
pub use verdict::{LATENESS_LIMIT_MS, Verdict};

use crate::confidence::{Batches, Intervals, Level};
use crate::slo::Judge;
use crate::steady::Windows;
use crate::workload::per_second;
use clocks::Clocks;
use gaps::Gaps;
use recorder::{Quantity, Recorder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use times::Times;
use tokens::Tokens;
use trace_core::quantile::Spread;
use trace_core::{ErrorKind, Micros, Outcome};

/// Figures of what has many values, by name.
pub(crate) type Metrics = Vec<(&'static str, Spread)>;

/// The metrics of outcomes, in the order they are reported.
const ORDER: [&str; 17] = [
    "ttft_ms",
    "first_content_ms",
    "tpot_ms",
    "tpot_with_ttft_ms",
    "tpot_phase02_ms",
    "itl_ms",
    "icl_ms",
    "latency_ms",
    "user_ttft_ms",
    "user_latency_ms",
    "lateness_ms",
    "queue_ms",
    "connect_ms",
    "request_output_tps",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
];

/// What every answer should tell, since the throughput is made of it.
const UNTOLD: [&str; 2] = ["latency_ms", "output_tokens"];

/// Collects the outcome side of every line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    requests: u64,
    succeeded: u64,
    kinds: BTreeMap<ErrorKind, u64>,
    duration: Duration,
    clocks: Clocks,
    times: Times,
    gaps: Gaps,
    tokens: Tokens,
    successes_only: bool,
    judge: Option<Judge>,
    /// For intervals, if they are wanted.
    batches: Option<Batches>,
    /// Where they end, throughput ends.
    #[serde(skip)]
    windows: Windows,
    /// Answers that ended after the window they were scheduled in.
    beyond: u64,
}

impl Results {
    /// Nothing yet; quantiles are exact up to `limit` distinct values of a
    /// metric.
    pub fn new(limit: usize) -> Self {
        Self {
            requests: 0,
            succeeded: 0,
            kinds: BTreeMap::new(),
            duration: Duration::default(),
            clocks: Clocks::default(),
            times: Times::new(limit),
            gaps: Gaps::new(limit),
            tokens: Tokens::new(limit),
            successes_only: false,
            judge: None,
            batches: None,
            windows: Windows::All,
            beyond: 0,
        }
    }

    /// Judge outcomes by those rules.
    #[must_use]
    pub fn with_rules(self, rules: &Rules) -> Self {
        Self {
            successes_only: rules.successes_only,
            judge: rules.slo.clone().map(Judge::new),
            ..self
        }
    }

    /// Also count what intervals are made of.
    #[must_use]
    pub fn with_batches(self) -> Self {
        Self {
            batches: Some(Batches::default()),
            ..self
        }
    }

    /// Let throughput end with `windows`.
    #[must_use]
    pub fn within(self, windows: Windows) -> Self {
        Self { windows, ..self }
    }

    /// Take the next outcome.
    pub fn push(&mut self, outcome: &Outcome) {
        self.requests += 1;
        if let Some(failure) = &outcome.error {
            *self.kinds.entry(failure.kind).or_default() += 1;
            if failure.kind.is_unserved() {
                return;
            }
        }
        let ends = self.windows.ends(outcome);
        self.duration.push(outcome, ends);
        self.clocks.push(outcome);
        if let Some(batches) = &mut self.batches {
            recorder::count(batches, outcome, !self.successes_only);
        }
        self.times.push(outcome, !self.successes_only);
        if outcome.error.is_none() {
            self.succeeded += 1;
            let outlasts = ends.1.is_some_and(|until| end_of(outcome) > Some(until));
            self.beyond += u64::from(outlasts);
            self.gaps.push(outcome);
            self.tokens.push(outcome);
            if let Some(judge) = &mut self.judge {
                judge.push(outcome);
            }
        }
    }

    /// Take all that another has collected by the same rules.
    pub fn append(&mut self, other: Self) {
        self.requests += other.requests;
        self.succeeded += other.succeeded;
        self.beyond += other.beyond;
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        self.duration.append(other.duration);
        self.clocks.append(other.clocks);
        self.times.append(other.times);
        self.gaps.append(other.gaps);
        self.tokens.append(other.tokens);
        if let (Some(judge), Some(other)) = (&mut self.judge, &other.judge) {
            judge.append(other);
        }
        if let (Some(batches), Some(more)) = (&mut self.batches, other.batches) {
            batches.append(more);
        }
    }

    /// Requests that were given up or never sent.
    fn unserved(&self) -> u64 {
        let kinds = self.kinds.iter().filter(|(kind, _)| kind.is_unserved());
        kinds.map(|(_, count)| count).sum()
    }

    /// The numbers, with intervals of that level if there is one, and rates over a
    /// time that goes on at least `until` then.
    pub fn finish(mut self, level: Option<Level>, until: Option<Micros>) -> Service {
        self.duration.reach(until);
        let duration = self.duration.length();
        let rate = |amount: u64| duration.and_then(|span| per_second(amount as f64, span));
        let tokens = &self.tokens;
        // Answers of unknown lengths are not answers without a token.
        let told = [tokens.inputs(), tokens.outputs()].map(|told| told > 0 || self.succeeded == 0);
        let total = tokens.total_input.saturating_add(tokens.total_output);
        let tried = self.requests - self.unserved();
        let scheduled = if self.successes_only {
            self.succeeded
        } else {
            tried
        };
        let attainment = self.judge.map(|judge| {
            let attainment = judge.finish(scheduled, duration);
            if told[1] {
                attainment
            } else {
                attainment.without_tokens()
            }
        });
        let mut service = Service {
            requests: self.requests,
            succeeded: self.succeeded,
            failed: tried - self.succeeded,
            successes_only: self.successes_only,
            attainment,
            kinds: self.kinds,
            duration,
            apart: self.clocks.apart(),
            beyond: self.beyond,
            throughput_rps: rate(self.succeeded),
            output_tps: rate(tokens.total_output).filter(|_| told[1]),
            total_tps: rate(total).filter(|_| told == [true; 2]),
            total_input_tokens: tokens.total_input,
            total_output_tokens: tokens.total_output,
            total_cached_tokens: tokens.total_cached,
            cached_share: tokens.cached_share(),
            chunk_counted: tokens.chunk_counted,
            gap_unit: self.gaps.unit(),
            per_chunk: self.gaps.per_chunk(),
            late: self.times.late(),
            untold: Vec::new(),
            metrics: Metrics::new(),
            intervals: None,
        };
        let mut recorder = Recorder {
            metrics: Metrics::new(),
            batches: self.batches.as_ref(),
            intervals: level.map(Intervals::new),
        };
        self.times.describe(&mut recorder);
        self.gaps.describe(&mut recorder);
        self.tokens.describe(&mut recorder);
        service.metrics = recorder.metrics;
        service.intervals = recorder.intervals;
        service.put_in_order();
        service
    }
}

impl Service {
    /// Note what answers do not tell, and keep the metrics that say something, in
    /// the order they are reported.
    fn put_in_order(&mut self) {
        let (succeeded, metrics) = (self.succeeded, &mut self.metrics);
        let untold = UNTOLD.iter().map(|name| {
            let found = metrics.iter().find(|(known, _)| known == name);
            let told = found.map_or(0, |(_, spread)| spread.count);
            (*name, succeeded.saturating_sub(told))
        });
        self.untold = untold.filter(|(_, count)| *count > 0).collect();
        metrics.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name));
        // A time that no success has, as of answers that were not streamed, is
        // no time of the failures either.
        metrics.retain(|(_, spread)| spread.count > 0 || succeeded == 0 && spread.censored > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{failed, metric, ms, served, service};
    use super::*;

    #[test]
    fn tokens_that_nobody_tells_are_not_none() {
        let told = service(&[served(0.0, 0.0, 50.0, 80.0)]);
        assert_eq!((told.output_tps, told.total_tps), (None, None));
        assert_eq!(told.untold, [("output_tokens", 1)]);
        let counted = Outcome {
            input_tokens: Some(2),
            output_tokens: Some(8),
            ..served(0.0, 0.0, 50.0, 80.0)
        };
        let half = service(&[served(0.0, 0.0, 50.0, 80.0), counted]);
        assert_eq!(
            (half.output_tps, half.total_tps),
            (Some(100.0), Some(125.0))
        );
        assert_eq!(half.untold, [("output_tokens", 1)]);
        let nobody = service(&[failed(ErrorKind::Http)]);
        assert_eq!(nobody.output_tps, Some(0.0), "nothing was answered");
        assert!(nobody.untold.is_empty());
    }

    #[test]
    fn cancelled_and_skipped_requests_are_counted_apart() {
        let service = service(&[
            served(0.0, 0.0, 50.0, 80.0),
            failed(ErrorKind::Cancelled),
            failed(ErrorKind::Skipped),
        ]);
        assert_eq!((service.requests, service.succeeded), (3, 1));
        assert_eq!(service.failed, 0);
        assert_eq!(service.kinds[&ErrorKind::Cancelled], 1);
        assert_eq!(metric(&service, "latency_ms").unwrap().censored, 0);
    }

    #[test]
    fn failures_can_be_left_out() {
        let mut results = Results::new(1_000).with_rules(&Rules {
            successes_only: true,
            slo: None,
        });
        results.push(&served(0.0, 0.0, 50.0, 80.0));
        results.push(&failed(ErrorKind::Http));
        let service = results.finish(None, None);
        let latency = metric(&service, "latency_ms").unwrap();
        assert_eq!((latency.censored, latency.p99), (0, Some(80.0)));
        assert_eq!((service.succeeded, service.failed), (1, 1));
    }

    #[test]
    fn throughput_is_over_the_time_from_first_schedule_to_last_end() {
        let outcome = |scheduled, sent, latency| Outcome {
            input_tokens: Some(300),
            cached_tokens: Some(100),
            output_tokens: Some(100),
            ..served(scheduled, sent, 1.0, latency)
        };
        let service = service(&[
            outcome(1000.0, 1000.0, 500.0),
            outcome(1500.0, 2000.0, 1000.0),
        ]);
        assert_eq!(service.duration, ms(2000.0));
        assert_eq!(service.throughput_rps, Some(1.0));
        assert_eq!(service.output_tps, Some(100.0));
        assert_eq!(service.total_tps, Some(400.0));
        assert_eq!(service.cached_share, Some(1.0 / 3.0));
    }
}
