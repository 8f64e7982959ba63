//! What a KV cache of a given size would have had: hit rates against capacity.
//!
//! ```text
//! Row → Distances → Curve → hit rate at every capacity, exact, in one pass
//! ```
//!
//! A cache holds a number of blocks and meets the prompts of a trace in their
//! order. Least recently used has a stack: a block is a hit in every cache
//! that is at least as large as its place in the order of last use, its *stack
//! distance*, so one pass that measures distances gives the hit rate at every
//! capacity ([`distance`]).
//!
//! A row's blocks are numbers counted from 0 in first-seen order, as
//! [`Ids`](crate::ids::Ids) gives them.

mod args;
pub mod capacity;
pub mod curve;
pub mod distance;
mod input;
pub mod recency;
pub mod report;
pub mod row;
mod run;

pub use args::Args;
pub use capacity::Capacity;
pub use curve::{Curve, Rate};
pub use distance::{Distances, Order};
pub use report::CacheReport;
pub use row::{Row, Rows};
pub use run::{measure, run};
