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
use crate::formats::member::{number, number_of, object_of, session, text_of};
use crate::formats::objects::{Expand, Made, Objects};
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
        let (metadata, metrics) = (
            object_of(object, "metadata")?,
            object_of(object, "metrics")?,
        );
        let nanos = metadata.get("request_start_ns");
        let nanos = nanos.and_then(|raw| serde_json::from_slice::<u64>(raw).ok());
        let nanos = nanos.ok_or("metadata.request_start_ns: expected an integer")?;
        let start = Micros::from_micros(nanos / 1_000);
        let mut outcome = measured(&metrics)?;
        outcome.sent_ms = Some(start);
        outcome.sent_unix_ms = Some(start);
        if let Some((failure, status)) = failure(object)? {
            outcome.error = Some(failure);
            outcome.status = status;
        }
        let others = metrics
            .0
            .iter()
            .filter(|(name, _)| !OURS.contains(&&**name));
        report.count(Kind::Dropped, "other metrics", others.count() as u64);
        let (input, output) = (outcome.input_tokens, outcome.output_tokens);
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

/// Metrics that become fields.
const OURS: [&str; 6] = [
    "input_sequence_length",
    "output_sequence_length",
    "time_to_first_token",
    "request_latency",
    "inter_token_latency",
    "inter_chunk_latency",
];

/// What the metrics tell of a request.
fn measured(metrics: &Members<'_>) -> Result<Outcome, String> {
    let metric = |name| Metric::of(metrics, name);
    let count = |name| metric(name)?.map(|metric| metric.count()).transpose();
    let span = |name| metric(name)?.map(|metric| metric.span()).transpose();
    let gaps = metric("inter_chunk_latency")?.map(|metric| metric.spans());
    let input_tokens = count("input_sequence_length")?;
    let output_tokens = count("output_sequence_length")?;
    let counted = input_tokens.is_some() || output_tokens.is_some();
    Ok(Outcome {
        ttft_ms: span("time_to_first_token")?,
        latency_ms: span("request_latency")?,
        tpot_ms: span("inter_token_latency")?,
        itl_ms: gaps.transpose()?,
        input_tokens,
        output_tokens,
        token_source: counted.then_some(TokenSource::Tokenizer),
        ..Outcome::default()
    })
}

/// What went wrong, and the status that the server gave.
fn failure(object: &Members<'_>) -> Result<Option<(Failure, Option<u16>)>, String> {
    if object.get("error").is_none() {
        return Ok(None);
    }
    let error = object_of(object, "error")?;
    let kind = text_of(&error, "type")?.unwrap_or_default();
    let message = text_of(&error, "message")?.unwrap_or_default();
    // AIPerf has codes of its own for what never came to an answer.
    let code = number_of(&error, "code")?.filter(|code| (100.0..600.0).contains(code));
    let refused = code.is_some_and(|code| code >= 400.0) && !kind.contains("Cancel");
    let failure = Failure {
        kind: if refused {
            ErrorKind::Http
        } else {
            error_kind(&kind)
        },
        message: format!("{kind}: {message}"),
    };
    Ok(Some((failure, code.map(|code| code as u16))))
}

/// A metric of a record.
struct Metric<'a> {
    name: &'a str,
    /// The JSON of a number, or of a list of them.
    value: &'a [u8],
    unit: Option<String>,
}

impl<'a> Metric<'a> {
    /// The metric `name`, where it was measured.
    fn of(metrics: &Members<'a>, name: &'a str) -> Result<Option<Self>, String> {
        let inside = |reason: String| format!("metrics.{reason}");
        let metric = object_of(metrics, name).map_err(inside)?;
        let Some(value) = metric.get("value") else {
            return Ok(None);
        };
        let unit = text_of(&metric, "unit").map_err(|why| format!("metrics.{name}.{why}"))?;
        Ok(Some(Self { name, value, unit }))
    }

    /// It is not what was expected.
    fn wrong(&self, expected: &str) -> String {
        format!("metrics.{}.value: expected {expected}", self.name)
    }

    /// A number of tokens.
    fn count(&self) -> Result<u64, String> {
        let count = number(self.value).filter(|count| (0.0..9e15).contains(count));
        let count = count.ok_or_else(|| self.wrong("a number, 0 or more"))?;
        Ok(count.round() as u64)
    }

    /// A span of time.
    fn span(&self) -> Result<Micros, String> {
        let unit = self.millis_per_unit()?;
        let span = number(self.value).and_then(|value| Micros::from_millis(value * unit));
        span.ok_or_else(|| self.wrong("a number, 0 or more"))
    }

    /// Spans of time.
    fn spans(&self) -> Result<Vec<Micros>, String> {
        let wrong = || self.wrong("numbers, 0 or more");
        let unit = self.millis_per_unit()?;
        let values: Vec<f64> = serde_json::from_slice(self.value).map_err(|_| wrong())?;
        let spans = values.iter().map(|value| Micros::from_millis(value * unit));
        spans.collect::<Option<_>>().ok_or_else(wrong)
    }

    fn millis_per_unit(&self) -> Result<f64, String> {
        match self.unit.as_deref() {
            Some("s" | "sec" | "seconds") => Ok(1e3),
            Some("ms" | "milliseconds") => Ok(1.0),
            Some("us" | "microseconds") => Ok(1e-3),
            Some("ns" | "nanoseconds") => Ok(1e-6),
            Some(unit) => Err(format!(
                "metrics.{}.unit: {unit:?}, expected one of ns, us, ms, sec",
                self.name
            )),
            None => Err(format!("metrics.{}: a time without its unit", self.name)),
        }
    }
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
    #[test]
    fn a_metric_of_another_kind_is_an_error_and_not_absent() {
        let record = |metric: &str| {
            let head = r#"{"metadata":{"request_start_ns":1},"metrics":{"input_sequence_length":{"value":5},"#;
            format!("{head}{metric}}}}}\n")
        };
        for (metric, reason) in [
            (
                r#""request_latency":5"#,
                "request_latency: expected an object",
            ),
            (
                r#""request_latency":{"value":5,"unit":7}"#,
                "request_latency.unit: expected a string",
            ),
            (
                r#""request_latency":{"value":5,"unit":"fortnight"}"#,
                "request_latency.unit: \"fortnight\", expected one of ns, us, ms, sec",
            ),
            (
                r#""request_latency":{"value":5}"#,
                "request_latency: a time without its unit",
            ),
            (
                r#""request_latency":{"value":-5,"unit":"ms"}"#,
                "request_latency.value: expected a number, 0 or more",
            ),
            (
                r#""inter_chunk_latency":{"value":7,"unit":"ms"}"#,
                "inter_chunk_latency.value: expected numbers, 0 or more",
            ),
        ] {
            let (out, error, _) = convert_with("", &record(metric));
            assert_eq!(
                (out.as_str(), error),
                ("", Some(format!("in:1:1: metrics.{reason}")))
            );
        }
        let (out, error, report) =
            convert_with("--skip-invalid", &record(r#""request_latency":5"#));
        assert_eq!((out.as_str(), error), ("", None));
        assert!(report.line().unwrap().contains("skipped 1 invalid lines"));
        let (out, _, _) = convert_with(
            "",
            &record(r#""request_latency":{"value":null,"unit":"ms"}"#),
        );
        assert!(
            out.starts_with("{\"timestamp\":0,\"input_length\":5"),
            "{out}"
        );
    }
}
