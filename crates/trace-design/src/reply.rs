//! What is answered: a status, a type, bytes at once or as they come.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use std::fmt::Display;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// The body of an answer.
pub(crate) enum Content {
    /// All of it, until it is taken.
    Whole(Option<Bytes>),
    /// Pieces as they come; an error cuts the connection, so that half a file
    /// is not taken for a whole one.
    Pieces(mpsc::Receiver<io::Result<Bytes>>),
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Pieces(pieces) => {
                let piece = pieces.poll_recv(cx);
                piece.map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}

/// An answer.
pub(crate) type Reply = Response<Content>;

/// Why a request is not done: a status and one line for the user.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// 4xx for what was asked, 5xx for what could not be done.
    pub status: StatusCode,
    /// The answer's JSON, with the line as its `error`.
    pub body: serde_json::Value,
}

impl Refusal {
    /// `reason`, with `status`.
    pub(crate) fn new(status: StatusCode, reason: impl Display) -> Self {
        let body = serde_json::json!({ "error": reason.to_string() });
        Self { status, body }
    }

    /// What was asked makes no sense.
    pub(crate) fn bad(reason: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    /// The same, about the field `name` of what was asked.
    pub(crate) fn about(mut self, name: &str) -> Self {
        self.body["field"] = name.into();
        self
    }

    /// There is no such thing.
    pub(crate) fn missing(reason: impl Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason)
    }

    /// It is not this side's to ask.
    pub(crate) fn forbidden(reason: impl Display) -> Self {
        Self::new(StatusCode::FORBIDDEN, reason)
    }

    /// It failed here.
    pub(crate) fn failed(reason: impl Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, reason)
    }

    /// The line for the user.
    pub(crate) fn reason(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    /// The answer.
    pub(crate) fn reply(self) -> Reply {
        with_status(self.status, &self.body)
    }
}

impl From<anyhow::Error> for Refusal {
    /// What the user gave could not be used.
    fn from(error: anyhow::Error) -> Self {
        Self::bad(format_args!("{error:#}"))
    }
}

/// `bytes` of the type `kind`.
pub(crate) fn bytes(kind: &'static str, bytes: impl Into<Bytes>) -> Reply {
    with_type(kind, Content::Whole(Some(bytes.into())))
}

/// `value` as JSON.
pub(crate) fn json(value: &impl Serialize) -> Reply {
    with_status(StatusCode::OK, value)
}

/// JSON that is text already.
pub(crate) fn json_text(text: String) -> Reply {
    bytes("application/json", text)
}

/// Pieces of the type `kind`, as they come.
pub(crate) fn pieces(kind: &'static str, pieces: mpsc::Receiver<io::Result<Bytes>>) -> Reply {
    with_type(kind, Content::Pieces(pieces))
}

/// `reply` as a file to be saved under `name`, which has no quotes in it.
pub(crate) fn download(mut reply: Reply, name: &str) -> Reply {
    let value = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let value = value.unwrap_or(HeaderValue::from_static("attachment"));
    reply.headers_mut().insert(CONTENT_DISPOSITION, value);
    reply
}

fn with_status(status: StatusCode, value: &impl Serialize) -> Reply {
    let text = serde_json::to_vec(value).expect("answers have text for keys");
    let mut reply = bytes("application/json", text);
    *reply.status_mut() = status;
    reply
}

fn with_type(kind: &'static str, content: Content) -> Reply {
    let mut reply = Response::new(content);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // The next run has another token and perhaps another page.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in SAFETY {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    reply
}

/// Nothing but our own files runs in the page, nobody frames or reads it.
const SAFETY: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
         connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];
