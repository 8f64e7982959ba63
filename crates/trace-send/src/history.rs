//! What was said before in a conversation, put before what is said now.
//!
//! The body of a turn lies ready with a place in it; what goes there is known
//! only when the turn before has ended. So the pieces of a session are kept
//! here, serialised, each with its tokens, and a launch is a copy of bytes.

use crate::body::push_inside;
use crate::endpoint::{Turns, push_message};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;
use trace_core::SessionId;

/// What becomes of a session one of whose turns failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnFailure {
    /// the turn's own part stays in the history, without an answer
    Continue,
    /// the history goes on as if the turn had not been
    Skip,
    /// no later turn is sent; each has an outcome of kind skipped
    Stop,
}

/// What a turn adds to its session, known before it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Where in the body the new part stands.
    pub place: Range<usize>,
    /// Tokens of the new part.
    pub tokens: u64,
    /// What stands for the answer, where the live one is not wanted.
    pub answer: Option<Said>,
}

/// A piece of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    bytes: Vec<u8>,
    tokens: u64,
}

/// A turn that has ended: what it added, and the answer if there was one.
#[derive(Debug)]
struct Turn {
    asked: Said,
    answer: Option<Said>,
}

impl Turn {
    fn pieces(&self) -> impl Iterator<Item = &Said> {
        [&self.asked].into_iter().chain(&self.answer)
    }

    fn tokens(&self) -> u64 {
        self.pieces().map(|said| said.tokens).sum()
    }
}

/// The conversations of a run.
#[derive(Debug)]
pub(crate) struct Histories {
    turns: Turns,
    /// Tokens of a prompt, history included.
    most_tokens: u64,
    on_failure: OnFailure,
    known: RefCell<HashMap<SessionId, VecDeque<Turn>>>,
    failed: RefCell<HashSet<SessionId>>,
}

impl Said {
    /// `text` of `tokens` as an answer.
    pub(crate) fn answer(turns: Turns, text: &str, tokens: u64) -> Self {
        let mut bytes = Vec::new();
        match turns {
            Turns::Messages => push_message(&mut bytes, "assistant", text),
            Turns::Text => push_inside(&mut bytes, text),
            Turns::None => {}
        }
        Self { bytes, tokens }
    }
}

impl Histories {
    /// No conversation yet.
    pub(crate) fn new(turns: Turns, most_tokens: Option<u64>, on_failure: OnFailure) -> Self {
        Self {
            turns,
            most_tokens: most_tokens.unwrap_or(u64::MAX),
            on_failure,
            known: RefCell::default(),
            failed: RefCell::default(),
        }
    }

    /// Whether a turn of `session` is to be left out, an earlier one having
    /// failed.
    pub(crate) fn is_over(&self, session: &SessionId) -> bool {
        self.failed.borrow().contains(session)
    }

    /// `body` with the history of `session` before its `part`. The oldest
    /// turns are dropped for good where there are too many tokens, each with
    /// its answer: servers refuse a conversation that begins with one.
    pub(crate) fn complete(&self, session: &SessionId, part: &Part, body: &[u8]) -> Vec<u8> {
        let mut known = self.known.borrow_mut();
        let Some(history) = known.get_mut(session) else {
            return body.to_vec();
        };
        let mut tokens = history.iter().map(Turn::tokens).sum::<u64>() + part.tokens;
        while tokens > self.most_tokens
            && let Some(oldest) = history.pop_front()
        {
            tokens -= oldest.tokens();
        }
        let pieces = || history.iter().flat_map(Turn::pieces);
        let bytes: usize = pieces().map(|said| said.bytes.len() + 1).sum();
        let mut out = Vec::with_capacity(body.len() + bytes);
        out.extend_from_slice(&body[..part.place.start]);
        for said in pieces() {
            out.extend_from_slice(&said.bytes);
            if self.turns == Turns::Messages {
                out.push(b',');
            }
        }
        out.extend_from_slice(&body[part.place.start..]);
        out
    }

