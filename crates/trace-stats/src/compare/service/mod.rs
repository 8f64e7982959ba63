//! Two runs side by side: which is faster, by how much, and whether that is more
//! than chance.
//!
//! ```text
//! Outcome → Run, Run → Contest → table | json, verdict
//! ```
//!
//! Requests of both that have the same identity (stage, concurrency, round and
//! seq) and ask for the same prompt are pairs, and what is tested are their differences: the same prompt,
//! asked twice, differs by much less than two prompts do. Without pairs the two
//! samples are held against each other as wholes.
//!
//! Tests take pairs, or requests, for independent, which those of one run are
//! not quite. Intervals allow for it: they come from resampling stretches of
//! neighbours in time, as long as the run remembers, instead of single requests.
//! Where they say 95 %, a test (ignored, as it takes a minute) holds them to 92 %
//! of runs of 200 and 400 requests, of which each remembers up to 0.8 of the one
//! before.

mod bootstrap;
mod contest;
mod exact;
mod memory;
mod page;
mod rank_sum;
mod run_record;
mod signed_rank;
mod trial;
#[cfg(test)]
mod trials;

pub use bootstrap::{Resampling, Shift};
pub use contest::{Contest, Failures};
pub use page::page;
pub use run_record::{Identity, Record, Run, prompt};
pub use trial::Trial;

/// The probability that a standard normal value is as far from 0 as `z`.
fn two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2).min(1.0)
}
