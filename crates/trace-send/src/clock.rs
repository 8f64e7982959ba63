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
    start_unix: Micros,
}

impl Clock {
    /// A run that begins now.
    pub(crate) fn start() -> Self {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            start: Instant::now(),
            start_unix: unix.into(),
        }
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
