//! Taking turns at a stdout that several processes share.
//!
//! `xargs -P4 trace-stats --partial` gives four processes one pipe, and a line
//! longer than a page is written in pieces, which would end up in each other.

use std::fs::{File, OpenOptions};

/// Wait until no other part is being written to our stdout; the turn ends when
/// the file is dropped.
///
/// Processes that inherit a stdout share one open file, and with it the lock, so
/// it is opened anew: which Linux can do by its number. Elsewhere, and where
/// stdout cannot be locked, there is no turn to wait for.
pub(super) fn wait() -> Option<File> {
    let stdout = OpenOptions::new()
        .append(true)
        .open("/proc/self/fd/1")
        .ok()?;
    stdout.lock().ok()?;
    Some(stdout)
}
