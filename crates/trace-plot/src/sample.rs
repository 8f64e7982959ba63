//! One line of the input, as a plot sees it.

use trace_core::{Micros, Outcome, Request};

/// One line: what was asked, and what happened if the line tells.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The index of its group.
    pub group: usize,
    /// What was asked.
    pub request: &'a Request,
    /// What happened, on a line that tells.
    pub outcome: Option<&'a Outcome>,
}

impl Sample<'_> {
    /// When it was to leave: by the trace, or by the run.
    pub fn scheduled(&self) -> Option<Micros> {
        match self.outcome {
            Some(outcome) => outcome.scheduled_ms.or(outcome.sent_ms),
            None => self.request.timestamp,
        }
    }

    /// When it left; of a trace, when it was to.
    pub fn started(&self) -> Option<Micros> {
        match self.outcome {
            Some(outcome) => outcome.sent_ms.or(outcome.scheduled_ms),
            None => self.request.timestamp,
        }
    }

    /// When its response ended, or broke off.
    pub fn ended(&self) -> Option<Micros> {
        let outcome = self.outcome?;
        Some(outcome.sent_ms? + outcome.latency_ms?)
    }

    /// Tokens of the prompt, as the server counted them, else as asked.
    pub fn input(&self) -> Option<u64> {
        let counted = self.outcome.and_then(|outcome| outcome.input_tokens);
        counted.or(self.request.input_length)
    }

    /// Tokens of the answer; of a trace, as asked.
    pub fn output(&self) -> Option<u64> {
        match self.outcome {
            Some(outcome) => outcome.output_tokens,
            None => self.request.output_length,
        }
    }

    /// The outcome, if the request was answered in full.
    pub fn success(&self) -> Option<&Outcome> {
        self.outcome.filter(|outcome| outcome.error.is_none())
    }

    /// Whether it was tried and failed.
    pub fn failed(&self) -> bool {
        let error = self.outcome.and_then(|outcome| outcome.error.as_ref());
        error.is_some_and(|failure| !failure.kind.is_unserved())
    }

    /// Whether it was never tried, or given up by the user.
    pub fn unserved(&self) -> bool {
        let error = self.outcome.and_then(|outcome| outcome.error.as_ref());
        error.is_some_and(|failure| failure.kind.is_unserved())
    }
}
