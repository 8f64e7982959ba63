//! Two traces side by side, or two runs: how far apart they are, in figures that
//! can be held to a tolerance.
//!
//! ```text
//! Reader → Profile, Reader → Profile → Comparison → table | json, verdict
//! ```
//!
//! Outcomes on both sides are two runs, and what became of them is compared
//! ([`service`]).
//!
//! A [`Profile`] is what is kept of a trace: a few numbers per request, its LRU
//! curve, and nothing of the ids. Everything else are pure functions of two
//! profiles.

mod args;
pub mod comparison;
pub mod correlation;
pub mod dispersion;
pub mod divergence;
pub mod profile;
mod run;
pub mod service;
pub mod tolerance;

pub use args::Args;
pub use comparison::{Comparison, Difference};
pub use profile::Profile;
pub use run::run;
