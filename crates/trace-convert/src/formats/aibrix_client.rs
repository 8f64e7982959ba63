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
use crate::formats::member::{number_of, seconds_of, session, text_of, tokens};
use crate::formats::objects::{Expand, Made, Objects, carry};
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
        let start = seconds_of(object, "start_time")?.ok_or("no start_time")?;
        let asked = Asked::of(object)?;
        let failed = match text_of(object, "status")?.as_deref() {
            Some("success") => false,
            Some("error") => true,
            _ => return Err("status: expected success or error".to_owned()),
        };
        let mut outcome = if failed {
            failure(object, report)?
        } else {
            answer(object, report)?
        };
        outcome.sent_ms = Some(start);
        let output = tokens(object, "output_tokens")?.filter(|_| !failed);
        let model = text_of(object, "model")?;
        let record = made.next();
        record.change(Field::Timestamp).timestamp = Some(start);
        record.change(Field::InputLength).input_length = asked.length;
        record.change(Field::OutputLength).output_length = output;
        record.change(Field::SessionId).session_id = object.get("session_id").map(session);
        record.change(Field::Model).model = model;
        record.change(Field::TextInput).text_input = asked.text;
        record.change(Field::Messages).messages = asked.messages;
        record.outcome = Some(outcome);
        carry(record, object, &TAKEN);
        Ok(())
    }

    fn end(&mut self, all: &mut VecDeque<Record>, report: &mut Report) {
        from_the_earliest(all);
        report.assume("timestamp is when a request was sent; its schedule is not in the file");
    }
}

/// What a request asked.
struct Asked {
    length: Option<u64>,
    text: Option<String>,
    messages: Option<Box<RawValue>>,
}

impl Asked {
    fn of(object: &Members<'_>) -> Result<Self, String> {
        let (mut text, mut messages) = (None, None);
        match object.get("input") {
            None => {}
            Some(raw) if raw.starts_with(b"[") => {
                messages = Some(serde_json::from_slice(raw).map_err(|e| format!("input: {e}"))?);
            }
            Some(_) => text = text_of(object, "input")?,
        }
        let length = tokens(object, "prompt_tokens")?.filter(|tokens| *tokens > 0);
        if length.is_none() && text.is_none() && messages.is_none() {
            return Err("neither input nor prompt_tokens".to_owned());
        }
        Ok(Self {
            length,
            text,
            messages,
        })
    }
}

/// What happened to a request that was answered.
fn answer(object: &Members<'_>, report: &mut Report) -> Result<Outcome, String> {
    let output = tokens(object, "output_tokens")?;
    let after_first = output.filter(|tokens| *tokens > 1);
    let tpot = number_of(object, "tpot")?.zip(after_first);
    let tpot = tpot.map(|(tpot, all)| {
        let counted = Micros::from_secs(tpot * all as f64 / (all - 1) as f64);
        counted.ok_or("tpot: expected seconds, 0 or more")
    });
    report.count(
        Kind::Changed,
        "tpot, to that of the tokens after the first",
        u64::from(tpot.is_some()),
    );
    Ok(Outcome {
        latency_ms: seconds_of(object, "latency")?,
        ttft_ms: seconds_of(object, "ttft")?,
        tpot_ms: tpot.transpose()?,
        input_tokens: tokens(object, "prompt_tokens")?,
        output_tokens: output,
        token_source: Some(TokenSource::Usage),
        ..Outcome::default()
    })
}

/// What happened to one that was not.
fn failure(object: &Members<'_>, report: &mut Report) -> Result<Outcome, String> {
    let kind = text_of(object, "error_type")?.unwrap_or_default();
    let message = text_of(object, "error_message")?.unwrap_or_default();
    report.count(
        Kind::Changed,
        "error_type, to the kind of error that it names",
        1,
    );
    let latency = seconds_of(object, "latency")?;
    Ok(Outcome {
        latency_ms: latency.filter(|latency| *latency > Micros::ZERO),
        ttft_ms: seconds_of(object, "ttft")?,
        error: Some(Failure {
            kind: error_kind(&kind),
            message: format!("{kind}: {message}"),
        }),
        ..Outcome::default()
    })
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
