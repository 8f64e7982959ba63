//! OpenAI's chat completions.
//!
//! The length goes as `max_tokens`: every server in use knows it there, and
//! most do not know OpenAI's newer `max_completion_tokens`.

use super::completions::{limits, stream};
use super::{Ask, Dialect, Turns, messages};
use crate::body::Body;
use trace_core::Failure;

/// `/v1/chat/completions`.
pub(super) struct Chat;

impl Dialect for Chat {
    fn path(&self) -> &'static str {
        "/v1/chat/completions"
    }

    fn takes_limits(&self) -> bool {
        true
    }

    fn turns(&self) -> Turns {
        Turns::Messages
    }

    fn write(&self, ask: &Ask<'_>, body: &mut Body<'_>) -> Result<(), Failure> {
        body.string("model", ask.model);
        messages(&ask.prompt, "messages", body)?;
        limits(ask, "max_tokens", body);
        stream(ask, body);
        Ok(())
    }
}
