//! What the threads that send have in common.
//!
//! Each has a runtime, a schedule, connections and sessions of its own, and
//! meets the others here only: at counters and flags that it touches a few
//! times for each request.

use crate::budget::Budget;
use crate::tally::Tally;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use tokio::sync::Notify;

/// The threads of a run, from outside.
pub(crate) struct Crew {
    tally: Mutex<Tally>,
    flying: AtomicUsize,
    /// Nothing leaves any more.
    stopped: AtomicBool,
    /// What is in flight is given up, and why.
    cancelled: OnceLock<&'static str>,
    /// What the requests that wait have cost, and who makes them.
    budget: Budget,
    maker: Thread,
    /// Rung when a thread should look at things again.
    bells: Vec<Notify>,
}

impl Crew {
    /// `threads` threads that have sent nothing, and pay `maker` from `budget`.
    pub(crate) fn new(threads: usize, budget: Budget, maker: Thread) -> Arc<Self> {
        Arc::new(Self {
            tally: Mutex::default(),
            flying: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            cancelled: OnceLock::new(),
            budget,
            maker,
            bells: (0..threads).map(|_| Notify::new()).collect(),
        })
    }

    /// What has been counted.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        // A thread that panicked in between has left a count or two out.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests that were sent and have not ended.
    pub(crate) fn in_flight(&self) -> usize {
        self.flying.load(Ordering::Relaxed)
    }

    /// A request that cost `bytes` to have ready leaves.
    pub(crate) fn refund(&self, bytes: usize) {
        self.budget.refund(bytes, &self.maker);
    }

    /// A request is in flight.
    pub(crate) fn departed(&self) {
        self.flying.fetch_add(1, Ordering::Relaxed);
    }

    /// One that was is no more.
    pub(crate) fn arrived(&self) {
        self.flying.fetch_sub(1, Ordering::Relaxed);
    }

    /// Send nothing more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.budget.close(&self.maker);
        self.bells.iter().for_each(Notify::notify_one);
    }

    /// Whether nothing more will be sent.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Send nothing more, and give up what is in flight.
    pub(crate) fn cancel(&self, why: &'static str) {
        self.cancelled.get_or_init(|| why);
        self.stop();
    }

    /// Why what is in flight is given up, if it is.
    pub(crate) fn cancelled(&self) -> Option<&'static str> {
        self.cancelled.get().copied()
    }

    /// The bell of the thread with this number.
    pub(crate) fn bell(&self, thread: usize) -> &Notify {
        &self.bells[thread]
    }
}
