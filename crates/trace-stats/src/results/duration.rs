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
    /// nobody says when that was, and ends when it does. Where requests of a
    /// window are counted, it begins with the window and ends with it at the
    /// latest.
    pub fn push(&mut self, outcome: &Outcome, (from, until): (Option<Micros>, Option<Micros>)) {
        let begins = outcome.scheduled_ms.or(outcome.due_ms).or(outcome.sent_ms);
        let end = end_of(outcome);
        self.append(Self {
            first: from.or(begins),
            last: end.map(|end| until.map_or(end, |until| end.min(until))),
        });
    }

    /// Go on until that time, if anything began.
    pub fn reach(&mut self, until: Option<Micros>) {
        if self.first.is_some() {
            self.last = self.last.max(until);
        }
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

/// When a request ended, as far as anything tells; that it was sent is the least.
pub fn end_of(outcome: &Outcome) -> Option<Micros> {
    let sent = outcome.sent_ms?;
    Some(sent + outcome.latency_ms.unwrap_or_default())
}
