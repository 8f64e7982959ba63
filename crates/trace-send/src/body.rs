//! The JSON body that asks for what a line describes.
//!
//! In order of precedence: `payload` is the body, `messages` (with `tools`) a
//! literal chat, `text_input` a literal prompt, and `input_length` with
//! `hash_ids` a prompt made of words. `output_length` becomes `max_tokens`, in
//! chats too: every server in use knows it there, and most do not know OpenAI's
//! newer `max_completion_tokens`. The line's `extra` wins over `--extra`, and
//! both win over everything else; a `payload` takes only the line's own.

use crate::members::Members;
use anyhow::Context;
use trace_core::{ErrorKind, Failure, Request, push_string};
use trace_prompt::Prompts;

/// What the server is asked for, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Endpoint {
    /// a prompt, at /v1/completions
    Completions,
    /// messages, at /v1/chat/completions
    Chat,
}

impl Endpoint {
    /// Its path under `/v1`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Completions => "/completions",
            Self::Chat => "/chat/completions",
        }
    }
}

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
    /// Members of every body.
    pub extra: Members,
    /// Makes the text of prompts that have only a length.
    pub prompts: Prompts,
    /// What prompts are sent as.
    pub prompt_as: PromptAs,
}

impl Bodies {
    /// See that prompts can be made as they are wanted.
    ///
    /// # Errors
    /// Token ids for an endpoint that takes none, or of a tokenizer that has
    /// none.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.prompt_as == PromptAs::Tokens {
            if self.endpoint != Endpoint::Completions {
                anyhow::bail!(
                    "--prompt-as tokens: chats take text only; use --endpoint-type completions"
                );
            }
            let ids = self.prompts.render_tokens(&[], 1, 0, &mut Vec::new());
            ids.context("--prompt-as tokens")?;
        }
        Ok(())
    }

    /// Append the body for `request`, the line with index `seq`. `text` is
    /// room to make a prompt in.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] if this endpoint cannot be asked that.
    pub(crate) fn write(
        &self,
        request: &Request,
        seq: u64,
        text: &mut String,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let own = match &request.extra {
            Some(extra) => {
                Members::parse(extra.get()).map_err(|reason| refuse(format!("extra: {reason}")))?
            }
            None => Members::default(),
        };
        if let Some(payload) = &request.payload {
            if own.0.is_empty() {
                out.extend_from_slice(payload.get().as_bytes());
                return Ok(());
            }
            let payload = Members::parse(payload.get())
                .map_err(|reason| refuse(format!("payload: {reason}")))?;
            let mut body = Body::begin(out, [&own, &NONE]);
            payload
                .0
                .iter()
                .for_each(|(key, value)| body.raw(key, value.get()));
            body.end();
            return Ok(());
        }
        let mut body = Body::begin(out, [&own, &self.extra]);
        let model = request.model.as_deref().unwrap_or(&self.model);
        body.member("model", |out| push_string(out, model));
        self.ask(request, seq, text, &mut body)?;
        if let Some(tokens) = request.output_length {
            body.member("max_tokens", |out| {
                out.extend_from_slice(itoa::Buffer::new().format(tokens).as_bytes());
            });
        }
        if self.ignore_eos {
            body.raw("ignore_eos", "true");
        }
        if self.stream && body.streams() {
            body.raw("stream", "true");
            body.raw("stream_options", r#"{"include_usage":true}"#);
        }
        body.end();
        Ok(())
    }

    /// The prompt or the messages.
    fn ask(
        &self,
        request: &Request,
        seq: u64,
        text: &mut String,
        body: &mut Body<'_>,
    ) -> Result<(), Failure> {
        if let Some(messages) = &request.messages {
            if self.endpoint != Endpoint::Chat {
                return Err(refuse("the line has messages, which completions do not take; use --endpoint-type chat".to_owned()));
            }
            body.raw("messages", messages.get());
            if let Some(tools) = &request.tools {
                body.raw("tools", tools.get());
            }
            return Ok(());
        }
        if self.prompt_as == PromptAs::Tokens {
            let ids = self.ids(request, seq)?;
            body.member("prompt", |out| push_ids(out, &ids));
            return Ok(());
        }
        let prompt = match &request.text_input {
            Some(prompt) => prompt,
            None => {
                text.clear();
                let ids = request.hash_ids.as_deref().unwrap_or_default();
                self.prompts
                    .render(ids, request.input_length.unwrap_or_default(), seq, text);
                text
            }
        };
        match self.endpoint {
            Endpoint::Completions => body.member("prompt", |out| push_string(out, prompt)),
            Endpoint::Chat => body.member("messages", |out| {
                out.extend_from_slice(br#"[{"role":"user","content":"#);
                push_string(out, prompt);
                out.extend_from_slice(b"}]");
            }),
        }
        Ok(())
    }
}

impl Bodies {
    /// The token ids of a prompt.
    fn ids(&self, request: &Request, seq: u64) -> Result<Vec<u32>, Failure> {
        let mut tokens = Vec::new();
        let done = match &request.text_input {
            Some(text) => self.prompts.tokenizer().encode(text, &mut tokens),
            None => {
                let ids = request.hash_ids.as_deref().unwrap_or_default();
                let length = request.input_length.unwrap_or_default();
                self.prompts.render_tokens(ids, length, seq, &mut tokens)
            }
        };
        done.map_err(|error| refuse(error.to_string()))?;
        Ok(tokens)
    }
}

fn push_ids(out: &mut Vec<u8>, ids: &[u32]) {
    let mut digits = itoa::Buffer::new();
    out.push(b'[');
    for (place, id) in ids.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.extend_from_slice(digits.format(*id).as_bytes());
    }
    out.push(b']');
}

fn refuse(message: String) -> Failure {
    Failure {
        kind: ErrorKind::Request,
        message,
    }
}

static NONE: Members = Members(Vec::new());

/// Writes a JSON object, with members that win over what is written to it.
struct Body<'a> {
    out: &'a mut Vec<u8>,
    /// The first wins over the second.
    winners: [&'a Members; 2],
    start: usize,
}

impl<'a> Body<'a> {
    fn begin(out: &'a mut Vec<u8>, winners: [&'a Members; 2]) -> Self {
        out.push(b'{');
        let start = out.len();
        Self {
            out,
            winners,
            start,
        }
    }

    fn member(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        if self.winners.iter().all(|winner| winner.get(key).is_none()) {
            self.put(key, value);
        }
    }

    fn raw(&mut self, key: &str, json: &str) {
        self.member(key, |out| out.extend_from_slice(json.as_bytes()));
    }

    /// Whether no winner says that the answer shall come whole.
    fn streams(&self) -> bool {
        let said = self.winners.iter().find_map(|winner| winner.get("stream"));
        said.is_none_or(|value| value == "true")
    }

    fn put(&mut self, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
        if self.out.len() > self.start {
            self.out.push(b',');
        }
        push_string(self.out, key);
        self.out.push(b':');
        value(self.out);
    }

    fn end(mut self) {
        let [first, second] = self.winners;
        let beaten = |key: &str| first.get(key).is_some();
        let rest = second.0.iter().filter(|(key, _)| !beaten(key));
        for (key, value) in rest.chain(&first.0) {
            self.put(key, |out| out.extend_from_slice(value.get().as_bytes()));
        }
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests;
