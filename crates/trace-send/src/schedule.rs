//! When each request leaves: requests and endings in, launches out.
//!
//! No clock here; the time is told. Open loop: a request is ready at its time
//! in the trace. Closed loop: it is ready at once, and waits for one of N
//! slots. Slots cap an open loop too, if asked for; then what a request waits
//! for one is told apart from its schedule.
//!
//! The turns of a session go one after the other, in line order: a turn is
//! ready at the later of its own time and the end of the turn before plus its
//! `delay`. A turn whose predecessor has not ended waits here, out of the way
//! of other requests.

mod slots;
mod turns;

use slots::Slots;
use std::collections::BTreeMap;
use trace_core::SessionId;
use trace_core::time::Micros;
use turns::Turns;

/// Requests leave in this order: by their time, and then by their line.
type Key = (Micros, u64);

/// What the schedule asks about a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timing {
    /// Index of its line in the input; breaks ties.
    pub seq: u64,
    /// Its time in the trace, if it has one of its own. In a closed loop zero.
    pub at: Option<Micros>,
    /// The time of the line before it, which it follows if nothing else tells.
    pub after: Micros,
    /// Whose turn it is.
    pub session: Option<SessionId>,
    /// Think time after the turn before.
    pub delay: Micros,
}

/// A request that is to leave now.
#[derive(Debug, PartialEq)]
pub struct Launch<T> {
    /// The request.
    pub job: T,
    /// Its session, to be told of its end.
    pub session: Option<SessionId>,
    /// When the trace wanted it to leave.
    pub scheduled: Micros,
    /// When it was allowed to.
    pub due: Micros,
}

/// One of several equal parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which, from 0.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl Share {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Which of `all` slots are its own.
    fn slots(self, all: usize) -> impl Iterator<Item = usize> {
        (self.index..all).step_by(self.of)
    }

    /// How many of `all` are its own.
    pub fn of(self, all: usize) -> usize {
        self.slots(all).count()
    }
}

/// The requests that have not left yet.
#[derive(Debug)]
pub struct Schedule<T> {
    ready: BTreeMap<Key, Ready<T>>,
    slots: Slots,
    turns: Turns<T>,
}

/// A request that needs its time and a slot.
#[derive(Debug)]
struct Ready<T> {
    job: T,
    session: Option<SessionId>,
    /// It may not leave before, though it was ready.
    not_before: Micros,
}

impl<T> Schedule<T> {
    /// Everyone leaves in time.
    pub fn open() -> Self {
        Self::with(Slots::Unbounded)
    }

    /// Everyone leaves in time, unless `most` are in flight.
    pub fn capped(most: usize) -> Self {
        Self::with(Slots::capped(most))
    }

    /// `concurrency` in flight at all times, once `ramp` is over: until then
    /// one more at a time.
    /// Of these, the slots of `share`.
    pub fn closed(concurrency: usize, ramp: Micros, share: Share) -> Self {
        Self::with(Slots::closed(concurrency, ramp, share))
    }

    /// With at most `most` sessions under way: a session's first turn waits
    /// until another has no turn left.
    #[must_use]
    pub fn sessions(mut self, most: usize) -> Self {
        self.turns.limit(most);
        self
    }

    fn with(slots: Slots) -> Self {
        Self {
            ready: BTreeMap::new(),
            slots,
            turns: Turns::new(),
        }
    }

    /// Add a request. Turns of one session must come in order.
    pub fn add(&mut self, job: T, timing: Timing) {
        match &timing.session {
            None => {
                let at = timing.at.unwrap_or(timing.after);
                self.ready.insert((at, timing.seq), Ready::new(job, None));
            }
            Some(id) => {
                let ready = self.turns.add(id.clone(), job, timing);
                self.ready.extend(ready);
            }
        }
    }

    /// The next request that may leave by `now`.
    pub fn launch(&mut self, now: Micros) -> Option<Launch<T>> {
        loop {
            let first = self.ready.first_entry()?;
            let &(at, place) = first.key();
            if at > now || !self.slots.is_free(now) {
                return None;
            }
            let ready = first.remove();
            if !self.turns.admit(ready.session.as_ref()) {
                self.turns.park((at, place), ready);
                continue;
            }
            let (scheduled, due) = self.slots.take(at, at.max(ready.not_before))?;
            return Some(Launch {
                job: ready.job,
                session: ready.session,
                scheduled,
                due,
            });
        }
    }

    /// A request of `session` ended at `ended`, from when the next turn
    /// counts, which was known at `known`, when its slot is free.
    pub fn ended(&mut self, session: Option<SessionId>, ended: Micros, known: Micros) {
        self.slots.give_back(known);
        let next = session.and_then(|id| self.turns.ended(id, ended));
        self.ready.extend(next);
    }

    /// When the next request may leave, if nothing has to end before.
    pub fn next(&self) -> Option<Micros> {
        let (&(at, _), _) = self.ready.first_key_value()?;
        self.slots.next(at)
    }

    /// When the first request after `time` is ready.
    pub fn next_after(&self, time: Micros) -> Option<Micros> {
        self.ready
            .range((time, u64::MAX)..)
            .next()
            .map(|(key, _)| key.0)
    }

    /// How many requests are ready by `time`, counted up to `most`, and no
    /// more than there are free slots.
    pub fn count_by(&self, time: Micros, most: usize) -> usize {
        let most = self.slots.up_to(most);
        self.ready.range(..=(time, u64::MAX)).take(most).count()
    }

    /// How many requests have not left.
    pub fn len(&self) -> usize {
        self.ready.len() + self.turns.waiting()
    }

    /// Whether all requests have left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are ready to leave when their time comes, turns that wait for
    /// others not counted.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }
}

impl<T> Ready<T> {
    fn new(job: T, session: Option<SessionId>) -> Self {
        Self {
            job,
            session,
            not_before: Micros::ZERO,
        }
    }
}

#[cfg(test)]
mod tests;
