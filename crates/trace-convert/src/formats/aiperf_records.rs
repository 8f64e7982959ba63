//! AIPerf's results, `profile_export.jsonl`: outcomes.
//!
//! | in | out |
//! |---|---|
//! | `metadata.request_start_ns` | `sent_unix_ms`; since the earliest of the file, `timestamp` and `sent_ms` |
//! | `metadata.conversation_id` | `session_id` |
//! | `metrics.time_to_first_token`, `request_latency` | `ttft_ms`, `latency_ms` |
//! | `metrics.inter_token_latency` | `tpot_ms`: AIPerf's is (latency − first) ÷ (tokens − 1) |
//! | `metrics.inter_chunk_latency` | `itl_ms` |
//! | `metrics.input_sequence_length`, `output_sequence_length` | `input_tokens` and `input_length`, `output_tokens` and `output_length`; `token_source` is `tokenizer` |
//! | `error` | `error`, and its `code` as `status` |
//! | `metadata.turn_index`, `x_request_id`, `benchmark_phase` | members of these names |
//!
//! Metrics are read in the unit that stands beside them. Other metrics are
//! dropped, and warm-up requests kept, with `benchmark_phase` to tell them by
//! (`--where benchmark_phase=profiling`). Records stand in order of
//! completion, so a file is held, about its own size in memory.

use crate::format::Format;
use crate::formats::aibrix_client::{error_kind, from_the_earliest};
use crate::formats::objects::{Expand, Made, Objects, number, session, text_of};
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use std::collections::VecDeque;
use trace_core::{ErrorKind, Failure, Field, Micros, Outcome, TokenSource};

/// AIPerf's records.
pub(crate) static FORMAT: Format = Format {
    name: "aiperf-records",
    about: "AIPerf's profile_export.jsonl, as outcomes; holds the file",
    detect: |head| head.has("metadata.request_start_ns") && head.has("metrics"),
    needs: "JSON lines with metadata.request_start_ns and metrics",
    decoder: |_| Ok(Box::new(Objects::new(Records))),
};

struct Records;

impl Expand for Records {
    const HOLDS: bool = true;

    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let empty = || Members(Vec::new());
        let part = |name: &str| -> Result<Members<'_>, String> {
            let raw = object.get(name);
            raw.map_or(Ok(empty()), |raw| {
                serde_json::from_slice(raw).map_err(|_| format!("{name}: expected an object"))
            })
        };
        let (metadata, metrics) = (part("metadata")?, part("metrics")?);
        let nanos = metadata.get("request_start_ns");
        let start: u64 = nanos
            .and_then(|raw| serde_json::from_slice(raw).ok())
            .ok_or("metadata.request_start_ns: expected an integer")?;
        let start = Micros::from_micros(start / 1_000);
        let count = |name: &str| metric(&metrics, name).map(|(value, _)| value.round() as u64);
        let (input, output) = (
            count("input_sequence_length"),
            count("output_sequence_length"),
        );
        let mut outcome = Outcome {
            sent_ms: Some(start),
            sent_unix_ms: Some(start),
            ttft_ms: span(&metrics, "time_to_first_token"),
            latency_ms: span(&metrics, "request_latency"),
            tpot_ms: span(&metrics, "inter_token_latency"),
            itl_ms: gaps(&metrics),
            input_tokens: input,
            output_tokens: output,
            ..Outcome::default()
        };
        outcome.token_source =
            (input.is_some() || output.is_some()).then_some(TokenSource::Tokenizer);
        if let Some(raw) = object.get("error") {
            let error: Members<'_> =
                serde_json::from_slice(raw).map_err(|_| "error: expected an object")?;
            let kind = text_of(&error, "type")?.unwrap_or_default();
            let message = text_of(&error, "message")?.unwrap_or_default();
            let code = error
                .get("code")
                .and_then(number)
                .filter(|c| (100.0..600.0).contains(c));
            outcome.status = code.map(|code| code as u16);
            outcome.error = Some(Failure {
                kind: if code.is_some_and(|code| code >= 400.0) && !kind.contains("Cancel") {
                    ErrorKind::Http
                } else {
                    error_kind(&kind)
                },
                message: format!("{kind}: {message}"),
            });
        }
        let ours = [
            "input_sequence_length",
            "output_sequence_length",
            "time_to_first_token",
            "request_latency",
            "inter_token_latency",
            "inter_chunk_latency",
        ];
        let others = metrics
            .0
            .iter()
            .filter(|(name, _)| !ours.contains(&&**name));
        report.count(Kind::Dropped, "other metrics", others.count() as u64);
        if input.is_none() {
            // A line must ask for something; nobody knows what this one did.
            report.drop_request("records without input_sequence_length");
            return Ok(());
        }
        let record = made.next();
        record.change(Field::Timestamp).timestamp = Some(start);
        record.change(Field::InputLength).input_length = input;
        record.change(Field::OutputLength).output_length = output;
        record.change(Field::SessionId).session_id = metadata.get("conversation_id").map(session);
        record.outcome = Some(outcome);
        for name in ["turn_index", "x_request_id", "benchmark_phase"] {
            if let Some(raw) = metadata.get(name) {
                record.add(name, raw);
            }
        }
        Ok(())
    }

    fn end(&mut self, all: &mut VecDeque<Record>, report: &mut Report) {
        from_the_earliest(all);
        report.assume("timestamp is when a request was sent; its schedule is not in the file");
    }
}

