//! The body of an answer, whatever form it has: what counts as output, and
//! what as a failure.

use crate::event::{Event, Usage, error_message, one_line};
use crate::http::{Head, RetryAfter};
use crate::spoken::Spoken;
use crate::sse::TooLong;
use crate::{ndjson, sse};
use std::time::Duration;
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure};

/// The most bytes of a refusal that are kept for its message.
const MAX_REFUSAL: usize = 4 << 10;

/// The most bytes a whole answer may have, and the text of any.
const MAX_WHOLE: usize = 64 << 20;

/// The most bytes a stream may have.
const MAX_STREAM: u64 = 1 << 30;

/// The most chunks a stream may have. Each has a gap that is kept.
const MAX_CHUNKS: u64 = 1 << 20;

/// What a body brought, as it comes in.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) body: Body,
    /// Its bytes so far.
    pub(crate) bytes: u64,
    /// An event has come.
    pub(crate) begun: bool,
    pub(crate) status: Option<u16>,
    pub(crate) keep_alive: bool,
    /// For how long, if that was said.
    pub(crate) keep_for: Option<Duration>,
    pub(crate) chunks: Chunks,
    pub(crate) usage: Usage,
    /// There was output, be it in a whole answer.
    pub(crate) has_output: bool,
    /// A finish reason came, or Ollama's `done`.
    pub(crate) finished: bool,
    /// `[DONE]` came.
    pub(crate) done: bool,
    /// A whole answer broke off; serde's words for it.
    pub(crate) half: Option<String>,
    pub(crate) failure: Option<Failure>,
    /// After how long to try again, as the server says.
    pub(crate) retry_after: Option<RetryAfter>,
    /// What it says so far, if that is wanted.
    pub(crate) spoken: Option<Spoken>,
    /// Anything complete is an answer, whatever is in it.
    pub(crate) silent: bool,
}

/// How the body is read; the head decides.
#[derive(Debug, Default)]
pub(crate) enum Body {
    #[default]
    Unknown,
    Events(sse::Decoder),
    Lines(ndjson::Decoder),
    Whole(Vec<u8>),
    /// Something that nobody looks into.
    Opaque,
    /// An error, of which the beginning is kept.
    Refusal(Vec<u8>),
}

/// When the chunks with output came.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    pub(crate) count: u64,
    pub(crate) first: Option<Micros>,
    pub(crate) first_content: Option<Micros>,
    pub(crate) last: Option<Micros>,
    pub(crate) gaps: Option<Vec<Micros>>,
}

impl Content {
    /// The head of the answer has come.
    pub(crate) fn begin(&mut self, head: &Head) {
        self.status = Some(head.status);
        self.keep_alive = head.keep_alive;
        self.keep_for = head.keep_for;
        self.retry_after = head.retry_after;
        if matches!(head.status, 301 | 302 | 303 | 307 | 308) {
            let place = head.location.as_deref().map(one_line).unwrap_or_default();
            let message = format!(
                "status {}: a redirect to {place:?}, which is not followed",
                head.status
            );
            self.fail(ErrorKind::Http, message);
        }
        if !(200..300).contains(&head.status) {
            self.body = Body::Refusal(Vec::new());
            return;
        }
        if let Some(encoding) = &head.encoding {
            let encoding = one_line(encoding);
            let message = format!("content-encoding {encoding}, which was not asked for");
            self.fail(ErrorKind::Content, message);
            self.body = Body::Refusal(Vec::new());
            return;
        }
        self.body = match head.content_type.as_str() {
            "text/event-stream" => Body::Events(sse::Decoder::default()),
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/jsonlines"
            | "application/json-lines"
            | "application/stream+json" => Body::Lines(ndjson::Decoder::default()),
            "application/json" => Body::Whole(Vec::new()),
            _ if self.silent => Body::Opaque,
            other => {
                let what = if other.is_empty() {
                    "no content type".to_owned()
                } else {
                    format!("content type {other}")
                };
                let message = format!("{what}, expected text/event-stream or JSON");
                self.fail(ErrorKind::Content, message);
                Body::Refusal(Vec::new())
            }
        };
    }