    /// A turn of `session` has ended: `part` of `body` and then its answer
    /// `text` of `tokens` belong to the history.
    pub(crate) fn ended(
        &self,
        session: &SessionId,
        part: &Part,
        body: &[u8],
        (text, tokens): (&str, u64),
    ) {
        let answer = part.answer.clone();
        let answer = answer.unwrap_or_else(|| Said::answer(self.turns, text, tokens));
        self.add(session, part, body, Some(answer));
    }

    fn add(&self, session: &SessionId, part: &Part, body: &[u8], answer: Option<Said>) {
        let asked = Said {
            bytes: body[part.place.clone()].to_vec(),
            tokens: part.tokens,
        };
        let answer = answer.filter(|answer| !answer.bytes.is_empty());
        let mut known = self.known.borrow_mut();
        let history = known.entry(session.clone()).or_default();
        history.push_back(Turn { asked, answer });
    }

    /// A turn of `session` has failed, with `part` of `body` if it had one.
    pub(crate) fn failed(&self, session: &SessionId, part: Option<(&Part, &[u8])>) {
        match (self.on_failure, part) {
            (OnFailure::Stop, _) => {
                self.failed.borrow_mut().insert(session.clone());
                self.known.borrow_mut().remove(session);
            }
            (OnFailure::Continue, Some((part, body))) => {
                self.add(session, part, body, None);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"messages":[{"role":"user","content":"b"}],"x":1}"#;

    fn part(tokens: u64) -> Part {
        Part {
            place: 13..42,
            tokens,
            answer: None,
        }
    }

    fn id() -> SessionId {
        SessionId::Number(1)
    }

    fn completed(histories: &Histories) -> String {
        let bytes = histories.complete(&id(), &part(1), BODY);
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let messages = body["messages"].as_array().unwrap();
        let words = messages.iter().map(|message| {
            let role = &message["role"].as_str().unwrap()[..1];
            format!("{role}:{}", message["content"].as_str().unwrap())
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_turn_begins_with_what_was_said() {
        let histories = Histories::new(Turns::Messages, None, OnFailure::Continue);
        assert_eq!(completed(&histories), "u:b");
        histories.ended(&id(), &part(1), BODY, ("say \"a\"", 1));
        assert_eq!(completed(&histories), "u:b a:say \"a\" u:b");
        histories.failed(&id(), Some((&part(1), BODY)));
        assert_eq!(completed(&histories), "u:b a:say \"a\" u:b u:b");
    }

    #[test]
    fn texts_follow_one_another_without_a_mark() {
        let histories = Histories::new(Turns::Text, None, OnFailure::Skip);
        let body = br#"{"prompt":"b"}"#;
        let part = Part {
            place: 11..12,
            ..part(1)
        };
        histories.ended(&id(), &part, body, ("\n", 1));
        histories.failed(&id(), Some((&part, body)));
        let bytes = histories.complete(&id(), &part, body);
        assert_eq!(bytes, br#"{"prompt":"b\nb"}"#);
    }

    #[test]
    fn the_oldest_turn_goes_first_when_there_is_too_much() {
        let histories = Histories::new(Turns::Messages, Some(6), OnFailure::Continue);
        histories.ended(&id(), &part(2), BODY, ("a", 3));
        assert_eq!(completed(&histories), "u:b a:a u:b", "2 + 3 + 1 fit");
        histories.ended(&id(), &part(2), BODY, ("c", 1));
        assert_eq!(completed(&histories), "u:b a:c u:b", "5 + 3 + 1 do not");
        let least = Histories::new(Turns::Messages, Some(4), OnFailure::Continue);
        least.ended(&id(), &part(2), BODY, ("a", 2));
        assert_eq!(completed(&least), "u:b", "no answer without its question");
    }

    #[test]
    fn a_session_may_end_at_its_first_failure() {
        let histories = Histories::new(Turns::Messages, None, OnFailure::Stop);
        assert!(!histories.is_over(&id()));
        histories.failed(&id(), None);
        assert!(histories.is_over(&id()));
    }
}
