//! What a request body asks for: JSON → [`Ask`].
//!
//! Only the few fields that shape an answer are read, borrowed from the body; the text of a prompt
//! is counted where it lies and never copied. Fields that are not known are ignored, as servers do.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Answers longer than this are refused: a million tokens is beyond every context window, and a
/// slip of a zero should not fill the memory.
pub(crate) const MAX_OUTPUT_TOKENS: u64 = 1 << 20;

/// The most answers one request may ask for, over its prompts and its `n`.
pub(crate) const MAX_CHOICES: u64 = 128;

/// What a body asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask<'a> {
    /// The model as a JSON string with its quotes, ready to be copied into other JSON.
    pub(crate) model: Option<&'a str>,
    /// Whether to stream, and so to answer in server-sent events.
    pub(crate) stream: bool,
    /// Whether a stream is to end with a chunk of usage.
    pub(crate) usage: bool,
    /// Tokens of each answer, if said.
    pub(crate) output_tokens: Option<u64>,
    /// Tokens of all prompts: whitespace-separated words of text, or the number of token ids.
    pub(crate) input_tokens: u64,
    /// How many answers to give: prompts × `n`.
    pub(crate) choices: u64,
}

/// Read the body of a request to `/v1/completions`.
///
/// The prompt is a string, an array of strings (one prompt each), an array of token ids, or an
/// array of such arrays.
///
/// # Errors
///
/// What is wrong, in words for the client.
pub(crate) fn completion(body: &[u8]) -> Result<Ask<'_>, String> {
    let body: Body<'_> = read(body)?;
    let prompt = body
        .prompt
        .as_ref()
        .ok_or("the field `prompt` is missing")?;
    if prompt.prompts == 0 {
        return Err("`prompt` is empty".into());
    }
    let (tokens, prompts) = (prompt.tokens, prompt.prompts);
    body.ask(tokens, prompts)
}

/// Read the body of a request to `/v1/chat/completions`.
///
/// A message's content is a string, an array of parts of which those with a `text` count, or null.
///
/// # Errors
///
/// What is wrong, in words for the client.
pub(crate) fn chat(body: &[u8]) -> Result<Ask<'_>, String> {
    let body: Body<'_> = read(body)?;
    let messages = body
        .messages
        .as_ref()
        .ok_or("the field `messages` is missing")?;
    if messages.is_empty() {
        return Err("`messages` is empty".into());
    }
    let tokens = messages.iter().map(|message| message.content.0).sum();
    body.ask(tokens, 1)
}

fn read(body: &[u8]) -> Result<Body<'_>, String> {
    serde_json::from_slice(body).map_err(|err| format!("cannot read the body: {err}"))
}

/// Words of `text`, which stand for its tokens until a tokenizer counts them.
fn words(text: &str) -> u64 {
    let mut count = 0;
    let mut space = true;
    for byte in text.bytes() {
        let now = byte.is_ascii_whitespace();
        count += u64::from(space && !now);
        space = now;
    }
    count
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    n: Option<u64>,
    prompt: Option<Prompt>,
    messages: Option<Vec<Message>>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Message {
    #[expect(dead_code, reason = "must be there")]
    role: IgnoredAny,
    #[serde(default)]
    content: Content,
}

impl<'a> Body<'a> {
    fn ask(&self, input_tokens: u64, prompts: u64) -> Result<Ask<'a>, String> {
        let model = self.model.map(RawValue::get);
        if model.is_some_and(|model| !model.starts_with('"')) {
            return Err("`model` must be a string".into());
        }
        let output_tokens = self.max_completion_tokens.or(self.max_tokens);
        if output_tokens.is_some_and(|tokens| tokens > MAX_OUTPUT_TOKENS) {
            return Err(format!(
                "more than {MAX_OUTPUT_TOKENS} tokens are asked for"
            ));
        }
        let choices = prompts.saturating_mul(self.n.unwrap_or(1));
        if !(1..=MAX_CHOICES).contains(&choices) {
            return Err(format!(
                "{choices} choices are asked for, not 1 to {MAX_CHOICES}"
            ));
        }
        let options = self.stream_options.as_ref();
        Ok(Ask {
            model,
            stream: self.stream.unwrap_or(false),
            usage: options
                .and_then(|options| options.include_usage)
                .unwrap_or(false),
            output_tokens,
            input_tokens,
            choices,
        })
    }
}

/// A prompt, counted.
#[derive(Default)]
struct Prompt {
    tokens: u64,
    prompts: u64,
}

impl<'de> Deserialize<'de> for Prompt {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Prompt, D::Error> {
        struct Counter;

