//! The run's clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use trace_core::time::Micros;

/// A wall clock that differs from what it should be by more than this was set,
/// or the machine slept: looking at both clocks takes less.
const STEP: Duration = Duration::from_millis(50);

/// Tells the time since the run began, and never goes back.
///
/// The wall clock is looked at once, at the beginning. If it is set during the
/// run no stamp moves: `sent_unix_ms` goes on as if it had not been, so that
/// the differences between two of them are those of `sent_ms`, and the run
/// says at its end by how much the wall clock has moved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    /// From the beginning of the first run to that of this one.
    before: Micros,
    start_unix: Micros,
}

impl Clock {
    /// A run that begins now, after others the first of which began at `first`.
    pub(crate) fn start(first: Option<Instant>) -> Self {
        Self::start_by(first, SystemTime::now())
    }

    /// The same when it is `wall` by the wall clock.
    fn start_by(first: Option<Instant>, wall: SystemTime) -> Self {
        let start = Instant::now();
        let unix = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            start,
            before: first.map_or(Micros::ZERO, |first| (start - first).into()),
            start_unix: unix.into(),
        }
    }

    /// When the run began.
    pub(crate) fn began(&self) -> Instant {
        self.start
    }

    /// `time` since the first of several runs began.
    pub(crate) fn since_first(&self, time: Micros) -> Micros {
        self.before + time
    }

    /// Now.
    pub(crate) fn now(&self) -> Micros {
        self.start.elapsed().into()
    }

    /// `instant` on this clock; zero before the run.
    pub(crate) fn at(&self, instant: Instant) -> Micros {
        instant.saturating_duration_since(self.start).into()
    }

    /// `time` as the system's timers have it.
    pub(crate) fn instant(&self, time: Micros) -> Instant {
        // A trace may say the year 285,000,000; a timer would take that for an overflow.
        const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);
        self.start + Duration::from(time).min(FAR)
    }

    /// The wall clock at `time`, since 1970, had nobody set it.
    pub(crate) fn unix(&self, time: Micros) -> Micros {
        self.start_unix + time
    }

    /// By how many seconds the wall clock, which says `wall` now, was set
    /// since the run began, if it was.
    pub(crate) fn step(&self, wall: SystemTime) -> Option<f64> {
        let wall = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let due = Duration::from(self.unix(self.now()));
        (wall.abs_diff(due) > STEP).then_some(wall.as_secs_f64() - due.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Duration = Duration::from_secs(1_700_000_000);

    #[test]
    fn stamps_go_on_whatever_becomes_of_the_wall_clock() {
        let clock = Clock::start_by(None, UNIX_EPOCH + NOON);
        let mut last = Micros::ZERO;
        for _ in 0..10_000 {
            let now = clock.now();
            assert!(now >= last, "{now} after {last}");
            // The wall clock says something else each time; nobody asks it.
            assert_eq!(clock.unix(now), Micros::from(NOON) + now);
            last = now;
        }
    }

    #[test]
    fn a_step_of_the_wall_clock_is_noticed_and_a_wait_is_not() {
        let clock = Clock::start_by(None, UNIX_EPOCH + NOON);
        assert_eq!(clock.step(UNIX_EPOCH + NOON), None);
        let near = |wall: Duration, seconds: f64| {
            let step = clock.step(UNIX_EPOCH + wall).unwrap();
            assert!((step - seconds).abs() < 1.0, "{step}");
        };
        near(NOON + Duration::from_secs(3_600), 3_600.0);
        near(NOON - Duration::from_secs(3_600), -3_600.0);
        near(Duration::ZERO, -1_700_000_000.0);
        std::thread::sleep(2 * STEP);
        assert_eq!(
            clock.step(UNIX_EPOCH + NOON + clock.began().elapsed()),
            None
        );
    }

    #[test]
    fn a_later_run_counts_from_the_beginning_of_the_first() {
        let first = Clock::start(None);
        std::thread::sleep(Duration::from_millis(2));
        let second = Clock::start(Some(first.began()));
        assert!(second.since_first(Micros::ZERO) >= Micros::from_micros(2_000));
        assert_eq!(second.at(first.began()), Micros::ZERO);
    }
}
