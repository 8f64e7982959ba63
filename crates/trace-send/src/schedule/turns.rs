//! The turns of sessions: one after the other, and of a bounded number of
//! sessions at a time.

use super::{Key, Ready, Timing};
use std::collections::{HashMap, VecDeque};
use trace_core::SessionId;
use trace_core::time::Micros;

/// Sessions between two turns that are remembered. A session that was idle
/// while this many others ended goes on as if its turns were on time.
pub(super) const MAX_IDLE_SESSIONS: usize = 65_536;

/// Who may speak, and who waits.
#[derive(Debug)]
pub(super) struct Turns<T> {
    sessions: HashMap<SessionId, Session<T>>,
    /// How many sessions may be under way, and how many are.
    most: usize,
    open: usize,
    /// First turns that wait for a session to end.
    parked: VecDeque<(Key, Ready<T>)>,
    /// Sessions without a turn in sight, by the end of their last.
    idle: VecDeque<(SessionId, Micros)>,
    /// Turns that wait for the turn before them.
    held: usize,
}

#[derive(Debug)]
struct Session<T> {
    /// A turn is ready or in flight.
    busy: bool,
    /// It counts among those that are under way.
    open: bool,
    /// When the last turn ended.
    ended: Option<Micros>,
    turns: VecDeque<(T, Timing)>,
}

impl<T> Turns<T> {
    /// Of any number of sessions.
    pub(super) fn new() -> Self {
        Self {
            sessions: HashMap::new(),
            most: usize::MAX,
            open: 0,
            parked: VecDeque::new(),
            idle: VecDeque::new(),
            held: 0,
        }
    }

    /// Of at most `most` sessions at a time.
    pub(super) fn limit(&mut self, most: usize) {
        self.most = most;
    }

    /// Add a turn of the session `id`; it is given back if it is ready.
    pub(super) fn add(&mut self, id: SessionId, job: T, timing: Timing) -> Option<(Key, Ready<T>)> {
        let new = || Session {
            busy: false,
            open: false,
            ended: None,
            turns: VecDeque::new(),
        };
        let session = self.sessions.entry(id).or_insert_with(new);
        if session.busy {
            session.turns.push_back((job, timing));
            self.held += 1;
            return None;
        }
        session.busy = true;
        Some(turn(session.ended, job, timing))
    }

    /// Whether a turn of `session` may go as far as the number of sessions is
    /// concerned.
    pub(super) fn admit(&mut self, session: Option<&SessionId>) -> bool {
        let Some(known) = session.and_then(|id| self.sessions.get_mut(id)) else {
            return true;
        };
        if !known.open {
            if self.open >= self.most {
                return false;
            }
            known.open = true;
            self.open += 1;
        }
        true
    }

    /// Keep a first turn until another session has ended.
    pub(super) fn park(&mut self, key: Key, ready: Ready<T>) {
        self.parked.push_back((key, ready));
    }

    /// A turn of `id` ended at `now`: what is ready for that.
    pub(super) fn ended(&mut self, id: SessionId, now: Micros) -> Option<(Key, Ready<T>)> {
        let known = self.sessions.get_mut(&id)?;
        known.ended = Some(now);
        if let Some((job, timing)) = known.turns.pop_front() {
            self.held -= 1;
            return Some(turn(Some(now), job, timing));
        }
        known.busy = false;
        if std::mem::take(&mut known.open) {
            self.open -= 1;
        }
        self.idle.push_back((id, now));
        self.forget();
        let (key, mut ready) = self.parked.pop_front()?;
        ready.not_before = now;
        Some((key, ready))
    }

    fn forget(&mut self) {
        while self.idle.len() > MAX_IDLE_SESSIONS {
            let Some((id, ended)) = self.idle.pop_front() else {
                return;
            };
            // Unless it went on since, and stands further back again.
            let gone = self
                .sessions
                .get(&id)
                .is_some_and(|session| !session.busy && session.ended == Some(ended));
            if gone {
                self.sessions.remove(&id);
            }
        }
    }

    /// How many turns wait for another to end.
    pub(super) fn waiting(&self) -> usize {
        self.held + self.parked.len()
    }

    /// How many sessions are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.sessions.len()
    }
}

/// The turn `job` whose predecessor ended at `ended`, and when it is ready.
fn turn<T>(ended: Option<Micros>, job: T, timing: Timing) -> (Key, Ready<T>) {
    let at = match (ended, timing.at) {
        (Some(ended), at) => at.unwrap_or_default().max(ended + timing.delay),
        (None, at) => at.unwrap_or(timing.after),
    };
    ((at, timing.seq), Ready::new(job, timing.session))
}
