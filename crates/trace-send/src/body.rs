//! The JSON object of a request body, and where in it a prompt stands.

use crate::members::Members;
use std::ops::Range;
use trace_core::push_string;

/// Writes a JSON object, with members that win over what is written to it.
pub(crate) struct Body<'a> {
    out: &'a mut Vec<u8>,
    /// The first wins over the second.
    winners: [&'a Members; 2],
    start: usize,
    prompt: Option<Range<usize>>,
}

impl<'a> Body<'a> {
    /// An object at the end of `out`.
    pub(crate) fn begin(out: &'a mut Vec<u8>, winners: [&'a Members; 2]) -> Self {
        out.push(b'{');
        let start = out.len();
        Self {
            out,
            winners,
            start,
            prompt: None,
        }
    }

    /// The member `key`, unless a winner has it.
    pub(crate) fn member(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        if !self.has(key) {
            self.put(key, value);
        }
    }

    /// The member `key` as it is spelled in `json`.
    pub(crate) fn raw(&mut self, key: &str, json: &str) {
        self.member(key, |out| out.extend_from_slice(json.as_bytes()));
    }

    /// The member `key` with a string.
    pub(crate) fn string(&mut self, key: &str, text: &str) {
        self.member(key, |out| push_string(out, text));
    }

    /// The member `key` with a number, if there is one.
    pub(crate) fn number(&mut self, key: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.raw(key, itoa::Buffer::new().format(number));
        }
    }

    /// The member `key` with the prompt between `open` and `close`: what went
    /// before in a conversation can be put in where it begins.
    pub(crate) fn prompt(
        &mut self,
        key: &str,
        (open, close): (&str, &str),
        new: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut place = None;
        self.member(key, |out| {
            out.extend_from_slice(open.as_bytes());
            let start = out.len();
            new(out);
            place = Some(start..out.len());
            out.extend_from_slice(close.as_bytes());
        });
        self.prompt = place;
    }

    /// Whether a winner has the member `key`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.winners.iter().any(|winner| winner.get(key).is_some())
    }

    /// Whether no winner says that the answer shall come whole.
    pub(crate) fn streams(&self) -> bool {
        let said = self.winners.iter().find_map(|winner| winner.get("stream"));
        said.is_none_or(|value| value == "true")
    }

    fn put(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        if self.out.len() > self.start {
            self.out.push(b',');
        }
        push_string(self.out, key);
        self.out.push(b':');
        value(self.out);
    }

    /// The object is complete: where in `out` the prompt stands, if a prompt
    /// was written.
    pub(crate) fn end(mut self) -> Option<Range<usize>> {
        let [first, second] = self.winners;
        let beaten = |key: &str| first.get(key).is_some();
        let rest = second.0.iter().filter(|(key, _)| !beaten(key));
        for (key, value) in rest.chain(&first.0) {
            self.put(key, |out| out.extend_from_slice(value.get().as_bytes()));
        }
        self.out.push(b'}');
        self.prompt
    }
}

/// Append the inside of `text` as a JSON string, its quotes left out.
pub(crate) fn push_inside(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    push_string(out, text);
    out.pop();
    out.remove(start);
}
