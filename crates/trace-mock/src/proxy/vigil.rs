//! A thread that does not sleep while bytes are about to come.
//!
//! An idle machine takes up to a hundred microseconds to wake a thread up, which a stream pays at
//! its request and again at its first token. A thread that keeps looking pays nothing, but for the
//! core that it takes meanwhile. So it looks only while bytes may come soon and nobody else wants
//! the core: where others do, waiting for a turn takes longer than waking up, and no core is so
//! deep asleep.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::yield_now;
use trace_core::clock::Timer;

/// How long the core was away, between two looks at the sockets, if somebody else wanted it. Work
/// of the thread itself is done in less, or so much that it need not be kept awake.
const TAKEN: Duration = Duration::from_millis(1);

/// How long the thread sleeps as others do once the core was taken.
const REST: Duration = Duration::from_millis(100);

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
    pub(super) async fn keep(&self, timer: &Timer) {
        loop {
            self.bell.notified().await;
            let mut looked = Instant::now();
            while self.lasts(looked) {
                // The runtime looks at the sockets without waiting, and comes back.
                yield_now().await;
                let last = std::mem::replace(&mut looked, Instant::now());
                if was_taken(last, looked) {
                    timer.sleep(REST).await;
                    looked = Instant::now();
                }
            }
            self.awake.store(false, Ordering::Relaxed);
        }
    }

    fn lasts(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.start).as_micros();
        passed < u128::from(self.until.load(Ordering::Relaxed))
    }
}

/// Whether somebody had the core between two looks at the sockets, at `last` and at `now`.
fn was_taken(last: Instant, now: Instant) -> bool {
    now.saturating_duration_since(last) > TAKEN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lets_go_of_a_core_that_was_away_for_longer_than_its_own_work_takes() {
        let last = Instant::now();
        assert!(!was_taken(last, last + Duration::from_micros(900)));
        assert!(was_taken(last, last + Duration::from_micros(1_100)));
    }

    #[tokio::test]
    async fn it_ends_its_watch_though_the_core_was_taken() {
        let timer = Timer::new().unwrap();
        let vigil = Vigil::new(Duration::from_millis(5));
        let disturb = async {
            for _ in 0..2 {
                vigil.stir(Instant::now());
                tokio::task::yield_now().await;
                // Somebody else has the core.
                std::thread::sleep(2 * TAKEN);
                timer.sleep(2 * REST).await;
                assert!(!vigil.awake.load(Ordering::Relaxed));
            }
        };
        tokio::select! {
            () = vigil.keep(&timer) => unreachable!("for ever"),
            () = disturb => {}
        }
    }

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
