//! ^C and the TERM signal, to wait for.

use crate::reins::Reins;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What ends a run: ^C and the TERM signal, or who holds its reins instead.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    reins: Option<Reins>,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            reins: None,
        })
    }

    /// Heard by whoever holds `reins`, if there are any, and passed on.
    pub(crate) fn held_by(self, reins: Option<Reins>) -> Self {
        Self { reins, ..self }
    }

    /// Wait for one of them.
    pub(crate) async fn stopped(&mut self) {
        if let Some(reins) = &self.reins {
            return reins.stopped().await;
        }
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// What `future` gives, unless a signal comes first.
    pub(crate) async fn unless_stopped<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            value = future => Some(value),
            () = self.stopped() => None,
        }
    }
}
