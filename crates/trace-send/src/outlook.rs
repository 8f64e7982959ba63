//! What is to come of a run, as far as its input has been read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use trace_core::time::Micros;

/// Filled by the thread that prepares requests, read by whoever shows when
/// the run will be over.
#[derive(Debug, Default)]
pub(crate) struct Outlook {
    requests: AtomicU64,
    /// When the last of them leaves, in microseconds.
    last: AtomicU64,
    /// Nothing more comes.
    whole: AtomicBool,
}

impl Outlook {
    /// A run begins to be read.
    pub(crate) fn begin(&self) {
        self.whole.store(false, Ordering::Relaxed);
        self.requests.store(0, Ordering::Relaxed);
        self.last.store(0, Ordering::Relaxed);
    }

    /// A request that leaves `at` was read.
    pub(crate) fn add(&self, at: Micros) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.last.fetch_max(at.as_micros(), Ordering::Relaxed);
    }

    /// The last was read.
    pub(crate) fn end(&self) {
        self.whole.store(true, Ordering::Release);
    }

    /// How many requests there are and when the last of them leaves, once
    /// that is known.
    pub(crate) fn whole(&self) -> Option<(u64, Micros)> {
        let whole = self.whole.load(Ordering::Acquire);
        let last = Micros::from_micros(self.last.load(Ordering::Relaxed));
        whole.then(|| (self.requests.load(Ordering::Relaxed), last))
    }
}
