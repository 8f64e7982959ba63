//! Statistics of a part of a run, on one line that adds up with others.
//!
//! ```text
//! lines → Collection → one line (--partial);  lines of --partial → Collection → Report (--combine)
//! ```
//!
//! A partial line is what a [`Collection`](crate::collection::Collection) has
//! counted: the values of each metric while they are few, a sketch of them when
//! they are many, counts, and the arrivals that wait for their neighbours. Lines
//! add up in any order to what one pass over everything would have counted.

mod args;
mod combine;
pub(crate) mod counts;
#[cfg(test)]
mod laws;
mod line;
pub(crate) mod micros;
mod settings;
mod turn;

pub use args::PartArgs;
pub use combine::combine;
pub use line::{VERSION, read, write};
pub use settings::Settings;
