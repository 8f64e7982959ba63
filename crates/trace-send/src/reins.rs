//! A run inside of another program, which watches it and may end it.

use std::sync::Arc;
use tokio::sync::Notify;
use trace_core::time::Micros;

/// Hears what a run does, as it does it. Called by the thread that sends, so
/// it must not wait for anything.
pub trait Watch: Send + Sync {
    /// The request with index `seq` leaves, `at` after the run began.
    fn leaves(&self, seq: u64, at: Micros);

    /// What the run says of itself at its end, a line each.
    fn told(&self, lines: &[String]);
}

/// Leads to a run from other threads.
#[derive(Clone)]
pub struct Reins {
    watch: Arc<dyn Watch>,
    stop: Arc<Notify>,
}

impl Reins {
    /// Reins of a run that `watch` hears of.
    pub fn new(watch: Arc<dyn Watch>) -> Self {
        Self {
            watch,
            stop: Arc::default(),
        }
    }

    /// What ^C does: nothing more is sent, and the second time what is in
    /// flight is given up.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Wait for [`stop`](Self::stop).
    pub(crate) async fn stopped(&self) {
        self.stop.notified().await;
    }

    /// Who hears of it.
    pub(crate) fn watch(&self) -> &dyn Watch {
        &*self.watch
    }
}
