//! What a run came to: counts and quantiles of its outcomes.

mod report;

use crate::hearing::Hearing;
use crate::lateness::Histogram;
use crate::metric::Metric;
use crate::track::Overload;
use std::collections::BTreeMap;
use trace_core::time::Micros;
use trace_core::verdict::{self, CLIENT_LIMIT};
use trace_core::{ErrorKind, Outcome};

/// The share of a core above which answers wait for the client: at nine
/// tenths one that comes in finds nine others before it.
const MOST_BUSY: f64 = 0.9;

/// Counts the outcomes of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests with an outcome.
    pub ended: u64,
    failed: BTreeMap<ErrorKind, u64>,
    /// The message of the first failure.
    first_failure: Option<String>,
    lateness: Histogram,
    /// The longest that a piece of each answer lay before it was read.
    lay: Histogram,
    /// Answers of which something was heard.
    heard: u64,
    /// Those among them that have a time by when this process ran.
    untold: u64,
    /// Requests that kept every limit.
    pub good: u64,
    /// Attempts beyond the first.
    pub retried: u64,
    ttft: Histogram,
    /// How long the last one waited for its turn.
    pub queue: Micros,
    /// Times that a condition is about.
    watched: Vec<(Metric, Histogram)>,
    /// Requests that left later than [`CLIENT_LIMIT`] after their time.
    late: u64,
    /// The share of the run in which the thread that sends was at work, of
    /// several the one that was most.
    pub busy: Option<f64>,
    /// By how many seconds the wall clock was set meanwhile.
    pub wall_step: Option<f64>,
    /// How many threads sent.
    pub threads: usize,
    /// How far the server was behind at the end.
    pub overload: Option<Overload>,
    /// Requests that were sent again because their connection was dead.
    pub resent: u64,
    /// Connections that the server closed right after an answer.
    pub died_young: u64,
    /// Requests that were read only after their time.
    pub read_late: u64,
    /// When the last one ended.
    last_end: Micros,
}

impl Tally {
    /// Count `outcome`, which came at `now`.
    pub(crate) fn add(&mut self, outcome: &Outcome, now: Micros) {
        self.ended += 1;
        // Threads count what they hear in their own order.
        self.last_end = self.last_end.max(now);
        if let Some(lateness) = outcome.lateness_ms {
            self.lateness.add(lateness);
            self.late += u64::from(lateness > CLIENT_LIMIT);
        }
        if let Some(ttft) = outcome.ttft_ms.filter(|_| outcome.error.is_none()) {
            self.ttft.add(ttft);
        }
        self.queue = outcome.queue_ms.unwrap_or(self.queue);
        for (metric, times) in &mut self.watched {
            // A request that failed at once was not answered fast.
            let counts = outcome.error.is_none() || metric.is_ours();
            if let Some(time) = metric.of(outcome).filter(|_| counts) {
                times.add(time);
            }
        }
        if let Some(failure) = &outcome.error {
            *self.failed.entry(failure.kind).or_default() += 1;
            self.first_failure
                .get_or_insert_with(|| failure.message.clone());
        }
    }

    /// Count what was heard of an answer.
    pub(crate) fn hear(&mut self, hearing: &Hearing) {
        self.heard += u64::from(hearing.is_any());
        self.untold += u64::from(hearing.is_untold());
        if let Some(lay) = hearing.lay() {
            self.lay.add(lay);
        }
    }

    /// Keep the quantiles of `metrics`, too.
    pub(crate) fn watch(&mut self, metrics: Vec<Metric>) {
        for metric in metrics {
            if !self.watched.iter().any(|(known, _)| *known == metric) {
                self.watched.push((metric, Histogram::default()));
            }
        }
    }

    /// The `q` quantile of a time that is watched; nothing while there is none.
    pub(crate) fn watched(&self, metric: Metric, q: f64) -> Option<Micros> {
        let found = self.watched.iter().find(|(known, _)| *known == metric);
        found?.1.quantile(q)
    }

    /// Requests that failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Why the first that failed did.
    pub(crate) fn first_failure(&self) -> Option<&str> {
        self.first_failure.as_deref()
    }

    /// The `q` quantile of lateness; zero while nothing was sent.
    pub(crate) fn lateness(&self, q: f64) -> Micros {
        self.lateness.quantile(q).unwrap_or_default()
    }

    /// The `q` quantile of the time to first token; zero while there is none.
    pub(crate) fn ttft(&self, q: f64) -> Micros {
        self.ttft.quantile(q).unwrap_or_default()
    }

    /// The share of requests that failed.
    pub(crate) fn error_rate(&self) -> f64 {
        self.failed() as f64 / self.ended.max(1) as f64
    }

    /// Requests per second, up to the last that ended.
    pub(crate) fn rate(&self) -> f64 {
        let seconds = self.last_end.as_secs();
        if seconds > 0.0 {
            self.ended as f64 / seconds
        } else {
            0.0
        }
    }

    /// Whether the client kept the run from being what it should.
    pub(crate) fn is_client_limited(&self) -> bool {
        self.is_late() || self.is_busy()
    }

    fn is_late(&self) -> bool {
        verdict::is_late(self.late, self.lateness(0.99))
    }

    fn is_busy(&self) -> bool {
        self.busy.is_some_and(|share| share > MOST_BUSY)
    }
}
