//! The thorough way to read a line: serde_json, with errors that say where.

use crate::error::Flaw;
use crate::field::Field;
use crate::line::Member;
use crate::record::{Request, SessionId};
use crate::time::Micros;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Read the whole `line` into `members` and `request`.
pub(crate) fn decode(
    line: &[u8],
    members: &mut Vec<Member>,
    request: &mut Request,
) -> Result<(), Flaw> {
    let text = std::str::from_utf8(line)
        .map_err(|error| Flaw::new(error.valid_up_to() + 1, "not UTF-8"))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let spans = Spans::deserialize(&mut json).map_err(|error| Flaw::from_json(&error, 0))?;
    json.end().map_err(|error| Flaw::from_json(&error, 0))?;

    let mut seen = 0;
    let mut from = 0;
    for (name, value) in spans.0 {
        let start = value.as_ptr() as usize - text.as_ptr() as usize;
        let value = start..start + value.len();
        let key = key_before(line, from..start);
        from = value.end;
        let field = Field::from_name(name.as_bytes());
        if let Some(field) = field {
            if seen & field.bit() != 0 {
                return Err(Flaw::new(key.start, format!("duplicate field `{name}`")));
            }
            seen |= field.bit();
            known(field, line, value.clone(), request)?;
        }
        members.push(Member {
            field,
            key: key.into(),
            value: value.into(),
        });
    }
    Ok(())
}

/// Where the key stands in the text between one value and the next.
fn key_before(line: &[u8], between: Range<usize>) -> Range<usize> {
    let quote = |b: &u8| *b == b'"';
    let first = line[between.clone()]
        .iter()
        .position(quote)
        .expect("serde_json saw a key");
    let last = line[between.clone()]
        .iter()
        .rposition(quote)
        .expect("serde_json saw a key");
    between.start + first + 1..between.start + last
}

/// Decode the value of one known field; outcome fields are left for
/// [`Outcome`](crate::Outcome).
pub(crate) fn known(
    field: Field,
    line: &[u8],
    value: Range<usize>,
    request: &mut Request,
) -> Result<(), Flaw> {
    let json = Json { line, value };
    match field {
        Field::Timestamp => request.timestamp = json.read::<Millis>()?.map(|m| m.0),
        Field::Delay => request.delay = json.read::<Millis>()?.map(|m| m.0),
        Field::InputLength => request.input_length = json.read::<Whole>()?.map(|w| w.0),
        Field::OutputLength => request.output_length = json.read::<Whole>()?.map(|w| w.0),
        Field::HashIds => {
            let ids = json.read::<Vec<Whole>>()?;
            request.hash_ids = ids.map(|ids| ids.iter().map(|w| w.0).collect());
        }
        Field::SessionId => request.session_id = json.read()?,
        Field::Model => request.model = json.read()?,
        Field::TextInput => request.text_input = json.read()?,
        Field::Messages => request.messages = json.raw(b'[', "an array of messages")?,
        Field::Tools => request.tools = json.raw(b'[', "an array of tools")?,
        Field::Payload => request.payload = json.raw(b'{', "an object, the request body")?,
        Field::Extra => request.extra = json.raw(b'{', "an object to merge into the body")?,
        Field::Source => request.source = json.read()?,
        _ => {}
    }
    Ok(())
}

/// One value in its line.
pub(crate) struct Json<'a> {
    pub(crate) line: &'a [u8],
    pub(crate) value: Range<usize>,
}

impl<'a> Json<'a> {
    /// The value as a `T`, or `None` for `null`.
    pub(crate) fn read<T: Deserialize<'a>>(&self) -> Result<Option<T>, Flaw> {
        let bytes = &self.line[self.value.clone()];
        serde_json::from_slice(bytes).map_err(|error| {
            // serde_json points behind a value of the wrong type; its start
            // says more.
            match bytes.first() {
                Some(b'[' | b'{') => Flaw::from_json(&error, self.value.start),
                _ => Flaw {
                    column: self.value.start + 1,
                    ..Flaw::from_json(&error, 0)
                },
            }
        })
    }

    fn raw(&self, opens: u8, expected: &str) -> Result<Option<Box<RawValue>>, Flaw> {
        let bytes = &self.line[self.value.clone()];
        if bytes == b"null" || bytes.first() == Some(&opens) {
            return self.read();
        }
        Err(Flaw::new(
            self.value.start + 1,
            format!("invalid type: expected {expected}"),
        ))
    }
}

/// Every key of an object with the text of its value.
struct Spans<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de> Deserialize<'de> for Spans<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Spans<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a request: one JSON object per line")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut spans = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    spans.push((key, value.get()));
                }
                Ok(Spans(spans))
            }
        }
        json.deserialize_map(Members)
    }
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A number that counts something: never negative, integral floats accepted.
pub(crate) struct Whole(pub(crate) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Count;
        impl Visitor<'_> for Count {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, 0 or more")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whole, E> {
                Err(E::invalid_value(de::Unexpected::Signed(number), &self))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Whole, E> {
                // 2^53: beyond it a float no longer says which integer it is.
                let exact =
                    (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
                if exact {
                    Ok(Whole(number as u64))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(number), &self))
                }
            }
        }
        json.deserialize_any(Count)
    }
}

/// A number of milliseconds, 0 or more.
pub(crate) struct Millis(pub(crate) Micros);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Span;
        impl Visitor<'_> for Span {
            type Value = Millis;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("milliseconds, 0 or more")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Millis, E> {
                // Not by way of a float: that rounds what is this far on.
                let exact = number.checked_mul(1_000).map(Micros::from_micros);
                let time = exact.filter(|_| Micros::from_millis(number as f64).is_some());
                time.map(Millis)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Millis, E> {
                Err(E::invalid_value(de::Unexpected::Signed(number), &self))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Millis, E> {
                let time = Micros::from_millis(number);
                time.map(Millis)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }
        }
        json.deserialize_any(Span)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Id;
        impl Visitor<'_> for Id {
            type Value = SessionId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an integer")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SessionId, E> {
                Ok(SessionId::Text(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<SessionId, E> {
                let fits = i64::try_from(number);
                fits.map(SessionId::Number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<SessionId, E> {
                Ok(SessionId::Number(number))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<SessionId, E> {
                // 2^53: beyond it a float no longer says which integer it is.
                let exact = number.abs() <= 9_007_199_254_740_992.0 && number.fract() == 0.0;
                if exact {
                    Ok(SessionId::Number(number as i64))
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(number), &self))
                }
            }
        }
        json.deserialize_any(Id)
    }
}
