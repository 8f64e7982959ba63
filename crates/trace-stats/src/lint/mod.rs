//! What is odd about a trace, and where.
//!
//! A trace that can be read can still be wrong: times in seconds, another
//! block size, ids that are no prefixes. Each rule looks at one line after the
//! other ([`rules`]), some at the trace as a whole ([`clock`], [`blocks`]);
//! what they find has a place.

mod args;
pub mod blocks;
pub mod clock;
pub mod finding;
pub mod rules;
mod run;

pub use args::Args;
pub use finding::{Finding, Findings, Kind};
pub use rules::Lint;
pub use run::run;
