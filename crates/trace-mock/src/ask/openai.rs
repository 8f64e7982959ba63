//! OpenAI's bodies: completions, chats, responses and embeddings, with vLLM's additions.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::prompt::{Content, Message, Part, Prompts, Stops, Text};
use super::wish::Wish;
use super::{Ask, Model, chat_of, json, must, name, parse};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Model<'a>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    min_tokens: Option<u64>,
    ignore_eos: Option<bool>,
    #[serde(default)]
    stop: Stops,
    n: Option<u64>,
    best_of: Option<u64>,
    echo: Option<bool>,
    logprobs: Option<Logprobs>,
    top_logprobs: Option<u64>,
    #[serde(borrow)]
    response_format: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    parallel_tool_calls: Option<bool>,
    priority: Option<i64>,
    #[serde(borrow)]
    prompt: Option<Prompts<'a>>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
    continuous_usage_stats: Option<bool>,
}

/// Whether log-probabilities are wanted, or of how many tokens at each place.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "`logprobs` is true, false or a number")]
enum Logprobs {
    Wanted(bool),
    Of(i64),
}

impl<'a> Body<'a> {
    fn ask(self, prompts: Vec<Vec<Part<'a>>>) -> Ask<'a> {
        let says = |option: fn(&StreamOptions) -> Option<bool>| {
            self.stream_options.as_ref().and_then(option) == Some(true)
        };
        let usage = says(|options| options.include_usage);
        let running_usage = usage && says(|options| options.continuous_usage_stats);
        Ask {
            model: name(self.model),
            stream: self.stream.unwrap_or(false),
            usage,
            running_usage,
            limit: self.max_completion_tokens.or(self.max_tokens),
            min_tokens: self.min_tokens.unwrap_or(0),
            ignore_eos: self.ignore_eos.unwrap_or(false),
            stop: self.stop.0,
            n: self.n.unwrap_or(1),
            echo: self.echo.unwrap_or(false),
            logprobs: match self.logprobs {
                None | Some(Logprobs::Wanted(false)) => None,
                Some(Logprobs::Wanted(true)) => Some(self.top_logprobs.unwrap_or(0)),
                // Negative: all there are.
                Some(Logprobs::Of(count)) => Some(u64::try_from(count).unwrap_or(u64::MAX)),
            },
            best_of: self.best_of,
            wish: Wish::new(self.tools, self.tool_choice, self.response_format)
                .parallel(self.parallel_tool_calls),
            priority: self.priority.unwrap_or(0),
            prompts,
            ..Ask::default()
        }
    }
}

/// The body of `/v1/completions`.
pub(super) fn completion(body: &[u8]) -> Result<Ask<'_>, String> {
    let mut body: Body<'_> = parse(body)?;
    (body.tools, body.tool_choice) = (None, None); // those are for chats
    let prompts = several(body.prompt.take(), "prompt")?;
    Ok(body.ask(prompts))
}

/// The body of `/v1/chat/completions`.
pub(super) fn chat(body: &[u8]) -> Result<Ask<'_>, String> {
    let mut body: Body<'_> = parse(body)?;
    let texts = chat_of(body.messages.take())?;
    // The echo of a chat is a flag of its own kind, which nobody uses.
    let ask = body.ask(vec![texts]);
    Ok(Ask { echo: false, ..ask })
}

fn several<'a>(prompts: Option<Prompts<'a>>, name: &str) -> Result<Vec<Vec<Part<'a>>>, String> {
    let prompts = must(prompts, name)?.0;
    if prompts.is_empty() {
        return Err(format!("`{name}` is empty"));
    }
    Ok(prompts.into_iter().map(|part| vec![part]).collect())
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    model: Model<'a>,
    stream: Option<bool>,
    max_output_tokens: Option<u64>,
    priority: Option<i64>,
    #[serde(borrow)]
    instructions: Option<Text<'a>>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<TextOptions<'a>>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    parallel_tool_calls: Option<bool>,
}

/// What is wanted of the text of a response.
#[derive(Deserialize)]
struct TextOptions<'a> {
    #[serde(borrow)]
    format: Option<&'a RawValue>,
}

/// An item of the input of a response: a message, or what a tool gave.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default)]
    content: Content<'a>,
    #[serde(borrow, default)]
    output: Content<'a>,
}

/// The body of `/v1/responses`.
pub(super) fn response(body: &[u8]) -> Result<Ask<'_>, String> {
    let body: Response<'_> = parse(body)?;
    let input = must(body.input, "input")?.get();
    let mut texts: Vec<_> = body
        .instructions
        .map(|text| Part::Text(text.0))
        .into_iter()
        .collect();
    if input.starts_with('[') {
        let items: Vec<Item<'_>> = json(input.as_bytes())?;
        if items.is_empty() {
            return Err("`input` is empty".into());
        }
        for item in items {
            texts.extend(item.content.0);
            texts.extend(item.output.0);
        }
    } else {
        let text: Text<'_> = json(input.as_bytes())?;
        texts.push(Part::Text(text.0));
    }
    let format = body.text.and_then(|text| text.format);
    Ok(Ask {
        wish: Wish::new(body.tools, body.tool_choice, format).parallel(body.parallel_tool_calls),
        model: name(body.model),
        stream: body.stream.unwrap_or(false),
        usage: true,
        limit: body.max_output_tokens,
        n: 1,
        priority: body.priority.unwrap_or(0),
        prompts: vec![texts],
        ..Ask::default()
    })
}

