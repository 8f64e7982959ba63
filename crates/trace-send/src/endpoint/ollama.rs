//! Ollama's own API, which streams unless told not to.

use super::{Ask, Dialect, Turns, messages, text};
use crate::body::Body;
use trace_core::Failure;

/// `/api/generate`.
pub(super) struct Generate;

/// `/api/chat`.
pub(super) struct Chat;

impl Dialect for Generate {
    fn path(&self) -> &'static str {
        "/api/generate"
    }

    fn models(&self) -> &'static str {
        "/api/tags"
    }

    fn turns(&self) -> Turns {
        Turns::Text
    }

    fn write(&self, ask: &Ask<'_>, body: &mut Body<'_>) -> Result<(), Failure> {
        body.string("model", ask.model);
        text(&ask.prompt, "prompt", body)?;
        options(ask, body);
        Ok(())
    }
}

impl Dialect for Chat {
    fn path(&self) -> &'static str {
        "/api/chat"
    }

    fn models(&self) -> &'static str {
        "/api/tags"
    }

    fn turns(&self) -> Turns {
        Turns::Messages
    }

    fn write(&self, ask: &Ask<'_>, body: &mut Body<'_>) -> Result<(), Failure> {
        body.string("model", ask.model);
        messages(&ask.prompt, "messages", body)?;
        options(ask, body);
        Ok(())
    }
}

fn options(ask: &Ask<'_>, body: &mut Body<'_>) {
    if let Some(tokens) = ask.output_length {
        body.member("options", |out| {
            out.extend_from_slice(br#"{"num_predict":"#);
            out.extend_from_slice(itoa::Buffer::new().format(tokens).as_bytes());
            out.push(b'}');
        });
    }
    body.raw("stream", if ask.stream { "true" } else { "false" });
}
