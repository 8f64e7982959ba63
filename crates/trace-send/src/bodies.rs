//! The JSON body that asks for what a line describes.
//!
//! In order of precedence: `payload` is the body, `messages` (with `tools`) a
//! literal chat, `text_input` a literal prompt, and `input_length` with
//! `hash_ids` a prompt made of words. The line's `extra` wins over `--extra`,
//! and both win over everything else; a `payload` takes only the line's own.

use crate::args::BodyArgs;
use crate::body::Body;
use crate::endpoint::{Ask, Endpoint, Prompt, refuse};
use crate::members::Members;
use anyhow::Context;
use std::ops::Range;
use trace_core::{Failure, Request};
use trace_prompt::Prompts;

/// How a prompt stands in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PromptAs {
    /// a string
    Text,
    /// an array of token ids
    Tokens,
}

/// Everything about a body that is not on the line.
#[derive(Debug)]
pub(crate) struct Bodies {
    /// Whom to ask.
    pub endpoint: Endpoint,
    /// The model of lines that name none.
    pub model: String,
    /// Ask for a stream.
    pub stream: bool,
    /// Ask for exactly `output_length` tokens.
    pub ignore_eos: bool,
    /// Ask for at least `output_length` tokens.
    pub min_tokens: bool,
    /// Members of every body.
    pub extra: Members,
    /// Makes the text of prompts that have only a length.
    pub prompts: Prompts,
    /// What prompts are sent as.
    pub prompt_as: PromptAs,
}

/// The longest prompt that is made, some 300 MB: six times what any server
/// takes. A length beyond it is a mistake that would fill the memory.
const MOST_TOKENS: u64 = 1 << 26;

/// What is made of a prompt that has only a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    /// Tokens of it.
    pub tokens: u64,
    /// Whether it begins as the line's `hash_ids` say, or anew.
    pub by_ids: bool,
}

/// Room to make a prompt in.
#[derive(Debug, Default)]
pub(crate) struct Room {
    text: String,
    ids: Vec<u32>,
}

impl Bodies {
    /// Bodies for `endpoint` as `args` say; the model is still to be found.
    ///
    /// # Errors
    /// A tokenizer that cannot be read, a member that is none, and prompts
    /// that cannot be made as they are wanted.
    pub(crate) fn new(args: &BodyArgs, endpoint: Endpoint) -> anyhow::Result<Self> {
        let extra = Members::from_flags(&args.extra).map_err(|reason| anyhow::anyhow!(reason))?;
        let prompts = Prompts::with(&args.tokenizer.load()?, args.seed.seed)?;
        let bodies = Self {
            endpoint,
            model: String::new(),
            stream: !args.no_stream,
            ignore_eos: args.ignore_eos,
            min_tokens: args.min_tokens,
            extra,
            prompts: prompts.block_size(args.block_size.block_size),
            prompt_as: args.prompt_as,
        };
        bodies.check()?;
        Ok(bodies)
    }

    /// See that prompts can be made as they are wanted.
    ///
    /// # Errors
    /// Token ids for an endpoint that takes none, or of a tokenizer that has
    /// none.
    fn check(&self) -> anyhow::Result<()> {
        let limits = [
            ("--ignore-eos", self.ignore_eos),
            ("--min-tokens", self.min_tokens),
        ];
        for (flag, _) in limits.iter().filter(|(_, set)| *set) {
            if !self.endpoint.dialect().takes_limits() {
                trace_core::say!(
                    "trace-send: {flag} is not sent: this endpoint has no word for it"
                );
            }
        }
        if self.prompt_as == PromptAs::Tokens {
            if !self.endpoint.dialect().takes_tokens() {
                anyhow::bail!(
                    "--prompt-as tokens: this endpoint takes text only; use --endpoint-type completions"
                );
            }
            let ids = self.prompts.render_tokens(&[], 1, 0, &mut Vec::new());
            ids.context("--prompt-as tokens")?;
        }
        Ok(())
    }

    /// Append the body for `request`, the line with index `seq`. `length` is
    /// that of the prompt if the line has no literal one. Tells where in `out`
    /// the prompt stands, if history can go before it.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](trace_core::ErrorKind::Request) if this endpoint
    /// cannot be asked that.
    pub(crate) fn write(
        &self,
        request: &Request,
        seq: u64,
        length: Length,
        room: &mut Room,
        out: &mut Vec<u8>,
    ) -> Result<Option<Range<usize>>, Failure> {
        let own = match &request.extra {
            Some(extra) => {
                Members::parse(extra.get()).map_err(|reason| refuse(format!("extra: {reason}")))?
            }
            None => Members::default(),
        };
        if let Some(payload) = &request.payload {
            payload_body(payload.get(), &own, out)?;
            return Ok(None);
        }
        let ask = Ask {
            model: request.model.as_deref().unwrap_or(&self.model),
            prompt: self.prompt(request, seq, length, room)?,
            output_length: request.output_length,
            stream: self.stream,
            ignore_eos: self.ignore_eos,
            min_tokens: self.min_tokens,
        };
        let mut body = Body::begin(out, [&own, &self.extra]);
        self.endpoint.dialect().write(&ask, &mut body)?;
        Ok(body.end())
    }

    fn prompt<'a>(
        &self,
        request: &'a Request,
        seq: u64,
        length: Length,
        room: &'a mut Room,
    ) -> Result<Prompt<'a>, Failure> {
        if let Some(messages) = &request.messages {
            let tools = request
                .tools
                .as_deref()
                .map(serde_json::value::RawValue::get);
            let messages = messages.get();
            return Ok(Prompt::Messages { messages, tools });
        }
        let tokens = self.prompt_as == PromptAs::Tokens;
        if let (Some(text), false) = (&request.text_input, tokens) {
            return Ok(Prompt::Text(text));
        }
        if request.text_input.is_none() && length.tokens > MOST_TOKENS {
            return Err(refuse(format!(
                "input_length: a prompt of {} tokens is not made; {MOST_TOKENS} are the most",
                length.tokens
            )));
        }
        let by_ids = request.hash_ids.as_deref().filter(|_| length.by_ids);
        let by_ids = by_ids.unwrap_or_default();
        let Room { text, ids } = room;
        if !tokens {
            text.clear();
            self.prompts.render(by_ids, length.tokens, seq, text);
            return Ok(Prompt::Text(text));
        }
        ids.clear();
        let made = match &request.text_input {
            Some(text) => self.prompts.tokenizer().encode(text, ids),
            None => self.prompts.render_tokens(by_ids, length.tokens, seq, ids),
        };
        made.map_err(|error| refuse(error.to_string()))?;
        Ok(Prompt::Tokens(ids))
    }
}

/// Append the literal body `payload`, with `own` members in it.
fn payload_body(payload: &str, own: &Members, out: &mut Vec<u8>) -> Result<(), Failure> {
    static NONE: Members = Members(Vec::new());
    if own.0.is_empty() {
        out.extend_from_slice(payload.as_bytes());
        return Ok(());
    }
    let payload = Members::parse(payload).map_err(|reason| refuse(format!("payload: {reason}")))?;
    let mut body = Body::begin(out, [own, &NONE]);
    for (key, value) in &payload.0 {
        body.raw(key, value.get());
    }
    body.end();
    Ok(())
}

#[cfg(test)]
mod tests;
