//! The first arrival, which timestamps count from.
//!
//! It is not the first request that is read: of those that come at once, one that came later may be
//! read before. So nobody asks for it before all of a burst may have been read.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use trace_core::Micros;

use crate::line::since;

/// How long after the first that is read an earlier one is awaited.
const SETTLE: Duration = Duration::from_millis(100);

/// The earliest arrival so far, until it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// When the first was read, and what `earlier` counts from.
    first: OnceLock<(Instant, Instant)>,
    /// Nanoseconds by which another came earlier.
    earlier: AtomicU64,
    settled: AtomicBool,
}

impl Origin {
    /// Note an arrival.
    pub(crate) fn note(&self, arrival: Instant) {
        if self.settled.load(Ordering::Relaxed) {
            return;
        }
        let (_, first) = self.first(arrival);
        let earlier = first.saturating_duration_since(arrival).as_nanos();
        let earlier = u64::try_from(earlier).unwrap_or(0);
        self.earlier.fetch_max(earlier, Ordering::Relaxed);
    }

    fn first(&self, arrival: Instant) -> (Instant, Instant) {
        *self.first.get_or_init(|| (Instant::now(), arrival))
    }

    /// Wait until it may be asked for.
    pub(crate) fn settle(&self) {
        if self.settled.load(Ordering::Relaxed) {
            return;
        }
        if let Some((read, _)) = self.first.get() {
            thread::sleep(SETTLE.saturating_sub(read.elapsed()));
        }
    }

    /// When `moment` was, since the first arrival, which it is from now on.
    pub(crate) fn timestamp(&self, moment: Instant) -> Micros {
        self.settled.store(true, Ordering::Relaxed);
        let (_, first) = self.first(moment);
        let earlier = Duration::from_nanos(self.earlier.load(Ordering::Relaxed));
        since(first.checked_sub(earlier).unwrap_or(first), moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_count_from_the_earliest_whichever_was_read_first() {
        let origin = Origin::default();
        let at = |ms| Instant::now() + Duration::from_millis(ms);
        let (first, third) = (at(10_000), at(10_030));
        origin.note(third);
        origin.note(first);
        origin.note(at(10_020));
        assert_eq!(origin.timestamp(first), Micros::ZERO);
        assert_eq!(origin.timestamp(third), since(first, third));
        // Once it has been told, it stays.
        origin.note(at(0));
        assert_eq!(origin.timestamp(first), Micros::ZERO);
    }

    #[test]
    fn it_may_be_asked_for_a_while_after_the_first() {
        let origin = Origin::default();
        origin.settle();
        let began = Instant::now();
        origin.note(began);
        origin.settle();
        assert!(began.elapsed() >= SETTLE);
    }
}
