//! What the head of an answer says of its body.

use super::frame::Frames;
use super::one_line;
use crate::outcome::{ErrorKind, Failure};

/// The head of an answer, as far as its body depends on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head<'a> {
    /// The status code.
    pub status: u16,
    /// The `content-type`, with parameters or without; empty if there is none.
    pub media: &'a str,
    /// The `content-encoding`, unless it is `identity`.
    pub encoding: Option<&'a str>,
    /// Where a redirect leads, for who would have to follow it.
    pub location: Option<&'a str>,
}

/// How a body is read.
#[derive(Debug, Default)]
pub(super) enum Body {
    #[default]
    Unknown,
    /// Events, or lines.
    Stream(Frames),
    Whole(Vec<u8>),
    /// Something that nobody looks into.
    Opaque,
    /// An error, of which the beginning is kept.
    Refusal(Vec<u8>),
}

impl Head<'_> {
    /// How the body is read, where a `silent` answer may be anything.
    ///
    /// # Errors
    /// Why it is no good answer, whatever the body is.
    pub(super) fn body(&self, silent: bool) -> Result<Body, Failure> {
        let status = self.status;
        if let (301..=303 | 307 | 308, Some(place)) = (status, self.location) {
            let place = one_line(place);
            let message =
                format!("status {status}: a redirect to {place:?}, which is not followed");
            return Err(Failure {
                kind: ErrorKind::Http,
                message,
            });
        }
        if !(200..300).contains(&status) {
            return Ok(Body::Refusal(Vec::new()));
        }
        let media = self.media.split(';').next().unwrap_or_default().trim();
        let is = |known: &str| media.eq_ignore_ascii_case(known);
        let message = if let Some(encoding) = self.encoding {
            let encoding = one_line(encoding);
            format!("content-encoding {encoding}, which was not asked for")
        } else if is("text/event-stream") {
            return Ok(Body::Stream(Frames::default()));
        } else if LINES.into_iter().any(is) {
            return Ok(Body::Stream(Frames::of_lines()));
        } else if is("application/json") {
            return Ok(Body::Whole(Vec::new()));
        } else if silent {
            return Ok(Body::Opaque);
        } else if media.is_empty() {
            "no content type, expected text/event-stream or JSON".to_owned()
        } else {
            let media = one_line(media);
            format!("content type {media}, expected text/event-stream or JSON")
        };
        Err(Failure {
            kind: ErrorKind::Content,
            message,
        })
    }
}

/// What servers call JSON values one to a line.
const LINES: [&str; 6] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/jsonlines",
    "application/json-lines",
    "application/stream+json",
];
