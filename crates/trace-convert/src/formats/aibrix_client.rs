//! Results of AIBrix's client: outcomes.
//!
//! | in | out |
//! |---|---|
//! | `start_time`, s on a clock of its own | `timestamp` and `sent_ms`, since the earliest of the file; it was taken just before sending |
//! | `latency`, `ttft`, s | `latency_ms`, `ttft_ms` |
//! | `tpot`, (end − first) ÷ tokens | `tpot_ms`, ÷ (tokens − 1) |
//! | `prompt_tokens`, `output_tokens` | `input_tokens` and `input_length`, `output_tokens` and `output_length`; `token_source` is `usage` |
//! | `input` | `messages` |
//! | `session_id` | `session_id` |
//! | `status` `error`, `error_type`, `error_message` | `error`; times and tokens of zero that stand for none are left out |
//! | `output`, `request_id`, `target_pod`, … | the same |
//!
//! `end_time`, `throughput` and `total_tokens` follow from the others, and
//! are dropped, as is `error_traceback`. Requests stand in order of
//! completion, so the earliest is known at the end only: a file is held, about
//! its own size in memory.

use crate::format::Format;
use crate::formats::objects::{
    Expand, Made, Objects, carry, number, seconds, session, text_of, tokens,
};
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use std::collections::VecDeque;
use trace_core::{ErrorKind, Failure, Field, Micros, Outcome, TokenSource};

/// What AIBrix's client writes.
pub(crate) static FORMAT: Format = Format {
    name: "aibrix-client",
    about: "results of AIBrix's client, as outcomes; holds the file",
    detect: |head| {
        [
            "status",
            "latency",
            "start_time",
            "end_time",
            "prompt_tokens",
        ]
        .iter()
        .all(|key| head.has(key))
    },
    needs: "JSON lines with status, latency, start_time, end_time, prompt_tokens",
    decoder: |_| Ok(Box::new(Objects::new(AibrixClient))),
};

struct AibrixClient;

const TAKEN: [&str; 17] = [
    "start_time",
    "end_time",
    "latency",
    "ttft",
    "tpot",
    "prompt_tokens",
    "output_tokens",
    "total_tokens",
    "throughput",
    "input",
    "session_id",
    "status",
    "error_type",
    "error_message",
    "error_traceback",
    "model",
    "timestamp",
];

impl Expand for AibrixClient {
    const HOLDS: bool = true;

    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        let start = object.get("start_time").and_then(seconds);
        let start = start.ok_or("start_time: expected a number of seconds")?;
        let latency = object.get("latency").and_then(seconds);
        let ttft = object.get("ttft").and_then(seconds);
        let (input, output) = (
            tokens(object, "prompt_tokens")?,
            tokens(object, "output_tokens")?,
        );
        let failed = match text_of(object, "status")?.as_deref() {
            Some("success") => false,
            Some("error") => true,
            _ => return Err("status: expected success or error".to_owned()),
        };
        let mut outcome = Outcome {
            sent_ms: Some(start),
            latency_ms: latency,
            ttft_ms: ttft,
            ..Outcome::default()
        };
        if failed {
            let kind = text_of(object, "error_type")?.unwrap_or_default();
            let message = text_of(object, "error_message")?.unwrap_or_default();
            outcome.latency_ms = latency.filter(|latency| *latency > Micros::ZERO);
            outcome.error = Some(Failure {
                kind: error_kind(&kind),
                message: format!("{kind}: {message}"),
            });
            report.count(
                Kind::Changed,
                "error_type, to the kind of error that it names",
                1,
            );
        } else {
            outcome.input_tokens = input;
            outcome.output_tokens = output;
            outcome.token_source = Some(TokenSource::Usage);
            let tpot = object.get("tpot").and_then(number);
            if let (Some(tpot), Some(output)) = (tpot, output.filter(|tokens| *tokens > 1)) {
                outcome.tpot_ms = Micros::from_secs(tpot * output as f64 / (output - 1) as f64);
                report.count(
                    Kind::Changed,
                    "tpot, to that of the tokens after the first",
                    1,
                );
            }
        }
        let messages = object
            .get("input")
            .filter(|raw| raw.first() == Some(&b'['))
            .and_then(|raw| serde_json::from_slice::<Box<RawValue>>(raw).ok());
        let input = input.filter(|tokens| *tokens > 0);
        if input.is_none() && messages.is_none() {
            return Err("neither input nor prompt_tokens".to_owned());
        }
        let model = text_of(object, "model")?;
        let record = made.next();
        record.change(Field::Timestamp).timestamp = Some(start);
        record.change(Field::InputLength).input_length = input;
        record.change(Field::OutputLength).output_length = output.filter(|_| !failed);
        record.change(Field::SessionId).session_id = object.get("session_id").map(session);
        record.change(Field::Model).model = model;
        record.change(Field::Messages).messages = messages;
        record.outcome = Some(outcome);
        carry(record, object, &TAKEN);
        Ok(())
    }

    fn end(&mut self, all: &mut VecDeque<Record>, report: &mut Report) {
        from_the_earliest(all);
        report.assume("timestamp is when a request was sent; its schedule is not in the file");
    }
}

