//! The body of an answer, whatever form it has: what counts as output, and
//! what as a failure.

use super::chunks::{Chunks, per_token};
use super::event::{Event, Usage, error_message, one_line};
use super::frame::{Frame, TooLong};
use super::head::{Body, Head};
use super::{Ending, Spoken, Wanted};
use crate::outcome::{ErrorKind, Failure, Outcome, TokenSource};
use crate::time::Micros;

/// The most bytes of a refusal that are kept for its message.
const MAX_REFUSAL: usize = 4 << 10;

/// The most bytes a whole answer may have, and the text of any.
const MAX_WHOLE: usize = 64 << 20;

/// The most bytes a stream may have.
const MAX_STREAM: u64 = 1 << 30;

/// The most chunks a stream may have. Each has a gap that is kept.
const MAX_CHUNKS: u64 = 1 << 20;

/// Why a stream is none that ended well.
pub(super) const UNFINISHED: &str =
    "the stream ended, and neither [DONE] nor a finish reason had come";

/// Reads an answer as it comes, however it is split.
#[derive(Debug, Default)]
pub struct Content {
    status: Option<u16>,
    body: Body,
    /// Its bytes so far.
    bytes: u64,
    /// An event has come.
    begun: bool,
    chunks: Chunks,
    usage: Usage,
    /// There was output, be it in a whole answer.
    has_output: bool,
    /// Behind the last output there was a word of the end: a finish reason,
    /// Ollama's `done`, a count of tokens.
    is_over: bool,
    /// `[DONE]` came, or a whole answer.
    done: bool,
    /// A whole answer broke off; serde's words for it.
    half: Option<String>,
    failure: Option<Failure>,
    /// What it says so far, if that is wanted.
    spoken: Option<Spoken>,
    /// Anything complete is an answer, whatever is in it.
    silent: bool,
}

impl Content {
    /// Nothing yet.
    pub fn new(wanted: Wanted) -> Self {
        Self {
            chunks: Chunks {
                gaps: wanted.gaps.then(Vec::new),
                ..Chunks::default()
            },
            spoken: Spoken::kept_for(wanted.text),
            silent: wanted.silent,
            ..Self::default()
        }
    }

    /// The head of the answer has come.
    pub fn begin(&mut self, head: &Head<'_>) {
        self.status = Some(head.status);
        self.body = head.body(self.silent).unwrap_or_else(|failure| {
            self.failure.get_or_insert(failure);
            Body::Refusal(Vec::new())
        });
    }

    /// Some of its body has come, at `now`: without the framing of HTTP.
    pub fn read(&mut self, bytes: &[u8], now: Micros) {
        self.bytes += bytes.len() as u64;
        // Out of self, so that what is found in it can go into self.
        let mut body = std::mem::take(&mut self.body);
        let read = match &mut body {
            Body::Stream(frames) => frames.feed(bytes, |frame| self.frame(frame, now)),
            Body::Whole(whole) if whole.len() + bytes.len() > MAX_WHOLE => Err(TooLong),
            Body::Whole(whole) => {
                whole.extend_from_slice(bytes);
                Ok(())
            }
            Body::Refusal(kept) => {
                let room = MAX_REFUSAL - kept.len().min(MAX_REFUSAL);
                kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
                Ok(())
            }
            Body::Unknown | Body::Opaque => Ok(()),
        };
        self.body = body;
        let wrong = read.err().map(|error| error.to_string());
        if let Some(wrong) = wrong.or_else(|| self.excess()) {
            self.fail(ErrorKind::Content, wrong);
            self.body = Body::Refusal(Vec::new());
        }
    }

    /// The status, once it has come.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether `[DONE]` has come, which nothing follows.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Bytes so far of a body that nobody reads but for why it is no answer.
    pub fn refused(&self) -> Option<u64> {
        matches!(self.body, Body::Refusal(_)).then_some(self.bytes)
    }

    /// Chunks with output so far.
    pub fn chunks(&self) -> u64 {
        self.chunks.count
    }

    /// When the last of them came.
    pub fn last(&self) -> Option<Micros> {
        self.chunks.last
    }

