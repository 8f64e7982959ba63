//! What a constraint bounds.

use super::Clock;
use crate::results::Measure;
use crate::suggest::suggest;
use serde::{Deserialize, Serialize};
use trace_core::Outcome;

/// What a constraint bounds: a value of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Quantity {
    /// One of the measures that are reported.
    Of(Measure),
    /// The mean of the gaps between its tokens.
    MeanGap,
}

/// What one request has of a quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// So much.
    Value(f64),
    /// Nothing that could be too much: an answer of one token has no gaps.
    Vacuous,
    /// The outcome does not tell.
    Untold,
}

impl Reading {
    /// The value, if there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Vacuous | Self::Untold => None,
        }
    }
}

/// The measures that can be bounded.
const BOUNDED: [Measure; 10] = [
    Measure::Ttft,
    Measure::FirstContent,
    Measure::Tpot,
    Measure::TpotWithTtft,
    Measure::TpotPhase02,
    Measure::Latency,
    Measure::UserTtft,
    Measure::UserLatency,
    Measure::Queue,
    Measure::OutputTokenThroughput,
];

impl Quantity {
    /// The quantities there are.
    pub fn all() -> impl Iterator<Item = Self> {
        BOUNDED.map(Self::Of).into_iter().chain([Self::MeanGap])
    }

    /// Its name in flags, files and the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Of(measure) => measure.name(),
            Self::MeanGap => "itl_ms",
        }
    }

    /// Whether more of it is better.
    pub fn is_better_high(self) -> bool {
        self == Self::Of(Measure::OutputTokenThroughput)
    }

    /// What the request of `outcome` has of it, by that `clock`.
    pub fn of(self, outcome: &Outcome, clock: Clock) -> Reading {
        let value = match self {
            Self::Of(measure) => by(clock, measure, outcome),
            Self::MeanGap => mean_gap(outcome),
        };
        let of_gaps = matches!(self, Self::MeanGap | Self::Of(Measure::Tpot));
        match value {
            Some(value) => Reading::Value(value),
            None if of_gaps && outcome.output_tokens.is_some_and(|tokens| tokens <= 1) => {
                Reading::Vacuous
            }
            None => Reading::Untold,
        }
    }
}

/// `measure` of `outcome` by `clock`; an outcome that does not tell when it was
/// scheduled counts from when it was sent.
fn by(clock: Clock, measure: Measure, outcome: &Outcome) -> Option<f64> {
    let scheduled = match (clock, measure) {
        (Clock::Scheduled, Measure::Ttft) => Measure::UserTtft.of(outcome),
        (Clock::Scheduled, Measure::Latency) => Measure::UserLatency.of(outcome),
        (Clock::Scheduled, Measure::FirstContent) => {
            let waited = outcome.sent_ms.zip(outcome.scheduled_ms);
            let waited = waited.map(|(sent, due)| sent.saturating_sub(due).as_millis());
            waited.and_then(|waited| Some(measure.of(outcome)? + waited))
        }
        _ => None,
    };
    scheduled.or_else(|| measure.of(outcome))
}

/// The mean gap between the chunks of an answer, per token where the tokens of
/// a chunk are known; without gaps the time per token after the first, which
/// is the same for one token a chunk.
fn mean_gap(outcome: &Outcome) -> Option<f64> {
    let Some(gaps) = outcome.itl_ms.as_deref().filter(|gaps| !gaps.is_empty()) else {
        return Measure::Tpot.of(outcome);
    };
    let sum: f64 = gaps.iter().map(|gap| gap.as_millis()).sum();
    let tokens = crate::results::tokens_per_chunk(outcome).unwrap_or(1);
    Some(sum / gaps.len() as f64 / tokens as f64)
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.name().to_owned()
    }
}

impl TryFrom<String> for Quantity {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl std::str::FromStr for Quantity {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        // What FluxPerf's files call it.
        let wanted = match name {
            "output_token_throughput" => Measure::OutputTokenThroughput.name(),
            name => name,
        };
        let found = Self::all().find(|quantity| quantity.name() == wanted);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::name).collect();
            let hint = suggest(name, names.iter().copied());
            format!("no SLO on {name:?}{hint}; there are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixture::{ms, served, streamed};

    #[test]
    fn the_scheduled_clock_includes_the_wait() {
        let outcome = Outcome {
            first_content_ms: ms(60.0),
            ..served(100.0, 130.0, 50.0, 80.0)
        };
        let read = |clock, measure| by(clock, measure, &outcome);
        assert_eq!(read(Clock::Sent, Measure::Ttft), Some(50.0));
        assert_eq!(read(Clock::Scheduled, Measure::Ttft), Some(80.0));
        assert_eq!(read(Clock::Scheduled, Measure::FirstContent), Some(90.0));
        assert_eq!(read(Clock::Scheduled, Measure::Latency), Some(110.0));
        let unscheduled = Outcome {
            scheduled_ms: None,
            ..outcome
        };
        let ttft = by(Clock::Scheduled, Measure::Ttft, &unscheduled);
        assert_eq!(ttft, Some(50.0));
    }

    #[test]
    fn names_lead_back_to_their_quantities() {
        for quantity in Quantity::all() {
            assert_eq!(quantity.name().parse(), Ok(quantity));
        }
        let fluxperf = "output_token_throughput".parse();
        assert_eq!(fluxperf, Ok(Quantity::Of(Measure::OutputTokenThroughput)));
        let error = "ttft".parse::<Quantity>().unwrap_err();
        assert!(error.contains("did you mean ttft_ms?"), "{error}");
    }

    #[test]
    fn gaps_are_averaged_per_token() {
        let of = |outcome| Quantity::MeanGap.of(&outcome, Clock::Sent);
        // 6 tokens in 3 chunks: two a chunk.
        assert_eq!(of(streamed(6, &[10.0, 30.0])), Reading::Value(10.0));
        // 7 tokens in 3 chunks: nobody knows.
        assert_eq!(of(streamed(7, &[10.0, 30.0])), Reading::Value(20.0));
        assert_eq!(of(streamed(1, &[])), Reading::Vacuous);
        assert_eq!(of(served(0.0, 0.0, 1.0, 2.0)), Reading::Untold);
    }
}
