//! The counts of one model.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::{FIRST, Histogram, NEXT, WHOLE};

/// Why an answer was over, in vLLM's words.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finish {
    Stop,
    Length,
    Abort,
}

/// The counts of a model.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Requests that are being answered.
    pub(super) open: AtomicU64,
    pub(super) first: Histogram,
    pub(super) next: Histogram,
    pub(super) whole: Histogram,
    pub(super) queue: Histogram,
    pub(super) prompt_tokens: AtomicU64,
    pub(super) generation_tokens: AtomicU64,
    /// By [`Finish`].
    pub(super) finished: [AtomicU64; 3],
}

impl Metrics {
    pub(super) fn new() -> Metrics {
        Metrics {
            open: AtomicU64::new(0),
            first: Histogram::new(FIRST),
            next: Histogram::new(NEXT),
            whole: Histogram::new(WHOLE),
            queue: Histogram::new(WHOLE),
            prompt_tokens: AtomicU64::new(0),
            generation_tokens: AtomicU64::new(0),
            finished: [const { AtomicU64::new(0) }; 3],
        }
    }

    /// A request is to be answered.
    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// A first token left `after` arrival.
    pub(crate) fn first_token(&self, after: Duration) {
        self.first.observe(after, 1);
    }

    /// `tokens` more left, `gap` after the ones before them.
    pub(crate) fn more_tokens(&self, tokens: u64, gap: Duration) {
        let each = gap / u32::try_from(tokens).unwrap_or(u32::MAX).max(1);
        self.next.observe(each, tokens);
    }

    /// A request was in the queue for so long.
    pub(crate) fn queued(&self, waited: Duration) {
        self.queue.observe(waited, 1);
    }

    /// A request was refused before anything was computed.
    pub(crate) fn refused(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// An answer was over `after` arrival, with these tokens.
    pub(crate) fn finished(&self, how: Finish, after: Duration, prompt: u64, generated: u64) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.whole.observe(after, 1);
        self.prompt_tokens.fetch_add(prompt, Ordering::Relaxed);
        self.generation_tokens
            .fetch_add(generated, Ordering::Relaxed);
        self.finished[how as usize].fetch_add(1, Ordering::Relaxed);
    }
}
