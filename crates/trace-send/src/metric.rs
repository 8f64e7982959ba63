//! Times of a request that limits and conditions are about.

use trace_core::Outcome;
use trace_core::time::Micros;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metric {
    /// Its name in outcomes and in `trace-stats`.
    pub(crate) name: &'static str,
    read: fn(&Outcome) -> Option<Micros>,
}

/// All there are.
const ALL: [Metric; 10] = [
    metric("ttft_ms", |outcome| outcome.ttft_ms),
    metric("first_content_ms", |outcome| {
        outcome.first_content_ms.or(outcome.ttft_ms)
    }),
    metric("tpot_ms", |outcome| outcome.tpot_ms),
    metric("latency_ms", |outcome| outcome.latency_ms),
    metric("queue_ms", |outcome| outcome.queue_ms),
    metric("lateness_ms", |outcome| outcome.lateness_ms),
    metric("connect_ms", |outcome| outcome.connect_ms),
    metric("user_ttft_ms", |outcome| {
        Some(waited(outcome)? + outcome.ttft_ms?)
    }),
    metric("user_first_content_ms", |outcome| {
        Some(waited(outcome)? + outcome.first_content_ms.or(outcome.ttft_ms)?)
    }),
    metric("user_latency_ms", |outcome| {
        Some(waited(outcome)? + outcome.latency_ms?)
    }),
];

const fn metric(name: &'static str, read: fn(&Outcome) -> Option<Micros>) -> Metric {
    Metric { name, read }
}

/// From the schedule to the sending.
fn waited(outcome: &Outcome) -> Option<Micros> {
    Some(outcome.sent_ms?.saturating_sub(outcome.scheduled_ms?))
}

impl Metric {
    /// That of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|metric| metric.name == name)
    }

    /// The same from the schedule on, where there is such a time: what users
    /// wait for.
    pub(crate) fn for_users(self) -> Self {
        Self::named(&format!("user_{}", self.name)).unwrap_or(self)
    }

    /// The names there are, for people.
    pub(crate) fn names() -> String {
        ALL.map(|metric| metric.name).join(", ")
    }

    /// Whether it is of the request, not of its answer.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self.name, "lateness_ms" | "queue_ms" | "connect_ms")
    }

    /// What `outcome` has of it.
    pub(crate) fn of(self, outcome: &Outcome) -> Option<Micros> {
        (self.read)(outcome)
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
