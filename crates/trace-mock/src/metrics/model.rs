//! The counts of one model.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::{CHOICES, FIRST, Histogram, NEXT, TOKENS, WHOLE};

/// Why an answer was over, in vLLM's words.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finish {
    Stop,
    Length,
    Abort,
}

/// A request that is over. Times are since its arrival.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished {
    pub(crate) how: Finish,
    /// In the queue.
    pub(crate) waited: Duration,
    /// First and last token, if there were any.
    pub(crate) tokens: Option<(Duration, Duration)>,
    pub(crate) total: Duration,
    /// Tokens of the prompt.
    pub(crate) prompt: u64,
    /// Tokens that were asked for and that came, in each of the answers.
    pub(crate) asked: u64,
    pub(crate) generated: u64,
    /// Answers.
    pub(crate) choices: u64,
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
    pub(super) prefill: Histogram,
    pub(super) decode: Histogram,
    pub(super) inference: Histogram,
    pub(super) pace: Histogram,
    pub(super) prompts: Histogram,
    pub(super) lengths: Histogram,
    pub(super) limits: Histogram,
    pub(super) choices: Histogram,
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
            prefill: Histogram::new(WHOLE),
            decode: Histogram::new(WHOLE),
            inference: Histogram::new(WHOLE),
            pace: Histogram::new(NEXT),
            prompts: Histogram::new(TOKENS),
            lengths: Histogram::new(TOKENS),
            limits: Histogram::new(TOKENS),
            choices: Histogram::new(CHOICES),
            prompt_tokens: AtomicU64::new(0),
            generation_tokens: AtomicU64::new(0),
            finished: [const { AtomicU64::new(0) }; 3],
        }
    }

    /// A request is to be answered.
    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// A first token left `after` arrival: its prompt has been read.
    pub(crate) fn first_token(&self, after: Duration, prompt: u64) {
        self.first.observe(after.as_secs_f64(), 1);
        self.read(prompt);
    }

    /// A prompt has been read.
    pub(crate) fn read(&self, prompt: u64) {
        self.prompt_tokens.fetch_add(prompt, Ordering::Relaxed);
    }

    /// `tokens` more left, `gap` after the ones before them.
    pub(crate) fn more_tokens(&self, tokens: u64, gap: Duration) {
        let each = gap / u32::try_from(tokens).unwrap_or(u32::MAX).max(1);
        self.next.observe(each.as_secs_f64(), tokens);
    }

    /// A request was refused before anything was computed.
    pub(crate) fn refused(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// A request was over.
    pub(crate) fn finished(&self, request: &Finished) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.finished[request.how as usize].fetch_add(1, Ordering::Relaxed);
        let generated = request.generated.saturating_mul(request.choices);
        self.generation_tokens
            .fetch_add(generated, Ordering::Relaxed);
        self.whole.observe(request.total.as_secs_f64(), 1);
        self.prompts.observe(request.prompt as f64, 1);
        self.lengths.observe(request.generated as f64, 1);
        self.limits.observe(request.asked as f64, 1);
        self.choices.observe(request.choices as f64, 1);
        let Some((first, last)) = request.tokens else {
            return;
        };
        let seconds = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64();
        self.queue.observe(request.waited.as_secs_f64(), 1);
        self.prefill.observe(seconds(request.waited, first), 1);
        self.decode.observe(seconds(first, last), 1);
        self.inference.observe(seconds(request.waited, last), 1);
        let gaps = request.generated.saturating_sub(1);
        if gaps > 0 {
            self.pace.observe(seconds(first, last) / gaps as f64, 1);
        }
    }
}
