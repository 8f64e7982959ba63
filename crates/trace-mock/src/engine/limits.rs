//! What bounds an engine, and how it stands.

/// What bounds a batch. The defaults are vLLM's for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sequences that run at once.
    pub sequences: u64,
    /// Tokens that a step computes, of prompts and of answers.
    pub tokens: u64,
    /// Whether a prompt may be computed in pieces beside sequences that decode. If not, whole
    /// prompts have steps of their own, for which the others wait.
    pub chunked_prefill: bool,
    /// Whether the queue is ordered by priority before arrival.
    pub priority: bool,
    /// Tokens of a block.
    pub block_size: u64,
    /// Blocks of the KV cache.
    pub blocks: u64,
    /// Whether prompts are looked up among the blocks that others left.
    pub prefix_caching: bool,
    /// Whether blocks of answers are left for others too, so that the next turn of a conversation
    /// finds them.
    pub output_caching: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            sequences: 256,
            tokens: 8_192,
            chunked_prefill: true,
            priority: false,
            block_size: 16,
            blocks: u64::MAX,
            prefix_caching: true,
            output_caching: true,
        }
    }
}

/// How an engine stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Jobs in the batch.
    pub running: u64,
    /// Jobs that wait for their place in it.
    pub waiting: u64,
    /// Share of the KV cache that running jobs hold, 0 to 1.
    pub cache_usage: f64,
    /// Prompt tokens that were looked up in the prefix cache, and found there, so far.
    pub queries: u64,
    /// See `queries`.
    pub hits: u64,
    /// Times a job had to give its place and blocks up, so far.
    pub preemptions: u64,
}
