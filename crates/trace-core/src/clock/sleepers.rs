//! Who sleeps until when, in the order in which they wake.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Instant;

use super::Alarm;

/// Wakers by deadline, then by arrival.
#[derive(Debug, Default)]
pub(super) struct Sleepers {
    pub(super) wakers: BTreeMap<(Instant, u64), Waker>,
    arrivals: u64,
    /// What the alarm is set for, if it has not gone off since.
    alarm: Option<Instant>,
}

impl Sleepers {
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.wakers
            .first_key_value()
            .map(|(&(deadline, _), _)| deadline)
    }

    /// Write down `waker`, at the place it had or at a new one. Returns the place.
    pub(super) fn put(&mut self, deadline: Instant, place: Option<u64>, waker: &Waker) -> u64 {
        let place = place.unwrap_or_else(|| {
            self.arrivals += 1;
            self.arrivals
        });
        self.wakers
            .entry((deadline, place))
            .and_modify(|known| known.clone_from(waker))
            .or_insert_with(|| waker.clone());
        place
    }

    pub(super) fn remove(&mut self, deadline: Instant, place: u64) {
        // The alarm stays as it is: it may go off for nobody, which costs less than setting it.
        self.wakers.remove(&(deadline, place));
    }

    /// Move the wakers of all deadlines up to `now` to `due`, earliest first.
    pub(super) fn take_due(&mut self, now: Instant, due: &mut Vec<Waker>) {
        self.alarm = None;
        while let Some(first) = self.wakers.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
    }

    /// Set `alarm` for the earliest sleeper, unless it goes off by then anyway.
    pub(super) fn set(&mut self, alarm: &Alarm) {
        if let Some(earliest) = self.earliest()
            && self.alarm.is_none_or(|set| set > earliest)
        {
            alarm.set(earliest);
            self.alarm = Some(earliest);
        }
    }
}
