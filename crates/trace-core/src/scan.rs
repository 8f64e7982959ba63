//! The quick way to read a line: no allocation, no serde.
//!
//! Knows just what nearly every line is made of: plain ASCII keys, short
//! integers, arrays of them, strings without escapes. Whatever else it meets
//! makes it give up, and [`decode`](crate::decode) reads the line with
//! serde_json from the start; so this may be fast but never has a say in what
//! is valid. The two are tested against each other. Three times serde_json's
//! speed on the published traces.

use crate::along::Along;
use crate::cursor::Cursor;
use crate::field::Field;
use crate::line::{Member, Spare};
use crate::record::{Request, SessionId};
use std::ops::Range;

/// Read `line`, and its outcome `along` if somebody wants that; `false` means
/// that it takes the long way, and that what was written is to be thrown away.
pub(crate) fn scan(
    line: &[u8],
    members: &mut Vec<Member>,
    request: &mut Request,
    spare: &mut Spare,
    along: Option<&mut Along<'_>>,
) -> bool {
    object(&mut Cursor::new(line, 0), members, request, spare, along).is_some()
}

/// The whole object; `None` gives up.
fn object(
    cursor: &mut Cursor<'_>,
    members: &mut Vec<Member>,
    request: &mut Request,
    spare: &mut Spare,
    mut along: Option<&mut Along<'_>>,
) -> Option<()> {
    cursor.space();
    cursor.take(b'{')?;
    let mut seen = 0;
    let mut place = Order::BEGIN;
    let mut led = None;
    loop {
        let (key, field) = match led {
            Some(named) => named,
            None => named(cursor, &mut spare.order, place)?,
        };
        place = Order::place(field);
        cursor.space();
        let start = cursor.at;
        match field {
            Some(field) if seen & field.bit() != 0 => return None,
            Some(field) if !field.is_outcome() => known(cursor, field, request, spare)?,
            Some(field) => {
                let along = along.as_deref_mut();
                let read = along.and_then(|along| along.read(cursor, field, spare));
                if read.is_none() {
                    cursor.at = start;
                    cursor.skip()?;
                }
            }
            None => cursor.skip()?,
        }
        seen |= field.map_or(0, Field::bit);
        members.push(Member {
            field,
            key: key.into(),
            value: (start..cursor.at).into(),
        });
        led = spare.order.led(cursor, place);
        if led.is_some() {
            continue;
        }
        cursor.space();
        match cursor.byte()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    cursor.space();
    cursor.is_at_end().then_some(())
}

/// Where a key is spelled, and the field it names if tools know it.
type Named = (Range<usize>, Option<Field>);

/// Go past a key and its colon.
fn named(cursor: &mut Cursor<'_>, order: &mut Order, place: usize) -> Option<Named> {
    cursor.space();
    let expected = order.behind(place);
    let named = match expected.filter(|field| field.is_named(cursor.rest())) {
        Some(field) => {
            let start = cursor.at + 1;
            let key = start..start + field.name().len();
            cursor.at = key.end + 1;
            (key, Some(field))
        }
        None => {
            let key = cursor.string()?;
            let field = Field::from_name(&cursor.line()[key.clone()]);
            order.learn(place, field);
            (key, field)
        }
    };
    cursor.space();
    cursor.take(b':')?;
    Some(named)
}

/// Which field came behind which, the last time.
///
/// Lines of one trace name the same fields in the same order, nearly always; so
/// a key is compared with one name, and found by its letters only if it is
/// another.
#[derive(Debug, Clone)]
pub(crate) struct Order([Option<Field>; Field::ALL.len() + 2]);

impl Default for Order {
    fn default() -> Self {
        Self([None; Field::ALL.len() + 2])
    }
}

impl Order {
    /// The beginning of a line.
    const BEGIN: usize = Field::ALL.len();

    /// Behind `field`, or behind one that no tool knows.
    fn place(field: Option<Field>) -> usize {
        field.map_or(Self::BEGIN + 1, |field| field as usize)
    }

    fn behind(&self, place: usize) -> Option<Field> {
        self.0[place]
    }

    /// Go past the comma, the key and the colon of the field that came behind
    /// `place` the last time, if that is what comes: what nearly all lines have
    /// between two values is compared at once.
    #[inline]
    fn led(&self, cursor: &mut Cursor<'_>, place: usize) -> Option<Named> {
        let field = self.behind(place)?;
        let length = field.led(cursor.rest())?;
        let start = cursor.at + 2;
        cursor.at += length;
        Some((start..cursor.at - 2, Some(field)))
    }

    fn learn(&mut self, place: usize, field: Option<Field>) {
        self.0[place] = field;
    }
}

/// One field of a request.
fn known(
    cursor: &mut Cursor<'_>,
    field: Field,
    request: &mut Request,
    spare: &mut Spare,
) -> Option<()> {
    if cursor.peek() == Some(b'n') {
        return cursor.word(b"null");
    }
    match field {
        Field::Timestamp => request.timestamp = Some(cursor.millis()?),
        Field::Delay => request.delay = Some(cursor.millis()?),
        Field::InputLength => request.input_length = Some(cursor.integer()?),
        Field::OutputLength => request.output_length = Some(cursor.integer()?),
        Field::HashIds => {
            let mut ids = std::mem::take(&mut spare.hash_ids);
            ids.clear();
            cursor.whole_numbers(&mut ids)?;
            request.hash_ids = Some(ids);
        }
        Field::SessionId if cursor.peek() == Some(b'"') => {
            request.session_id = Some(SessionId::Text(cursor.text()?.to_owned()));
        }
        Field::SessionId => {
            let number = i64::try_from(cursor.integer()?).ok()?;
            request.session_id = Some(SessionId::Number(number));
        }
        Field::Model => {
            let mut model = std::mem::take(&mut spare.model);
            model.clear();
            model.push_str(cursor.text()?);
            request.model = Some(model);
        }
        Field::Source => request.source = Some(cursor.text()?.to_owned()),
        Field::TextInput => request.text_input = Some(cursor.text()?.to_owned()),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;
    use proptest::prelude::*;

    type Read = (String, String);

    fn quick(line: &[u8]) -> Option<Read> {
        let (mut members, mut request) = (Vec::new(), Request::default());
        let spare = &mut Spare::default();
        // Twice: with nothing known, and with the order of its fields.
        let first = scan(line, &mut members, &mut request, spare, None);
        (members, request) = (Vec::new(), Request::default());
        let again = scan(line, &mut members, &mut request, spare, None);
        assert_eq!(first, again);
        again.then(|| (format!("{members:?}"), format!("{request:?}")))
    }

    fn thorough(line: &[u8]) -> Option<Read> {
        let (mut members, mut request) = (Vec::new(), Request::default());
        let read = decode::decode(line, &mut members, &mut request);
        read.is_ok()
            .then(|| (format!("{members:?}"), format!("{request:?}")))
    }

    #[test]
    fn the_usual_lines_are_read_quickly() {
        let usual = [
            &br#"{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}"#[..],
            br#"{"timestamp":0.125,"input_length":1,"output_length":null,"hash_ids":[ ],"session_id":"a","model":"m"}"#,
            br#"{"input_length":1,"seq":3,"ttft_ms":1.25,"itl_ms":[0.1,2e3],"error":null,"x":-1.5E+3,"y":true}"#,
        ];
        for line in usual {
            assert!(quick(line).is_some(), "{}", String::from_utf8_lossy(line));
        }
    }

    /// Values a line may hold under a known name, right and wrong ones.
    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?[0-9]{1,3}",
            "[0-9]{14,20}",
            "[0-9]{1,4}\\.[0-9]{0,5}",
            "-?[0-9]{1,3}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
            "\"[a-z\\\\\"é]{0,4}\"",
            "\\[[0-9, ]{0,8}\\]",
            "\\[([0-9]{1,4}, ?){0,4}[0-9]{1,4}\\]",
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("{\"a\":1}".to_owned()),
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
            "payload",
            "source",
            "seq",
            "ttft_ms",
            "itl_ms",
            "status",
            "error",
            "x",
            "é",
            "mod\\u0065l",
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
        #![proptest_config(ProptestConfig::with_cases(2_000))]

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
            if let Some(read) = quick(&bytes) {
                prop_assert_eq!(Some(read), thorough(&bytes));
            }
        }
    }
}
