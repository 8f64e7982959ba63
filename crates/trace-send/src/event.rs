//! The JSON of one answer or one piece of it, as far as it is measured.
//!
//! Servers that call themselves OpenAI-compatible agree on the outline and on
//! little else. So this asks for as little as it can: is there output in it,
//! is that reasoning or content, what does the usage say, is it an error.
//! One walk over the JSON reads a completion, a chat, each streamed or whole,
//! and the lines of Ollama; a value of an unexpected type is as if it were
//! not there, and nothing is copied but the words of an error.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// What a piece of an answer brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Visible output: text, or the call of a tool.
    pub content: bool,
    /// Output the user does not see.
    pub reasoning: bool,
    /// The server says that the answer ends here; why does not matter.
    pub finished: bool,
    /// What the server counted.
    pub usage: Usage,
    /// The server says that something went wrong, and what.
    pub error: Option<String>,
}

/// Tokens as the server counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the prompt.
    pub input: Option<u64>,
    /// Of those, taken from its cache.
    pub cached: Option<u64>,
    /// Of the answer, reasoning included.
    pub output: Option<u64>,
}

impl Usage {
    /// Take over what `later` tells.
    pub fn update(&mut self, later: Self) {
        self.input = later.input.or(self.input);
        self.cached = later.cached.or(self.cached);
        self.output = later.output.or(self.output);
    }
}

impl Event {
    /// Read `json`.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let found = Found::parse(json)?;
        let mut event = found.event;
        if found.is_error && event.error.is_none() {
            event.error = Some(
                found
                    .said
                    .unwrap_or_else(|| "error without a message".to_owned()),
            );
        }
        Ok(event)
    }

    /// Whether there is output of any kind in it.
    pub fn has_output(&self) -> bool {
        self.content || self.reasoning
    }
}

/// The message in the body of a failed request, whoever's style it is.
pub fn error_message(body: &[u8]) -> String {
    let found = Found::parse(body).ok();
    let said = found.and_then(|found| found.event.error.or(found.said));
    one_line(&said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}

/// The beginning of `text`, without line breaks and control characters.
pub fn one_line(text: &str) -> String {
    const MOST: usize = 200;
    let mut line = String::new();
    let blank = |c: char| c.is_whitespace() || c.is_control();
    for word in text.split(blank).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > MOST {
            let end = (0..=MOST)
                .rfind(|&at| line.is_char_boundary(at))
                .unwrap_or_default();
            line.truncate(end);
            line.push('…');
            break;
        }
    }
    line
}

/// What the walk has come upon.
#[derive(Default)]
struct Found {
    event: Event,
    /// A plain `message` or `detail` at the top, where old servers put errors.
    said: Option<String>,
    /// `"object": "error"`, or an `error` of whatever form.
    is_error: bool,
}

impl Found {
    fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let mut found = Self::default();
        let mut from = serde_json::Deserializer::from_slice(json);
        Walk {
            place: Place::Top,
            found: &mut found,
        }
        .deserialize(&mut from)?;
        from.end()?;
        Ok(found)
    }
}

/// Where in the JSON the walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Not even in the object yet.
    Top,
    Root,
    Choices,
    /// A `delta`, a `message`.
    Message,
    Content,
    Reasoning,
    Calls,
    Finish,
    Done,
    Usage,
    Input,
    Cached,
    Output,
    Error,
    ErrorText,
    Said,
    Object,
    Nowhere,
}

impl Place {
    fn member(self, key: &[u8]) -> Self {
        match (self, key) {
            (Self::Root, b"choices") => Self::Choices,
            (Self::Root, b"usage") => Self::Usage,
            (Self::Root, b"error") => Self::Error,
            (Self::Root, b"object") => Self::Object,
            (Self::Root, b"detail") => Self::Said,
            // Ollama
            (Self::Root, b"response") => Self::Content,
            (Self::Root, b"message") => Self::Message,
            (Self::Root, b"done") => Self::Done,
            (Self::Root, b"prompt_eval_count") => Self::Input,
            (Self::Root, b"eval_count") => Self::Output,
            (Self::Choices | Self::Content, b"text") => Self::Content,
            (Self::Choices, b"delta" | b"message") => Self::Message,
            (Self::Choices, b"finish_reason") => Self::Finish,
            (Self::Message, b"content" | b"refusal") => Self::Content,
            (Self::Message | Self::Root, b"reasoning_content" | b"reasoning" | b"thinking") => {
                Self::Reasoning
            }
            (Self::Message, b"tool_calls" | b"function_call") => Self::Calls,
            (Self::Usage, b"prompt_tokens" | b"input_tokens") => Self::Input,
            (Self::Usage, b"completion_tokens" | b"output_tokens") => Self::Output,
            (Self::Usage, b"prompt_tokens_details" | b"input_tokens_details") => Self::Usage,
            (
                Self::Usage,
                b"cached_tokens" | b"prompt_cache_hit_tokens" | b"cache_read_input_tokens",
            ) => Self::Cached,
            (Self::Error, b"message") => Self::ErrorText,
            _ => Self::Nowhere,
        }
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
        match place {
            Place::Error => self.found.is_error = true,
            Place::Calls => self.found.event.content = true,
            _ => {}
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
            Place::Content => event.content = true,
            Place::Reasoning => event.reasoning = true,
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

#[cfg(test)]
mod tests;
