//! Results of Kubernetes' inference-perf, `per_request_lifecycle_metrics.json`:
//! outcomes.
//!
//! | in | out |
//! |---|---|
//! | `scheduled_time`, `start_time`, s on a clock of its own | `timestamp` and `scheduled_ms`, `sent_ms`, since the earliest of the file |
//! | `end_time`, s | `latency_ms`, since `start_time` |
//! | `info.output_token_times` or `info.response_metrics.output_token_times`, s | `ttft_ms`, `last_token_ms`, `tpot_ms`, `itl_ms`; a token is a chunk there |
//! | `info.input_tokens`, `info.output_tokens` or `info.response_metrics.output_tokens` | the lengths and tokens; `token_source` is `tokenizer` |
//! | `stage_id`, `session_id` | `stage`, `session_id` |
//! | `error` | `error` |
//!
//! Requests and responses in full are dropped. Records stand in order of
//! completion, so a file is held, about its own size in memory.

use crate::format::Format;
use crate::formats::aibrix_client::{error_kind, from_the_earliest};
use crate::formats::member::{list_of, number_of, object_of, seconds_of, session, text_of, tokens};
use crate::formats::objects::{Expand, Made, Objects};
use crate::json::Members;
use crate::record::Record;
use crate::report::Report;
use std::collections::VecDeque;
use trace_core::{Failure, Field, Micros, Outcome, TokenSource};

/// inference-perf's requests.
pub(crate) static FORMAT: Format = Format {
    name: "inference-perf",
    about: "inference-perf's per_request_lifecycle_metrics.json, as outcomes; holds the file",
    detect: |head| {
        let tokens = [
            "info.input_tokens",
            "info.request_metrics.text.input_tokens",
        ];
        head.has("start_time") && head.has("end_time") && tokens.iter().any(|key| head.has(key))
    },
    needs: "JSON objects with start_time, end_time and info.input_tokens",
    decoder: |_| Ok(Box::new(Objects::new(Requests { read: 0 }))),
};

struct Requests {
    read: u64,
}

impl Expand for Requests {
    const HOLDS: bool = true;

    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let seq = self.read;
        self.read += 1;
        let sent = seconds_of(object, "start_time")?.ok_or("no start_time")?;
        let end = seconds_of(object, "end_time")?.ok_or("no end_time")?;
        let planned = seconds_of(object, "scheduled_time")?;
        let lengths = Lengths::of(object)?;
        let Some(input) = lengths.input else {
            report.drop_request("requests without input_tokens");
            return Ok(());
        };
        let times = token_times(object)?;
        let error = failure(object)?;
        let failed = error.is_some();
        if end < sent {
            return Err("end_time: before start_time".to_owned());
        }
        if times.first().is_some_and(|first| *first < sent) {
            return Err("output_token_times: before start_time".to_owned());
        }
        let first = times.first().copied();
        let last = times.last().copied();
        let spread = first
            .zip(last)
            .zip(lengths.output.filter(|tokens| *tokens > 1));
        let tpot = spread.and_then(|((first, last), tokens)| {
            Micros::from_secs(last.saturating_sub(first).as_secs() / (tokens - 1) as f64)
        });
        let gaps = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        let since = |time: Micros| time.saturating_sub(sent);
        let record = made.next();
        record.change(Field::Timestamp).timestamp = Some(planned.unwrap_or(sent));
        record.change(Field::InputLength).input_length = Some(input);
        record.change(Field::OutputLength).output_length = lengths.output.filter(|_| !failed);
        record.change(Field::SessionId).session_id = object.get("session_id").map(session);
        record.outcome = Some(Outcome {
            seq: Some(seq),
            stage: number_of(object, "stage_id")?.map(|stage| stage.to_string()),
            scheduled_ms: planned,
            sent_ms: Some(sent),
            ttft_ms: first.map(since).filter(|_| !failed),
            last_token_ms: last.map(since),
            latency_ms: Some(end.saturating_sub(sent)),
            tpot_ms: tpot.filter(|_| !failed),
            itl_ms: (times.len() > 1).then(|| gaps.collect()),
            input_tokens: Some(input),
            output_tokens: lengths.output,
            chunks: Some(times.len() as u64).filter(|chunks| *chunks > 0),
            token_source: Some(TokenSource::Tokenizer),
            error,
            ..Outcome::default()
        });
        Ok(())
    }

    fn end(&mut self, all: &mut VecDeque<Record>, report: &mut Report) {
        from_the_earliest(all);
        let scheduled = all.iter().flat_map(|record| &record.outcome);
        if scheduled
            .clone()
            .all(|outcome| outcome.scheduled_ms.is_none())
        {
            report.assume("timestamp is when a request was sent; its schedule is not in the file");
        }
    }
}

