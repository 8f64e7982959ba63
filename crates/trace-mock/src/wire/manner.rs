//! How an answer differs from the usual: what it says, and what is told beside it.

use std::ops::Range;

use super::Form;
use crate::script::Script;
use crate::speech::{Call, Speech};
use crate::words;

/// What is unusual about an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// What it says, if not the usual words.
    pub(crate) speech: Option<Speech>,
    /// The string that ended it, a JSON string.
    pub(crate) stop: Option<String>,
    /// The prompts, where they stand before their answers.
    pub(crate) echoes: Vec<Script>,
    /// How many alternatives of each token are told, if log-probabilities are.
    pub(crate) logprobs: Option<u64>,
    /// Whether each event tells the usage so far.
    pub(crate) running_usage: bool,
}

/// Tokens of the arguments of one call.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    /// Which of the calls, from 0.
    pub(super) place: u64,
    pub(super) call: &'a Call,
    pub(super) tokens: Range<u64>,
}

impl Piece<'_> {
    /// Whether it begins a call behind another. The first is begun before there are tokens.
    pub(super) fn follows(&self) -> bool {
        self.place > 0 && self.tokens.start == self.call.tokens.start
    }

    /// Whether its call is complete with it.
    pub(super) fn ends(&self) -> bool {
        self.tokens.end == self.call.tokens.end
    }
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

    /// The string that ended it, a JSON string.
    pub(super) fn stop(&self) -> Option<&str> {
        self.manner()?.stop.as_deref()
    }

    pub(super) fn speech(&self) -> Option<&Speech> {
        self.manner()?.speech.as_ref()
    }

    /// The tools that are called, one after the other.
    pub(super) fn calls(&self) -> &[Call] {
        self.speech().map_or(&[], |speech| &speech.calls)
    }

    /// Whether it calls tools.
    pub(super) fn calls_tools(&self) -> bool {
        !self.calls().is_empty()
    }

    /// `tokens` of an answer that calls tools, apart for each call.
    pub(super) fn pieces(&self, tokens: Range<u64>) -> impl Iterator<Item = Piece<'_>> {
        let places = 0..;
        let pieces = places.zip(self.calls()).map(move |(place, call)| Piece {
            place,
            tokens: tokens.start.max(call.tokens.start)..tokens.end.min(call.tokens.end),
            call,
        });
        pieces.filter(|piece| !piece.tokens.is_empty())
    }

    /// The place of the last call that is begun, in the whole answer.
    pub(super) fn last_call(&self) -> u64 {
        let last = self.pieces(0..self.plan.tokens).last();
        last.map_or(0, |piece| piece.place)
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

    /// The text of `tokens` that are said instead of words, as it is.
    pub(super) fn spoken(&self, tokens: Range<u64>) -> &str {
        self.speech()
            .map_or("", |speech| speech.script.text(tokens))
    }
}
