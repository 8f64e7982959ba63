//! Block ids for requests whose format has none.
//!
//! No two requests share a block unless they are turns of one session: made-up
//! sharing would be a lie about the load. A later turn's prompt is the one
//! before it, its answer, and a new part, so its ids begin with all ids of the
//! turn before; the new part has Lₜ − Lₜ₋₁ − Oₜ₋₁ tokens. A turn too short for
//! that had its history cut or edited, and shares nothing.

use crate::limit;
use crate::record::Record;
use crate::report::{Kind, Report};
use std::collections::HashMap;
use trace_core::{Field, LineError, SessionId};

/// Gives out ids, and remembers the prompt of every session's last turn:
/// about 300 bytes a session.
pub(crate) struct History {
    block_size: u64,
    next: u64,
    chats: HashMap<SessionId, Chat>,
}

/// The last turn of a session.
#[derive(Default)]
struct Chat {
    /// Its ids, as runs of consecutive ones: first and number.
    runs: Vec<(u64, u64)>,
    blocks: u64,
    /// Tokens of its prompt and its answer.
    tokens: u64,
}

impl History {
    /// Ids for blocks of `block_size` tokens, from 0.
    pub(crate) fn new(block_size: u64) -> Self {
        Self {
            block_size,
            next: 0,
            chats: HashMap::new(),
        }
    }

    /// Give `record` the ids of its prompt, if it tells the length of one.
    ///
    /// # Errors
    /// More blocks than a line holds.
    pub(crate) fn mark(
        &mut self,
        record: &mut Record,
        report: &mut Report,
    ) -> Result<(), LineError> {
        let mut ids = record.empty_ids();
        let request = record.request();
        let Some(input) = request.input_length else {
            return Ok(());
        };
        let output = request.output_length.unwrap_or(0);
        let session = request.session_id.as_ref();
        let made = self.prompt(session, input, output, &mut ids, report);
        made.map_err(|why| record.error(why))?;
        record.change(Field::HashIds).hash_ids = Some(ids);
        Ok(())
    }

    /// Append the ids of a prompt of `input` tokens that was answered with
    /// `output` tokens, to `ids`.
    ///
    /// # Errors
    /// More blocks than a line holds.
    fn prompt(
        &mut self,
        session: Option<&SessionId>,
        input: u64,
        output: u64,
        ids: &mut Vec<u64>,
        report: &mut Report,
    ) -> Result<(), String> {
        let blocks = limit::blocks(input, self.block_size)?;
        let Some(session) = session else {
            ids.extend(self.next..self.next + blocks);
            self.next += blocks;
            report.count(Kind::Invented, OWN_IDS, 1);
            return Ok(());
        };
        if !self.chats.contains_key(session) {
            self.chats.insert(session.clone(), Chat::default());
        }
        let chat = self.chats.get_mut(session).expect("it was just put there");
        if chat.tokens > 0 && input > chat.tokens {
            report.count(Kind::Invented, CHAT_IDS, 1);
        } else {
            if chat.tokens > 0 {
                report.count(Kind::Noted, CUT, 1);
            }
            report.count(Kind::Invented, OWN_IDS, 1);
            chat.runs.clear();
            chat.blocks = 0;
        }
        for &(first, number) in &chat.runs {
            ids.extend(first..first + number);
        }
        let fresh = blocks - chat.blocks;
        ids.extend(self.next..self.next + fresh);
        match chat.runs.last_mut() {
            Some((first, number)) if *first + *number == self.next => *number += fresh,
            _ => chat.runs.push((self.next, fresh)),
        }
        self.next += fresh;
        chat.blocks = blocks;
        chat.tokens = input + output;
        Ok(())
    }
}

const OWN_IDS: &str = "hash_ids that share no block with any earlier request";
const CHAT_IDS: &str = "hash_ids that go on from the session's turn before";
const CUT: &str =
    "turns no longer than the turn before and its answer, which share nothing with it";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_no_session_share_nothing() {
        let mut history = History::new(512);
        let mut report = Report::default();
        let mut ids = Vec::new();
        for input in [513, 0, 512] {
            history
                .prompt(None, input, 1, &mut ids, &mut report)
                .unwrap();
        }
        assert_eq!(ids, [0, 1, 2]);
        assert_eq!(report.of(Kind::Invented, ""), 3);
    }

    #[test]
    fn turns_share_a_growing_prefix() {
        let mut history = History::new(10);
        let mut report = Report::default();
        let mut turn = |session: i64, input, output| {
            let mut ids = Vec::new();
            let session = SessionId::Number(session);
            history
                .prompt(Some(&session), input, output, &mut ids, &mut report)
                .unwrap();
            ids
        };
        assert_eq!(turn(1, 15, 10), [0, 1]);
        assert_eq!(turn(2, 5, 5), [2]);
        assert_eq!(turn(1, 41, 9), [0, 1, 3, 4, 5]);
        // 50 tokens of history leave nothing new in a prompt of 50.
        assert_eq!(turn(1, 50, 9), [6, 7, 8, 9, 10]);
        assert_eq!(turn(1, 60, 0), [6, 7, 8, 9, 10, 11]);
        assert_eq!(report.of(Kind::Noted, "turns no longer"), 1);
    }
}