/// The value of a metric and its unit.
fn metric(metrics: &Members<'_>, name: &str) -> Option<(f64, String)> {
    let metric: Members<'_> = serde_json::from_slice(metrics.get(name)?).ok()?;
    let unit = text_of(&metric, "unit").ok()?.unwrap_or_default();
    Some((number(metric.get("value")?)?, unit))
}

/// Milliseconds in one of `unit`; AIPerf's own is the millisecond.
fn millis_in(unit: &str) -> f64 {
    match unit {
        "s" | "sec" | "seconds" => 1e3,
        "us" => 1e-3,
        "ns" => 1e-6,
        _ => 1.0,
    }
}

/// The time a metric tells.
fn span(metrics: &Members<'_>, name: &str) -> Option<Micros> {
    let (value, unit) = metric(metrics, name)?;
    Micros::from_millis(value * millis_in(&unit))
}

/// The gaps between chunks.
fn gaps(metrics: &Members<'_>) -> Option<Vec<Micros>> {
    let metric: Members<'_> = serde_json::from_slice(metrics.get("inter_chunk_latency")?).ok()?;
    let unit = text_of(&metric, "unit").ok()?.unwrap_or_default();
    let values: Vec<f64> = serde_json::from_slice(metric.get("value")?).ok()?;
    values
        .into_iter()
        .map(|value| Micros::from_millis(value * millis_in(&unit)))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn records_are_outcomes() {
        let text = concat!(
            r#"{"metadata":{"session_num":1,"x_request_id":"u","conversation_id":"c","turn_index":0,"request_start_ns":1700000000500000000,"request_end_ns":1700000001000000000,"benchmark_phase":"profiling"},"metrics":{"input_sequence_length":{"value":55,"unit":"tokens"},"time_to_first_token":{"value":25.5,"unit":"ms"},"request_latency":{"value":500,"unit":"ms"},"output_sequence_length":{"value":3,"unit":"tokens"},"inter_token_latency":{"value":237.25,"unit":"ms"},"inter_chunk_latency":{"value":[200.0,274.5],"unit":"ms"},"x":{"value":1,"unit":"ms"}},"error":null}"#,
            "\n",
            r#"{"metadata":{"request_start_ns":1700000000000000000},"metrics":{"input_sequence_length":{"value":5,"unit":"tokens"}},"error":{"code":503,"type":"Service Unavailable","message":"busy"}}"#,
            "\n",
        );
        let expected = concat!(
            r#"{"timestamp":500,"input_length":55,"output_length":3,"session_id":"c","turn_index":0,"x_request_id":"u","benchmark_phase":"profiling","sent_ms":500,"sent_unix_ms":1700000000500,"ttft_ms":25.5,"latency_ms":500,"tpot_ms":237.25,"itl_ms":[200,274.5],"input_tokens":55,"output_tokens":3,"token_source":"tokenizer"}"#,
            "\n",
            r#"{"timestamp":0,"input_length":5,"sent_ms":0,"sent_unix_ms":1700000000000,"input_tokens":5,"token_source":"tokenizer","status":503,"error":{"kind":"http","message":"Service Unavailable: busy"}}"#,
            "\n",
        );
        let (out, error, _) = convert_with("", text);
        assert_eq!((out.as_str(), error), (expected, None));
    }
}
