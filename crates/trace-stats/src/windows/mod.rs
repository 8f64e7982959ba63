//! Slices of a trace worth a run of their own: the steadiest, the busiest, the
//! one most like the whole.

mod args;
mod run;
pub mod slice;

pub use args::Args;
pub use run::run;
pub use slice::{Demands, Pick, Slice};
