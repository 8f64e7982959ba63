//! What servers can be asked for, each in a file of its own.
//!
//! An endpoint is told apart by how it is asked: its path, its header fields,
//! the shape of its body. What it answers is read by one walk over the JSON,
//! whoever sent it (see [`event`](crate::event)): servers mix their shapes
//! more often than they keep to one.

mod anthropic;
mod chat;
mod completions;
mod embeddings;
mod ollama;
mod raw;
mod responses;
mod tgi;

use crate::body::{Body, push_inside};
use trace_core::{ErrorKind, Failure, push_string};

/// What the server is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Endpoint {
    /// a prompt, at /v1/completions
    Completions,
    /// messages, at /v1/chat/completions
    Chat,
    /// input, at /v1/responses
    Responses,
    /// a vector, at /v1/embeddings
    Embeddings,
    /// a prompt for TGI, at /generate_stream
    Tgi,
    /// a prompt for Ollama, at /api/generate
    Ollama,
    /// messages for Ollama, at /api/chat
    OllamaChat,
    /// messages for Anthropic's API, at /v1/messages
    Anthropic,
    /// the lines' own payload, at the URL's path
    Raw,
}

/// How an endpoint is asked.
pub(crate) trait Dialect: Sync {
    /// Its usual path.
    fn path(&self) -> &'static str;

    /// The path that answers as a whole.
    fn whole_path(&self) -> &'static str {
        self.path()
    }

    /// The path of the list of models beside it.
    fn models(&self) -> &'static str {
        "/v1/models"
    }

    /// The header field that carries `key`.
    fn key(&self, key: &str) -> (&'static str, String) {
        ("authorization", format!("Bearer {key}"))
    }

    /// Header fields it wants beside the usual ones.
    fn fields(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Whether a prompt may be the ids of its tokens.
    fn takes_tokens(&self) -> bool {
        false
    }

    /// Whether it has words for `ignore_eos` and `min_tokens`.
    fn takes_limits(&self) -> bool {
        false
    }

    /// How the turns of a conversation stand one after the other.
    fn turns(&self) -> Turns;

    /// Write the members that ask for `ask`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] if it cannot be asked that.
    fn write(&self, ask: &Ask<'_>, body: &mut Body<'_>) -> Result<(), Failure>;
}

/// How the turns of a conversation stand one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turns {
    /// Nothing can go before a prompt.
    None,
    /// As one text.
    Text,
    /// As messages with roles.
    Messages,
}

/// What is wanted.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    /// Of whom.
    pub model: &'a str,
    /// About what.
    pub prompt: Prompt<'a>,
    /// How many tokens.
    pub output_length: Option<u64>,
    /// Piece by piece.
    pub stream: bool,
    /// Exactly so many, whatever the model would like.
    pub ignore_eos: bool,
    /// At least so many.
    pub min_tokens: bool,
}

/// A prompt.
#[derive(Debug)]
pub(crate) enum Prompt<'a> {
    /// Text.
    Text(&'a str),
    /// The ids of its tokens.
    Tokens(&'a [u32]),
    /// A literal chat: JSON arrays.
    Messages {
        /// The messages.
        messages: &'a str,
        /// Tools on offer.
        tools: Option<&'a str>,
    },
}

impl Endpoint {
    /// How it is asked.
    pub(crate) fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Completions => &completions::Completions,
            Self::Chat => &chat::Chat,
            Self::Responses => &responses::Responses,
            Self::Embeddings => &embeddings::Embeddings,
            Self::Tgi => &tgi::Tgi,
            Self::Ollama => &ollama::Generate,
            Self::OllamaChat => &ollama::Chat,
            Self::Anthropic => &anthropic::Messages,
            Self::Raw => &raw::Raw,
        }
    }

    /// The endpoint that a path ends in, if it tells.
    pub(crate) fn of(path: &str) -> Option<Self> {
        // The longer before what it ends in.
        const ENDS: [(&str, Endpoint); 9] = [
            ("/chat/completions", Endpoint::Chat),
            ("/completions", Endpoint::Completions),
            ("/responses", Endpoint::Responses),
            ("/embeddings", Endpoint::Embeddings),
            ("/messages", Endpoint::Anthropic),
            ("/api/generate", Endpoint::Ollama),
            ("/api/chat", Endpoint::OllamaChat),
            ("/generate_stream", Endpoint::Tgi),
            ("/generate", Endpoint::Tgi),
        ];
        let found = ENDS.iter().find(|(end, _)| path.ends_with(end));
        found.map(|&(_, endpoint)| endpoint)
    }

    /// Whether an answer without tokens is an answer.
    pub(crate) fn is_silent(self) -> bool {
        matches!(self, Self::Embeddings | Self::Raw)
    }
}

/// Write `prompt` as messages under `key`, and the tools beside it.
fn messages(prompt: &Prompt<'_>, key: &str, body: &mut Body<'_>) -> Result<(), Failure> {
    match prompt {
        Prompt::Text(text) => body.prompt(key, ("[", "]"), |out| push_message(out, "user", text)),
        Prompt::Messages { messages, tools } => {
            body.prompt(key, ("[", "]"), |out| {
                out.extend_from_slice(inside(messages).as_bytes());
            });
            if let Some(tools) = tools {
                body.raw("tools", tools);
            }
        }
        Prompt::Tokens(_) => return Err(no_tokens()),
    }
    Ok(())
}

/// Write `prompt` as text under `key`.
fn text(prompt: &Prompt<'_>, key: &str, body: &mut Body<'_>) -> Result<(), Failure> {
    match prompt {
        Prompt::Text(text) => {
            body.prompt(key, ("\"", "\""), |out| push_inside(out, text));
            Ok(())
        }
        Prompt::Messages { .. } => Err(refuse(
            "the line has messages, which this endpoint does not take; use --endpoint-type chat",
        )),
        Prompt::Tokens(_) => Err(no_tokens()),
    }
}

/// Write `prompt` as text or the ids of its tokens under `key`.
fn text_or_tokens(prompt: &Prompt<'_>, key: &str, body: &mut Body<'_>) -> Result<(), Failure> {
    match prompt {
        Prompt::Tokens(ids) => {
            body.member(key, |out| push_ids(out, ids));
            Ok(())
        }
        prompt => text(prompt, key, body),
    }
}

/// Append a message as chats have them.
pub(crate) fn push_message(out: &mut Vec<u8>, role: &str, content: &str) {
    out.extend_from_slice(br#"{"role":"#);
    push_string(out, role);
    out.extend_from_slice(br#","content":"#);
    push_string(out, content);
    out.push(b'}');
}

/// The inside of a JSON array, as it is spelled.
fn inside(array: &str) -> &str {
    let array = array.trim();
    let inside = array.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
    inside.unwrap_or(array)
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

/// This cannot be asked.
pub(crate) fn refuse(message: impl Into<String>) -> Failure {
    Failure {
        kind: ErrorKind::Request,
        message: message.into(),
    }
}

fn no_tokens() -> Failure {
    refuse("this endpoint takes text only, no token ids")
}
