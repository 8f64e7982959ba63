//! OpenAI's embeddings: an answer in one piece and without tokens.

use super::{Ask, Dialect, Turns, text_or_tokens};
use crate::body::Body;
use trace_core::Failure;

/// `/v1/embeddings`.
pub(super) struct Embeddings;

impl Dialect for Embeddings {
    fn path(&self) -> &'static str {
        "/v1/embeddings"
    }

    fn takes_tokens(&self) -> bool {
        true
    }

    fn turns(&self) -> Turns {
        Turns::None
    }

    fn write(&self, ask: &Ask<'_>, body: &mut Body<'_>) -> Result<(), Failure> {
        body.string("model", ask.model);
        text_or_tokens(&ask.prompt, "input", body)
    }
}
