//! Sessions of files whose every entry is one.

use crate::report::{Kind, Report};
use std::collections::HashMap;
use trace_core::SessionId;

/// Gives each entry a session of its own: 50 bytes for each.
pub(crate) struct Ids {
    /// What sessions without an id are called, before their number.
    what: &'static str,
    /// How often each id was seen.
    seen: HashMap<SessionId, u64>,
    unnamed: u64,
}

impl Ids {
    pub(crate) fn new(what: &'static str) -> Self {
        Self {
            what,
            seen: HashMap::new(),
            unnamed: 0,
        }
    }

    /// The session of an entry with this id: one that came before gets `_2`
    /// behind it, or `_3`, ….
    pub(crate) fn own(&mut self, id: Option<SessionId>, report: &mut Report) -> SessionId {
        let Some(mut id) = id else {
            self.unnamed += 1;
            report.count(Kind::Invented, "session_id", 1);
            return SessionId::Text(format!("{}_{}", self.what, self.unnamed));
        };
        let base = id.to_string();
        let mut seen = self.seen.get(&id).copied().unwrap_or(0);
        self.seen.insert(id.clone(), seen + 1);
        if seen > 0 {
            report.count(Kind::Changed, "ids of conversations that came again", 1);
        }
        while seen > 0 {
            id = SessionId::Text(format!("{base}_{}", seen + 1));
            seen = if self.seen.contains_key(&id) {
                seen + 1
            } else {
                0
            };
        }
        self.seen.entry(id.clone()).or_insert(1);
        id
    }
}
