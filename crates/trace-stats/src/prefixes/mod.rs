//! `trace-stats prefixes`: everything about what the prompts of a trace share.

mod args;
mod run;

pub use args::Args;
pub use run::{report, run};
