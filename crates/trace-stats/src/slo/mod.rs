//! Service level objectives: which answers were good enough, and how many.
//!
//! ```text
//! --slo, --slo-file → Slo → Judge (per set of outcomes) → Attainment → Report
//! ```
//!
//! A request is *good* if it was answered and is within every bound, bounds
//! included. Attainment is good ÷ scheduled, so that a server gains nothing by
//! refusing; requests that were cancelled or skipped are no part of it. Goodput
//! is good requests, and their output tokens, per second of the duration.

mod args;
mod attainment;
mod constraint;
mod file;
mod judge;
mod quantity;

pub use args::Args;
pub use attainment::{Attainment, Share};
pub use constraint::{Constraint, Limits};
pub use judge::Judge;
pub use quantity::{Quantity, Reading};
pub use trace_core::cli::SloClock as Clock;

use serde::{Deserialize, Serialize};
use trace_core::Outcome;

/// What a good answer is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slo {
    /// Its name, if its file gives one.
    pub name: Option<String>,
    /// From when times to the first token and to the end are counted.
    pub clock: Clock,
    /// Every one of which a good answer keeps; no two of one quantity.
    pub constraints: Vec<Constraint>,
}

impl Slo {
    /// Whether the request of `outcome` was answered and keeps every
    /// constraint.
    pub fn is_kept_by(&self, outcome: &Outcome) -> bool {
        let mut constraints = self.constraints.iter();
        outcome.error.is_none()
            && constraints.all(|constraint| constraint.admits(outcome, self.clock) == Some(true))
    }
}
