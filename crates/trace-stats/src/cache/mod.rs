//! What a KV cache of a given size would have had: hit rates against capacity.
//!
//! ```text
//! Row → Distances → Curve → hit rate at every capacity, exact, in one pass
//! Row → Router → Simulator, one per replica and capacity → hit rate at that
//! Row → Recording → the most that any cache could have had
//! id  → Sample → Curve → hit rate at every capacity, with its error
//! ```
//!
//! A cache holds a number of blocks and meets the prompts of a trace in their
//! order. Least recently used has a stack: a block is a hit in every cache
//! that is at least as large as its place in the order of last use, its *stack
//! distance*, so one pass that measures distances gives the hit rate at every
//! capacity ([`distance`]), and a sample of the blocks estimates it
//! ([`sample`]). Orders without a stack are simulated at chosen capacities
//! ([`simulator`]); [`optimum`] has hindsight; [`fleet`] puts several replicas
//! behind a router.
//!
//! A row's blocks are numbers counted from 0 in first-seen order, as
//! [`Ids`](crate::ids::Ids) gives them.

mod args;
pub mod capacity;
pub mod curve;
pub mod distance;
#[cfg(test)]
mod fixture;
pub mod fleet;
pub mod optimum;
pub mod policy;
pub mod recency;
pub mod report;
pub mod routing;
pub mod row;
mod run;
pub mod sample;
pub mod simulator;

pub use args::Args;
pub use capacity::Capacity;
pub use curve::{Curve, Rate};
pub use distance::{Distances, Order};
pub use fleet::{Fleet, Setup};
pub use policy::Policy;
pub use report::CacheReport;
pub use routing::{Routed, Router, Routing};
pub use row::{Row, Rows};
pub use run::{measure, run};
pub use sample::Sample;