    /// What happened, for a request sent at `sent` whose end came at `ended`:
    /// everything that an answer can tell. And what it says, if that was wanted.
    ///
    /// `latency_ms` of a failed request is the time until it was known to have
    /// failed.
    pub fn end(mut self, ending: Ending, sent: Micros, ended: Micros) -> (Outcome, Spoken) {
        let error = self.error(ending, ended);
        let Chunks {
            count,
            first,
            first_content,
            last,
            gaps,
        } = self.chunks;
        let since_sent = |time: Option<Micros>| time.map(|time| time.saturating_sub(sent));
        let usage = self.usage;
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
            status: self.status,
            error,
            ..Outcome::default()
        };
        (outcome, self.spoken.unwrap_or_default())
    }

    /// What there is too much of, if of anything.
    fn excess(&self) -> Option<String> {
        let text = self.spoken.as_ref().map_or(0, Spoken::bytes);
        match self.body {
            Body::Stream(_) if self.chunks.count > MAX_CHUNKS => {
                Some(format!("a stream of more than {MAX_CHUNKS} chunks"))
            }
            Body::Stream(_) if self.bytes > MAX_STREAM || text > MAX_WHOLE => {
                let (stream, text) = (MAX_STREAM >> 20, MAX_WHOLE >> 20);
                Some(format!(
                    "a stream of more than {stream} MiB, or {text} MiB of text"
                ))
            }
            _ => None,
        }
    }

    /// Read what is left at `ended`, and say why this is no good answer, if it
    /// is none.
    fn error(&mut self, ending: Ending, ended: Micros) -> Option<Failure> {
        self.finish(ended, !matches!(ending, Ending::Failed(_)));
        let closed = matches!(ending, Ending::Closed);
        let known = self
            .failure
            .take()
            .or_else(|| match (ending, self.half.take()) {
                (Ending::Failed(failure), _) => Some(failure).filter(|_| !self.done),
                (Ending::Complete, Some(half)) => Some(failure(ErrorKind::Content, &half)),
                (Ending::Closed, Some(half)) => Some(failure(ErrorKind::Stream, &half)),
                (_, None) => self
                    .is_cut(closed)
                    .then(|| failure(ErrorKind::Stream, UNFINISHED)),
            });
        let counted = self.usage.output.unwrap_or_default() > 0;
        let empty = !self.silent && !self.has_output && !counted;
        let said = "a complete answer without any output";
        known.or_else(|| empty.then(|| failure(ErrorKind::Empty, said)))
    }

    /// Read what stands at the end without its end-of-line, if that is its end.
    fn finish(&mut self, now: Micros, intact: bool) {
        match std::mem::take(&mut self.body) {
            Body::Stream(mut frames) if intact => {
                if let Err(error) = frames.finish(|frame| self.frame(frame, now)) {
                    self.fail(ErrorKind::Content, error.to_string());
                } else if frames.is_foreign() && !self.begun {
                    let message = "called text/event-stream, without an event in it";
                    self.fail(ErrorKind::Content, message.to_owned());
                }
            }
            Body::Whole(whole) => self.whole(&whole, intact),
            Body::Refusal(kept) if self.failure.is_none() => {
                let status = self.status.unwrap_or_default();
                let said = error_message(&kept);
                let colon = if said.is_empty() { "" } else { ": " };
                self.fail(ErrorKind::Http, format!("status {status}{colon}{said}"));
            }
            Body::Opaque => self.done |= intact,
            Body::Unknown | Body::Stream(_) | Body::Refusal(_) => {}
        }
    }

    fn frame(&mut self, frame: Frame<'_>, now: Micros) {
        self.begun = true;
        match (frame.name, frame.data) {
            // Nothing follows it, be it in the same packet.
            _ if self.done => {}
            (_, b"") => {}
            (_, b"[DONE]") => self.done = true,
            (b"error", data) => self.fail(ErrorKind::Stream, error_message(data)),
            (_, data) => self.chunk(data, now),
        }
    }

    fn chunk(&mut self, json: &[u8], now: Micros) {
        match Event::parse(json, self.keeps_text()) {
            Ok(event) => {
                if event.has_output() {
                    self.chunks.add(event.content, now);
                }
                self.take(event);
            }
            Err(error) => {
                let start = one_line(&String::from_utf8_lossy(&json[..json.len().min(40)]));
                self.fail(
                    ErrorKind::Stream,
                    format!("a chunk that is not a JSON object ({error}): {start}"),
                );
            }
        }
    }

    fn whole(&mut self, json: &[u8], intact: bool) {
        match Event::parse(json, self.keeps_text()) {
            Ok(event) => {
                // An answer that parses is not one that was cut.
                self.done = true;
                self.take(event);
            }
            Err(error) => {
                let message = format!("the answer is not a JSON object: {error}");
                // Half an answer may be a cut or a timeout: the ending tells.
                if error.is_eof() || !intact {
                    self.half = Some(message);
                } else {
                    self.fail(ErrorKind::Content, message);
                }
            }
        }
    }

    /// Whether anybody wants the text that comes.
    fn keeps_text(&self) -> bool {
        self.spoken.as_ref().is_some_and(Spoken::is_wanted)
    }

    fn take(&mut self, event: Event) {
        let has_output = event.has_output();
        self.has_output |= has_output;
        // Anthropic counts at the beginning, others all the time; and one of
        // several choices may end before another.
        let counted = self.has_output && event.usage.output.is_some();
        self.is_over = event.finished || !has_output && (self.is_over || counted);
        self.usage.update(event.usage);
        if let Some(spoken) = self.spoken.as_mut().filter(|spoken| spoken.is_wanted()) {
            spoken.add(&event);
        }
        if let Some(message) = event.error {
            self.fail(ErrorKind::Stream, message);
        }
    }

    /// Whether a stream ended without a word of it, which HTTP knows to be
    /// complete, or which was `closed`.
    fn is_cut(&self, closed: bool) -> bool {
        let told = self.done || self.is_over || self.silent;
        let begun = self.chunks.count > 0 || self.usage.output.is_some();
        !told && (closed || begun)
    }

    /// The first failure is the one that is told.
    fn fail(&mut self, kind: ErrorKind, message: String) {
        self.failure.get_or_insert(Failure { kind, message });
    }
}

fn failure(kind: ErrorKind, message: &str) -> Failure {
    Failure {
        kind,
        message: message.to_owned(),
    }
}
