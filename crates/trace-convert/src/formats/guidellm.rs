//! Results of `guidellm benchmark`, a report as JSON: outcomes.
//!
//! | in, for each benchmark of the report | out |
//! |---|---|
//! | the strategy of `config` and its rate or streams | `stage`, such as `constant@5`; streams are `concurrency` too |
//! | `requests.successful`, `.errored`, `.incomplete` | an outcome each, in order of their start; `seq` is that place |
//! | `request_start_time` or `start_time`, s | `sent_unix_ms`; since the first of the benchmark, `timestamp` and `sent_ms` |
//! | `info.timings.targeted_start`, s | `timestamp` and `scheduled_ms`, where it is told |
//! | `prompt_tokens`, `output_tokens` | `input_length` and `input_tokens`, `output_length` and `output_tokens` |
//! | `time_to_first_token_ms`, `request_latency` in s | `ttft_ms`, `latency_ms` |
//! | `inter_token_latency_ms` | `tpot_ms`: GuideLLM's is (last − first) ÷ (tokens − 1) |
//! | `info.error` | `error`; incomplete requests are `cancelled` |
//!
//! Statistics beside the requests are dropped: `trace-stats` makes its own. A
//! benchmark is one object, and held, three times its size in memory.

use crate::format::Format;
use crate::formats::aibrix_client::error_kind;
use crate::formats::member::{
    list_of, millis_of, number_of, object_of, seconds_of, session, text_of, tokens,
};
use crate::formats::objects::{Expand, Made, Objects};
use crate::head::Head;
use crate::json::Members;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;
use trace_core::{ErrorKind, Failure, Field, Micros, Outcome, TokenSource};

/// GuideLLM's report.
pub(crate) static FORMAT: Format = Format {
    name: "guidellm",
    about: "GuideLLM's report as JSON, as outcomes; holds a benchmark of it",
    detect: |head: &Head| {
        let parts = [
            "benchmarks.requests",
            "benchmarks.config",
            "benchmarks.run_id",
            "benchmarks.metrics",
            "benchmarks.args",
        ];
        parts.iter().any(|part| head.has(part))
    },
    needs: "a JSON object with benchmarks[].requests",
    decoder: |_| Ok(Box::new(Objects::new(GuideLlm).inside("benchmarks"))),
};

struct GuideLlm;

impl Expand for GuideLlm {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        if object.get("requests").is_none() {
            return Err("a benchmark without requests, of which only statistics were saved".into());
        }
        let (stage, concurrency) = strategy(object)?;
        let mut all = sent(object)?;
        all.sort_by(|a, b| a.start.total_cmp(&b.start));
        let first = all.iter().map(|sent| sent.planned.unwrap_or(sent.start));
        let first = first.fold(f64::INFINITY, f64::min);
        for (seq, sent) in all.into_iter().enumerate() {
            if sent.outcome.input_tokens.is_none() {
                report.drop_request("requests without prompt_tokens");
                continue;
            }
            let since = |time: f64| Micros::from_secs(time - first);
            let record = made.next();
            record.change(Field::Timestamp).timestamp = since(sent.planned.unwrap_or(sent.start));
            record.change(Field::InputLength).input_length = sent.outcome.input_tokens;
            record.change(Field::OutputLength).output_length = sent
                .outcome
                .output_tokens
                .filter(|_| sent.outcome.error.is_none());
            record.change(Field::SessionId).session_id =
                sent.session.as_deref().map(|id| session(id.as_bytes()));
            record.outcome = Some(Outcome {
                seq: Some(seq as u64),
                stage: stage.clone(),
                concurrency,
                scheduled_ms: sent.planned.and_then(since),
                sent_ms: since(sent.start),
                sent_unix_ms: Micros::from_secs(sent.start),
                ..sent.outcome
            });
        }
        report.count(Kind::Dropped, "statistics of benchmarks", 1);
        Ok(())
    }
}

/// Every request of a benchmark.
fn sent(benchmark: &Members<'_>) -> Result<Vec<Sent>, String> {
    let requests = object_of(benchmark, "requests")?;
    let mut all = Vec::new();
    // `total` repeats the others, or is null.
    for how in ["successful", "errored", "incomplete"] {
        let list: Vec<Box<RawValue>> =
            list_of(&requests, how).map_err(|reason| format!("requests.{reason}"))?;
        for request in &list {
            let request: Members<'_> = serde_json::from_str(request.get())
                .map_err(|_| format!("requests.{how}: expected objects"))?;
            all.push(Sent::of(&request, how)?);
        }
    }
    Ok(all)
}

/// A request of a benchmark.
struct Sent {
    /// Seconds since 1970.
    start: f64,
    /// When it should have been sent, in the same seconds.
    planned: Option<f64>,
    /// The JSON of the conversation's name.
    session: Option<String>,
    outcome: Outcome,
}

