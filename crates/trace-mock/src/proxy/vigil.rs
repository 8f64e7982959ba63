//! A thread that does not sleep while bytes are about to come.
//!
//! An idle machine takes some fifty microseconds to wake a thread up, which a stream pays at its
//! request and again at its first token. A thread that keeps looking pays nothing, but for the
//! core that it takes meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::yield_now;

/// Keeps the thread of a runtime awake for a while after each stir.
#[derive(Debug)]
pub(super) struct Vigil {
    span: Duration,
    start: Instant,
    /// Microseconds from the start at which the thread may sleep.
    until: AtomicU64,
    awake: AtomicBool,
    bell: Notify,
}

impl Vigil {
    /// Awake for `span` after each stir.
    pub(super) fn new(span: Duration) -> Vigil {
        Vigil {
            span,
            start: Instant::now(),
            until: AtomicU64::new(0),
            awake: AtomicBool::new(false),
            bell: Notify::new(),
        }
    }

    /// Note that something came at `now`.
    pub(super) fn stir(&self, now: Instant) {
        let until = now.saturating_duration_since(self.start) + self.span;
        let until = u64::try_from(until.as_micros()).unwrap_or(u64::MAX);
        self.until.store(until, Ordering::Relaxed);
        if !self.awake.swap(true, Ordering::Relaxed) {
            self.bell.notify_one();
        }
    }

    /// Keep watch, for ever.
    pub(super) async fn keep(&self) {
        loop {
            self.bell.notified().await;
            while self.lasts(Instant::now()) {
                // The runtime looks at the sockets without waiting, and comes back.
                yield_now().await;
            }
            self.awake.store(false, Ordering::Relaxed);
        }
    }

    fn lasts(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.start).as_micros();
        passed < u128::from(self.until.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_for_its_span_after_the_latest_stir() {
        let vigil = Vigil::new(Duration::from_millis(5));
        let at = |ms| vigil.start + Duration::from_millis(ms);
        assert!(!vigil.lasts(at(0)));
        vigil.stir(at(10));
        assert!(vigil.lasts(at(14)) && !vigil.lasts(at(15)));
        vigil.stir(at(14));
        assert!(vigil.lasts(at(18)) && !vigil.lasts(at(19)));
    }
}
