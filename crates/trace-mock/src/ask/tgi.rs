//! The bodies of Hugging Face's text-generation-inference.

use serde::Deserialize;

use super::prompt::{Part, Stops, Text};
use super::{Ask, must, parse};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    inputs: Option<Text<'a>>,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    max_new_tokens: Option<u64>,
    #[serde(default)]
    stop: Stops,
}

/// The body of `/generate`.
pub(super) fn generate(body: &[u8]) -> Result<Ask<'_>, String> {
    let body: Body<'_> = parse(body)?;
    Ok(Ask {
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
        assert!(!generate(br#"{"inputs":"a"}"#).unwrap().stream);
        assert!(generate(b"{}").unwrap_err().contains("`inputs` is missing"));
    }
}
