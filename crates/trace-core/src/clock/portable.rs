//! Tokio's own timer behind the same face.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct Alarm {
    deadline: Mutex<Option<Instant>>,
    changed: Notify,
}

impl Alarm {
    #[allow(clippy::unnecessary_wraps, reason = "the face of the other alarm")]
    pub(super) fn new() -> io::Result<Alarm> {
        Ok(Alarm {
            deadline: Mutex::new(None),
            changed: Notify::new(),
        })
    }

    pub(super) fn set(&self, deadline: Instant) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
        self.changed.notify_one();
    }

    pub(super) async fn fired(&self) -> io::Result<()> {
        loop {
            let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(deadline) = deadline else {
                self.changed.notified().await;
                continue;
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep_until(deadline.into()) => {
                    *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    return Ok(());
                }
            }
        }
    }
}
