//! How an answer differs from the usual: what it says, and what is told beside it.

use std::ops::Range;

use super::Form;
use crate::script::Script;
use crate::speech::Speech;
use crate::words;

/// What is unusual about an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// What it says, if not the usual words.
    pub(crate) speech: Option<Speech>,
    /// The prompts, where they stand before their answers.
    pub(crate) echoes: Vec<Script>,
    /// How many alternatives of each token are told, if log-probabilities are.
    pub(crate) logprobs: Option<u64>,
    /// Whether each event tells the usage so far.
    pub(crate) running_usage: bool,
}

impl Form {
    /// Answer in this manner.
    pub(crate) fn with_manner(self, manner: Manner) -> Form {
        let unusual = manner != Manner::default();
        Form {
            manner: unusual.then(|| Box::new(manner)),
            ..self
        }
    }

    pub(super) fn manner(&self) -> Option<&Manner> {
        self.manner.as_deref()
    }

    pub(super) fn speech(&self) -> Option<&Speech> {
        self.manner()?.speech.as_ref()
    }

    /// The tool that is called, a JSON string.
    pub(super) fn call(&self) -> Option<&str> {
        self.speech()?.call.as_deref()
    }

    /// The prompt that stands before the answer of `choice`.
    pub(super) fn echo(&self, choice: u64) -> Option<&Script> {
        let echoes = &self.manner()?.echoes;
        let each = (self.choices / (echoes.len() as u64).max(1)).max(1);
        echoes.get(usize::try_from(choice / each).ok()?)
    }

    pub(super) fn push_text(&self, tokens: Range<u64>, out: &mut Vec<u8>) {
        match self.speech() {
            Some(speech) => speech.script.push(tokens, out),
            None => words::push(tokens, self.plan.visible, out),
        }
    }

    /// The text of a token, whether it is shown or not.
    pub(super) fn token(&self, index: u64) -> &str {
        match self.speech() {
            Some(speech) => speech.script.text(index..index + 1),
            None => words::word(index),
        }
    }

    /// What is said in all, as it is.
    pub(super) fn spoken(&self) -> Option<&str> {
        Some(self.speech()?.script.text(0..self.plan.tokens))
    }
}
