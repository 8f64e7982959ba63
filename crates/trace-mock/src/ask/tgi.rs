//! The bodies of Hugging Face's text-generation-inference.

use serde::Deserialize;

use serde_json::value::RawValue;

use super::prompt::{Part, Stops, Text};
use super::wish::Wish;
use super::{Ask, must, parse};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    inputs: Option<Text<'a>>,
    #[serde(borrow, default)]
    parameters: Parameters<'a>,
    stream: Option<bool>,
}

#[derive(Default, Deserialize)]
struct Parameters<'a> {
    max_new_tokens: Option<u64>,
    #[serde(default)]
    stop: Stops,
    /// Whether each token of an answer is told apart.
    details: Option<bool>,
    /// `{"type": "json", "value": SCHEMA}`
    #[serde(borrow)]
    grammar: Option<&'a RawValue>,
}

/// The body of `/generate`.
pub(super) fn generate(body: &[u8]) -> Result<Ask<'_>, String> {
    generate_either(body).map(|ask| Ask {
        stream: false,
        ..ask
    })
}

/// The body of `/`, which says whether to stream.
pub(super) fn generate_either(body: &[u8]) -> Result<Ask<'_>, String> {
    let body: Body<'_> = parse(body)?;
    Ok(Ask {
        stream: body.stream.unwrap_or(false),
        logprobs: (body.parameters.details == Some(true)).then_some(0),
        wish: Wish::new(None, None, body.parameters.grammar),
        usage: true,
        limit: body.parameters.max_new_tokens,
        stop: body.parameters.stop.0,
        n: 1,
        prompts: vec![vec![Part::Text(must(body.inputs, "inputs")?.0)]],
        ..Ask::default()
    })
}

/// The body of `/generate_stream`.
pub(super) fn generate_stream(body: &[u8]) -> Result<Ask<'_>, String> {
    generate(body).map(|ask| Ask {
        stream: true,
        ..ask
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_and_parameters_are_read() {
        let body = br#"{"inputs":"a","parameters":{"max_new_tokens":5,"stop":["x"],"seed":1}}"#;
        let ask = generate_stream(body).unwrap();
        assert_eq!((ask.limit, ask.stream, ask.stop.len()), (Some(5), true, 1));
        assert!(!generate(br#"{"inputs":"a","stream":true}"#).unwrap().stream);
        let either = br#"{"inputs":"a","stream":true,"parameters":{"details":true}}"#;
        let ask = generate_either(either).unwrap();
        assert_eq!((ask.stream, ask.logprobs), (true, Some(0)));
        assert!(generate(b"{}").unwrap_err().contains("`inputs` is missing"));
    }
}