impl Sent {
    fn of(request: &Members<'_>, how: &str) -> Result<Self, String> {
        let inside = |reason: String| format!("requests.{how}: {reason}");
        let info = object_of(request, "info").map_err(inside)?;
        let timings = object_of(&info, "timings").map_err(inside)?;
        let start = match number_of(request, "request_start_time")? {
            None => number_of(request, "start_time")?,
            given => given,
        };
        let start = start.ok_or_else(|| inside("no request_start_time".to_owned()))?;
        let last = match number_of(&timings, "last_token_iteration")? {
            None => number_of(request, "last_token_time")?,
            given => given,
        };
        let last = last.map(|last| Micros::from_secs(last - start));
        if last == Some(None) {
            return Err(inside(
                "the last token came before the request began".to_owned(),
            ));
        }
        let failed = how != "successful";
        let said = match text_of(&info, "error")? {
            None => text_of(request, "error")?,
            given => given,
        };
        let said = said.unwrap_or_default();
        let error = failed.then(|| Failure {
            kind: match how {
                "incomplete" => ErrorKind::Cancelled,
                _ => error_kind(&said),
            },
            message: said.lines().last().unwrap_or_default().to_owned(),
        });
        let input = tokens(request, "prompt_tokens")?;
        Ok(Self {
            start,
            planned: number_of(&timings, "targeted_start")?,
            session: info
                .get("conversation_id")
                .map(|raw| String::from_utf8_lossy(raw).into_owned()),
            outcome: Outcome {
                ttft_ms: millis_of(request, "time_to_first_token_ms")?.filter(|_| !failed),
                last_token_ms: last.flatten(),
                latency_ms: seconds_of(request, "request_latency")?,
                tpot_ms: millis_of(request, "inter_token_latency_ms")?.filter(|_| !failed),
                input_tokens: input,
                output_tokens: tokens(request, "output_tokens")?,
                chunks: tokens(&timings, "token_iterations")?.filter(|chunks| *chunks > 0),
                token_source: input.map(|_| TokenSource::Usage),
                error,
                ..Outcome::default()
            },
        })
    }
}

/// What tells this benchmark from others of the report.
fn strategy(object: &Members<'_>) -> Result<(Option<String>, Option<u64>), String> {
    let (config, args) = (object_of(object, "config")?, object_of(object, "args")?);
    let config = match config.get("strategy") {
        Some(_) => config,
        None => args,
    };
    let strategy = object_of(&config, "strategy")?;
    let kind = match text_of(&strategy, "type_")? {
        None => text_of(&strategy, "type")?,
        given => given,
    };
    let streams = tokens(&strategy, "streams")?;
    let rate = number_of(&strategy, "rate")?;
    let stage = kind.map(|kind| match (streams, rate) {
        (Some(streams), _) => format!("{kind}@{streams}"),
        (None, Some(rate)) => format!("{kind}@{rate}"),
        (None, None) => kind,
    });
    Ok((stage, streams))
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::convert_with;

    #[test]
    fn requests_of_every_benchmark_are_outcomes() {
        let text = r#"{"metadata":{"version":1},"args":{},"benchmarks":[
{"type_":"generative_benchmark","config":{"strategy":{"type_":"concurrent","streams":2}},"metrics":{"x":{"y":1}},
 "requests":{"successful":[
  {"request_id":"b","prompt_tokens":9,"output_tokens":1,"request_start_time":100.5,"request_latency":0.2,"time_to_first_token_ms":200,"inter_token_latency_ms":null,"info":{"timings":{"targeted_start":100.25}}},
  {"request_id":"a","prompt_tokens":7,"output_tokens":3,"request_start_time":100.0,"request_latency":0.5,"time_to_first_token_ms":100,"inter_token_latency_ms":200,"info":{"timings":{"last_token_iteration":100.5,"token_iterations":3}}}],
  "errored":[{"request_id":"c","prompt_tokens":7,"output_tokens":null,"request_start_time":101.0,"info":{"error":"ReadTimeout"}}],
  "incomplete":[{"request_id":"d","prompt_tokens":null,"request_start_time":102.0}],"total":null}},
{"config":{"strategy":{"type_":"poisson","rate":2.5}},"requests":{"successful":[{"prompt_tokens":7,"output_tokens":3,"start_time":300.0}]}}]}"#;
        let expected = concat!(
            r#"{"timestamp":0,"input_length":7,"output_length":3,"seq":0,"concurrency":2,"stage":"concurrent@2","sent_ms":0,"sent_unix_ms":100000,"ttft_ms":100,"last_token_ms":500,"latency_ms":500,"tpot_ms":200,"input_tokens":7,"output_tokens":3,"token_source":"usage","chunks":3}"#,
            "\n",
            r#"{"timestamp":250,"input_length":9,"output_length":1,"seq":1,"concurrency":2,"stage":"concurrent@2","scheduled_ms":250,"sent_ms":500,"sent_unix_ms":100500,"ttft_ms":200,"latency_ms":200,"input_tokens":9,"output_tokens":1,"token_source":"usage"}"#,
            "\n",
            r#"{"timestamp":1000,"input_length":7,"seq":2,"concurrency":2,"stage":"concurrent@2","sent_ms":1000,"sent_unix_ms":101000,"input_tokens":7,"token_source":"usage","error":{"kind":"timeout","message":"ReadTimeout"}}"#,
            "\n",
            r#"{"timestamp":0,"input_length":7,"output_length":3,"seq":0,"stage":"poisson@2.5","sent_ms":0,"sent_unix_ms":300000,"input_tokens":7,"output_tokens":3,"token_source":"usage"}"#,
            "\n",
        );
        let (out, error, report) = convert_with("", text);
        assert_eq!((out.as_str(), error), (expected, None));
        assert_eq!(report.of(Kind::Dropped, "requests without prompt"), 1);
    }

    #[test]
    fn statistics_alone_are_refused() {
        let (_, error, _) = convert_with("", r#"{"benchmarks":[{"metrics":{}}]}"#);
        let error = error.unwrap();
        assert!(
            error.starts_with("in:1:16: a benchmark without")
                || error.starts_with("in:1:1: a benchmark without"),
            "{error}"
        );
    }
}
