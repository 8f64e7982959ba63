//! OpenAI's responses.

use super::completions::limits;
use super::{Ask, Dialect, Turns, messages};
use crate::body::Body;
use trace_core::Failure;

/// `/v1/responses`.
pub(super) struct Responses;

impl Dialect for Responses {
    fn path(&self) -> &'static str {
        "/v1/responses"
    }

    fn takes_limits(&self) -> bool {
        true
    }

    fn turns(&self) -> Turns {
        Turns::Messages
    }

    fn write(&self, ask: &Ask<'_>, body: &mut Body<'_>) -> Result<(), Failure> {
        body.string("model", ask.model);
        messages(&ask.prompt, "input", body)?;
        limits(ask, "max_output_tokens", body);
        if ask.stream && body.streams() {
            body.raw("stream", "true");
        }
        Ok(())
    }
}