        impl<'de> Visitor<'de> for Counter {
            type Value = Prompt;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, token ids, or an array of either")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Prompt, E> {
                Ok(Prompt {
                    tokens: words(text),
                    prompts: 1,
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Prompt, A::Error> {
                let mut sum = Prompt::default();
                let mut ids = 0;
                while let Some(item) = items.next_element()? {
                    match item {
                        Item::Id => ids += 1,
                        Item::Prompt(tokens) => {
                            sum.tokens += tokens;
                            sum.prompts += 1;
                        }
                    }
                }
                match (ids, sum.prompts) {
                    (0, _) => Ok(sum),
                    (tokens, 0) => Ok(Prompt { tokens, prompts: 1 }),
                    _ => Err(A::Error::custom("a prompt mixes token ids with text")),
                }
            }
        }

        json.deserialize_any(Counter)
    }
}

/// An element of a prompt array: a token id, or a prompt of so many tokens.
enum Item {
    Id,
    Prompt(u64),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Item, D::Error> {
        struct Element;

        impl<'de> Visitor<'de> for Element {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token id, a string, or an array of token ids")
            }

            fn visit_u64<E: Error>(self, _id: u64) -> Result<Item, E> {
                Ok(Item::Id)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Item, E> {
                Ok(Item::Prompt(words(text)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut ids: A) -> Result<Item, A::Error> {
                let mut count = 0;
                while ids.next_element::<u64>()?.is_some() {
                    count += 1;
                }
                Ok(Item::Prompt(count))
            }
        }

        json.deserialize_any(Element)
    }
}

/// The content of a message, counted.
#[derive(Default)]
struct Content(u64);

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: Content,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Content, D::Error> {
        struct Counter;

        impl<'de> Visitor<'de> for Counter {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of parts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content(words(text)))
            }

            fn visit_unit<E: Error>(self) -> Result<Content, E> {
                Ok(Content(0))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut tokens = 0;
                while let Some(part) = parts.next_element::<Part>()? {
                    tokens += part.text.0;
                }
                Ok(Content(tokens))
            }
        }

        json.deserialize_any(Counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(json: &str) -> Result<(u64, u64), String> {
        let body = format!(r#"{{"prompt":{json}}}"#);
        completion(body.as_bytes()).map(|ask| (ask.input_tokens, ask.choices))
    }

    fn content(json: &str) -> Result<u64, String> {
        let body = format!(r#"{{"messages":[{{"role":"user","content":{json}}}]}}"#);
        chat(body.as_bytes()).map(|ask| ask.input_tokens)
    }

    #[test]
    fn a_whole_request_is_read_and_what_is_not_known_ignored() {
        let body = br#"{"model":"a\"b","stream":true,"stream_options":{"include_usage":true,"x":1},
            "max_tokens":7,"ignore_eos":true,"prompt":"one two","temperature":0.5}"#;
        let ask = completion(body).unwrap();
        assert_eq!(
            ask,
            Ask {
                model: Some(r#""a\"b""#),
                stream: true,
                usage: true,
                output_tokens: Some(7),
                input_tokens: 2,
                choices: 1,
            }
        );
    }

    #[test]
    fn text_counts_by_words_and_ids_by_number() {
        assert_eq!(prompt(r#""""#), Ok((0, 1)));
        assert_eq!(prompt(r#""  one\ntwo\tthree ""#), Ok((3, 1)));
        assert_eq!(prompt("[1,2,3,4]"), Ok((4, 1)));
    }

    #[test]
    fn several_prompts_want_an_answer_each() {
        assert_eq!(prompt(r#"["a b","c"]"#), Ok((3, 2)));
        assert_eq!(prompt("[[1,2],[3],[]]"), Ok((3, 3)));
        let ask = completion(br#"{"prompt":["a","b"],"n":3}"#).unwrap();
        assert_eq!(ask.choices, 6);
    }

    #[test]
    fn a_prompt_that_is_none_is_refused() {
        for json in [
            "[]",
            "[-1]",
            "[1.5]",
            "7",
            "{}",
            "null",
            "true",
            r#"[1,"a"]"#,
            "[[[1]]]",
        ] {
            assert!(prompt(json).is_err(), "{json}");
        }
    }

    #[test]
    fn content_is_text_or_parts_of_text() {
        assert_eq!(content(r#""a b c""#), Ok(3));
        assert_eq!(content("null"), Ok(0));
        let parts = r#"[{"type":"text","text":"a b"},{"type":"image_url","image_url":{}}]"#;
        assert_eq!(content(parts), Ok(2));
        assert!(content("5").is_err());
    }

    #[test]
    fn a_message_may_lack_content_but_not_a_role() {
        assert!(chat(br#"{"messages":[{"role":"assistant"}]}"#).is_ok());
        assert!(chat(br#"{"messages":[{"content":"a"}]}"#).is_err());
        assert!(chat(br#"{"messages":[]}"#).is_err());
    }

    #[test]
    fn the_newer_name_of_the_limit_wins() {
        let ask =
            chat(br#"{"messages":[{"role":"user"}],"max_tokens":1,"max_completion_tokens":2}"#);
        assert_eq!(ask.unwrap().output_tokens, Some(2));
    }

    #[test]
    fn senseless_numbers_are_refused() {
        for field in [
            r#""max_tokens":-1"#,
            r#""max_tokens":1.5"#,
            r#""max_tokens":1048577"#,
            r#""n":0"#,
            r#""n":129"#,
            r#""n":18446744073709551615"#,
            r#""model":5"#,
        ] {
            let body = format!(r#"{{"prompt":"a",{field}}}"#);
            assert!(completion(body.as_bytes()).is_err(), "{field}");
        }
    }

    #[test]
    fn an_error_says_where() {
        let err = completion(b"{\"prompt\":").unwrap_err();
        assert_eq!(
            err,
            "cannot read the body: EOF while parsing a value at line 1 column 10"
        );
        assert!(completion(b"").is_err());
        assert!(completion(b"\xff\xfe").is_err());
    }
}
