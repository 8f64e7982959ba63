//! Anthropic's messages. It wants its key and its version in header fields of
//! its own, and a length in every request.

use super::{Ask, Dialect, Turns, messages, refuse};
use crate::body::Body;
use trace_core::Failure;

/// `/v1/messages`.
pub(super) struct Messages;

impl Dialect for Messages {
    fn path(&self) -> &'static str {
        "/v1/messages"
    }

    fn key(&self, key: &str) -> (&'static str, String) {
        ("x-api-key", key.to_owned())
    }

    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn turns(&self) -> Turns {
        Turns::Messages
    }

    fn write(&self, ask: &Ask<'_>, body: &mut Body<'_>) -> Result<(), Failure> {
        if ask.output_length.is_none() && !body.has("max_tokens") {
            return Err(refuse(
                "the line has no output_length, and /v1/messages wants one; --extra max_tokens=N gives it",
            ));
        }
        body.string("model", ask.model);
        messages(&ask.prompt, "messages", body)?;
        body.number("max_tokens", ask.output_length);
        if ask.stream && body.streams() {
            body.raw("stream", "true");
        }
        Ok(())
    }
}
