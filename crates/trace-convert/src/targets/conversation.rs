//! The conversations that lines are turns of, put together again.

use crate::json::{Members, push_text};
use crate::record::Record;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use std::collections::HashMap;
use trace_core::SessionId;

/// Collects turns until all are there: holds their text.
///
/// `messages` are a conversation as far, so the last turn's are taken;
/// `text_input` adds a question. The field `completion` beside either is the
/// answer. A request without a session is a conversation of its own.
#[derive(Default)]
pub(crate) struct Conversations {
    /// In the order they began.
    pub(crate) all: Vec<Conversation>,
    places: HashMap<SessionId, usize>,
}

/// What was said.
pub(crate) struct Conversation {
    /// Its session, if it has one.
    pub(crate) id: Option<SessionId>,
    pub(crate) turns: Vec<Turn>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Who speaks, as ShareGPT says it: human, gpt, system, tool.
    pub(crate) from: &'static str,
    /// The JSON of what is said.
    pub(crate) value: Vec<u8>,
}

impl Conversations {
    /// Add what `record` says; `false`, and counted, when it has no text.
    ///
    /// # Errors
    /// Messages that are none.
    pub(crate) fn add(&mut self, record: &Record, report: &mut Report) -> anyhow::Result<bool> {
        let request = record.request();
        if request.messages.is_none() && request.text_input.is_none() {
            report.drop_request("requests without text");
            return Ok(false);
        }
        let timed = request.timestamp.is_some() || request.delay.is_some();
        report.count(Kind::Dropped, "times", timed.into());
        let turns = self.turns(request.session_id.as_ref());
        if let Some(messages) = &request.messages {
            let said = said(messages.get()).map_err(|reason| record.error(reason))?;
            let longer = said.len() >= turns.len();
            report.count(
                Kind::Dropped,
                "turns that stand in no later one, as their history was cut",
                u64::from(!longer),
            );
            *turns = said;
        } else if let Some(text) = &request.text_input {
            let mut value = Vec::new();
            push_text(&mut value, text);
            turns.push(Turn {
                from: "human",
                value,
            });
        }
        let mut answer = Vec::new();
        if record.value("completion", &mut answer) {
            turns.push(Turn {
                from: "gpt",
                value: answer,
            });
        }
        Ok(true)
    }

    fn turns(&mut self, session: Option<&SessionId>) -> &mut Vec<Turn> {
        let new = self.all.len();
        let place = match session {
            Some(session) => *self.places.entry(session.clone()).or_insert(new),
            None => new,
        };
        if place == new {
            self.all.push(Conversation {
                id: session.cloned(),
                turns: Vec::new(),
            });
        }
        &mut self.all[place].turns
    }
}

/// The turns that `messages` are.
fn said(messages: &str) -> Result<Vec<Turn>, String> {
    let messages: Vec<&RawValue> =
        serde_json::from_str(messages).map_err(|_| "messages: expected an array")?;
    let one = |message: &&RawValue| {
        let members: Members<'_> =
            serde_json::from_str(message.get()).map_err(|_| "messages: expected objects")?;
        let role: Option<String> = members
            .get("role")
            .and_then(|raw| serde_json::from_slice(raw).ok());
        let from = match role.ok_or("messages: a message without role")?.as_str() {
            "user" => "human",
            "assistant" => "gpt",
            "tool" | "function" => "tool",
            _ => "system",
        };
        let value = members.get("content").unwrap_or(b"\"\"").to_vec();
        Ok(Turn { from, value })
    };
    messages.iter().map(one).collect()
}
