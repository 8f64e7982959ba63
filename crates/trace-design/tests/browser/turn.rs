//! How many browsers there may be at once.
//!
//! The test harness runs as many tests as there are cores. A browser is a
//! dozen processes, so that many of them at once on a large machine wait for
//! each other until one gives up.

use std::sync::{Condvar, Mutex, PoisonError};

/// Browsers at once, at most.
const MOST: usize = 4;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// The right to have a browser, given back when it is dropped.
pub(crate) struct Turn(());

impl Turn {
    /// Wait for a turn.
    pub(crate) fn take() -> Self {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = ENDED
            .wait_while(running, |running| *running >= MOST)
            .unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Self(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