    /// Some of its body has come, at `now`.
    pub(crate) fn read(&mut self, bytes: &[u8], now: Micros) {
        self.bytes += bytes.len() as u64;
        // Out of self, so that what is found in it can go into self.
        let mut body = std::mem::take(&mut self.body);
        let read = match &mut body {
            Body::Events(decoder) => decoder.feed(bytes, |event| self.event(event, now)),
            Body::Lines(decoder) => decoder.feed(bytes, |line| self.chunk(line, now)),
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

    /// What there is too much of, if of anything.
    fn excess(&self) -> Option<String> {
        let text = self.spoken.as_ref().map_or(0, Spoken::len);
        match self.body {
            Body::Events(_) | Body::Lines(_) if self.chunks.count > MAX_CHUNKS => {
                Some(format!("a stream of more than {MAX_CHUNKS} chunks"))
            }
            Body::Events(_) | Body::Lines(_) if self.bytes > MAX_STREAM || text > MAX_WHOLE => {
                let (stream, text) = (MAX_STREAM >> 20, MAX_WHOLE >> 20);
                Some(format!(
                    "a stream of more than {stream} MiB, or {text} MiB of text"
                ))
            }
            _ => None,
        }
    }

    /// Read what stands at the end without its end-of-line, if that is its end.
    pub(crate) fn finish(&mut self, now: Micros, intact: bool) {
        match std::mem::take(&mut self.body) {
            Body::Events(_) | Body::Lines(_) if !intact => {}
            Body::Events(mut decoder) => {
                if let Err(error) = decoder.finish(|event| self.event(event, now)) {
                    self.fail(ErrorKind::Content, error.to_string());
                } else if decoder.is_foreign() && !self.begun {
                    let message = "called text/event-stream, without an event in it";
                    self.fail(ErrorKind::Content, message.to_owned());
                }
            }
            Body::Lines(mut decoder) => decoder.finish(|line| self.chunk(line, now)),
            Body::Whole(whole) => self.whole(&whole),
            Body::Refusal(kept) => {
                let status = self.status.unwrap_or_default();
                if self.failure.is_none() {
                    let said = error_message(&kept);
                    let colon = if said.is_empty() { "" } else { ": " };
                    self.fail(ErrorKind::Http, format!("status {status}{colon}{said}"));
                }
            }
            Body::Opaque => self.done |= intact,
            Body::Unknown => {}
        }
    }

    fn event(&mut self, event: sse::Event<'_>, now: Micros) {
        self.begun = true;
        match (event.name, event.data) {
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
                    self.has_output = true;
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

    fn whole(&mut self, json: &[u8]) {
        match Event::parse(json, self.keeps_text()) {
            Ok(event) => {
                self.has_output = event.has_output();
                // An answer that parses is not one that was cut.
                self.done = true;
                self.take(event);
            }
            Err(error) => {
                let message = format!("the answer is not a JSON object: {error}");
                // Half an answer may be a cut or a timeout: the ending tells.
                if error.is_eof() {
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
        self.finished |= event.finished;
        self.usage.update(event.usage);
        if let Some(spoken) = self.spoken.as_mut().filter(|spoken| spoken.is_wanted()) {
            spoken.add(&event);
        }
        if let Some(message) = event.error {
            self.fail(ErrorKind::Stream, message);
        }
    }

    /// Whether a stream of tokens ended without a word of it.
    pub(crate) fn is_cut(&self) -> bool {
        let told = self.done || self.finished || self.usage.output.is_some();
        self.chunks.count > 0 && !told && !self.silent
    }

    /// The first failure is the one that is told.
    fn fail(&mut self, kind: ErrorKind, message: String) {
        self.failure.get_or_insert(Failure { kind, message });
    }
}

impl Chunks {
    fn add(&mut self, content: bool, now: Micros) {
        self.count += 1;
        if let (Some(gaps), Some(last)) = (&mut self.gaps, self.last) {
            gaps.push(now.saturating_sub(last));
        }
        self.first.get_or_insert(now);
        self.last = Some(now);
        if content {
            self.first_content.get_or_insert(now);
        }
    }
}
