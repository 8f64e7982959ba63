//! The part of a run in which the server was in a steady state.
//!
//! At its beginning a run fills caches, connections and queues, and what was
//! measured then is not what the server does for the hours to come. A window
//! leaves it out: a stretch that somebody names, or the one that [`mser`] finds
//! in how many requests were in flight ([`load`]), which by Little's law shows
//! both what throughput and what latency do.
//!
//! A request is in a window if it was scheduled in it, wherever it ended: so
//! that slow answers are not left out for being slow.

pub mod load;
pub mod mser;
pub mod span;
pub mod twice;
pub mod windows;

pub use span::Span;
pub use windows::{Choice, Windows};

use trace_core::{Line, Reader};

/// The windows of the steady states in `input`, all of which is read.
///
/// # Errors
///
/// Those of reading; an input without outcomes.
pub fn search(input: &mut Reader<'_>) -> anyhow::Result<Windows> {
    let mut search = windows::Search::default();
    let (mut line, mut outcome) = (Line::default(), None);
    while input.read_outcome(&mut line, &mut outcome)? {
        if let Some(outcome) = &outcome {
            search.push(outcome);
        }
    }
    search.windows().ok_or_else(|| {
        anyhow::anyhow!(
            "--window auto needs outcomes, which say what was in flight; give --window A..B"
        )
    })
}
