//! Formats whose file is a list of JSON objects, each of which stands for any
//! number of requests.

use crate::elements::Elements;
use crate::format::Decode;
use crate::input::Opened;
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use std::collections::VecDeque;
use std::sync::Arc;
use trace_core::{Error, Field};

/// Makes requests of one object.
pub(crate) trait Expand {
    /// Give the requests of `object` to `made`.
    ///
    /// # Errors
    /// What is wrong with the object.
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String>;

    /// Look at all requests of a file at its end, for a format that says
    /// that it [`holds`](Self::HOLDS) them.
    fn end(&mut self, _all: &mut VecDeque<Record>, _report: &mut Report) {}

    /// Whether nothing is written before the file has ended.
    const HOLDS: bool = false;
}

/// The requests of an object, in their order.
pub(crate) struct Made {
    name: Arc<str>,
    line: u64,
    tag: Option<String>,
    waiting: VecDeque<Record>,
}

impl Made {
    /// A new request with nothing in it but the `source`.
    pub(crate) fn next(&mut self) -> &mut Record {
        let mut record = Record::default();
        record.begin(&self.name, self.line);
        if let Some(tag) = &self.tag {
            record.change(Field::Source).source = Some(tag.clone());
        }
        self.waiting.push_back(record);
        self.waiting.back_mut().expect("it was just put there")
    }
}

/// A decoder for such a format.
pub(crate) struct Objects<E> {
    expand: E,
    /// The key of an enclosing object that the list may stand under.
    inside: Option<&'static str>,
    elements: Option<Elements>,
    made: Made,
}

impl<E: Expand> Objects<E> {
    /// A decoder that makes requests by `expand`.
    pub(crate) fn new(expand: E) -> Self {
        Self {
            expand,
            inside: None,
            elements: None,
            made: Made {
                name: "".into(),
                line: 0,
                tag: None,
                waiting: VecDeque::new(),
            },
        }
    }

    /// Look for the list under `key`, where a file has an object with that
    /// key around it.
    pub(crate) fn inside(self, key: &'static str) -> Self {
        Self {
            inside: Some(key),
            ..self
        }
    }
}

impl<E: Expand> Decode for Objects<E> {
    fn open(&mut self, input: Opened, _: &mut Report) -> anyhow::Result<()> {
        let elements = Elements::new(&input.name, input.bytes);
        self.elements = Some(match self.inside {
            Some(key) if input.head.has(key) => elements.inside(key),
            _ => elements,
        });
        self.made.name = input.name;
        self.made.tag = input.tag;
        Ok(())
    }

    fn read(&mut self, record: &mut Record, report: &mut Report) -> Result<bool, Error> {
        loop {
            if (!E::HOLDS || self.elements.is_none())
                && let Some(made) = self.made.waiting.pop_front()
            {
                *record = made;
                return Ok(true);
            }
            let Some(elements) = &mut self.elements else {
                return Ok(false);
            };
            let Some(bytes) = elements.next()? else {
                self.elements = None;
                self.expand.end(&mut self.made.waiting, report);
                continue;
            };
            let mut bytes = bytes.to_vec();
            if without_nan(&mut bytes) {
                report.count(
                    Kind::Changed,
                    "objects with NaN, which is no JSON, to null",
                    1,
                );
            }
            let object: Members<'_> =
                serde_json::from_slice(&bytes).map_err(|error| elements.json_error(&error))?;
            self.made.line = elements.began();
            let before = self.made.waiting.len();
            let done = self.expand.expand(&object, &mut self.made, report);
            if let Err(reason) = done {
                // Of an object that is passed over, nothing is left.
                self.made.waiting.truncate(before);
                return Err(elements.error(reason));
            }
        }
    }
}

/// Put `null` where Python wrote `NaN`; whether it did.
fn without_nan(json: &mut Vec<u8>) -> bool {
    if memchr::memmem::find(json, b"NaN").is_none() {
        return false;
    }
    let (mut in_string, mut escaped) = (false, false);
    let mut out = Vec::with_capacity(json.len() + 8);
    let mut at = 0;
    let mut found = false;
    while at < json.len() {
        let byte = json[at];
        if !in_string && json[at..].starts_with(b"NaN") {
            out.extend_from_slice(b"null");
            at += 3;
            found = true;
            continue;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        out.push(byte);
        at += 1;
    }
    *json = out;
    found
}

/// Add the members that none of `taken` names.
pub(crate) fn carry(record: &mut Record, object: &Members<'_>, taken: &[&str]) {
    for (name, raw) in &object.0 {
        if !taken.contains(&&**name) && *raw != b"null" {
            record.add(name, raw);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_null_outside_strings() {
        let mut json = br#"{"a":NaN,"b":"NaN \" NaN"}"#.to_vec();
        assert!(without_nan(&mut json));
        assert_eq!(json, br#"{"a":null,"b":"NaN \" NaN"}"#);
        let mut json = br#"{"b":"NaN"}"#.to_vec();
        assert!(!without_nan(&mut json));
    }
}
