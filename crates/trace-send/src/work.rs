//! How much of a core a thread is at work.

use std::time::{Duration, Instant};

/// What this thread has worked since.
pub(crate) struct Work {
    begun: Instant,
    used: Duration,
}

impl Work {
    pub(crate) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            used: thread_time(),
        }
    }

    /// The share of a core, for a run that was long enough to tell.
    pub(crate) fn share(&self) -> Option<f64> {
        const LEAST: Duration = Duration::from_secs(1);
        let passed = self.begun.elapsed();
        let used = thread_time().saturating_sub(self.used);
        (passed >= LEAST).then(|| used.as_secs_f64() / passed.as_secs_f64())
    }
}

/// Processor time of this thread; zero where nobody counts it.
fn thread_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanos)
    }
    #[cfg(not(unix))]
    Duration::ZERO
}
