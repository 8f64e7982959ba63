//! How many requests may be in flight.

use super::Share;
use std::collections::VecDeque;
use trace_core::time::Micros;

/// Places for requests in flight.
#[derive(Debug)]
pub(super) enum Slots {
    /// Any number.
    Unbounded,
    /// As many as there are free slots; each knows since when it is free.
    /// The flag says whether waiting for one is the schedule itself.
    Bounded {
        free: VecDeque<Micros>,
        closed_loop: bool,
    },
}

impl Slots {
    /// `most`, all of them free.
    pub(super) fn capped(most: usize) -> Self {
        Self::Bounded {
            free: vec![Micros::ZERO; most].into(),
            closed_loop: false,
        }
    }

    /// Those of `share` among `concurrency`, of which one more at a time is
    /// free until `ramp` is over.
    pub(super) fn closed(concurrency: usize, ramp: Micros, share: Share) -> Self {
        let step = |slot: usize| {
            let share = slot as u128 * u128::from(ramp.as_micros()) / concurrency.max(1) as u128;
            Micros::from_micros(u64::try_from(share).unwrap_or(u64::MAX))
        };
        Self::Bounded {
            free: share.slots(concurrency).map(step).collect(),
            closed_loop: true,
        }
    }

    /// Whether one more may be in flight at `now`.
    pub(super) fn is_free(&self, now: Micros) -> bool {
        match self {
            Self::Unbounded => true,
            Self::Bounded { free, .. } => free.front().is_some_and(|&since| since <= now),
        }
    }

    /// Take a slot for a request of the time `at` that was ready at `ready`:
    /// when it was scheduled, and when due. Nothing if none is free.
    pub(super) fn take(&mut self, at: Micros, ready: Micros) -> Option<(Micros, Micros)> {
        match self {
            Self::Unbounded => Some((at, ready)),
            Self::Bounded { free, closed_loop } => {
                let due = ready.max(free.pop_front()?);
                Some((if *closed_loop { due } else { at }, due))
            }
        }
    }

    /// A slot is free again at `now`.
    pub(super) fn give_back(&mut self, now: Micros) {
        if let Self::Bounded { free, .. } = self {
            // Before those that a slow beginning holds back.
            let place = free.partition_point(|&since| since <= now);
            free.insert(place, now);
        }
    }

    /// When a request that is ready at `at` finds a slot, if no other has to
    /// end before.
    pub(super) fn next(&self, at: Micros) -> Option<Micros> {
        match self {
            Self::Unbounded => Some(at),
            Self::Bounded { free, .. } => Some(at.max(*free.front()?)),
        }
    }

    /// How many of `wanted` there are.
    pub(super) fn up_to(&self, wanted: usize) -> usize {
        match self {
            Self::Unbounded => wanted,
            Self::Bounded { free, .. } => wanted.min(free.len()),
        }
    }
}