/// Count `timestamp`, `scheduled_ms` and `sent_ms` from the earliest of `all`.
pub(crate) fn from_the_earliest(all: &mut VecDeque<Record>) {
    let times = all.iter().filter_map(|record| record.request().timestamp);
    let Some(zero) = times.min() else { return };
    for record in all {
        if let Some(time) = record.request().timestamp {
            record.change(Field::Timestamp).timestamp = Some(time.saturating_sub(zero));
        }
        if let Some(outcome) = &mut record.outcome {
            outcome.sent_ms = outcome.sent_ms.map(|sent| sent.saturating_sub(zero));
            let scheduled = outcome.scheduled_ms;
            outcome.scheduled_ms = scheduled.map(|time| time.saturating_sub(zero));
        }
    }
}

/// The kind of failure that an exception's name tells of.
pub(crate) fn error_kind(name: &str) -> ErrorKind {
    let name = name.to_ascii_lowercase();
    let has = |part: &str| name.contains(part);
    if has("timeout") {
        ErrorKind::Timeout
    } else if has("cancel") {
        ErrorKind::Cancelled
    } else if has("connect") {
        ErrorKind::Connect
    } else if has("json") || has("decode") || has("validation") {
        ErrorKind::Content
    } else if has("status")
        || has("http")
        || has("servererror")
        || has("ratelimit")
        || has("badrequest")
        || has("notfound")
        || has("authentication")
        || has("permission")
    {
        ErrorKind::Http
    } else {
        ErrorKind::Stream
    }
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::convert_with;

    #[test]
    fn results_are_outcomes_on_a_clock_from_the_earliest() {
        let text = concat!(
            r#"{"request_id":1,"status":"success","input":[{"role":"user","content":"a"}],"output":"b","prompt_tokens":3,"output_tokens":5,"total_tokens":8,"latency":0.5,"throughput":10,"start_time":100.5,"end_time":101.0,"ttft":0.1,"tpot":0.08,"target_pod":null,"session_id":null}"#,
            "\n",
            r#"{"request_id":0,"status":"error","input":[{"role":"user","content":"c"}],"output":"","prompt_tokens":0,"output_tokens":0,"total_tokens":0,"latency":2,"throughput":0,"start_time":100,"end_time":102,"ttft":null,"tpot":null,"error_type":"APITimeoutError","error_message":"late","error_traceback":"x"}"#,
            "\n",
        );
        let expected = concat!(
            r#"{"timestamp":500,"input_length":3,"output_length":5,"messages":[{"role":"user","content":"a"}],"request_id":1,"output":"b","sent_ms":500,"ttft_ms":100,"latency_ms":500,"tpot_ms":100,"input_tokens":3,"output_tokens":5,"token_source":"usage"}"#,
            "\n",
            r#"{"timestamp":0,"messages":[{"role":"user","content":"c"}],"request_id":0,"output":"","sent_ms":0,"latency_ms":2000,"error":{"kind":"timeout","message":"APITimeoutError: late"}}"#,
            "\n",
        );
        let (out, error, report) = convert_with("", text);
        assert_eq!((out.as_str(), error), (expected, None));
        assert_eq!(report.of(Kind::Changed, "tpot"), 1);
    }
}
