//! Tokens of prompts and answers.

use super::{Quantity, Recorder};
use crate::prefix::ratio;
use serde::{Deserialize, Serialize};
use trace_core::quantile::Values;
use trace_core::{Outcome, TokenSource};

/// Tokens of the requests that were answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tokens {
    input: Values,
    output: Values,
    cached: Values,
    /// Of prompts.
    pub(super) total_input: u64,
    /// Of answers.
    pub(super) total_output: u64,
    /// Of prompts, taken from the server's cache.
    pub(super) total_cached: u64,
    /// Prompt tokens of the requests of which cached tokens are known.
    cacheable: u64,
    /// Requests whose tokens nobody counted.
    pub(super) chunk_counted: u64,
}

impl Tokens {
    /// None yet; exact up to `limit` distinct counts.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            input: Values::new(limit),
            output: Values::new(limit),
            cached: Values::new(limit),
            total_input: 0,
            total_output: 0,
            total_cached: 0,
            cacheable: 0,
            chunk_counted: 0,
        }
    }

    pub(super) fn push(&mut self, outcome: &Outcome) {
        if let Some(tokens) = outcome.input_tokens {
            self.input.push(tokens as f64);
            self.total_input = self.total_input.saturating_add(tokens);
        }
        if let Some(tokens) = outcome.output_tokens {
            self.output.push(tokens as f64);
            self.total_output = self.total_output.saturating_add(tokens);
        }
        if let Some(tokens) = outcome.cached_tokens {
            self.cached.push(tokens as f64);
            if let Some(input) = outcome.input_tokens {
                self.total_cached = self.total_cached.saturating_add(tokens);
                self.cacheable = self.cacheable.saturating_add(input);
            }
        }
        if outcome.token_source == Some(TokenSource::Chunks) {
            self.chunk_counted += 1;
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        self.input.append(other.input);
        self.output.append(other.output);
        self.cached.append(other.cached);
        self.total_input = self.total_input.saturating_add(other.total_input);
        self.total_output = self.total_output.saturating_add(other.total_output);
        self.total_cached = self.total_cached.saturating_add(other.total_cached);
        self.cacheable = self.cacheable.saturating_add(other.cacheable);
        self.chunk_counted += other.chunk_counted;
    }

    /// Requests of which prompt tokens are known.
    pub(super) fn inputs(&self) -> u64 {
        self.input.count()
    }

    /// Requests of which the tokens of the answer are known.
    pub(super) fn outputs(&self) -> u64 {
        self.output.count()
    }

    /// The cached share of the prompts of which it is known.
    pub(super) fn cached_share(&self) -> Option<f64> {
        ratio(self.total_cached, self.cacheable)
    }

    pub(super) fn describe(mut self, figures: &mut Recorder<'_>) {
        figures.record("input_tokens", &mut self.input, Quantity::Input);
        figures.record("output_tokens", &mut self.output, Quantity::Output);
        figures.record("cached_tokens", &mut self.cached, Quantity::Cached);
    }
}
