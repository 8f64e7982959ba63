//! The walk over the JSON of an answer.

use super::place::Place;
use super::{Event, one_line};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// What the walk has come upon.
#[derive(Default)]
pub(super) struct Found {
    event: Event,
    /// A plain `message` or `detail` at the top, where old servers put errors.
    said: Option<String>,
    /// `"object": "error"`, or an `error` of whatever form.
    is_error: bool,
    /// What the root's `type` says.
    kind: Kind,
    /// The root's `delta` is a piece of text.
    delta: bool,
    /// The text of that, or of the whole answer.
    whole: Option<String>,
    keep_text: bool,
}

/// What the root's `type` says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Reasoning,
    Call,
    Error,
    End,
}

impl Kind {
    fn read(&mut self, text: &str) {
        *self = match text {
            "error" => Self::Error,
            "message_stop" | "response.completed" | "response.incomplete" => Self::End,
            _ if text.starts_with("response.reasoning") => Self::Reasoning,
            _ if text.starts_with("response.function_call") => Self::Call,
            _ => Self::Other,
        };
    }
}

impl Found {
    /// Walk over `json`.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub(super) fn parse(json: &[u8], keep_text: bool) -> Result<Self, serde_json::Error> {
        let mut found = Self {
            keep_text,
            ..Self::default()
        };
        let mut from = serde_json::Deserializer::from_slice(json);
        Walk {
            place: Place::Top,
            found: &mut found,
        }
        .deserialize(&mut from)?;
        from.end()?;
        Ok(found)
    }

    /// What it comes to.
    pub(super) fn event(mut self) -> Event {
        let mut event = self.event;
        if self.delta {
            match self.kind {
                Kind::Reasoning => event.reasoning = true,
                _ => event.content = true,
            }
        }
        // In pieces or as a whole, but not twice.
        let place = match self.kind {
            Kind::Reasoning => &mut event.thought,
            Kind::Call => &mut event.call,
            _ => &mut event.text,
        };
        if place.is_empty()
            && let Some(whole) = self.whole.take()
        {
            *place = whole;
        }
        event.finished |= self.kind == Kind::End;
        if (self.is_error || self.kind == Kind::Error) && event.error.is_none() {
            let said = self
                .said
                .unwrap_or_else(|| "error without a message".to_owned());
            event.error = Some(said);
        }
        event
    }

    /// What it says went wrong.
    pub(super) fn message(self) -> Option<String> {
        self.event.error.or(self.said)
    }
}

/// Reads the value at `place`.
struct Walk<'a> {
    place: Place,
    found: &'a mut Found,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        match self.place {
            Place::Nowhere => from.deserialize_ignored_any(IgnoredAny).map(|_| ()),
            Place::Arguments => self.arguments(<&RawValue>::deserialize(from)?.get()),
            _ => from.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let place = match self.place {
            Place::Top => Place::Root,
            place => place,
        };
        if place == Place::Error {
            self.found.is_error = true;
        }
        while let Some(place) = members.next_key_seed(Key(place))? {
            members.next_value_seed(Walk {
                place,
                found: self.found,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if self.place == Place::Top {
            return Err(A::Error::custom(
                "invalid type: sequence, expected a JSON object",
            ));
        }
        if self.place == Place::Vector {
            self.found.event.content = true;
        }
        while items
            .next_element_seed(Walk {
                place: self.place,
                found: self.found,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let event = &mut self.found.event;
        match self.place {
            Place::Top => return Err(E::custom("invalid type: string, expected a JSON object")),
            _ if text.is_empty() => {}
            Place::Content | Place::Response => {
                event.content = true;
                if self.found.keep_text {
                    event.text.push_str(text);
                }
            }
            Place::Whole => {
                event.content = true;
                event.finished = true;
                if self.found.keep_text {
                    self.found.whole = Some(text.to_owned());
                }
            }
            Place::Delta => {
                self.found.delta = true;
                if self.found.keep_text {
                    self.found.whole = Some(text.to_owned());
                }
            }
            Place::CallText => {
                event.content = true;
                if self.found.keep_text {
                    event.call.push_str(text);
                }
            }
            Place::Type => self.found.kind.read(text),
            Place::Vector => event.content = true,
            Place::Reasoning => {
                event.reasoning = true;
                // Some servers say it twice, by two names.
                if self.found.keep_text && event.thought != text {
                    event.thought.push_str(text);
                }
            }
            // The server gave up, or somebody behind it did.
            Place::Finish if matches!(text, "error" | "abort") => {
                event.error = Some(format!("finish reason {text}"));
                self.found.is_error = true;
            }
            Place::Finish => event.finished = true,
            Place::Error | Place::ErrorText => {
                event.error = Some(one_line(text));
                self.found.is_error = true;
            }
            Place::Message | Place::Said => self.found.said = Some(one_line(text)),
            Place::Object if text == "error" => self.found.is_error = true,
            _ => {}
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        let usage = &mut self.found.event.usage;
        match self.place {
            Place::Top => return Err(E::custom("invalid type: number, expected a JSON object")),
            Place::Input => usage.input = Some(number),
            Place::Cached => usage.cached = Some(number),
            Place::CachedBeside => {
                usage.cached = Some(number);
                usage.beside = Some(usage.beside.unwrap_or_default().saturating_add(number));
            }
            Place::Beside => {
                usage.beside = Some(usage.beside.unwrap_or_default().saturating_add(number));
            }
            Place::ReasoningTokens => usage.reasoning = Some(number),
            Place::Output => usage.output = Some(number),
            _ => {}
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.unless_top("number")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        if number >= 0.0 && number.fract() == 0.0 && number < 9e15 {
            return self.visit_u64(number as u64);
        }
        self.unless_top("number")
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<(), E> {
        if self.place == Place::Done {
            self.found.event.finished |= yes;
        }
        self.unless_top("boolean")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.unless_top("null")
    }
}

impl Walk<'_> {
    /// Read what a tool is called with: text, or an object as it is written.
    fn arguments<E: Error>(mut self, json: &str) -> Result<(), E> {
        self.place = Place::CallText;
        match json.as_bytes().first() {
            Some(b'"') => {
                let text: String = serde_json::from_str(json).map_err(E::custom)?;
                self.visit_str(&text)
            }
            Some(b'{') => self.visit_str(json),
            _ => Ok(()),
        }
    }

    fn unless_top<E: Error>(&self, kind: &str) -> Result<(), E> {
        match self.place {
            Place::Top => Err(E::custom(format_args!(
                "invalid type: {kind}, expected a JSON object"
            ))),
            _ => Ok(()),
        }
    }
}

/// Reads a key, and tells where its value stands. As bytes: nothing needs to
/// know whether a key is text.
struct Key(Place);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Place;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Place, D::Error> {
        from.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Place, E> {
        Ok(self.0.member(key))
    }
}
