//! One request in the file of its round.

use crate::results::Measure;
use crate::slo::{Clock, Quantity, Slo};
use serde::Serialize;
use trace_core::Outcome;
use trace_core::quantile::number;

/// What became of one request.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    pub(super) request_id: String,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    #[serde(serialize_with = "number")]
    ttft_ms: Option<f64>,
    #[serde(serialize_with = "number")]
    avg_itl_ms: Option<f64>,
    #[serde(serialize_with = "number")]
    total_latency_ms: Option<f64>,
    /// Output tokens per second of latency.
    #[serde(serialize_with = "number")]
    throughput: Option<f64>,
    /// Unknown without objectives.
    meets_slo: Option<bool>,
    error: Option<String>,
}

impl Detail {
    pub(super) fn new(request_id: String, outcome: &Outcome, slo: Option<&Slo>) -> Self {
        let failed = outcome.error.as_ref();
        let of = |measure: Measure| match failed {
            None => measure.of(outcome),
            Some(_) => None,
        };
        Self {
            request_id,
            input_tokens: outcome.input_tokens,
            output_tokens: outcome.output_tokens,
            ttft_ms: of(Measure::Ttft),
            avg_itl_ms: match failed {
                None => Quantity::MeanGap.of(outcome, Clock::Sent).value(),
                Some(_) => None,
            },
            total_latency_ms: of(Measure::Latency),
            throughput: of(Measure::OutputTokenThroughput),
            meets_slo: slo.map(|slo| slo.is_kept_by(outcome)),
            error: failed.map(|failure| format!("{}: {}", failure.kind.as_str(), failure.message)),
        }
    }
}
