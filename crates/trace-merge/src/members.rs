//! Where the fields that a merge may change stand in a line.
//!
//! Every line is held to the whole format, but only its time is decoded:
//! ids, lengths and texts are looked over where they stand. The quick walk
//! knows what nearly every line is made of; whatever else it meets makes it
//! give up, and trace-core's reader decides. So it may be fast but has no say
//! in what is valid, and the two are tested against each other.

use crate::cursor::{Escapes, LookOver};
use std::io::Read;
use std::ops::Range;
use trace_core::cursor::Cursor;
use trace_core::{Error, Field, Line, LineError, Micros, Reader};

/// Where the values stand that may be changed; an empty range is a field
/// that is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Members {
    pub(crate) time: Option<Micros>,
    pub(crate) wait: Option<Micros>,
    pub(crate) timestamp: Range<usize>,
    pub(crate) delay: Range<usize>,
    pub(crate) hash_ids: Range<usize>,
    /// The ids are spelled in the way that [`LookOver::ids`] calls plain.
    pub(crate) plain_ids: bool,
    pub(crate) session_id: Range<usize>,
    /// The fields that labels are put into, in their order.
    pub(crate) labels: Vec<Range<usize>>,
}

impl Members {
    fn clear(&mut self, labels: usize) {
        let mut kept = std::mem::take(&mut self.labels);
        kept.clear();
        kept.resize(labels, 0..0);
        *self = Self {
            labels: kept,
            ..Self::default()
        };
    }

    /// Read `line`; `false` means that it takes the thorough way.
    pub(crate) fn quick(&mut self, line: &[u8], labels: &[String]) -> bool {
        self.clear(labels.len());
        let is_text = line.is_ascii() || std::str::from_utf8(line).is_ok();
        is_text && self.walk(line, labels).is_some()
    }

    fn walk(&mut self, line: &[u8], labels: &[String]) -> Option<()> {
        let mut cursor = Cursor::new(line, 0);
        cursor.space();
        cursor.take(b'{')?;
        let mut seen = 0_u64;
        let mut asks = false;
        loop {
            cursor.space();
            let (key, field) = match Field::usual(&line[cursor.at..]) {
                Some(field) => {
                    let start = cursor.at + 1;
                    cursor.at = start + field.name().len() + 1;
                    (start..cursor.at - 1, Some(field))
                }
                None => {
                    let key = cursor.string()?;
                    (key.clone(), Field::from_name(&line[key]))
                }
            };
            cursor.space();
            cursor.take(b':')?;
            cursor.space();
            let start = cursor.at;
            let bit = field.map_or(0, |field| 1 << field as u64);
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
            match field {
                Some(field) if cursor.peek() == Some(b'n') => {
                    cursor.word(b"null")?;
                    self.place(field, start..cursor.at);
                }
                Some(field) => {
                    self.known(&mut cursor, field)?;
                    self.place(field, start..cursor.at);
                    asks |= matches!(
                        field,
                        Field::InputLength | Field::TextInput | Field::Messages | Field::Payload
                    );
                }
                None => cursor.value()?,
            }
            for (label, place) in labels.iter().zip(&mut self.labels) {
                if place.start == place.end && line[key.clone()] == *label.as_bytes() {
                    *place = start..cursor.at;
                }
            }
            cursor.space();
            match cursor.byte()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        cursor.space();
        (asks && cursor.is_at_end()).then_some(())
    }

    /// Go past the value of a field, holding it to its type.
    fn known(&mut self, cursor: &mut Cursor<'_>, field: Field) -> Option<()> {
        match field {
            Field::Timestamp => self.time = Some(cursor.millis()?),
            Field::Delay => self.wait = Some(cursor.millis()?),
            Field::InputLength | Field::OutputLength => {
                cursor.integer()?;
            }
            Field::HashIds => self.plain_ids = cursor.ids()?,
            Field::SessionId if cursor.peek() != Some(b'"') => {
                cursor.integer()?;
            }
            Field::SessionId | Field::Model | Field::Source | Field::TextInput => {
                cursor.skip_string(Escapes::NoUnicode)?;
            }
            Field::Messages | Field::Tools if cursor.peek() == Some(b'[') => cursor.value()?,
            Field::Payload | Field::Extra if cursor.peek() == Some(b'{') => cursor.value()?,
            field if field.is_outcome() => cursor.value()?,
            _ => return None,
        }
        Some(())
    }

    fn place(&mut self, field: Field, value: Range<usize>) {
        match field {
            Field::Timestamp => self.timestamp = value,
            Field::Delay => self.delay = value,
            Field::HashIds => self.hash_ids = value,
            Field::SessionId => self.session_id = value,
            _ => {}
        }
    }

    /// Read line `number` of `name` with trace-core's reader.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn thorough(
        &mut self,
        name: &str,
        number: u64,
        bytes: &[u8],
        labels: &[String],
    ) -> Result<(), LineError> {
        self.clear(labels.len());
        let line = parse(name, number, bytes)?;
        self.time = line.request.timestamp;
        self.wait = line.request.delay;
        let place = |key: &str| {
            line.raw(key).map_or(0..0, |value| {
                let start = value.as_ptr() as usize - line.bytes().as_ptr() as usize;
                start..start + value.len()
            })
        };
        self.timestamp = place("timestamp");
        self.delay = place("delay");
        self.hash_ids = place("hash_ids");
        self.plain_ids = Cursor::new(&bytes[self.hash_ids.clone()], 0).ids() == Some(true);
        self.session_id = place("session_id");
        for (label, found) in labels.iter().zip(&mut self.labels) {
            *found = place(label);
        }
        let request = &line.request;
        let hidden = (self.time.is_some() && self.timestamp.is_empty())
            || (self.wait.is_some() && self.delay.is_empty())
            || (request.hash_ids.is_some() && self.hash_ids.is_empty())
            || (request.session_id.is_some() && self.session_id.is_empty());
        if hidden {
            return Err(LineError {
                name: name.into(),
                line: number,
                column: 1,
                reason: "the name of a field is spelled with escapes".to_owned(),
            });
        }
        Ok(())
    }
}

