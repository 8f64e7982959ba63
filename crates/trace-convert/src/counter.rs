//! Lengths and blocks of prompts that are text.
//!
//! Counts are of content: a chat is the tokens of its messages, one after the
//! other, without the template a server puts around them. So a later turn's
//! prompt is the one before it, its answer, and what is new, token for token,
//! and shares their blocks.

use crate::args::Args;
use crate::limit;
use crate::record::Record;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use std::collections::HashMap;
use trace_core::{Field, SessionId};
use trace_prompt::{Recover, Tokenizer};

/// Counts and hashes text: 40 to 70 bytes for each different block.
pub(crate) struct Counter {
    tokenizer: Tokenizer,
    /// None where ids are somebody else's affair.
    recover: Option<Recover>,
    block_size: u64,
    /// The prompts of sessions as far.
    chats: HashMap<SessionId, Chat>,
    /// Said once, and then taken.
    said: Option<String>,
}

/// The last turn of a session whose answers are not known: 100 bytes and 8
/// for each block.
#[derive(Default)]
struct Chat {
    ids: Vec<u64>,
    /// Of its prompt and its answer.
    tokens: u64,
}

impl Counter {
    /// A counter by `--tokenizer`, for blocks of `--block-size`.
    ///
    /// # Errors
    /// A tokenizer that cannot be read.
    pub(crate) fn new(args: &Args) -> anyhow::Result<Self> {
        Self::with(args, args.block_size())
    }

    /// A counter by `--tokenizer`, for blocks of `block_size` tokens.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn with(args: &Args, block_size: u64) -> anyhow::Result<Self> {
        Ok(Self {
            tokenizer: args.tokenizer.load()?,
            recover: args.invents_ids().then(|| Recover::new(block_size)),
            block_size,
            chats: HashMap::new(),
            said: Some(format!("tokens are those of {}", args.tokenizer.tokenizer)),
        })
    }

    /// Number of tokens in `text`.
    ///
    /// # Errors
    /// A text that the tokenizer cannot do.
    pub(crate) fn count(&self, text: &str) -> Result<u64, String> {
        self.tokenizer
            .count(text)
            .map_err(|error| error.to_string())
    }

    /// Append what stands for the tokens of `text`; how many these are.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub(crate) fn append(&self, text: &str, tokens: &mut Vec<u32>) -> Result<u64, String> {
        let before = tokens.len();
        let done = self.tokenizer.identify(text, tokens);
        done.map_err(|error| error.to_string())?;
        Ok((tokens.len() - before) as u64)
    }

    /// Tokens of the session's turns as far, answers included.
    pub(crate) fn history(&self, session: Option<&SessionId>) -> u64 {
        let chat = session.and_then(|session| self.chats.get(session));
        chat.map_or(0, |chat| chat.tokens)
    }

    /// Give `record` the length and the blocks of its session's next turn,
    /// which adds `new` and is answered with `output` tokens nobody knows.
    ///
    /// # Errors
    /// More blocks than a line holds.
    pub(crate) fn turn(
        &mut self,
        new: &[u32],
        output: u64,
        record: &mut Record,
        report: &mut Report,
    ) -> Result<(), String> {
        let Some(session) = record.request().session_id.clone() else {
            self.measure(new, record, report);
            return Ok(());
        };
        let chat = self.chats.remove(&session);
        let mut chat = match chat {
            Some(chat) => chat,
            None => {
                self.measure(new, record, report);
                let ids = record.request().hash_ids.clone();
                Chat {
                    ids: ids.unwrap_or_default(),
                    tokens: 0,
                }
            }
        };
        chat.tokens = chat.tokens.saturating_add(new.len() as u64);
        if let Some(recover) = &mut self.recover {
            let blocks = limit::blocks(chat.tokens, self.block_size)? as usize;
            chat.ids.resize_with(blocks, || recover.unknown());
            record.change(Field::HashIds).hash_ids = Some(chat.ids.clone());
        }
        record.change(Field::InputLength).input_length = Some(chat.tokens);
        chat.tokens = chat.tokens.saturating_add(output);
        self.chats.insert(session, chat);
        Ok(())
    }

    /// Give `record` the length and the blocks of `prompt`.
    pub(crate) fn measure(&mut self, prompt: &[u32], record: &mut Record, report: &mut Report) {
        if let Some(said) = self.said.take() {
            report.assume(said);
        }
        record.change(Field::InputLength).input_length = Some(prompt.len() as u64);
        if let Some(recover) = &mut self.recover {
            let mut ids = record.empty_ids();
            recover.tokens(prompt, &mut ids);
            record.change(Field::HashIds).hash_ids = Some(ids);
        }
    }
}

/// The text in the `content` of a message: a string, the parts of an array
/// that are text, or nothing.
///
/// # Errors
/// Content of another kind.
pub(crate) fn content(json: &[u8], report: &mut Report) -> Result<String, String> {
    const NO_TEXT: &str = "a message whose content is no text";
    #[derive(serde::Deserialize)]
    struct Part {
        text: Option<String>,
    }
    match json.first() {
        Some(b'"') => serde_json::from_slice(json).map_err(|error| error.to_string()),
        Some(b'n') => Ok(String::new()),
        Some(b'[') => {
            let parts: Vec<&RawValue> = serde_json::from_slice(json).map_err(|_| NO_TEXT)?;
            let mut text = String::new();
            for part in parts {
                let part: Option<Part> = serde_json::from_str(part.get()).ok();
                match part.and_then(|part| part.text) {
                    Some(part) => text.push_str(&part),
                    None => report.count(
                        Kind::Noted,
                        "parts of messages that are no text, which have no tokens here",
                        1,
                    ),
                }
            }
            Ok(text)
        }
        _ => Err(NO_TEXT.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_text_or_parts_of_it() {
        let mut report = Report::default();
        let mut text = |json: &str| content(json.as_bytes(), &mut report);
        assert_eq!(text(r#""a\n""#).as_deref(), Ok("a\n"));
        assert_eq!(text("null").as_deref(), Ok(""));
        let parts = r#"[{"type":"text","text":"a"},{"type":"image_url"},{"text":"b"}]"#;
        assert_eq!(text(parts).as_deref(), Ok("ab"));
        assert!(text("{}").is_err() && text("7").is_err());
        assert_eq!(report.of(Kind::Noted, "parts"), 1);
    }
}
