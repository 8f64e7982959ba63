//! What is done to requests between reading and writing, in this order.
//!
//! First what decides whether a request is kept (time window, conditions,
//! sampling, skip and limit), then what changes it.

pub(crate) mod window;

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
