//! OpenAI's completions, as vLLM, SGLang, TensorRT-LLM and llama.cpp have them.

use super::{Ask, Dialect, Turns, text_or_tokens};
use crate::body::Body;
use trace_core::Failure;

/// `/v1/completions`.
pub(super) struct Completions;

impl Dialect for Completions {
    fn path(&self) -> &'static str {
        "/v1/completions"
    }

    fn takes_tokens(&self) -> bool {
        true
    }

    fn takes_limits(&self) -> bool {
        true
    }

    fn turns(&self) -> Turns {
        Turns::Text
    }

    fn write(&self, ask: &Ask<'_>, body: &mut Body<'_>) -> Result<(), Failure> {
        body.string("model", ask.model);
        text_or_tokens(&ask.prompt, "prompt", body)?;
        limits(ask, "max_tokens", body);
        stream(ask, body);
        Ok(())
    }
}

/// The number of tokens wanted, as OpenAI's `key` and in the words that
/// servers have added to it.
pub(super) fn limits(ask: &Ask<'_>, key: &str, body: &mut Body<'_>) {
    body.number(key, ask.output_length);
    if ask.min_tokens {
        body.number("min_tokens", ask.output_length);
    }
    if ask.ignore_eos {
        body.raw("ignore_eos", "true");
    }
}

/// A stream with its usage at the end.
pub(super) fn stream(ask: &Ask<'_>, body: &mut Body<'_>) {
    if ask.stream && body.streams() {
        body.raw("stream", "true");
        body.raw("stream_options", r#"{"include_usage":true}"#);
    }
}
