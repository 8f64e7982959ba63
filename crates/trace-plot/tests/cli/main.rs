//! The tool as a process: what it writes, says and returns.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod harness;
mod manners;
mod pictures;
mod presets;
mod report;
mod whole;
