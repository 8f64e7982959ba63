//! A request in the engine.

use std::time::Duration;

use super::cost::Load;

/// What an engine is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Chosen by the caller, and different from those of all jobs still in the engine.
    pub id: u64,
    /// Tokens of the prompt.
    pub input: u64,
    /// Tokens to generate, in each of `width` sequences.
    pub output: u64,
    /// Sequences that continue the prompt, at least 1: OpenAI's `n`.
    pub width: u64,
    /// Lower goes first where priorities count, as in vLLM.
    pub priority: i64,
    /// Ids of the full blocks of the prompt, and maybe of those that the answer fills behind them.
    pub blocks: Vec<u64>,
    /// Whom it is counted for, by [`gauges`](super::Engine::gauges).
    pub group: u64,
}

impl Job {
    /// Tokens of the prompt as the engine counts: an empty one still begins with something.
    pub(super) fn prompt(&self) -> u64 {
        self.input.max(1)
    }

    /// Blocks of `size` tokens that hold the first `computed` tokens.
    pub(super) fn blocks_for(&self, computed: u64, size: u64) -> u64 {
        let prompt = self.prompt().div_ceil(size);
        let all = computed.div_ceil(size);
        // Each of the sequences has its own continuation.
        all.min(prompt) + all.saturating_sub(prompt).saturating_mul(self.width)
    }
}

/// Tokens that a step gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose.
    pub id: u64,
    /// When, since the engine began: the end of the step.
    pub at: Duration,
    /// Tokens that it has by now, in each of its sequences.
    pub tokens: u64,
    /// Whether these are all. Each job has exactly one event that says so, and it is its last.
    pub done: bool,
    /// Prompt tokens that were found in the cache.
    pub cached: u64,
    /// From arrival until it was first taken into the batch, overhead included.
    pub waited: Duration,
}

/// A job, and how far it is.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    pub(super) job: Job,
    /// How many jobs had come with it.
    pub(super) number: u64,
    pub(super) arrival: Duration,
    /// When it came to the queue: after the overhead.
    pub(super) ready: Duration,
    pub(super) admitted: Option<Duration>,
    /// Tokens whose keys and values are there, of the prompt and then of the answer.
    pub(super) computed: u64,
    pub(super) generated: u64,
    /// Prompt tokens found in the cache at the first admission.
    pub(super) cached: u64,
    /// Leading blocks of the prompt that it holds by their ids.
    pub(super) shared: usize,
    /// Blocks that it holds besides.
    pub(super) private: u64,
    /// Tokens that the running step computes.
    pub(super) chunk: u64,
}

impl Sequence {
    pub(super) fn new(job: Job, number: u64, arrival: Duration, ready: Duration) -> Sequence {
        Sequence {
            job,
            number,
            arrival,
            ready,
            admitted: None,
            computed: 0,
            generated: 0,
            cached: 0,
            shared: 0,
            private: 0,
            chunk: 0,
        }
    }

    /// Tokens to compute until the next one comes out.
    pub(super) fn left(&self) -> u64 {
        self.job.prompt() + self.generated - self.computed
    }

    /// Whether it has its prompt behind it, and computes the one token it generated last.
    pub(super) fn decodes(&self) -> bool {
        self.generated > 0 && self.left() == 1
    }

    /// What it adds to the running step.
    pub(super) fn share(&self) -> Load {
        match self.chunk {
            0 => Load::default(),
            _ if self.decodes() => Load {
                sequences: self.job.width,
                context: self.job.width * self.computed,
                ..Load::default()
            },
            chunk => Load {
                prefill_tokens: chunk,
                ..Load::default()
            },
        }
    }

    /// The event of a step that ends at `at`.
    pub(super) fn event(&self, at: Duration) -> Event {
        Event {
            id: self.job.id,
            at,
            tokens: self.generated,
            done: self.generated == self.job.output,
            cached: self.cached,
            waited: self.admitted.unwrap_or(at).saturating_sub(self.arrival),
        }
    }
}
