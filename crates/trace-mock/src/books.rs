//! What a server counts and dates for all its requests.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use trace_core::{Micros, Outcome};

use crate::journal::Journal;
use crate::line::{Said, head};
use crate::metrics::Board;
use crate::origin::Origin;

/// What a server counts and dates for all its requests.
#[derive(Debug)]
pub(crate) struct Books {
    start: Instant,
    /// The wall clock at `start`, since 1970: read once, so that the records of one server agree
    /// with each other even when the wall clock is set.
    unix: Duration,
    origin: Arc<Origin>,
    requests: AtomicU64,
    open: AtomicU64,
    aborted: AtomicU64,
    refused: AtomicU64,
    journal: Option<Journal>,
    pub(crate) metrics: Board,
}

/// How many requests a server has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were understood; each has or will have its record.
    pub requests: u64,
    /// Those of them whose answer did not reach its end.
    pub aborted: u64,
    /// Requests that were refused as wrong: no JSON, no prompt, too large. They have no record.
    pub refused: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            requests,
            aborted,
            refused,
        } = self;
        write!(
            f,
            "{requests} requests, {aborted} of them cut short, and {refused} refused"
        )
    }
}

impl Books {
    /// For a server with these models on offer, whose timestamps count from `origin`.
    pub(crate) fn new(journal: Option<Journal>, origin: Arc<Origin>, models: &[String]) -> Books {
        Books {
            start: Instant::now(),
            unix: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            origin,
            requests: AtomicU64::new(0),
            open: AtomicU64::new(0),
            aborted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            journal,
            metrics: Board::new(models),
        }
    }

    /// Whether lines are written.
    pub(crate) fn records(&self) -> bool {
        self.journal.is_some()
    }

    /// Requests that are being answered.
    pub(crate) fn open_requests(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            requests: self.requests.load(Ordering::Relaxed),
            aborted: self.aborted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Note that a request arrives, before its body is read: a later one may have read its own first.
    pub(crate) fn arrive(&self, arrival: Instant) {
        self.origin.note(arrival);
    }

    /// Count a request that gets no record.
    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// The wall clock at `moment`, since 1970.
    pub(crate) fn unix(&self, moment: Instant) -> Duration {
        self.unix + moment.saturating_duration_since(self.start)
    }

    /// When `moment` was, since the first arrival. Waits for that at first.
    pub(crate) fn timestamp(&self, moment: Instant) -> Micros {
        self.origin.settle();
        self.origin.timestamp(moment)
    }

    /// Count a request that arrived. Returns its number, from 0.
    pub(crate) fn count(&self, arrival: Instant) -> u64 {
        self.origin.note(arrival);
        self.open.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// Note whether a request got its whole answer.
    pub(crate) fn answered(&self, whole: bool) {
        if !whole {
            self.aborted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Note that nothing more is done for a request.
    pub(crate) fn close(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Write the line of a request that was passed on.
    pub(crate) fn write(&self, arrival: Instant, said: &Said<'_>, outcome: &Outcome) {
        if let Some(mut line) = self.head(arrival, said) {
            line.push(b'}');
            outcome.append_to(&mut line);
            line.push(b'\n');
            self.push(arrival, &line);
        }
    }

    /// The beginning of the line of a request behind its timestamp, if lines are written.
    pub(crate) fn head(&self, arrival: Instant, said: &Said<'_>) -> Option<Vec<u8>> {
        let unix = self.unix(arrival).into();
        self.records().then(|| head(said, unix))
    }

    /// Write the line of a request that arrived then, if lines are written: what is behind its
    /// timestamp, up to a line feed.
    pub(crate) fn push(&self, arrival: Instant, line: &[u8]) {
        if let Some(journal) = &self.journal {
            journal.push(arrival, line);
        }
    }
}
