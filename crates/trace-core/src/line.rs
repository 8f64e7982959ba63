//! One input line: its bytes as they came, and what they mean.
//!
//! A tool that passes a line on must not change what it does not understand:
//! unknown fields, the order of fields, the spelling of numbers, even the
//! spaces. So a [`Line`] keeps the bytes and the place of every top-level
//! field in them, and [`Line::set`] splices just the one value that changes.
//! That is also faster than building a JSON value and printing it again.

use crate::along::Along;
use crate::decode;
use crate::error::{Flaw, LineError};
use crate::field::Field;
use crate::outcome::Outcome;
use crate::record::Request;
use crate::scan::{self, Order};
use crate::time::Micros;
use std::ops::Range;
use std::sync::Arc;

/// One line of a trace: its bytes, and the [`Request`] they spell.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// The fields every tool knows, decoded.
    pub request: Request,
    pub(crate) bytes: Vec<u8>,
    pub(crate) members: Vec<Member>,
    pub(crate) name: Arc<str>,
    pub(crate) number: u64,
    spare: Spare,
}

/// Where one top-level field stands in the line.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// `None` for a field no tool knows.
    pub(crate) field: Option<Field>,
    /// The key as it is spelled, without its quotes.
    pub(crate) key: Span,
    pub(crate) value: Span,
}

/// A place in a line, in half the bytes of a range: there are two for each
/// field of each line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl From<Range<usize>> for Span {
    #[inline]
    fn from(range: Range<usize>) -> Self {
        let place = |at: usize| u32::try_from(at).expect("a line is below 4 GiB");
        Self {
            start: place(range.start),
            end: place(range.end),
        }
    }
}

impl Span {
    #[inline]
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Buffers of the line before, to be filled again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spare {
    pub(crate) hash_ids: Vec<u64>,
    pub(crate) model: String,
    pub(crate) gaps: Vec<Micros>,
    pub(crate) stage: String,
    pub(crate) order: Order,
}

impl Line {
    /// The line that `text` spells.
    ///
    /// # Errors
    /// [`LineError`], with `name` as its file and line 1, if `text` is not one
    /// JSON object with the fields of a request.
    pub fn parse(name: &str, text: &str) -> Result<Self, LineError> {
        let mut line = Self {
            bytes: text.as_bytes().to_vec(),
            name: name.into(),
            number: 1,
            ..Self::default()
        };
        line.decode()?;
        Ok(line)
    }

    /// The line's bytes, without its end-of-line.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file it was read from, or `<stdin>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number in that file, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// An error about byte `column` (from 1) of this line.
    pub fn error(&self, column: usize, reason: impl Into<String>) -> LineError {
        LineError {
            name: self.name.clone(),
            line: self.number,
            column,
            reason: reason.into(),
        }
    }

    /// The JSON of the top-level field `key`, if the line has it.
    pub fn raw(&self, key: &str) -> Option<&[u8]> {
        let member = self
            .members
            .iter()
            .find(|m| self.bytes[m.key.range()] == *key.as_bytes())?;
        Some(&self.bytes[member.value.range()])
    }

    /// Whether the line tells what happened to its request.
    pub fn is_outcome(&self) -> bool {
        self.members
            .iter()
            .any(|m| m.field.is_some_and(Field::is_outcome))
    }

    /// What happened to the request, or `None` on a line that does not tell.
    ///
    /// # Errors
    /// [`LineError`] at the field that has a wrong type.
    pub fn outcome(&self) -> Result<Option<Outcome>, LineError> {
        if !self.is_outcome() {
            return Ok(None);
        }
        let read = Outcome::from_members(&self.bytes, &self.members);
        read.map(Some)
            .map_err(|flaw| self.error(flaw.column, flaw.reason))
    }

    /// Put `json` in place of the field's value, or append the field; the rest
    /// of the line stays as it is.
    ///
    /// # Errors
    /// [`LineError`] if `json` is not a value of that field.
    pub fn set(&mut self, field: Field, json: &[u8]) -> Result<(), LineError> {
        let found = self.members.iter().position(|m| m.field == Some(field));
        match found {
            Some(at) => self.replace(at, json),
            None => self.append(field, json),
        }
        let place = self
            .members
            .iter()
            .find(|m| m.field == Some(field))
            .expect("it was just put there");
        let value = place.value.range();
        decode::known(field, &self.bytes, value, &mut self.request)
            .map_err(|flaw| self.error(flaw.column, flaw.reason))
    }

