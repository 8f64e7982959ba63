//! What a run came to, in a line or two for people.

use crate::lateness::Histogram;
use crate::metric::Metric;
use crate::track::Overload;
use std::collections::BTreeMap;
use std::fmt::Write;
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

    /// Of an answer that was counted, no piece lay longer than `time` before it
    /// was read.
    pub(crate) fn lay(&mut self, time: Micros) {
        self.lay.add(time);
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

    /// The lines to say at the end.
    pub(crate) fn report(&self, never_sent: u64) -> Vec<String> {
        match (self.ended, never_sent) {
            (0, 0) => return vec!["there are no requests in the input".to_owned()],
            (0, _) => return vec![format!("none of {never_sent} requests was sent")],
            _ => {}
        }
        let seconds = self.last_end.as_secs();
        let rate = self.rate();
        let failed = self.failed();
        let mut line = format!(
            "{} requests in {seconds:.2} s ({rate:.1}/s): {} ok, {failed} failed",
            self.ended,
            self.ended - failed
        );
        if failed > 0 {
            let kinds: Vec<_> = self
                .failed
                .iter()
                .map(|(kind, count)| format!("{} {count}", kind.as_str()))
                .collect();
            // Writing into a String cannot fail.
            let _ = write!(line, " ({})", kinds.join(", "));
        }
        if never_sent > 0 {
            let _ = write!(line, ", {never_sent} never sent");
        }
        let (p50, p99, max) = (self.lateness(0.5), self.lateness(0.99), self.lateness.max());
        let _ = write!(line, "; late by p50 {p50} ms, p99 {p99} ms, max {max} ms");
        if let Some(lay) = self.lay.quantile(0.99) {
            let _ = write!(line, "; answers lay p99 {lay} ms before they were read");
        }
        let mut lines = vec![line];
        if let Some(first) = &self.first_failure {
            lines.push(format!("the first failure: {first}"));
        }
        if self.retried > 0 {
            lines.push(format!(
                "{} times a request was tried again; its times count from the first attempt",
                self.retried
            ));
        }
        if self.resent > 0 {
            let requests = match self.resent {
                1 => "1 request was".to_owned(),
                more => format!("{more} requests were"),
            };
            lines.push(format!(
                "{requests} sent again because the server had just closed their connection; their times count from the first attempt"
            ));
        }
        if self.died_young > 0 {
            lines.push(format!(
                "the server closed {} of its connections right after an answer without having said so; requests opened others, see connect_ms",
                self.died_young
            ));
        }
        if let Some(step) = self.wall_step {
            lines.push(format!(
                "the wall clock was set by {step:+.1} s during the run, or the machine slept; sent_unix_ms goes by what it was at the beginning, all other times are of a clock that nobody sets"
            ));
        }
        if let Some(count) = self.failed.get(&ErrorKind::Exhausted) {
            lines.push(format!(
                "{count} requests were not sent for want of descriptors or ports on this side: too many were in flight at once; raise the limit (ulimit -n), bound them with --max-concurrency, or end such runs with --stop-on in_flight>N"
            ));
        }
        lines.extend(self.overload.map(|overload| overload.to_string()));
        if self.is_client_limited() {
            lines.push(self.verdict());
        }
        lines
    }

    fn verdict(&self) -> String {
        if !self.is_late() {
            let share = 100.0 * self.busy.unwrap_or_default();
            let more = format!("--threads {}", 2 * self.threads.max(1));
            let who = match self.threads {
                0 | 1 => "the thread that sends was".to_owned(),
                threads => format!("one of {threads} threads that send was"),
            };
            return format!(
                "client-limited: {who} at work {share:.0} % of the time, so answers waited to be stamped; send less, use {more} if cores are free, or split the trace with --shard over several machines"
            );
        }
        let p99 = self.lateness(0.99);
        let why = if self.read_late > 0 {
            format!(
                "{} requests were read only after their time: the input is too slow, unsorted, or ahead of --speed",
                self.read_late
            )
        } else {
            verdict::ADVICE.to_owned()
        };
        verdict::late(p99, &why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Failure;

    fn late(micros: u64, error: Option<ErrorKind>) -> Outcome {
        let failure = |kind| Failure {
            kind,
            message: "why".to_owned(),
        };
        Outcome {
            lateness_ms: Some(Micros::from_micros(micros)),
            error: error.map(failure),
            ..Outcome::default()
        }
    }

    #[test]
    fn a_run_is_told_in_one_line() {
        let mut tally = Tally::default();
        for i in 0..4 {
            tally.add(
                &late(10, (i == 1).then_some(ErrorKind::Http)),
                Micros::from_micros(500_000 * (i + 1)),
            );
        }
        assert_eq!(
            tally.report(2),
            [
                "4 requests in 2.00 s (2.0/s): 3 ok, 1 failed (http 1), 2 never sent; late by p50 0.01 ms, p99 0.01 ms, max 0.01 ms",
                "the first failure: why",
            ]
        );
    }

    #[test]
    fn a_client_without_a_moment_to_spare_is_called_limited() {
        let mut tally = Tally::default();
        tally.add(&late(10, None), Micros::from_micros(1));
        tally.busy = Some(0.5);
        assert!(!tally.is_client_limited());
        tally.busy = Some(0.95);
        let said = &tally.report(0)[1];
        assert!(
            said.contains("the thread that sends was at work 95 %"),
            "{said}"
        );
        assert!(said.contains("use --threads 2 if"), "{said}");
        tally.threads = 4;
        let said = &tally.report(0)[1];
        assert!(
            said.contains("one of 4 threads that send was at work"),
            "{said}"
        );
        assert!(said.contains("use --threads 8 if"), "{said}");
    }

    #[test]
    fn what_happened_to_connections_and_clocks_is_said() {
        let mut tally = Tally::default();
        tally.add(&late(10, None), Micros::from_micros(1));
        (tally.resent, tally.died_young) = (1, 7);
        tally.wall_step = Some(-3_600.04);
        let said = tally.report(0).split_off(1).join("\n");
        for part in [
            "1 request was sent again",
            "closed 7 of its connections right after an answer",
            "the wall clock was set by -3600.0 s",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!tally.is_client_limited());
    }

    #[test]
    fn a_late_client_is_called_limited() {
        let mut tally = Tally::default();
        for _ in 0..2 {
            tally.add(&late(6_000, None), Micros::from_micros(1));
        }
        assert!(!tally.is_client_limited(), "one or two are no verdict");
        tally.add(&late(6_000, None), Micros::from_micros(1));
        assert!(
            tally.report(0)[1].starts_with("client-limited: p99 lateness 6 ms is above 5 ms"),
            "{:?}",
            tally.report(0)
        );
    }
}
