//! One request on its way through the tool.
//!
//! It comes from a line of ours, whose bytes are kept and spliced, or from a
//! foreign row, of which there is only what the decoder made of it. Either
//! way [`Record::render`] gives the line to write, and [`Record::value`] the
//! JSON of any field.

mod beside;
mod field;

pub(crate) use beside::Name;

use crate::json;
use beside::Beside;
use field::{REQUEST_FIELDS, has_field, push_field};
use std::borrow::Cow;
use std::sync::Arc;
use trace_core::{Field, Line, LineError, Outcome, Request, push_integers};

/// A request, and what else its row or line said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// The line it came from; of a foreign row, only `request` is used.
    pub(crate) line: Line,
    /// What happened to it, when a foreign row told.
    pub(crate) outcome: Option<Outcome>,
    /// Members no field of ours holds.
    beside: Beside,
    /// Whether `line` has bytes to splice.
    spelled: bool,
    /// A bit for every field that was changed since.
    changed: u64,
    name: Arc<str>,
    number: u64,
    rendered: Vec<u8>,
    spare: Vec<u64>,
    spare_model: String,
}

impl Record {
    /// Make it the foreign row `number` of `name`, with nothing in it yet.
    pub(crate) fn begin(&mut self, name: &Arc<str>, number: u64) {
        if let Some(ids) = self.line.request.hash_ids.take() {
            self.spare = ids;
        }
        if let Some(model) = self.line.request.model.take() {
            self.spare_model = model;
        }
        self.line.request = Request::default();
        self.outcome = None;
        self.beside.clear();
        self.spelled = false;
        self.changed = 0;
        if !Arc::ptr_eq(&self.name, name) {
            self.name = name.clone();
        }
        self.number = number;
    }

    /// Say that `line` has just been read.
    pub(crate) fn spelled(&mut self) {
        self.outcome = None;
        self.beside.clear();
        self.spelled = true;
        self.changed = 0;
    }

    /// What is asked for.
    pub(crate) fn request(&self) -> &Request {
        &self.line.request
    }

    /// Whether the request says word for word what to ask.
    pub(crate) fn is_literal(&self) -> bool {
        let request = self.request();
        request.text_input.is_some() || request.messages.is_some() || request.payload.is_some()
    }

    /// The same, to change `field` of it.
    pub(crate) fn change(&mut self, field: Field) -> &mut Request {
        self.changed |= 1 << field as u64;
        &mut self.line.request
    }

    /// An empty list for the request's `hash_ids`, from an earlier row.
    pub(crate) fn empty_ids(&mut self) -> Vec<u64> {
        let mut ids = std::mem::take(&mut self.spare);
        ids.clear();
        ids
    }

    /// Set the model, in the memory of an earlier row's.
    pub(crate) fn set_model(&mut self, model: &str) {
        let mut owned = std::mem::take(&mut self.spare_model);
        owned.clear();
        owned.push_str(model);
        self.change(Field::Model).model = Some(owned);
    }

    /// The file and the line or row number, for messages.
    pub(crate) fn place(&self) -> (&str, u64) {
        if self.spelled {
            (self.line.name(), self.line.number())
        } else {
            (&self.name, self.number)
        }
    }

    /// An error about this row.
    pub(crate) fn error(&self, reason: impl Into<String>) -> LineError {
        let (name, line) = self.place();
        LineError {
            name: name.into(),
            line,
            column: 1,
            reason: reason.into(),
        }
    }

    /// Add a member that no field of ours holds; `value` is JSON.
    ///
    /// A name that is one of ours, or was there before, gets a `_` before it:
    /// a foreign `timestamp` must not become ours.
    pub(crate) fn add(&mut self, name: &str, value: &[u8]) {
        let mut name = Cow::Borrowed(name);
        while Field::from_name(name.as_bytes()).is_some() || self.beside.get(&name).is_some() {
            name = format!("_{name}").into();
        }
        self.beside.push(&name, value);
    }

    /// Add a member whose name is ours, such as what happened to the request.
    pub(crate) fn add_own(&mut self, name: &str, value: &[u8]) {
        match self.beside.get(name) {
            Some(_) => self.add(name, value),
            None => self.beside.push(name, value),
        }
    }

    /// Add a foreign value: a JSON number if `text` is one, else a string,
    /// in which bytes that are not UTF-8 are replaced. Names must differ
    /// within a row.
    pub(crate) fn add_cell(&mut self, name: &Name, text: &[u8]) {
        self.beside.push_cell(name, text);
    }

