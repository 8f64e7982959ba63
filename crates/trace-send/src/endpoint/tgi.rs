//! Hugging Face's text-generation-inference. It has one model, which is not
//! named, and its parameters in an object of their own.

use super::{Ask, Dialect, Turns, text};
use crate::body::Body;
use trace_core::Failure;

/// `/generate_stream`, and `/generate` for whole answers.
pub(super) struct Tgi;

impl Dialect for Tgi {
    fn path(&self) -> &'static str {
        "/generate_stream"
    }

    fn whole_path(&self) -> &'static str {
        "/generate"
    }

    fn models(&self) -> &'static str {
        "/info"
    }

    fn turns(&self) -> Turns {
        Turns::Text
    }

    fn write(&self, ask: &Ask<'_>, body: &mut Body<'_>) -> Result<(), Failure> {
        text(&ask.prompt, "inputs", body)?;
        body.member("parameters", |out| {
            // What was generated is counted in the details alone.
            out.extend_from_slice(br#"{"details":true"#);
            if let Some(tokens) = ask.output_length {
                out.extend_from_slice(br#","max_new_tokens":"#);
                out.extend_from_slice(itoa::Buffer::new().format(tokens).as_bytes());
            }
            out.push(b'}');
        });
        Ok(())
    }
}
