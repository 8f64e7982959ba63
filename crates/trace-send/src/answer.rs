//! The answer to one request, as it comes over HTTP: bytes and times in, an
//! [`Outcome`] out.
//!
//! No sockets and no clock here: each piece comes with the time it was
//! received, taken before any of it was looked at. What the body says is read
//! by [`trace_core::answer`]; this knows where HTTP ends it.

use crate::http::{self, End, Head, Part, RetryAfter};
use std::time::{Duration, SystemTime};
use trace_core::answer::{self, Content, Ending, Spoken, Wanted};
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure, Outcome};

/// The most bytes of a refusal that are read to save the connection.
const MAX_SKIPPED: u64 = 256 << 10;

/// Reads the answer to one request.
#[derive(Debug)]
pub struct Answer {
    http: http::Decoder,
    content: Content,
    after: After,
}

/// What the head says of the time after the answer.
#[derive(Debug, Clone, Copy, Default)]
struct After {
    keep_alive: bool,
    /// For how long, if that was said.
    keep_for: Option<Duration>,
    /// After how long to try again, as the server says.
    retry: Option<RetryAfter>,
}

impl Answer {
    /// Nothing yet.
    pub fn new(wanted: Wanted) -> Self {
        Self {
            http: http::Decoder::default(),
            content: Content::new(wanted),
            after: After::default(),
        }
    }

    /// The head has come, read by somebody else.
    pub fn head(&mut self, head: &Head) {
        begin(head, &mut self.content, &mut self.after);
    }

    /// Some of the body came at `now`, framed by somebody else.
    pub fn body(&mut self, bytes: &[u8], now: Micros) {
        self.content.read(bytes, now);
    }

    /// Read `bytes`, which came at `now`. Returns how many of them were of
    /// this answer.
    ///
    /// # Errors
    /// When they are no HTTP; then the answer has ended.
    pub fn feed(&mut self, bytes: &[u8], now: Micros) -> Result<usize, Failure> {
        let Self {
            http,
            content,
            after,
        } = self;
        let fed = http.feed(bytes, |part| match part {
            Part::Head(head) => begin(head, content, after),
            Part::Body(body) => content.read(body, now),
        });
        fed.map_err(|malformed| Failure {
            kind: ErrorKind::Stream,
            message: malformed.to_string(),
        })
    }

    /// Whether HTTP says that the answer is complete.
    pub fn is_complete(&self) -> bool {
        self.http.is_done()
    }

    /// Whether `[DONE]` has come, which nothing follows.
    pub fn is_done(&self) -> bool {
        self.content.is_done()
    }

    /// Whether the rest of a refusal is longer than its connection is worth.
    pub fn is_tedious(&self) -> bool {
        self.content.refused() > Some(MAX_SKIPPED)
    }

    /// The status, once it has come.
    pub fn status(&self) -> Option<u16> {
        self.content.status()
    }

    /// After how long the server wants to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        Some(self.after.retry?.wait(SystemTime::now()))
    }

    /// Whether nothing at all has come.
    pub fn is_untouched(&self) -> bool {
        self.status().is_none() && self.http.end() == End::BeforeHead
    }

    /// Whether the connection may carry another request, once this is complete.
    pub fn keep_alive(&self) -> bool {
        self.after.keep_alive
    }

    /// How long the server keeps the connection open then, if it said so.
    pub fn keep_for(&self) -> Option<Duration> {
        self.after.keep_for
    }

    /// What happened, for a request sent at `sent` whose end came at `ended`,
    /// and what the answer says, if that was wanted.
    pub fn end(self, ending: Ending, sent: Micros, ended: Micros) -> (Outcome, Spoken) {
        let ending = match ending {
            Ending::Closed if self.http.end() != End::ToEnd => Ending::Failed(self.cut()),
            ending => ending,
        };
        self.content.end(ending, sent, ended)
    }

    /// Why this is no answer whose connection was closed.
    fn cut(&self) -> Failure {
        let message = if self.is_untouched() {
            "the connection was closed before an answer".to_owned()
        } else {
            let chunks = self.content.chunks();
            format!("the connection was cut after {chunks} chunks")
        };
        Failure {
            kind: ErrorKind::Stream,
            message,
        }
    }
}

/// The head of an answer has come.
fn begin(head: &Head, content: &mut Content, after: &mut After) {
    *after = After {
        keep_alive: head.keep_alive,
        keep_for: head.keep_for,
        retry: head.retry_after,
    };
    content.begin(&answer::Head {
        status: head.status,
        media: &head.content_type,
        encoding: head.encoding.as_deref(),
        location: head.location.as_deref(),
    });
}

#[cfg(test)]
mod tests;