    /// Add a text under a name of the format's own.
    pub(crate) fn add_text(&mut self, name: &str, text: &str) {
        let mut value = Vec::with_capacity(text.len() + 2);
        json::push_text(&mut value, text);
        self.add(name, &value);
    }

    /// Add a member to what may be a line of ours; `value` is JSON.
    pub(crate) fn tag(&mut self, name: &str, value: &[u8]) {
        if self.spelled {
            self.unspell();
        }
        self.add(name, value);
    }

    /// Change the member `name`, if there is one that no field of ours holds;
    /// `value` is JSON.
    pub(crate) fn replace(&mut self, name: &str, value: &[u8]) {
        let has = if self.spelled {
            self.line.raw(name).is_some()
        } else {
            self.beside.get(name).is_some()
        };
        if !has {
            return;
        }
        if self.spelled {
            self.unspell();
        }
        let json = [b"{", self.beside.json(), b"}"].concat();
        self.beside.clear();
        for (key, raw) in json::members(&json) {
            self.beside
                .push(&key, if key == name { value } else { raw });
        }
    }

    /// Forget everything but time, lengths and blocks.
    pub(crate) fn keep_only_the_mooncake_fields(&mut self) {
        if self.spelled {
            self.unspell();
        }
        let request = std::mem::take(&mut self.line.request);
        self.line.request = Request {
            timestamp: request.timestamp,
            input_length: request.input_length,
            output_length: request.output_length,
            hash_ids: request.hash_ids,
            ..Request::default()
        };
        self.outcome = None;
        self.beside.clear();
    }

    /// Append the JSON of the top-level field `name` to `json`; `false` when
    /// the request has no such field.
    pub(crate) fn value(&self, name: &str, json: &mut Vec<u8>) -> bool {
        let known = Field::from_name(name.as_bytes());
        if let Some(field) = known
            && !field.is_outcome()
        {
            return push_field(field, &self.line.request, json);
        }
        let raw = if self.spelled {
            self.line.raw(name)
        } else {
            self.beside.get(name)
        };
        if let Some(raw) = raw {
            json.extend_from_slice(raw);
            return true;
        }
        let Some(outcome) = self.outcome.as_ref().filter(|_| known.is_some()) else {
            return false;
        };
        let mut line = b"{}".to_vec();
        outcome.append_to(&mut line);
        let members = json::members(&line);
        let found = members.iter().find(|(key, _)| key == name);
        found.is_some_and(|(_, raw)| {
            json.extend_from_slice(raw);
            true
        })
    }

    /// What happened to the request, if its line or row told.
    ///
    /// # Errors
    /// A line's outcome field of a wrong type.
    pub(crate) fn outcome(&self) -> Result<Option<Outcome>, LineError> {
        if self.spelled {
            self.line.outcome()
        } else {
            Ok(self.outcome.clone())
        }
    }

    /// Every member of the line as it would be written, in order: the name
    /// and its JSON.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub(crate) fn members(&mut self) -> Result<Vec<(String, Vec<u8>)>, LineError> {
        let members = json::members(self.render()?);
        Ok(members
            .into_iter()
            .map(|(key, raw)| (key.into_owned(), raw.to_vec()))
            .collect())
    }

    /// The line as it is to be written: the input's bytes where nothing
    /// changed.
    ///
    /// # Errors
    /// A changed value that the field cannot hold.
    pub(crate) fn render(&mut self) -> Result<&[u8], LineError> {
        if self.spelled && self.loses_a_field() {
            self.unspell();
        }
        if !self.spelled {
            self.rendered.clear();
            self.line.request.append_to(&mut self.rendered);
            if !self.beside.json().is_empty() {
                self.rendered.pop();
                if self.rendered.len() > 1 {
                    self.rendered.push(b',');
                }
                self.rendered.extend_from_slice(self.beside.json());
                self.rendered.push(b'}');
            }
            if let Some(outcome) = &self.outcome {
                outcome.append_to(&mut self.rendered);
            }
            if memchr::memchr(b'\n', &self.rendered).is_some() {
                json::compact(&mut self.rendered);
            }
            return Ok(&self.rendered);
        }
        let blocks = 1 << Field::HashIds as u64;
        let mut changed = self.changed & !blocks;
        self.changed &= blocks;
        while changed != 0 {
            let bit = changed.trailing_zeros();
            changed &= changed - 1;
            let field = REQUEST_FIELDS[bit as usize];
            self.rendered.clear();
            if push_field(field, &self.line.request, &mut self.rendered) {
                self.line.set(field, &self.rendered)?;
            }
        }
        match &self.line.request.hash_ids {
            Some(ids) if self.changed != 0 => {
                splice(&self.line, Field::HashIds, ids, &mut self.rendered);
                Ok(&self.rendered)
            }
            _ => Ok(self.line.bytes()),
        }
    }

    /// Whether a change took a field away that the line has.
    fn loses_a_field(&self) -> bool {
        self.changed != 0
            && REQUEST_FIELDS.into_iter().any(|field| {
                self.changed >> field as u64 & 1 == 1
                    && !has_field(field, &self.line.request)
                    && self.line.raw(field.name()).is_some()
            })
    }

    /// Go on without the line's bytes: its known fields from the request, the
    /// others as they are.
    fn unspell(&mut self) {
        let (name, number) = (self.line.name().into(), self.line.number());
        (self.name, self.number) = (name, number);
        let bytes = self.line.bytes().to_vec();
        self.spelled = false;
        for (key, raw) in json::members(&bytes) {
            match Field::from_name(key.as_bytes()) {
                Some(field) if !field.is_outcome() => {}
                Some(_) => self.beside.push(&key, raw),
                None => self.add(&key, raw),
            }
        }
    }
}