#[derive(Deserialize)]
struct Embedding<'a> {
    #[serde(borrow)]
    model: Model<'a>,
    #[serde(borrow)]
    input: Option<Prompts<'a>>,
    dimensions: Option<u64>,
    encoding_format: Option<Encoding>,
    priority: Option<i64>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Float,
    Base64,
}

/// The body of `/v1/embeddings`.
pub(super) fn embedding(body: &[u8]) -> Result<Ask<'_>, String> {
    let body: Embedding<'_> = parse(body)?;
    Ok(Ask {
        model: name(body.model),
        usage: true,
        limit: Some(0),
        n: 1,
        priority: body.priority.unwrap_or(0),
        prompts: several(body.input, "input")?,
        dimensions: body.dimensions,
        base64: body.encoding_format == Some(Encoding::Base64),
        ..Ask::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use crate::api::Api;

    fn completion(body: &str) -> Result<Ask<'_>, String> {
        read(Api::Completions, body.as_bytes())
    }

    #[test]
    fn a_whole_request_is_read_and_what_is_not_known_ignored() {
        let body = r#"{"model":"a\"b","stream":true,"stream_options":{"include_usage":true,"x":1},
            "max_tokens":7,"min_tokens":2,"ignore_eos":true,"stop":"x","prompt":"one two",
            "temperature":0.5,"priority":-3}"#;
        assert_eq!(
            completion(body),
            Ok(Ask {
                model: Some(r#""a\"b""#.into()),
                stream: true,
                usage: true,
                limit: Some(7),
                min_tokens: 2,
                ignore_eos: true,
                stop: vec!["x".to_owned()],
                n: 1,
                priority: -3,
                prompts: vec![vec![Part::Text("one two".into())]],
                ..Ask::default()
            })
        );
    }

    #[test]
    fn several_prompts_want_an_answer_each() {
        assert_eq!(
            completion(r#"{"prompt":["a","b"],"n":3}"#)
                .unwrap()
                .choices(),
            6
        );
        assert!(completion(r#"{"prompt":[]}"#).is_err());
        assert!(
            completion("{}")
                .unwrap_err()
                .contains("`prompt` is missing")
        );
    }

    #[test]
    fn a_message_may_lack_content_but_not_a_role() {
        let chat = |body: &'static str| read(Api::Chat, body.as_bytes());
        assert!(chat(r#"{"messages":[{"role":"assistant"}]}"#).is_ok());
        assert!(chat(r#"{"messages":[{"content":"a"}]}"#).is_err());
        assert!(chat(r#"{"messages":[]}"#).is_err());
        let limits = r#"{"messages":[{"role":"user"}],"max_tokens":1,"max_completion_tokens":2}"#;
        assert_eq!(chat(limits).unwrap().limit, Some(2), "the newer name wins");
    }

    #[test]
    fn senseless_numbers_are_refused() {
        for field in [
            r#""max_tokens":-1"#,
            r#""max_tokens":1.5"#,
            r#""max_tokens":1048577"#,
            r#""max_tokens":1,"min_tokens":2"#,
            r#""n":0"#,
            r#""n":129"#,
            r#""n":18446744073709551615"#,
            r#""model":5"#,
        ] {
            let body = format!(r#"{{"prompt":"a",{field}}}"#);
            assert!(completion(&body).is_err(), "{field}");
        }
    }

    #[test]
    fn an_error_says_where() {
        let err = completion("{\"prompt\":").unwrap_err();
        assert_eq!(
            err,
            "cannot read the body: EOF while parsing a value at line 1 column 10"
        );
        assert!(completion("").is_err());
        assert!(read(Api::Completions, b"\xff\xfe").is_err());
    }

    #[test]
    fn the_input_of_a_response_is_text_or_items() {
        let response = |body: &'static str| read(Api::Responses, body.as_bytes());
        let ask = response(r#"{"instructions":"be","input":"a b","max_output_tokens":3}"#).unwrap();
        let texts = ["be", "a b"].map(|text| Part::Text(text.into()));
        assert_eq!((ask.prompts, ask.limit), (vec![texts.to_vec()], Some(3)));
        let items = r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"x"}]},
            {"type":"function_call_output","output":"y"}]}"#;
        let texts = ["x", "y"].map(|text| Part::Text(text.into()));
        assert_eq!(response(items).unwrap().prompts, [texts.to_vec()]);
        assert!(response(r#"{"input":7}"#).is_err());
        assert!(response(r#"{"input":[]}"#).is_err());
    }

    #[test]
    fn embeddings_come_as_numbers_or_base64() {
        let embedding = |body: &'static str| read(Api::Embeddings, body.as_bytes());
        let ask = embedding(r#"{"input":["a",["b"]]}"#);
        assert!(ask.is_err());
        let ask = embedding(r#"{"input":["a","b"],"dimensions":8,"encoding_format":"base64"}"#);
        let ask = ask.unwrap();
        assert_eq!(
            (ask.choices(), ask.dimensions, ask.base64),
            (2, Some(8), true)
        );
        assert!(embedding(r#"{"input":"a","dimensions":0}"#).is_err());
        assert!(embedding(r#"{"input":"a","encoding_format":"hex"}"#).is_err());
    }
}