    fn replace(&mut self, at: usize, json: &[u8]) {
        let old = self.members[at].value.range();
        self.bytes.splice(old.clone(), json.iter().copied());
        let moved = |place: usize| place - old.end + old.start + json.len();
        for member in &mut self.members {
            let (key, value) = (member.key.range(), member.value.range());
            if value.start > old.start {
                member.key = (moved(key.start)..moved(key.end)).into();
                member.value = (moved(value.start)..moved(value.end)).into();
            }
        }
        self.members[at].value = (old.start..old.start + json.len()).into();
    }

    fn append(&mut self, field: Field, json: &[u8]) {
        let close = self
            .bytes
            .iter()
            .rposition(|&b| b == b'}')
            .expect("a line is an object");
        self.bytes.truncate(close);
        if !self.members.is_empty() {
            self.bytes.push(b',');
        }
        let key = self.bytes.len() + 1..self.bytes.len() + 1 + field.name().len();
        let value = key.end + 2..key.end + 2 + json.len();
        for part in [b"\"", field.name().as_bytes(), b"\":", json, b"}"] {
            self.bytes.extend_from_slice(part);
        }
        self.members.push(Member {
            field: Some(field),
            key: key.into(),
            value: value.into(),
        });
    }

    /// The line without the fields of an outcome: what to send again.
    pub fn request_bytes(&self) -> Vec<u8> {
        if !self.is_outcome() {
            return self.bytes.clone();
        }
        let mut kept = Vec::with_capacity(self.bytes.len());
        kept.push(b'{');
        let mut from = 1 + self
            .bytes
            .iter()
            .position(|&b| b == b'{')
            .expect("a line is an object");
        for member in &self.members {
            let end = member.value.range().end;
            let mut part = &self.bytes[from..end];
            from = end;
            if member.field.is_some_and(Field::is_outcome) {
                continue;
            }
            if kept.len() == 1 {
                let comma = part.iter().position(|&b| b == b',' || b == b'"');
                part = &part[comma.filter(|&at| part[at] == b',').map_or(0, |at| at + 1)..];
                part = part.trim_ascii_start();
            }
            kept.extend_from_slice(part);
        }
        kept.push(b'}');
        kept
    }

    /// Read `bytes` into `members` and `request`.
    pub(crate) fn decode(&mut self) -> Result<(), LineError> {
        self.decode_along(None).map(|_| ())
    }

