//! Ollama's bodies. They stream unless they say no.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::prompt::{Message, Part, Prompts, Stops, Text};
use super::wish::Wish;
use super::{Ask, Model, chat_of, must, name, parse, several};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Model<'a>,
    stream: Option<bool>,
    #[serde(borrow)]
    prompt: Option<Text<'a>>,
    #[serde(borrow)]
    system: Option<Text<'a>>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    /// `json`, or a JSON Schema.
    #[serde(borrow)]
    format: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(default)]
    options: Options,
}

#[derive(Default, Deserialize)]
struct Options {
    /// Negative: until the answer ends by itself.
    num_predict: Option<i64>,
    #[serde(default)]
    stop: Stops,
}

impl<'a> Body<'a> {
    fn ask(self, texts: Vec<Part<'a>>) -> Ask<'a> {
        let limit = self.options.num_predict;
        Ask {
            wish: Wish::new(self.tools, None, self.format).bare(),
            model: name(self.model),
            stream: self.stream.unwrap_or(true),
            usage: true,
            limit: limit.and_then(|limit| u64::try_from(limit).ok()),
            stop: self.options.stop.0,
            n: 1,
            prompts: vec![texts],
            ..Ask::default()
        }
    }
}

/// The body of `/api/generate`.
pub(super) fn generate(body: &[u8]) -> Result<Ask<'_>, String> {
    let mut body: Body<'_> = parse(body)?;
    body.tools = None; // those are for chats
    let prompt = must(body.prompt.take(), "prompt")?;
    let texts = body.system.take().into_iter().chain([prompt]);
    let texts = texts.map(|text| Part::Text(text.0)).collect();
    Ok(body.ask(texts))
}

/// The body of `/api/chat`.
pub(super) fn chat(body: &[u8]) -> Result<Ask<'_>, String> {
    let mut body: Body<'_> = parse(body)?;
    let texts = chat_of(body.messages.take())?;
    Ok(body.ask(texts))
}

#[derive(Deserialize)]
struct Embed<'a> {
    #[serde(borrow)]
    model: Model<'a>,
    #[serde(borrow)]
    input: Option<Prompts<'a>>,
    #[serde(borrow)]
    prompt: Option<Text<'a>>,
    dimensions: Option<u64>,
}

impl<'a> Embed<'a> {
    fn ask(self, prompts: Vec<Vec<Part<'a>>>) -> Ask<'a> {
        Ask {
            model: name(self.model),
            usage: true,
            limit: Some(0),
            n: 1,
            prompts,
            dimensions: self.dimensions,
            ..Ask::default()
        }
    }
}

/// The body of `/api/embed`.
pub(super) fn embed(body: &[u8]) -> Result<Ask<'_>, String> {
    let mut body: Embed<'_> = parse(body)?;
    let prompts = several(body.input.take(), "input")?;
    Ok(body.ask(prompts))
}

/// The body of `/api/embeddings`.
pub(super) fn embedding(body: &[u8]) -> Result<Ask<'_>, String> {
    let mut body: Embed<'_> = parse(body)?;
    let prompt = must(body.prompt.take(), "prompt")?;
    Ok(body.ask(vec![vec![Part::Text(prompt.0)]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embeddings_are_of_one_text_or_of_several() {
        let ask = embed(br#"{"model":"m","input":["a","b"],"dimensions":3}"#).unwrap();
        assert_eq!((ask.choices(), ask.dimensions), (2, Some(3)));
        assert_eq!(embed(br#"{"input":"a"}"#).unwrap().choices(), 1);
        assert_eq!(embedding(br#"{"prompt":"a"}"#).unwrap().choices(), 1);
        assert!(embed(br#"{"prompt":"a"}"#).is_err() && embedding(br#"{"input":"a"}"#).is_err());
    }

    #[test]
    fn it_streams_unless_told_otherwise_and_options_hold_the_limit() {
        let ask = generate(br#"{"prompt":"a","system":"s","options":{"num_predict":4}}"#).unwrap();
        assert_eq!(
            (ask.stream, ask.limit, ask.prompts[0].len()),
            (true, Some(4), 2)
        );
        let ask = chat(br#"{"messages":[{"role":"user","content":"a"}],"stream":false,"options":{"num_predict":-1}}"#);
        let ask = ask.unwrap();
        assert_eq!((ask.stream, ask.limit), (false, None));
        assert!(generate(b"{}").is_err() && chat(b"{}").is_err());
    }
}
