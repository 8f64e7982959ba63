//! The outcome side of a run in numbers, and as part of a report.

use super::{GapUnit, Metrics, Verdict};
use crate::confidence::Intervals;
use crate::prefix::ratio;
use crate::report::{Report, Value};
use crate::slo::Attainment;
use std::collections::BTreeMap;
use trace_core::quantile::Spread;
use trace_core::{ErrorKind, Micros};

/// The outcome side of a run in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Number of lines.
    pub requests: u64,
    /// Requests that were answered in full.
    pub succeeded: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Whether the failures are left out of the metrics, instead of censored.
    pub successes_only: bool,
    /// How well the objectives were kept, if there are any.
    pub attainment: Option<Attainment>,
    /// Failures, cancelled and skipped requests by kind.
    pub kinds: BTreeMap<ErrorKind, u64>,
    /// First scheduled → last end.
    pub duration: Option<Micros>,
    /// How far apart the runs began that lie one over the other here, if they are
    /// several.
    pub apart: Option<Micros>,
    /// Answers that ended after the window they were scheduled in.
    pub beyond: u64,
    /// Requests that succeeded, per second.
    pub throughput_rps: Option<f64>,
    /// Tokens of answers, per second.
    pub output_tps: Option<f64>,
    /// Tokens of prompts and answers, per second.
    pub total_tps: Option<f64>,
    /// Prompt tokens.
    pub total_input_tokens: u64,
    /// Tokens of answers.
    pub total_output_tokens: u64,
    /// Prompt tokens that the server took from its cache.
    pub total_cached_tokens: u64,
    /// Their share of the prompts of which it is known.
    pub cached_share: Option<f64>,
    /// Requests whose tokens nobody counted: a chunk was taken for a token.
    pub chunk_counted: u64,
    /// The unit of `itl_ms`, if there are gaps.
    pub gap_unit: Option<GapUnit>,
    /// Requests in whose gaps a chunk stands for a token.
    pub per_chunk: u64,
    /// Requests that left later than a client may be.
    pub late: u64,
    /// What some answers do not tell, though throughput is made of it, and how
    /// many.
    pub untold: Vec<(&'static str, u64)>,
    /// Times and tokens by name, in the order they are reported.
    pub metrics: Metrics,
    /// Intervals of their figures, if they are wanted.
    pub intervals: Option<Intervals>,
}

impl Service {
    /// Its metric of that name, if it has one.
    pub fn metric(&self, name: &str) -> Option<&Spread> {
        let found = self.metrics.iter().find(|(known, _)| *known == name);
        found.map(|(_, spread)| spread)
    }

    /// Put everything into `report`, which also holds so many lines
    /// `without_outcome`.
    pub(crate) fn describe(self, report: &mut Report, without_outcome: u64) {
        report.duration_ms = self.duration.map(Micros::as_millis);
        self.push_counts(&mut report.scalars);
        let verdict = Verdict::of(&self);
        verdict.push_scalars(&mut report.scalars);
        if let Some(unit) = self.gap_unit {
            report.scalars.push(("itl_per", Value::Word(unit.as_str())));
        }
        report.notes.extend(verdict.in_words());
        self.push_notes(&mut report.notes);
        if let Some(attainment) = &self.attainment {
            attainment.push_scalars(&mut report.scalars);
            attainment.push_notes(&mut report.notes);
        }
        if without_outcome > 0 {
            report
                .scalars
                .push(("without_outcome", Value::Count(without_outcome)));
            report.notes.push(format!(
                "{without_outcome} of {} lines are requests without an outcome: they count as requests only",
                self.requests + without_outcome
            ));
        }
        report.metrics.extend(self.metrics);
        report.slo = self.attainment;
        report.confidence = self.intervals;
    }

    /// Requests that were sent, and not given up by the user.
    fn tried(&self) -> u64 {
        self.succeeded + self.failed
    }

    fn push_counts(&self, scalars: &mut Vec<(&'static str, Value)>) {
        let kinds = |unserved: bool| {
            let kinds = self.kinds.iter();
            kinds
                .filter(|(kind, _)| kind.is_unserved() == unserved)
                .map(|(kind, &count)| (kind.as_str().to_owned(), count))
                .collect()
        };
        let error_rate = ratio(self.failed, self.tried());
        scalars.extend([
            ("succeeded", Value::Count(self.succeeded)),
            ("failed", Value::Count(self.failed)),
            ("errors", Value::Counts(kinds(false))),
            ("unserved", Value::Counts(kinds(true))),
            ("error_rate", Value::Measure(error_rate)),
            ("throughput_rps", Value::Measure(self.throughput_rps)),
            ("output_tps", Value::Measure(self.output_tps)),
            ("total_tps", Value::Measure(self.total_tps)),
            ("total_input_tokens", Value::Count(self.total_input_tokens)),
            (
                "total_output_tokens",
                Value::Count(self.total_output_tokens),
            ),
            (
                "total_cached_tokens",
                Value::Count(self.total_cached_tokens),
            ),
            ("cached_share", Value::Measure(self.cached_share)),
        ]);
    }

    fn push_notes(&self, notes: &mut Vec<String>) {
        if let Some(apart) = self.apart {
            notes.push(format!(
                "these are runs that began up to {:.1} s apart, laid one over the other: the duration and all rates are of none of them; read them one by one, or --by what tells them apart (a stage, say)",
                apart.as_secs()
            ));
        }
        // As many begin before a window and end in it, unless the queue grows.
        if self.beyond * 10 > self.succeeded {
            notes.push(format!(
                "{} of {} answers ended after the window their requests were scheduled in: throughput and goodput are of the requests of the window, and more than the server answered in it where its queue grew",
                self.beyond, self.succeeded
            ));
        }
        if self.per_chunk > 0 {
            notes.push(format!(
                "itl_ms is per chunk in {} of {} requests: how many tokens a chunk has is unknown",
                self.per_chunk, self.succeeded
            ));
        }
        if self.chunk_counted > 0 {
            notes.push(format!(
                "tokens were not counted in {} of {} requests: a chunk was taken for a token",
                self.chunk_counted, self.succeeded
            ));
        }
        for (name, count) in &self.untold {
            let so = match *name {
                "latency_ms" => "for the duration they end when they were sent",
                _ => "totals and rates of tokens are of the others",
            };
            notes.push(format!(
                "{count} of {} answers do not tell their {name}: {so}",
                self.succeeded
            ));
        }
        if self.failed > 0 {
            let fate = if self.successes_only {
                "left out of every metric (--successes-only)"
            } else {
                "infinite latencies in quantiles, left out of mean, std, min and max"
            };
            notes.push(format!(
                "{} of {} requests failed: {fate}",
                self.failed,
                self.tried()
            ));
        }
    }
}
