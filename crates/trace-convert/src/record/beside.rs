//! What a foreign row has beside the fields of a request.

use crate::json;
use std::borrow::Cow;
use std::ops::Range;
use trace_core::{Field, push_string};

/// The name of a member that is none of our fields, checked once for a whole
/// table.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    /// Its JSON, with the colon.
    json: Vec<u8>,
}

impl Name {
    /// `name`, with a `_` before it where it is one of ours.
    pub(crate) fn new(name: &str) -> Self {
        let mut name = Cow::Borrowed(name);
        while Field::from_name(name.as_bytes()).is_some() {
            name = format!("_{name}").into();
        }
        let mut json = Vec::new();
        json::push_text(&mut json, &name);
        json.push(b':');
        Self { json }
    }
}

/// Members in their order, as JSON without braces: `"turn":1,"type":"text"`.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    json: Vec<u8>,
    /// Where each name and its value stand.
    spans: Vec<(Range<usize>, Range<usize>)>,
}

impl Beside {
    /// The members, commas between them.
    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    /// Forget them all.
    pub(super) fn clear(&mut self) {
        self.json.clear();
        self.spans.clear();
    }

    /// The JSON of the member `name`.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        let same =
            |(key, _): &&(Range<usize>, Range<usize>)| self.json[key.clone()] == *name.as_bytes();
        let (_, value) = self.spans.iter().find(same)?;
        Some(&self.json[value.clone()])
    }

    /// Add a member that is not there yet; `raw` is JSON.
    pub(super) fn push(&mut self, name: &str, raw: &[u8]) {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        let key = self.json.len() + 1;
        json::push_text(&mut self.json, name);
        let key = key..self.json.len() - 1;
        self.json.push(b':');
        let start = self.json.len();
        self.json.extend_from_slice(raw);
        self.spans.push((key, start..self.json.len()));
    }

    /// Add a number if `text` is one, else a string.
    pub(super) fn push_cell(&mut self, name: &Name, text: &[u8]) {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        let key = self.json.len() + 1;
        self.json.extend_from_slice(&name.json);
        let key = key..self.json.len() - 2;
        let start = self.json.len();
        let plain = |b: &u8| (b' '..0x7f).contains(b) && *b != b'"' && *b != b'\\';
        if json::is_number(text) {
            self.json.extend_from_slice(text);
        } else if text.iter().all(plain) {
            self.json.push(b'"');
            self.json.extend_from_slice(text);
            self.json.push(b'"');
        } else {
            push_string(&mut self.json, &String::from_utf8_lossy(text));
        }
        self.spans.push((key, start..self.json.len()));
    }
}
