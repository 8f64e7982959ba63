//! What the page sends: runs of trace-send's library, and what they show.
//!
//! ```text
//! requests ─ noting their models ─ pipe → trace-send → outcomes → file
//!                    └→ board: what left, what came back ←┘
//!                         └→ events: a few times a second, to any tab
//! ```
//!
//! A run belongs to the server, not to a tab: it goes on when the page is
//! closed, and a page that comes back finds it.

mod board;
mod events;
mod outcomes;
mod plots;
mod run;
mod runs;
mod wish;

pub(crate) use events::events;
pub(crate) use plots::plot;
pub(crate) use runs::{Runs, download, list, send, show, stop};