/// The tokens of a request.
struct Lengths {
    input: Option<u64>,
    output: Option<u64>,
}

impl Lengths {
    /// What the request tells of them, in either of its shapes.
    fn of(object: &Members<'_>) -> Result<Self, String> {
        let info = object_of(object, "info")?;
        let asked = object_of(&object_of(&info, "request_metrics")?, "text")?;
        let answered = object_of(&info, "response_metrics")?;
        let either = |[first, second]: [&Members<'_>; 2], name| match tokens(first, name)? {
            None => tokens(second, name),
            given => Ok(given),
        };
        Ok(Self {
            input: either([&info, &asked], "input_tokens")?,
            output: either([&answered, &info], "output_tokens")?,
        })
    }
}

/// When the tokens of a request came, on the clock of the file.
fn token_times(object: &Members<'_>) -> Result<Vec<Micros>, String> {
    let info = object_of(object, "info")?;
    let answered = object_of(&info, "response_metrics")?;
    let name = "output_token_times";
    let times: Vec<f64> = match answered.get(name) {
        Some(_) => list_of(&answered, name)?,
        None => list_of(&info, name)?,
    };
    if !times.is_sorted() {
        return Err(format!("{name}: not in order"));
    }
    let times = times
        .into_iter()
        .map(Micros::from_secs)
        .collect::<Option<_>>();
    times.ok_or_else(|| format!("{name}: expected seconds, 0 or more"))
}

/// Why the request failed, if it did.
fn failure(object: &Members<'_>) -> Result<Option<Failure>, String> {
    if object.get("error").is_none() {
        return Ok(None);
    }
    let error = object_of(object, "error")?;
    let kind = text_of(&error, "error_type")?.unwrap_or_default();
    let said = text_of(&error, "error_msg")?.unwrap_or_default();
    Ok(Some(Failure {
        kind: error_kind(&kind),
        message: format!("{kind}: {}", said.lines().next().unwrap_or_default()),
    }))
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn both_shapes_are_outcomes() {
        let text = r#"[
{"scheduled_time":11.0,"start_time":11.5,"end_time":12.5,"request":"{}","response":"x","info":{"input_tokens":3,"output_tokens":3,"output_token_times":[11.75,12.0,12.25]},"error":null},
{"stage_id":1,"session_id":"s","scheduled_time":10.0,"start_time":10.0,"end_time":10.5,"request_data":"{}","info":{"request_metrics":{"text":{"input_tokens":4}},"response_metrics":null},"error":{"error_type":"TimeoutError","error_msg":"a\nb"}}]"#;
        let expected = concat!(
            r#"{"timestamp":1000,"input_length":3,"output_length":3,"seq":0,"scheduled_ms":1000,"sent_ms":1500,"ttft_ms":250,"last_token_ms":750,"latency_ms":1000,"tpot_ms":250,"itl_ms":[250,250],"input_tokens":3,"output_tokens":3,"token_source":"tokenizer","chunks":3}"#,
            "\n",
            r#"{"timestamp":0,"input_length":4,"session_id":"s","seq":1,"stage":"1","scheduled_ms":0,"sent_ms":0,"latency_ms":500,"input_tokens":4,"token_source":"tokenizer","error":{"kind":"timeout","message":"TimeoutError: a"}}"#,
            "\n",
        );
        let (out, error, _) = convert_with("", text);
        assert_eq!((out.as_str(), error), (expected, None));
    }
}
