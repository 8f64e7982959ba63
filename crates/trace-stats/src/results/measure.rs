//! What one request has one value of.

use crate::workload::per_second;
use trace_core::{Micros, Outcome};

/// A quantity of which an answered request has one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Sent → first output.
    Ttft,
    /// Sent → first visible content; that of the first output where no other
    /// is told.
    FirstContent,
    /// Time per output token after the first:
    /// (last token − first token) / (tokens − 1).
    Tpot,
    /// The same with the first token and the wait for it:
    /// last token ÷ tokens, as guidellm has it.
    TpotWithTtft,
    /// The whole answer by its tokens: latency ÷ tokens, what Phase 02 calls
    /// TPOT, and inference-perf normalized.
    TpotPhase02,
    /// Sent → end.
    Latency,
    /// Scheduled → first output.
    UserTtft,
    /// Scheduled → end.
    UserLatency,
    /// Due → sent: the client's own fault.
    Lateness,
    /// Scheduled → due: a concurrency cap's.
    Queue,
    /// Time to connect.
    Connect,
    /// Output tokens per second of latency: what one user sees.
    OutputTokenThroughput,
}

impl Measure {
    /// Every measure; each stands at its own index.
    pub const ALL: [Self; 12] = [
        Self::Ttft,
        Self::FirstContent,
        Self::Tpot,
        Self::TpotWithTtft,
        Self::TpotPhase02,
        Self::Latency,
        Self::UserTtft,
        Self::UserLatency,
        Self::Lateness,
        Self::Queue,
        Self::Connect,
        Self::OutputTokenThroughput,
    ];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ttft => "ttft_ms",
            Self::FirstContent => "first_content_ms",
            Self::Tpot => "tpot_ms",
            Self::TpotWithTtft => "tpot_with_ttft_ms",
            Self::TpotPhase02 => "tpot_phase02_ms",
            Self::Latency => "latency_ms",
            Self::UserTtft => "user_ttft_ms",
            Self::UserLatency => "user_latency_ms",
            Self::Lateness => "lateness_ms",
            Self::Queue => "queue_ms",
            Self::Connect => "connect_ms",
            Self::OutputTokenThroughput => "request_output_tps",
        }
    }

    /// What it is of a request that failed.
    pub fn when_failed(self) -> WhenFailed {
        match self {
            Self::Lateness | Self::Queue | Self::Connect => WhenFailed::Measured,
            Self::OutputTokenThroughput => WhenFailed::Absent,
            _ => WhenFailed::Infinite,
        }
    }

    /// What a request that was tried counts as: its value, or infinite for a
    /// failure that is longer than any other, unless failures are left out.
    pub fn counted(self, outcome: &Outcome, failures: bool) -> Option<f64> {
        match self.when_failed() {
            WhenFailed::Measured => self.of(outcome),
            _ if outcome.error.is_none() => self.of(outcome),
            WhenFailed::Infinite => failures.then_some(f64::INFINITY),
            WhenFailed::Absent => None,
        }
    }

    /// Its value, as far as the outcome tells.
    pub fn of(self, outcome: &Outcome) -> Option<f64> {
        let time = match self {
            Self::Ttft => outcome.ttft_ms,
            Self::FirstContent => outcome.first_content_ms.or(outcome.ttft_ms),
            Self::Tpot => return outcome.tpot_ms.map_or_else(|| tpot(outcome), in_ms),
            Self::TpotWithTtft => return per_token(outcome.last_token_ms, outcome),
            Self::TpotPhase02 => return per_token(outcome.latency_ms, outcome),
            Self::Latency => outcome.latency_ms,
            Self::UserTtft => user(outcome.ttft_ms, outcome),
            Self::UserLatency => user(outcome.latency_ms, outcome),
            Self::Lateness => outcome
                .lateness_ms
                .or_else(|| since(outcome.sent_ms, outcome.due_ms)),
            Self::Queue => outcome
                .queue_ms
                .or_else(|| since(outcome.due_ms, outcome.scheduled_ms)),
            Self::Connect => outcome.connect_ms,
            Self::OutputTokenThroughput => {
                return per_second(outcome.output_tokens? as f64, outcome.latency_ms?);
            }
        };
        time.and_then(in_ms)
    }
}

/// What a measure is of a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFailed {
    /// The client's own doing: measured all the same.
    Measured,
    /// Longer than any other: infinite in quantiles.
    Infinite,
    /// Nothing.
    Absent,
}

fn in_ms(time: Micros) -> Option<f64> {
    Some(time.as_millis())
}

fn since(later: Option<Micros>, earlier: Option<Micros>) -> Option<Micros> {
    Some(later?.saturating_sub(earlier?))
}

/// `time` after sending, from the schedule on.
fn user(time: Option<Micros>, outcome: &Outcome) -> Option<Micros> {
    since(Some(outcome.sent_ms? + time?), outcome.scheduled_ms)
}

/// Its definition, for outcomes that do not state it.
fn tpot(outcome: &Outcome) -> Option<f64> {
    let after_first = since(outcome.last_token_ms, outcome.ttft_ms)?;
    let tokens = outcome.output_tokens?.checked_sub(1)?;
    (tokens > 0).then(|| after_first.as_millis() / tokens as f64)
}

fn per_token(time: Option<Micros>, outcome: &Outcome) -> Option<f64> {
    let (time, tokens) = time.zip(outcome.output_tokens)?;
    (tokens > 0).then(|| time.as_millis() / tokens as f64)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ms, served};
    use super::*;

    #[test]
    fn every_measure_stands_at_its_index() {
        for (index, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(measure as usize, index, "{}", measure.name());
        }
    }

    #[test]
    fn tokens_are_timed_in_three_ways() {
        // 5 tokens: the first after 100 ms, the last after 300, the end at 400.
        let outcome = Outcome {
            output_tokens: Some(5),
            last_token_ms: ms(300.0),
            ..served(0.0, 0.0, 100.0, 400.0)
        };
        assert_eq!(Measure::Tpot.of(&outcome), Some(50.0));
        assert_eq!(Measure::TpotWithTtft.of(&outcome), Some(60.0));
        assert_eq!(Measure::TpotPhase02.of(&outcome), Some(80.0));
        assert_eq!(Measure::OutputTokenThroughput.of(&outcome), Some(12.5));
    }

    #[test]
    fn one_token_has_no_time_after_the_first() {
        let outcome = Outcome {
            output_tokens: Some(1),
            last_token_ms: ms(100.0),
            ..served(0.0, 0.0, 100.0, 100.0)
        };
        assert_eq!(Measure::Tpot.of(&outcome), None);
        assert_eq!(Measure::TpotPhase02.of(&outcome), Some(100.0));
        let nothing = Outcome {
            output_tokens: Some(0),
            ..outcome
        };
        assert_eq!(Measure::TpotPhase02.of(&nothing), None);
    }
}
