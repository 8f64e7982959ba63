//! Requests on their way from the thread that prepares them.

use crate::budget::Budget;
use crate::prepare::Prepared;
use crate::schedule::Timing;
use std::thread::Thread;
use tokio::sync::mpsc::UnboundedReceiver;
use trace_core::Error;

/// What comes from the thread that prepares requests.
pub(crate) enum Item {
    /// A request.
    Request(Box<Prepared>, Timing),
    /// The input has ended, and so.
    End(Result<(), Error>),
}

/// Requests as they are prepared.
pub(crate) struct Feed {
    /// Where they come from.
    pub items: UnboundedReceiver<Item>,
    /// What they cost while they wait.
    pub budget: Budget,
    /// Who prepares them.
    pub maker: Thread,
}
