//! What an LLM server answers: bytes and times in, an
//! [`Outcome`](crate::Outcome) out.
//!
//! One reader for whoever asks a server and whoever stands before one, so that
//! both say the same of the same bytes. No sockets, no HTTP and no clock here:
//! the head and each piece of the body come with the time they were received.
//! The status decides first, then the content type ([`Head`]), and only then
//! does anything count as output.
//!
//! - `text/event-stream` and newline-delimited JSON are streams ([`frame`]).
//!   The first chunk with output, reasoning and calls of tools included, makes
//!   `ttft_ms`; chunks that bring a role, an empty text, progress or usage are
//!   no output ([`event`]).
//! - `application/json` is one whole answer. It has a latency but no time to
//!   first token, since nobody saw one.
//! - A stream is complete after `[DONE]`, or when HTTP says so and a finish
//!   reason or a count of tokens came behind the last output: a proxy ends well
//!   what broke off behind it.
//!
//! ```
//! use trace_core::Micros;
//! use trace_core::answer::{Content, Ending, Head, Wanted};
//!
//! let mut answer = Content::new(Wanted::default());
//! answer.begin(&Head { status: 200, media: "text/event-stream", ..Head::default() });
//! let ms = |ms: u64| Micros::from_micros(1_000 * ms);
//! answer.read(b"data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DO", ms(30));
//! answer.read(b"NE]\n\n", ms(31));
//! let (outcome, _) = answer.end(Ending::Complete, ms(10), ms(31));
//! assert_eq!((outcome.ttft_ms, outcome.chunks, outcome.error), (Some(ms(20)), Some(1), None));
//! ```

mod chunks;
mod content;
pub mod event;
pub mod frame;
mod head;
mod spoken;
#[cfg(test)]
mod tests;

pub use content::Content;
pub use event::{error_message, one_line};
pub use head::Head;
pub use spoken::Spoken;

use crate::outcome::Failure;

/// What is wanted of an answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// The times between its chunks, `itl_ms`.
    pub gaps: bool,
    /// What it says.
    pub text: Text,
    /// Nothing in particular: whatever is complete is an answer.
    pub silent: bool,
}

/// What the text of an answer is kept for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Text {
    /// For nothing: it is not kept.
    #[default]
    Nothing,
    /// To be counted, if it is no longer than that is worth.
    Counting,
    /// To be said again in the next turn, however long it is.
    History,
}

/// How an answer came to its end.
#[derive(Debug)]
pub enum Ending {
    /// HTTP says that it is complete.
    Complete,
    /// The connection was closed, and HTTP cannot tell whether too early.
    Closed,
    /// It could not go on.
    Failed(Failure),
}
