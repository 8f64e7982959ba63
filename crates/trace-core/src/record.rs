//! A request: one line of a trace, decoded.

use crate::digits::push_with_commas;
use crate::time::Micros;
use serde_json::value::RawValue;
use std::fmt;

/// The conversation a request is a turn of: a string or an integer.
///
/// `7` and `"7"` are two sessions, as they are two JSON values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionId {
    /// An integer id.
    Number(i64),
    /// A string id.
    Text(String),
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.pad(text),
        }
    }
}

/// One request of a trace.
///
/// Every field may be absent; a line that was read has at least one of
/// `input_length`, `text_input`, `messages` and `payload`. Fields no tool
/// knows are not here but in the [`Line`](crate::Line) this came from.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// When the request arrives, since the trace began.
    pub timestamp: Option<Micros>,
    /// Prompt length in tokens, history included.
    pub input_length: Option<u64>,
    /// Response length to ask for, in tokens.
    pub output_length: Option<u64>,
    /// One id per KV block of the prompt; see [`block`](crate::block).
    pub hash_ids: Option<Vec<u64>>,
    /// The conversation this is a turn of; turns come in line order.
    pub session_id: Option<SessionId>,
    /// Think time after the previous turn's response.
    pub delay: Option<Micros>,
    /// Model to ask.
    pub model: Option<String>,
    /// A literal prompt.
    pub text_input: Option<String>,
    /// A literal chat: a JSON array of messages.
    pub messages: Option<Box<RawValue>>,
    /// Tools offered with `messages`: a JSON array.
    pub tools: Option<Box<RawValue>>,
    /// A literal request body: a JSON object.
    pub payload: Option<Box<RawValue>>,
    /// A JSON object merged into the request body.
    pub extra: Option<Box<RawValue>>,
    /// Where the line came from, when several inputs are told apart.
    pub source: Option<String>,
}

impl Request {
    /// Append the request as one JSON object, compact, absent fields left
    /// out, in the order of the fields above.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let mut object = Object::begin(out);
        object.millis("timestamp", self.timestamp);
        object.integer("input_length", self.input_length);
        object.integer("output_length", self.output_length);
        if let Some(ids) = &self.hash_ids {
            object.key("hash_ids");
            push_integers(object.out, ids);
        }
        match &self.session_id {
            Some(SessionId::Number(number)) => {
                object.key("session_id");
                object
                    .out
                    .extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
            }
            Some(SessionId::Text(text)) => object.string("session_id", Some(text)),
            None => {}
        }
        object.millis("delay", self.delay);
        object.string("model", self.model.as_deref());
        object.string("text_input", self.text_input.as_deref());
        object.raw("messages", self.messages.as_deref());
        object.raw("tools", self.tools.as_deref());
        object.raw("payload", self.payload.as_deref());
        object.raw("extra", self.extra.as_deref());
        object.string("source", self.source.as_deref());
        object.end();
    }
}

/// Append `ids` as a JSON array.
pub fn push_integers(out: &mut Vec<u8>, ids: &[u64]) {
    out.push(b'[');
    push_with_commas(out, ids);
    if ids.is_empty() {
        out.push(b']');
    } else {
        // In place of the last comma.
        *out.last_mut().expect("a number was written") = b']';
    }
}

/// Append `text` as a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string into memory cannot fail");
}

/// Writes members of one JSON object, commas included.
pub(crate) struct Object<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Go on with the object that `out` ends in: its closing brace is taken off.
    pub(crate) fn reopen(out: &'a mut Vec<u8>) -> Self {
        while let Some(last) = out.pop() {
            if last == b'}' {
                break;
            }
        }
        let end = out.iter().rposition(|b| !b.is_ascii_whitespace());
        let empty = end.is_none_or(|end| out[end] == b'{');
        Self { out, empty }
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }

    pub(crate) fn key(&mut self, name: &str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(crate) fn millis(&mut self, name: &str, value: Option<Micros>) {
        if let Some(value) = value {
            self.key(name);
            value.push_millis(self.out);
        }
    }

    pub(crate) fn integer(&mut self, name: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.key(name);
            self.out
                .extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        }
    }

    pub(crate) fn string(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.key(name);
            push_string(self.out, value);
        }
    }

    pub(crate) fn raw(&mut self, name: &str, value: Option<&RawValue>) {
        if let Some(value) = value {
            self.key(name);
            self.out.extend_from_slice(value.get().as_bytes());
        }
    }
}
