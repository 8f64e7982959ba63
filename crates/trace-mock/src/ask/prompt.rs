//! The text in a body: prompts, messages and their parts.
//!
//! Text is borrowed from the body where it has no escapes, and is not looked into here.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

/// A piece of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Text to be counted.
    Text(Cow<'a, str>),
    /// Tokens already.
    Ids(Vec<u32>),
}

/// A string, borrowed if it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Text<'a>, D::Error> {
        struct Whole;

        impl<'de> Visitor<'de> for Whole {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        json.deserialize_str(Whole)
    }
}

/// Prompts: a string, token ids, or an array of either; each is one prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompts<'a>(pub(crate) Vec<Part<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Prompts<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Prompts<'a>, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Prompts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, token ids, or an array of either")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Prompts<'de>, E> {
                Ok(Prompts(vec![Part::Text(Cow::Borrowed(text))]))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Prompts<'de>, E> {
                Ok(Prompts(vec![Part::Text(Cow::Owned(text.to_owned()))]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Prompts<'de>, A::Error> {
                let (mut ids, mut prompts) = (Vec::new(), Vec::new());
                while let Some(item) = items.next_element()? {
                    match item {
                        Item::Id(id) => ids.push(id),
                        Item::Prompt(part) => prompts.push(part),
                    }
                }
                match (ids.is_empty(), prompts.is_empty()) {
                    (false, false) => Err(A::Error::custom("a prompt mixes token ids with text")),
                    (false, true) => Ok(Prompts(vec![Part::Ids(ids)])),
                    (true, _) => Ok(Prompts(prompts)),
                }
            }
        }

        json.deserialize_any(All)
    }
}

/// An element of an array of prompts, or of token ids.
enum Item<'a> {
    Id(u32),
    Prompt(Part<'a>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Item<'a>, D::Error> {
        struct Element;

        impl<'de> Visitor<'de> for Element {
            type Value = Item<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token id, a string, or an array of token ids")
            }

            fn visit_u64<E: Error>(self, id: u64) -> Result<Item<'de>, E> {
                let id = u32::try_from(id).map_err(|_| E::custom("a token id beyond 32 bits"))?;
                Ok(Item::Id(id))
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Item<'de>, E> {
                Ok(Item::Prompt(Part::Text(Cow::Borrowed(text))))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Item<'de>, E> {
                Ok(Item::Prompt(Part::Text(Cow::Owned(text.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item<'de>, A::Error> {
                let mut ids = Vec::new();
                while let Some(id) = items.next_element()? {
                    ids.push(id);
                }
                Ok(Item::Prompt(Part::Ids(ids)))
            }
        }

        json.deserialize_any(Element)
    }
}

/// The texts of a message: its content is a string, parts of which those with a `text` count, or
/// null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content<'a>(pub(crate) Vec<Part<'a>>);

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow, default)]
    text: Content<'a>,
    /// What a tool gave, which is content again in Anthropic's messages.
    #[serde(borrow, default)]
    content: Content<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Content<'a>, D::Error> {
        struct Parts;

        impl<'de> Visitor<'de> for Parts {
            type Value = Content<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of parts")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Content<'de>, E> {
                Ok(Content(vec![Part::Text(Cow::Borrowed(text))]))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Content<'de>, E> {
                Ok(Content(vec![Part::Text(Cow::Owned(text.to_owned()))]))
            }

            fn visit_unit<E: Error>(self) -> Result<Content<'de>, E> {
                Ok(Content::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pieces: A) -> Result<Content<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some(piece) = pieces.next_element::<Piece<'de>>()? {
                    all.extend(piece.text.0);
                    all.extend(piece.content.0);
                }
                Ok(Content(all))
            }
        }

        json.deserialize_any(Parts)
    }
}

/// A message of a chat. It may lack content but not a role.
#[derive(Deserialize)]
pub(crate) struct Message<'a> {
    #[expect(dead_code, reason = "must be there")]
    role: IgnoredAny,
    #[serde(borrow, default)]
    content: Content<'a>,
}

/// The texts of all `messages`, one after another.
pub(crate) fn texts(messages: Vec<Message<'_>>) -> Vec<Part<'_>> {
    let contents = messages.into_iter().map(|message| message.content.0);
    contents.flatten().collect()
}

/// Strings that end an answer: one, or an array of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stops(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Stops {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Stops, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "`stop` is a string or an array of strings")]
        enum OneOrMore {
            One(String),
            More(Vec<String>),
            None(()),
        }
        let mut stops = match OneOrMore::deserialize(json)? {
            OneOrMore::One(stop) => vec![stop],
            OneOrMore::More(stops) => stops,
            OneOrMore::None(()) => Vec::new(),
        };
        stops.retain(|stop| !stop.is_empty());
        Ok(Stops(stops))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part<'_> {
        Part::Text(text.into())
    }

    fn prompts(json: &str) -> Option<Vec<Part<'_>>> {
        serde_json::from_str::<Prompts<'_>>(json)
            .ok()
            .map(|prompts| prompts.0)
    }

    fn content(json: &str) -> Option<Vec<Part<'_>>> {
        serde_json::from_str::<Content<'_>>(json)
            .ok()
            .map(|content| content.0)
    }

    #[test]
    fn a_prompt_is_text_or_ids_or_several_of_either() {
        assert_eq!(prompts(r#""a b""#), Some(vec![text("a b")]));
        assert_eq!(prompts(r#""a\nb""#), Some(vec![text("a\nb")]));
        assert_eq!(prompts("[1,2]"), Some(vec![Part::Ids(vec![1, 2])]));
        assert_eq!(prompts(r#"["a","b"]"#), Some(vec![text("a"), text("b")]));
        let several = vec![Part::Ids(vec![1]), Part::Ids(vec![])];
        assert_eq!(prompts("[[1],[]]"), Some(several));
        assert_eq!(prompts("[]"), Some(vec![]));
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let Part::Text(text) = &prompts(r#""a b""#).unwrap()[0] else {
            panic!("it is text");
        };
        assert!(matches!(text, Cow::Borrowed(_)));
    }

    #[test]
    fn what_is_no_prompt_is_refused() {
        for json in [
            "[-1]",
            "[1.5]",
            "[4294967296]",
            "7",
            "{}",
            "null",
            "true",
            r#"[1,"a"]"#,
            "[[[1]]]",
        ] {
            assert_eq!(prompts(json), None, "{json}");
        }
    }

    #[test]
    fn content_is_text_or_parts_of_text() {
        assert_eq!(content(r#""a b c""#), Some(vec![text("a b c")]));
        assert_eq!(content("null"), Some(vec![]));
        let parts = r#"[{"type":"text","text":"a b"},{"type":"image_url","image_url":{}},
            {"type":"tool_result","content":[{"type":"text","text":"c"}]}]"#;
        assert_eq!(content(parts), Some(vec![text("a b"), text("c")]));
        assert_eq!(content("5"), None);
    }

    #[test]
    fn a_stop_is_one_string_or_more() {
        let stops = |json| {
            serde_json::from_str::<Stops>(json)
                .map(|stops| stops.0)
                .ok()
        };
        assert_eq!(stops(r#""a""#), Some(vec!["a".to_owned()]));
        assert_eq!(
            stops(r#"["a","","b"]"#),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(stops("null"), Some(vec![]));
        assert_eq!(stops("5"), None);
    }
}
