//! Lines told apart by what they have in common.
//!
//! ```text
//! --by → Key (per name) → Groups (a Summary per value) → Report.groups
//!                                                      → Change (round to round)
//! ```

mod args;
mod bucket;
mod change;
mod groups;
mod key;
mod turns;

pub use args::Args;
pub use bucket::Buckets;
pub(crate) use change::METRICS;
pub use change::{Change, changes};
pub use groups::{Groups, warnings};
pub use key::Key;
