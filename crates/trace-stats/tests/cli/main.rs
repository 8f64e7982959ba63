//! `trace-stats` as a process: what it prints, how it ends, what it survives.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod assertions;
mod cache;
mod compare;
mod fluxperf;
mod formats;
mod groups;
mod harness;
mod lint;
mod manners;
mod objectives;
mod outcomes;
mod prefixes;
mod requests;
mod runs;
