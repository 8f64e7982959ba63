//! OpenAI's bodies: completions, chats, responses and embeddings, with vLLM's additions.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::prompt::{Content, Message, Part, Prompts, Stops, Text};
use super::sampling::{Sampling, Wrong};
use super::wish::Wish;
use super::{Ask, Model, chat_of, json, must, name, parse, several};

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
    /// vLLM's ways to shape an answer.
    #[serde(borrow)]
    structured_outputs: Option<&'a RawValue>,
    #[serde(borrow)]
    guided_json: Option<&'a RawValue>,
    #[serde(borrow)]
    guided_choice: Option<&'a RawValue>,
    priority: Option<i64>,
    #[serde(borrow)]
    temperature: Option<&'a RawValue>,
    #[serde(borrow)]
    top_p: Option<&'a RawValue>,
    #[serde(borrow)]
    top_k: Option<&'a RawValue>,
    #[serde(borrow)]
    min_p: Option<&'a RawValue>,
    #[serde(borrow)]
    presence_penalty: Option<&'a RawValue>,
    #[serde(borrow)]
    frequency_penalty: Option<&'a RawValue>,
    #[serde(borrow)]
    repetition_penalty: Option<&'a RawValue>,
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
    /// A parameter that is senseless. An answer of no tokens makes sense only behind its prompt.
    fn wrong(&self) -> Option<Wrong> {
        let limit = self.max_completion_tokens.or(self.max_tokens);
        if limit == Some(0) && self.echo != Some(true) {
            return Some(Wrong::new("max_tokens", "must be at least 1", 0));
        }
        let wanted = matches!(
            self.logprobs,
            Some(Logprobs::Wanted(true) | Logprobs::Of(_))
        );
        if self.top_logprobs.is_some_and(|count| count > 0) && !wanted {
            let reason = "when using `top_logprobs`, `logprobs` must be set to true.";
            return Some(Wrong {
                param: "top_logprobs",
                reason: reason.to_owned(),
            });
        }
        let sampling = Sampling {
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            min_p: self.min_p,
            presence_penalty: self.presence_penalty,
            frequency_penalty: self.frequency_penalty,
            repetition_penalty: self.repetition_penalty,
        };
        sampling.wrong()
    }

    fn ask(self, prompts: Vec<Vec<Part<'a>>>) -> Ask<'a> {
        let wrong = self.wrong();
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
                .parallel(self.parallel_tool_calls)
                .guided(
                    self.structured_outputs,
                    self.guided_json,
                    self.guided_choice,
                ),
            priority: self.priority.unwrap_or(0),
            prompts,
            wrong,
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

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    model: Model<'a>,
    stream: Option<bool>,
    max_output_tokens: Option<u64>,
    priority: Option<i64>,
    #[serde(borrow)]
    instructions: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    #[serde(borrow)]
    parallel_tool_calls: Option<&'a RawValue>,
    #[serde(default)]
    include: Option<Vec<String>>,
    top_logprobs: Option<u64>,
    #[serde(borrow)]
    temperature: Option<&'a RawValue>,
    #[serde(borrow)]
    top_p: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    previous_response_id: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow)]
    truncation: Option<&'a RawValue>,
    #[serde(borrow)]
    user: Option<&'a RawValue>,
}

impl Response<'_> {
    /// What the answer repeats, as members of an object, with what is usual where it is not said.
    fn told(&self) -> String {
        let limit = self.max_output_tokens.map(|limit| limit.to_string());
        let alternatives = self.top_logprobs.unwrap_or(0).to_string();
        let said = |json: Option<&RawValue>| json.map(|json| json.get().to_owned());
        let members = [
            ("instructions", said(self.instructions), "null"),
            ("max_output_tokens", limit, "null"),
            ("metadata", said(self.metadata), "{}"),
            (
                "parallel_tool_calls",
                said(self.parallel_tool_calls),
                "true",
            ),
            (
                "previous_response_id",
                said(self.previous_response_id),
                "null",
            ),
            ("reasoning", said(self.reasoning), "null"),
            ("service_tier", said(self.service_tier), "\"auto\""),
            ("temperature", said(self.temperature), "1.0"),
            ("text", said(self.text), "{\"format\":{\"type\":\"text\"}}"),
            ("tool_choice", said(self.tool_choice), "\"auto\""),
            ("tools", said(self.tools), "[]"),
            ("top_logprobs", Some(alternatives), "0"),
            ("top_p", said(self.top_p), "1.0"),
            ("truncation", said(self.truncation), "\"disabled\""),
            ("user", said(self.user), "null"),
        ];
        let mut told = String::new();
        for (name, said, usual) in members {
            let said = said.filter(|said| said != "null");
            told.push_str(&format!(",\"{name}\":{}", said.as_deref().unwrap_or(usual)));
        }
        // A line feed in JSON is a blank; in an event it would end it.
        told.replace(['\n', '\r'], " ")
    }
}

/// A part that is understood by itself.
fn inner<'a, T: Deserialize<'a>>(json: Option<&'a RawValue>) -> Result<Option<T>, String> {
    let part = json.map(|part| super::json::<Option<T>>(part.get().as_bytes()));
    Ok(part.transpose()?.flatten())
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
    let instructions: Option<Text<'_>> = inner(body.instructions)?;
    let mut texts: Vec<_> = instructions
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
    let text: Option<TextOptions<'_>> = inner(body.text)?;
    let format = text.and_then(|text| text.format);
    let included = |what: &str| body.include.iter().flatten().any(|name| name == what);
    let logprobs = included("message.output_text.logprobs");
    let sampling = Sampling {
        temperature: body.temperature,
        top_p: body.top_p,
        ..Sampling::default()
    };
    Ok(Ask {
        told: body.told(),
        wrong: sampling.wrong(),
        logprobs: logprobs.then(|| body.top_logprobs.unwrap_or(0)),
        wish: Wish::new(body.tools, body.tool_choice, format)
            .parallel(inner(body.parallel_tool_calls)?),
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