    /// The same, and what happened into `outcome`, which keeps its room.
    pub(crate) fn decode_with(&mut self, outcome: &mut Option<Outcome>) -> Result<(), LineError> {
        let mut along = Along::new(outcome);
        let read = self.decode_along(Some(&mut along)).and_then(|quick| {
            let whole = quick && along.is_whole();
            if whole {
                Ok(None)
            } else {
                self.outcome().map(Some)
            }
        });
        match read {
            Ok(None) => {}
            Ok(Some(outcome)) => along.put(outcome, &mut self.spare),
            Err(error) => {
                along.put(None, &mut self.spare);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Read `bytes`, and the plain fields of an outcome `along`; whether the
    /// line as a whole was plain.
    fn decode_along(&mut self, along: Option<&mut Along<'_>>) -> Result<bool, LineError> {
        self.reset();
        let quick = scan::scan(
            &self.bytes,
            &mut self.members,
            &mut self.request,
            &mut self.spare,
            along,
        );
        let read = if quick {
            Ok(())
        } else {
            self.reset();
            decode::decode(&self.bytes, &mut self.members, &mut self.request)
        };
        read.and_then(|()| self.ask_for_something())
            .map_err(|flaw| self.error(flaw.column, flaw.reason))?;
        Ok(quick)
    }

    fn reset(&mut self) {
        if let Some(ids) = self.request.hash_ids.take() {
            self.spare.hash_ids = ids;
        }
        if let Some(model) = self.request.model.take() {
            self.spare.model = model;
        }
        self.members.clear();
        self.request = Request::default();
    }

    /// A request needs a prompt, or the length of one.
    fn ask_for_something(&self) -> Result<(), Flaw> {
        let request = &self.request;
        let asks = request.input_length.is_some()
            || request.text_input.is_some()
            || request.messages.is_some()
            || request.payload.is_some();
        if asks {
            return Ok(());
        }
        let names = |key: &str| self.raw(key).is_some();
        let reason = if names("schema") {
            let schema = String::from_utf8_lossy(self.raw("schema").unwrap_or_default());
            format!(
                "a header of the format {schema}, not a request; trace-convert reads other formats"
            )
        } else if names("partial") {
            "a partial line of trace-stats, not a request; trace-stats --combine adds them up"
                .to_owned()
        } else if names("t_ms") && names("value") {
            "a line of telemetry, not a request; trace-stats telemetry reads them".to_owned()
        } else if names("requests") {
            "a group of requests (AIBrix workload or agent trace), not one request; trace-convert reads other formats".to_owned()
        } else {
            "not a request: expected one of input_length, text_input, messages, payload; trace-convert reads other formats".to_owned()
        };
        Err(Flaw::new(1, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::parse("day.jsonl", text).unwrap()
    }

    fn text(line: &Line) -> &str {
        std::str::from_utf8(line.bytes()).unwrap()
    }

    #[test]
    fn a_spliced_value_leaves_the_rest_of_the_line_alone() {
        let mut line =
            line(r#"{ "timestamp" : 5, "x": 1e5,  "input_length": 3 , "y":{"a":[ 1]} }"#);
        line.set(Field::Timestamp, b"1234.5").unwrap();
        assert_eq!(
            text(&line),
            r#"{ "timestamp" : 1234.5, "x": 1e5,  "input_length": 3 , "y":{"a":[ 1]} }"#
        );
        line.set(Field::InputLength, b"44").unwrap();
        assert_eq!(
            text(&line),
            r#"{ "timestamp" : 1234.5, "x": 1e5,  "input_length": 44 , "y":{"a":[ 1]} }"#
        );
        assert_eq!(line.request.input_length, Some(44));
        assert_eq!(line.raw("y"), Some(&br#"{"a":[ 1]}"#[..]));
    }

    #[test]
    fn an_absent_field_is_appended() {
        let mut line = line(r#"{"input_length":3} "#);
        line.set(Field::Model, br#""q""#).unwrap();
        assert_eq!(text(&line), r#"{"input_length":3,"model":"q"}"#);
        assert_eq!(line.request.model.as_deref(), Some("q"));
        line.set(Field::Model, br#""long""#).unwrap();
        assert_eq!(text(&line), r#"{"input_length":3,"model":"long"}"#);
    }

    #[test]
    fn a_value_of_the_wrong_type_is_not_set_silently() {
        let error = line(r#"{"input_length":3}"#)
            .set(Field::OutputLength, b"\"x\"")
            .unwrap_err();
        assert!(
            error.to_string().contains("invalid type: string"),
            "{error}"
        );
    }

    #[test]
    fn sending_again_drops_the_outcome_and_nothing_else() {
        let kept = |text: &str| String::from_utf8(line(text).request_bytes()).unwrap();
        assert_eq!(
            kept(r#"{"timestamp": 1, "input_length": 3, "tag": "a", "seq": 0, "ttft_ms": 5.5}"#),
            r#"{"timestamp": 1, "input_length": 3, "tag": "a"}"#
        );
        assert_eq!(
            kept(r#"{"seq": 0, "input_length": 3, "status":200, "tag":1}"#),
            r#"{"input_length": 3, "tag":1}"#
        );
        assert_eq!(kept(r#"{"input_length":3}"#), r#"{"input_length":3}"#);
    }

    #[test]
    fn foreign_objects_are_named() {
        let error = |text| Line::parse("t.jsonl", text).unwrap_err().to_string();
        let header = error(r#"{"schema":"dynamo.agentic_mooncake","version":2}"#);
        assert_eq!(
            header,
            "t.jsonl:1:1: a header of the format \"dynamo.agentic_mooncake\", not a request; trace-convert reads other formats"
        );
        assert!(error(r#"{"timestamp":0,"requests":[]}"#).contains("AIBrix"));
        assert!(error("{}").contains("expected one of input_length"));
    }
}
