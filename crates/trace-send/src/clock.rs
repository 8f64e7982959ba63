//! The run's clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use trace_core::time::Micros;

/// Tells the time since the run began, and never goes back.
///
/// The wall clock is looked at once, at the beginning: a step of it during
/// the run moves no stamp.
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
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let start = Instant::now();
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

    /// The wall clock at `time`, since 1970.
    pub(crate) fn unix(&self, time: Micros) -> Micros {
        self.start_unix + time
    }
}
