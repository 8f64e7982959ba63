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

use std::collections::{BTreeMap, HashMap, VecDeque};
use trace_core::SessionId;
use trace_core::time::Micros;

/// Sessions between two turns that are remembered. A session that was idle
/// while this many others ended goes on as if its turns were on time.
const MAX_IDLE_SESSIONS: usize = 65_536;

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
    ready: BTreeMap<(Micros, u64), Ready<T>>,
    slots: Slots,
    /// How many sessions may be under way, and how many are.
    most_sessions: usize,
    open_sessions: usize,
    /// First turns that wait for a session to end.
    parked: VecDeque<((Micros, u64), Ready<T>)>,
    sessions: HashMap<SessionId, Session<T>>,
    /// Sessions without a turn in sight, by the end of their last.
    idle: VecDeque<(SessionId, Micros)>,
    /// Turns that wait for the turn before them.
    held: usize,
}

/// A request that needs its time and a slot.
#[derive(Debug)]
struct Ready<T> {
    job: T,
    session: Option<SessionId>,
    /// It may not leave before, though it was ready.
    not_before: Micros,
}

/// How many may be in flight.
#[derive(Debug)]
enum Slots {
    /// Any number.
    Unbounded,
    /// As many as there are free slots; each knows since when it is free.
    /// The flag says whether waiting for one is the schedule itself.
    Bounded {
        free: VecDeque<Micros>,
        closed_loop: bool,
    },
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

impl<T> Schedule<T> {
    /// Everyone leaves in time.
    pub fn open() -> Self {
        Self::with(Slots::Unbounded)
    }

    /// Everyone leaves in time, unless `most` are in flight.
    pub fn capped(most: usize) -> Self {
        Self::with(Slots::Bounded {
            free: vec![Micros::ZERO; most].into(),
            closed_loop: false,
        })
    }

    /// `concurrency` in flight at all times, once `ramp` is over: until then
    /// one more at a time.
    /// Of these, the slots of `share`.
    pub fn closed(concurrency: usize, ramp: Micros, share: Share) -> Self {
        let step = |slot: usize| {
            let share = slot as u128 * u128::from(ramp.as_micros()) / concurrency.max(1) as u128;
            Micros::from_micros(u64::try_from(share).unwrap_or(u64::MAX))
        };
        Self::with(Slots::Bounded {
            free: share.slots(concurrency).map(step).collect(),
            closed_loop: true,
        })
    }

    /// With at most `most` sessions under way: a session's first turn waits
    /// until another has no turn left.
    #[must_use]
    pub fn sessions(mut self, most: usize) -> Self {
        self.most_sessions = most;
        self
    }

    fn with(slots: Slots) -> Self {
        Self {
            ready: BTreeMap::new(),
            slots,
            most_sessions: usize::MAX,
            open_sessions: 0,
            parked: VecDeque::new(),
            sessions: HashMap::new(),
            idle: VecDeque::new(),
            held: 0,
        }
    }

    /// Add a request. Turns of one session must come in order.
    pub fn add(&mut self, job: T, timing: Timing) {
        let Some(id) = &timing.session else {
            let at = timing.at.unwrap_or(timing.after);
            self.ready.insert((at, timing.seq), Ready::new(job, None));
            return;
        };
        let new = || Session {
            busy: false,
            open: false,
            ended: None,
            turns: VecDeque::new(),
        };
        let session = self.sessions.entry(id.clone()).or_insert_with(new);
        if session.busy {
            session.turns.push_back((job, timing));
            self.held += 1;
            return;
        }
        session.busy = true;
        let at = turn(session.ended, &timing);
        let ready = Ready::new(job, timing.session);
        self.ready.insert((at, timing.seq), ready);
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
            if !self.admit(ready.session.as_ref()) {
                self.parked.push_back(((at, place), ready));
                continue;
            }
            let ready_at = at.max(ready.not_before);
            let (scheduled, due) = match &mut self.slots {
                Slots::Unbounded => (at, ready_at),
                Slots::Bounded { free, closed_loop } => {
                    let due = ready_at.max(free.pop_front()?);
                    (if *closed_loop { due } else { at }, due)
                }
            };
            return Some(Launch {
                job: ready.job,
                session: ready.session,
                scheduled,
                due,
            });
        }
    }

    /// Whether a turn of `session` may go as far as the number of sessions is
    /// concerned.
    fn admit(&mut self, session: Option<&SessionId>) -> bool {
        let Some(known) = session.and_then(|id| self.sessions.get_mut(id)) else {
            return true;
        };
        if !known.open {
            if self.open_sessions >= self.most_sessions {
                return false;
            }
            known.open = true;
            self.open_sessions += 1;
        }
        true
    }

    /// A request of `session` ended at `now`: its slot is free, and the next
    /// turn may go.
    pub fn ended(&mut self, session: Option<SessionId>, now: Micros) {
        if let Slots::Bounded { free, .. } = &mut self.slots {
            // Before those that a slow beginning holds back.
            let place = free.partition_point(|&since| since <= now);
            free.insert(place, now);
        }
        let Some(id) = session else { return };
        let Some(known) = self.sessions.get_mut(&id) else {
            return;
        };
        known.ended = Some(now);
        match known.turns.pop_front() {
            Some((job, timing)) => {
                self.held -= 1;
                let at = turn(known.ended, &timing);
                let ready = Ready::new(job, timing.session);
                self.ready.insert((at, timing.seq), ready);
            }
            None => {
                known.busy = false;
                if std::mem::take(&mut known.open) {
                    self.open_sessions -= 1;
                }
                if let Some((key, mut ready)) = self.parked.pop_front() {
                    ready.not_before = now;
                    self.ready.insert(key, ready);
                }
                self.idle.push_back((id, now));
                self.forget();
            }
        }
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

    /// When the next request may leave, if nothing has to end before.
    pub fn next(&self) -> Option<Micros> {
        let (&(at, _), _) = self.ready.first_key_value()?;
        match &self.slots {
            Slots::Unbounded => Some(at),
            Slots::Bounded { free, .. } => Some(at.max(*free.front()?)),
        }
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
        let most = match &self.slots {
            Slots::Unbounded => most,
            Slots::Bounded { free, .. } => most.min(free.len()),
        };
        self.ready.range(..=(time, u64::MAX)).take(most).count()
    }

    /// How many requests have not left.
    pub fn len(&self) -> usize {
        self.ready.len() + self.held + self.parked.len()
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

impl Slots {
    /// Whether one more may be in flight at `now`.
    fn is_free(&self, now: Micros) -> bool {
        match self {
            Self::Unbounded => true,
            Self::Bounded { free, .. } => free.front().is_some_and(|&since| since <= now),
        }
    }
}

/// When a turn is ready whose predecessor ended at `ended`.
fn turn(ended: Option<Micros>, timing: &Timing) -> Micros {
    match (ended, timing.at) {
        (Some(ended), at) => at.unwrap_or_default().max(ended + timing.delay),
        (None, at) => at.unwrap_or(timing.after),
    }
}

#[cfg(test)]
mod tests;
