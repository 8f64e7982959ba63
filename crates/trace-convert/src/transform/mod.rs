//! What is done to requests between reading and writing.
//!
//! Always in this order, whatever the order of the flags: repairs; what
//! decides whether a request is kept (time window, conditions, lengths,
//! sampling, skip and limit, then a number of samples); what changes it (grid times spread out,
//! pace, lengths, blocks); copies; at the end, text and its tokens.

pub(crate) mod attach;
pub(crate) mod condition;
pub(crate) mod copies;
pub(crate) mod count;
pub(crate) mod draw;
pub(crate) mod dynamo;
pub(crate) mod keep;
pub(crate) mod pace;
pub(crate) mod reblock;
pub(crate) mod render;
pub(crate) mod repair;
pub(crate) mod sample;
pub(crate) mod scale;
pub(crate) mod spread;

use crate::record::Record;
use crate::report::Report;

/// One thing done to every request in turn.
pub(crate) trait Transform {
    /// Change `record`, or drop it, having counted it in `report`.
    ///
    /// # Errors
    /// A request that cannot be changed so.
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate>;
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes on.
    Kept,
    /// It is not written; the report has it.
    Dropped,
    /// It goes on, and is the last one.
    Last,
}

/// JSON numbers hold whole numbers below 2^53 only.
const TOO_LARGE: &str =
    "a hash id too large to be changed; make them small first, with --relabel in a run of its own";

/// Nor is there a line with a prompt of so many tokens.
const NO_PROMPT: &str = "input_length: a prompt of more than 8 Mi tokens is too long for a line";