/// Line `number` of `name`, read by trace-core.
///
/// # Errors
/// What is wrong with it, in the reader's words.
pub(crate) fn parse(name: &str, number: u64, bytes: &[u8]) -> Result<Line, LineError> {
    let failed = |error: Error| match error {
        Error::Line(error) => LineError {
            line: number,
            ..error
        },
        other => LineError {
            name: name.into(),
            line: number,
            column: 1,
            reason: other.to_string(),
        },
    };
    // The reader has other words for the first line of a file than for the
    // rest: it may show that the whole file is something else.
    let before: &[u8] = match number {
        1 => b"",
        _ => b"{\"input_length\":0}\n",
    };
    let mut reader = Reader::new(name, before.chain(bytes));
    let mut line = Line::default();
    for _ in 0..number.min(2) {
        reader.read(&mut line).map_err(failed)?;
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels() -> Vec<String> {
        ["source", "tenant"].map(str::to_owned).to_vec()
    }

    fn quick(line: &[u8]) -> Option<Members> {
        let mut members = Members::default();
        members.quick(line, &labels()).then_some(members)
    }

    fn thorough(line: &[u8]) -> Option<Members> {
        let mut members = Members::default();
        let read = members.thorough("t", 2, line, &labels());
        read.is_ok().then_some(members)
    }

    #[test]
    fn the_usual_lines_are_read_quickly() {
        let usual = [
            &br#"{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}"#[..],
            br#"{"timestamp":0.125,"input_length":1,"output_length":null,"hash_ids":[ ],"session_id":"a","model":"m"}"#,
            br#"{"input_length":1,"seq":3,"ttft_ms":1.25,"itl_ms":[0.1,2e3],"error":null,"x":-1.5E+3,"y":true}"#,
            "{\"timestamp\":1,\"messages\":[{\"role\":\"user\",\"content\":\"grüß \\\"dich\\\" \\u00e9\\n\"}],\"extra\":{\"a\":[{}]}}".as_bytes(),
        ];
        for line in usual {
            assert_eq!(
                quick(line),
                thorough(line),
                "{}",
                String::from_utf8_lossy(line)
            );
            assert!(quick(line).is_some(), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_the_reader() {
        let said = |number, line: &str| {
            let mut members = Members::default();
            assert!(!members.quick(line.as_bytes(), &[]));
            members
                .thorough("a", number, line.as_bytes(), &[])
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            said(7, r#"{"timestamp":2,"input_length":"x"}"#),
            "a:7:31: invalid type: string \"x\", expected a whole number, 0 or more"
        );
        assert!(said(1, "\u{89}PNG").starts_with("a:1:"));
        assert!(said(3, r#"{"timestamp":0,"requests":[]}"#).contains("AIBrix"));
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?[0-9]{1,3}",
            "[0-9]{14,20}",
            "[0-9]{1,4}\\.[0-9]{0,5}",
            "-?[0-9]{1,3}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
            "\"[a-z\\\\\"é]{0,4}\"",
            "\"\\\\u[0-9a-fd]{3,4}\"",
            "\\[[0-9, ]{0,8}\\]",
            "\\[([0-9]{1,4}, ?){0,4}[0-9]{1,4}\\]",
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("{\"a\":1}".to_owned()),
            Just("[{\"a\\n\":[]}]".to_owned()),
            Just("[]".to_owned()),
            ".{0,4}",
        ]
    }

    fn key() -> impl Strategy<Value = String> {
        let known = [
            "timestamp",
            "input_length",
            "output_length",
            "hash_ids",
            "session_id",
            "delay",
            "model",
            "text_input",
            "messages",
            "tools",
            "payload",
            "extra",
            "source",
            "seq",
            "ttft_ms",
            "itl_ms",
            "error",
            "tenant",
            "é",
        ];
        proptest::sample::select(known.to_vec()).prop_map(str::to_owned)
    }

    fn line() -> impl Strategy<Value = String> {
        let member = (key(), "[ ]{0,1}", value(), "[ \t]{0,1}");
        proptest::collection::vec(member, 0..6).prop_map(|members| {
            let members: Vec<_> = members
                .into_iter()
                .map(|(k, a, v, b)| format!("{a}\"{k}\"{b}:{a}{v}{b}"))
                .collect();
            format!("{{{}}}", members.join(","))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn what_is_read_quickly_is_read_right(line in line()) {
            if let Some(read) = quick(line.as_bytes()) {
                prop_assert_eq!(Some(read), thorough(line.as_bytes()));
            }
        }

        #[test]
        fn a_damaged_line_is_read_right_or_not_at_all(line in line(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = line.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Some(read) = quick(&bytes).filter(|_| !bytes.contains(&b'\n')) {
                prop_assert_eq!(Some(read), thorough(&bytes));
            }
        }
    }
}
