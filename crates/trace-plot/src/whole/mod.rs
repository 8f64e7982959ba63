//! Pictures of an input as a whole: what a cache would have had, two traces
//! side by side, what a server told of itself.
//!
//! Other kinds count one line after the other and may share a pass; these read
//! what they need by themselves.

pub mod cache;
pub mod compare;
mod metric;
pub mod telemetry;

use anyhow::Result;
use trace_core::cli::InputArgs;

use crate::{figure::Sheet, kinds::Settings};

/// Every one, in the order they are documented.
pub const WHOLES: &[Whole] = &[cache::WHOLE, compare::WHOLE, telemetry::WHOLE];

/// A picture of its input as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    /// Its name on the command line and of its file.
    pub name: &'static str,
    /// What it shows, for the help.
    pub about: &'static str,
    /// How many files it takes, if not any number.
    pub files: Option<usize>,
    /// Reads and draws.
    pub sheet: fn(&Task<'_>) -> Result<Sheet>,
}

/// What to read and how.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The input.
    pub input: &'a InputArgs,
    /// What the user decides about the content.
    pub settings: &'a Settings,
    /// Tokens per KV block.
    pub block_size: u64,
    /// Names of metrics to draw; all if there are none.
    pub metrics: &'a [String],
}

impl Whole {
    /// The one called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        WHOLES.iter().find(|whole| whole.name == name)
    }
}