/// The line with other block ids, into `out`.
///
/// [`Line::set`] would read the ids again that were just printed, which takes
/// five times as long as all the rest where there are thousands of them.
fn splice(line: &Line, field: Field, ids: &[u64], out: &mut Vec<u8>) {
    let bytes = line.bytes();
    out.clear();
    match line.raw(field.name()) {
        Some(raw) => {
            let start = raw.as_ptr() as usize - bytes.as_ptr() as usize;
            out.extend_from_slice(&bytes[..start]);
            push_integers(out, ids);
            out.extend_from_slice(&bytes[start + raw.len()..]);
        }
        None => {
            let close = bytes.iter().rposition(|&b| b == b'}').unwrap_or(0);
            out.extend_from_slice(&bytes[..close]);
            // A request has a prompt or a length, so something stands before.
            out.extend_from_slice(b",\"hash_ids\":");
            push_integers(out, ids);
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Micros;

    fn spelled(text: &str) -> Record {
        let mut record = Record {
            line: Line::parse("t.jsonl", text).unwrap(),
            ..Record::default()
        };
        record.spelled();
        record
    }

    fn text(record: &mut Record) -> String {
        String::from_utf8(record.render().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn an_untouched_line_keeps_its_bytes() {
        let line = r#"{ "input_length" : 3.0, "x": 1e5 }"#;
        assert_eq!(text(&mut spelled(line)), line);
    }

    #[test]
    fn a_change_is_spliced() {
        let mut record = spelled(r#"{ "input_length" : 3, "x": 1e5 }"#);
        record.change(Field::InputLength).input_length = Some(7);
        assert_eq!(text(&mut record), r#"{ "input_length" : 7, "x": 1e5 }"#);
    }

    #[test]
    fn other_blocks_stand_where_the_old_ones_stood() {
        let mut record = spelled(r#"{"hash_ids": [1, 2], "input_length" : 600}"#);
        record.change(Field::HashIds).hash_ids = Some(vec![7]);
        record.change(Field::InputLength).input_length = Some(5);
        for _ in 0..2 {
            assert_eq!(
                text(&mut record),
                r#"{"hash_ids": [7], "input_length" : 5}"#
            );
        }
        let mut record = spelled(r#"{"input_length":600 } "#);
        record.change(Field::HashIds).hash_ids = Some(vec![7, 8]);
        assert_eq!(
            text(&mut record),
            r#"{"input_length":600 ,"hash_ids":[7,8]}"#
        );
    }

    #[test]
    fn a_field_that_is_taken_away_is_gone_and_the_rest_stays() {
        let mut record = spelled(r#"{"x":1e5,"input_length":3,"hash_ids":[1],"status":200}"#);
        record.change(Field::HashIds).hash_ids = None;
        assert_eq!(
            text(&mut record),
            r#"{"input_length":3,"x":1e5,"status":200}"#
        );
    }

    #[test]
    fn a_foreign_row_keeps_what_we_have_no_field_for() {
        let mut record = Record::default();
        record.begin(&"a.csv".into(), 2);
        record.change(Field::Timestamp).timestamp = Some(Micros::from_micros(1_500));
        record.add_cell(&Name::new("turn"), b"1");
        record.add_cell(&Name::new("model"), b"07");
        record.add_text("turn", "x");
        assert_eq!(
            text(&mut record),
            r#"{"timestamp":1.5,"turn":1,"_model":"07","_turn":"x"}"#
        );
        let mut value = Vec::new();
        assert!(record.value("turn", &mut value) && value == b"1");
        assert!(!record.value("x", &mut value));
    }
}
