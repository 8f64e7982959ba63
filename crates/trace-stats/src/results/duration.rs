//! From the first moment a request was wanted to the last end.

use crate::partial::micros;
use serde::{Deserialize, Serialize};
use trace_core::{Micros, Outcome};

/// The time in which requests happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duration {
    #[serde(with = "micros")]
    first: Option<Micros>,
    #[serde(with = "micros")]
    last: Option<Micros>,
}

impl Duration {
    /// Stretch over a request; it begins when it was scheduled, or later where
    /// nobody says when that was, and ends when it does, or with its window.
    pub fn push(&mut self, outcome: &Outcome, until: Option<Micros>) {
        let begins = outcome.scheduled_ms.or(outcome.due_ms).or(outcome.sent_ms);
        let ends = outcome
            .sent_ms
            .map(|sent| sent + outcome.latency_ms.unwrap_or_default());
        self.append(Self {
            first: begins,
            last: ends.map(|end| until.map_or(end, |until| end.min(until))),
        });
    }

    /// Stretch over another.
    pub fn append(&mut self, other: Self) {
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
    }

    /// Whether it was under way `at` that time, its ends included.
    pub fn holds(self, at: Micros) -> bool {
        self.first.is_some_and(|first| first <= at) && self.last.is_some_and(|last| at <= last)
    }

    /// How long that is; unknown if nothing began or nothing ended.
    pub fn length(self) -> Option<Micros> {
        Some(self.last?.saturating_sub(self.first?))
    }
}
