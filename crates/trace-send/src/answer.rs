//! What an answer was and when its parts came: bytes and times in, an
//! [`Outcome`] out.
//!
//! No sockets and no clock here: each piece comes with the time it was
//! received, taken before any of it was looked at. The status decides first,
//! then the content type, and only then does anything count as output.
//!
//! - `text/event-stream` and newline-delimited JSON are streams. The first
//!   chunk with output, reasoning included, makes `ttft_ms`; chunks that
//!   bring a role, an empty text, progress or usage are no output.
//! - `application/json` is one whole answer. It has a latency but no time to
//!   first token, since nobody saw one.
//! - A stream is complete after `[DONE]`, or when HTTP says so and a finish
//!   reason or a count of tokens has come: a proxy ends well what broke off
//!   behind it. Where HTTP cannot tell (no length, no chunks), `[DONE]` or a
//!   finish reason must.

use crate::content::{Body, Chunks, Content};
use crate::http::{self, End, Head, Part};
use crate::spoken::{Spoken, per_token};
use std::time::{Duration, SystemTime};
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure, Outcome, TokenSource};

/// The most bytes of a refusal that are read to save the connection.
const MAX_SKIPPED: u64 = 256 << 10;

/// Why a stream is none that ended well.
const UNFINISHED: &str = "the stream ended, and neither [DONE] nor a finish reason had come";

/// Reads the answer to one request.
#[derive(Debug)]
pub struct Answer {
    http: http::Decoder,
    content: Content,
}

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
    /// The answer is complete.
    Complete,
    /// The connection was closed by the server.
    Closed,
    /// It could not go on.
    Failed(Failure),
}

impl Answer {
    /// Nothing yet.
    pub fn new(wanted: Wanted) -> Self {
        let chunks = Chunks {
            gaps: wanted.gaps.then(Vec::new),
            ..Chunks::default()
        };
        Self {
            http: http::Decoder::default(),
            content: Content {
                chunks,
                spoken: Spoken::kept_for(wanted.text),
                silent: wanted.silent,
                ..Content::default()
            },
        }
    }

    /// The head has come, read by somebody else.
    pub fn head(&mut self, head: &Head) {
        self.content.begin(head);
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
        let Self { http, content } = self;
        let fed = http.feed(bytes, |part| match part {
            Part::Head(head) => content.begin(head),
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
        self.content.done
    }

    /// Whether the rest of a refusal is longer than its connection is worth.
    pub fn is_tedious(&self) -> bool {
        matches!(self.content.body, Body::Refusal(_)) && self.content.bytes > MAX_SKIPPED
    }

    /// The status, once it has come.
    pub fn status(&self) -> Option<u16> {
        self.content.status
    }

    /// After how long the server wants to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        let after = self.content.retry_after?;
        Some(after.wait(SystemTime::now()))
    }

    /// Whether nothing at all has come.
    pub fn is_untouched(&self) -> bool {
        self.content.status.is_none() && self.http.end() == End::BeforeHead
    }

    /// Whether the connection may carry another request, once this is complete.
    pub fn keep_alive(&self) -> bool {
        self.content.keep_alive
    }

    /// How long the server keeps the connection open then, if it said so.
    pub fn keep_for(&self) -> Option<Duration> {
        self.content.keep_for
    }

    /// What happened, for a request sent at `sent` whose end came at `ended`:
    /// everything that an answer can tell.
    ///
    /// `latency_ms` of a failed request is the time until it was known to have
    /// failed.
    pub fn outcome(self, ending: Ending, sent: Micros, ended: Micros) -> Outcome {
        self.end(ending, sent, ended).0
    }

    /// The same, and what the answer says, if that was wanted.
    pub fn end(mut self, ending: Ending, sent: Micros, ended: Micros) -> (Outcome, Spoken) {
        let error = self.failure(ending, ended);
        let content = self.content;
        let spoken = content.spoken.unwrap_or_default();
        let Chunks {
            count,
            first,
            first_content,
            last,
            gaps,
        } = content.chunks;
        let since_sent = |time: Option<Micros>| time.map(|time| time.saturating_sub(sent));
        let usage = content.usage;
        let streamed = count > 0;
        let (output_tokens, token_source) = match usage.output {
            Some(tokens) => (Some(tokens), Some(TokenSource::Usage)),
            None if streamed => (Some(count), Some(TokenSource::Chunks)),
            None => (None, usage.input.map(|_| TokenSource::Usage)),
        };
        let outcome = Outcome {
            ttft_ms: since_sent(first),
            first_content_ms: since_sent(first_content.filter(|_| first_content != first)),
            last_token_ms: since_sent(last),
            latency_ms: Some(ended.saturating_sub(sent)),
            tpot_ms: per_token(first, last, output_tokens),
            itl_ms: gaps.filter(|_| streamed),
            input_tokens: usage.prompt(),
            cached_tokens: usage.cached,
            output_tokens,
            reasoning_tokens: usage.reasoning.filter(|&tokens| tokens > 0),
            token_source,
            chunks: streamed.then_some(count),
            status: content.status,
            error,
            ..Outcome::default()
        };
        (outcome, spoken)
    }

    /// Read what is left at `ended`, and say why this is no good answer, if it
    /// is none.
    fn failure(&mut self, ending: Ending, ended: Micros) -> Option<Failure> {
        let Self { http, content } = self;
        let end = http.end();
        let intact = match &ending {
            Ending::Complete => true,
            Ending::Closed => end == End::ToEnd,
            Ending::Failed(_) => false,
        };
        content.finish(ended, intact);
        let known = content.failure.take().or_else(|| match ending {
            Ending::Complete => match content.half.take() {
                Some(half) => Some(failure(ErrorKind::Content, &half)),
                None => content
                    .is_cut()
                    .then(|| failure(ErrorKind::Stream, UNFINISHED)),
            },
            _ if content.done => None,
            Ending::Failed(failure) => Some(failure),
            Ending::Closed => cut(end, content),
        });
        let silent =
            !content.silent && !content.has_output && content.usage.output.unwrap_or_default() == 0;
        let empty = "a complete answer without any output";
        known.or_else(|| silent.then(|| failure(ErrorKind::Empty, empty)))
    }
}

/// Why an answer is none whose connection was closed where its HTTP stood at
/// `end`, without `[DONE]`.
fn cut(end: End, content: &Content) -> Option<Failure> {
    let message = match end {
        End::ToEnd if content.finished => return None,
        End::BeforeHead if content.status.is_none() => {
            "the connection was closed before an answer".to_owned()
        }
        End::ToEnd => UNFINISHED.to_owned(),
        _ => format!(
            "the connection was cut after {} chunks",
            content.chunks.count
        ),
    };
    Some(failure(ErrorKind::Stream, &message))
}

fn failure(kind: ErrorKind, message: &str) -> Failure {
    Failure {
        kind,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
