//! Outcomes for tests, and the way from them to numbers.

use super::{Results, Service};
use trace_core::quantile::Spread;
use trace_core::{ErrorKind, Failure, Micros, Outcome, TokenSource};

pub(crate) fn ms(millis: f64) -> Option<Micros> {
    Some(Micros::from_millis(millis).unwrap())
}

pub(crate) fn served(scheduled: f64, sent: f64, ttft: f64, latency: f64) -> Outcome {
    Outcome {
        scheduled_ms: ms(scheduled),
        due_ms: ms(scheduled),
        sent_ms: ms(sent),
        lateness_ms: ms(sent - scheduled),
        queue_ms: ms(0.0),
        ttft_ms: ms(ttft),
        latency_ms: ms(latency),
        ..Outcome::default()
    }
}

pub(crate) fn failed(kind: ErrorKind) -> Outcome {
    Outcome {
        error: Some(Failure {
            kind,
            message: String::new(),
        }),
        ..served(0.0, 0.0, 3.0, 9.0)
    }
}

/// A chunk at 5 ms and one after each of `gaps`.
pub(crate) fn streamed(tokens: u64, gaps: &[f64]) -> Outcome {
    Outcome {
        output_tokens: Some(tokens),
        token_source: Some(TokenSource::Usage),
        chunks: Some(gaps.len() as u64 + 1),
        itl_ms: Some(gaps.iter().map(|&gap| ms(gap).unwrap()).collect()),
        ..served(0.0, 0.0, 5.0, 80.0)
    }
}

pub(crate) fn service(outcomes: &[Outcome]) -> Service {
    let mut results = Results::new(1_000);
    outcomes.iter().for_each(|outcome| results.push(outcome));
    results.finish(None, None)
}

pub(crate) fn metric(service: &Service, name: &str) -> Option<Spread> {
    let found = service.metrics.iter().find(|(known, _)| *known == name);
    found.map(|&(_, spread)| spread)
}
