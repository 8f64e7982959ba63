//! Results of `vllm bench serve --save-result --save-detailed`: outcomes.
//!
//! | in, a list with an entry for every request | out |
//! |---|---|
//! | `input_lens` | `input_length` and `input_tokens` |
//! | `output_lens` | `output_length` and `output_tokens`; `token_source` is `tokenizer` |
//! | `ttfts`, s | `ttft_ms` |
//! | `itls`, lists of s | `itl_ms`; with the first token's time they add up to `last_token_ms` and `latency_ms`, as vLLM takes them |
//! | `errors` | `error`, where there is a text |
//! | `start_times`, s, where there are any | `timestamp` and `sent_ms`, since the earliest |
//! | `generated_texts` | `generated_text` |
//! | `model_id` | `model` |
//!
//! | `max_concurrency` | `concurrency` |
//!
//! `seq` is the place in the list, and goes on from result to result: SGLang
//! and sweeps append them to one file. The summary beside the lists is dropped:
//! `trace-stats` makes one. A result is one object, and held, three times its
//! size in memory. Without `--save-detailed` there are no requests in it,
//! which is an error.

use crate::format::Format;
use crate::formats::member::{list_of, text_of, tokens};
use crate::formats::objects::{Expand, Made, Objects};
use crate::json::Members;
use crate::report::{Kind, Report};
use trace_core::{ErrorKind, Failure, Field, Micros, Outcome, TokenSource};

/// What vLLM's benchmark saves.
pub(crate) static FORMAT: Format = Format {
    name: "vllm-bench",
    about: "vLLM's and SGLang's serving benchmarks with --save-detailed or --output-details, as outcomes; holds a result",
    detect: |head| {
        // What such a result has even without a line for each request.
        let summary = ["total_output_tokens", "request_throughput", "completed"];
        head.has("input_lens")
            || (head.has("mean_ttft_ms") && head.has("num_prompts"))
            || summary.iter().all(|key| head.has(key))
    },
    needs: "a JSON object with input_lens, output_lens and ttfts",
    decoder: |_| Ok(Box::new(Objects::new(VllmBench { read: 0 }))),
};

struct VllmBench {
    /// Requests of earlier results.
    read: u64,
}

impl Expand for VllmBench {
    fn expand(
        &mut self,
        object: &Members<'_>,
        made: &mut Made,
        report: &mut Report,
    ) -> Result<(), String> {
        if object.get("input_lens").is_none() {
            return Err(
                "no input_lens: run the benchmark with --save-detailed (SGLang: --output-details)"
                    .to_owned(),
            );
        }
        let lists = Lists::of(object)?;
        let count = lists.inputs.len();
        if lists.starts.is_empty() {
            report.count(
                Kind::Noted,
                "requests without a time, as there are no start_times",
                count as u64,
            );
        } else {
            report.assume("timestamp is when a request was sent; its schedule is not in the file");
        }
        let concurrency = tokens(object, "max_concurrency")?;
        let model = text_of(object, "model_id")?;
        for (i, input) in lists.inputs.iter().enumerate() {
            let mut outcome = lists.outcome(i, report)?;
            outcome.seq = Some(self.read + i as u64);
            outcome.concurrency = concurrency;
            let record = made.next();
            record.change(Field::Timestamp).timestamp = outcome.sent_ms;
            record.change(Field::InputLength).input_length = Some(*input);
            record.change(Field::OutputLength).output_length = outcome.output_tokens;
            record.change(Field::Model).model.clone_from(&model);
            if let Some(text) = lists.texts.get(i).and_then(Option::as_ref) {
                record.add_text("generated_text", text);
            }
            record.outcome = Some(outcome);
        }
        self.read += count as u64;
        Ok(())
    }
}

/// The lists of a result, each empty or with an entry for every request.
struct Lists {
    inputs: Vec<u64>,
    outputs: Vec<u64>,
    ttfts: Vec<f64>,
    gaps: Vec<Vec<f64>>,
    errors: Vec<Option<String>>,
    texts: Vec<Option<String>>,
    starts: Vec<f64>,
    /// The earliest of `starts`.
    first: f64,
}

impl Lists {
    fn of(object: &Members<'_>) -> Result<Self, String> {
        let starts: Vec<f64> = list_of(object, "start_times")?;
        let lists = Self {
            inputs: list_of(object, "input_lens")?,
            outputs: list_of(object, "output_lens")?,
            ttfts: list_of(object, "ttfts")?,
            gaps: list_of(object, "itls")?,
            errors: list_of(object, "errors")?,
            texts: list_of(object, "generated_texts")?,
            first: starts.iter().copied().fold(f64::INFINITY, f64::min),
            starts,
        };
        let lengths = [
            ("output_lens", lists.outputs.len()),
            ("ttfts", lists.ttfts.len()),
            ("itls", lists.gaps.len()),
            ("errors", lists.errors.len()),
            ("generated_texts", lists.texts.len()),
            ("start_times", lists.starts.len()),
        ];
        let count = lists.inputs.len();
        match lengths.iter().find(|(_, l)| *l != 0 && *l != count) {
            Some((name, length)) => Err(format!("{name} has {length} entries, input_lens {count}")),
            None => Ok(lists),
        }
    }

    /// What happened to request `i`.
    fn outcome(&self, i: usize, report: &mut Report) -> Result<Outcome, String> {
        let sent = self.starts.get(i).map(|start| start - self.first);
        let mut outcome = Outcome {
            sent_ms: sent.map(|sent| span("start_times", sent)).transpose()?,
            input_tokens: Some(self.inputs[i]),
            token_source: Some(TokenSource::Tokenizer),
            ..Outcome::default()
        };
        let error = self.errors.get(i).and_then(Option::as_ref);
        if let Some(error) = error.filter(|error| !error.is_empty()) {
            let last = error.trim().lines().last().unwrap_or_default();
            outcome.error = Some(Failure {
                kind: kind(error),
                message: last.to_owned(),
            });
            report.count(
                Kind::Changed,
                "errors, to the kind that their text tells of",
                1,
            );
        } else {
            self.answer(i, &mut outcome)?;
        }
        Ok(outcome)
    }

    /// Add the tokens of answer `i` and when they came.
    fn answer(&self, i: usize, outcome: &mut Outcome) -> Result<(), String> {
        outcome.output_tokens = self.outputs.get(i).copied();
        let Some(&ttft) = self.ttfts.get(i) else {
            return Ok(());
        };
        let first = span("ttfts", ttft)?;
        outcome.ttft_ms = Some(first);
        let Some(gaps) = self.gaps.get(i) else {
            return Ok(());
        };
        let spans = gaps.iter().map(|gap| span("itls", *gap));
        outcome.itl_ms = Some(spans.collect::<Result<_, _>>()?);
        let last = span("itls", ttft + gaps.iter().sum::<f64>())?;
        outcome.last_token_ms = Some(last);
        outcome.latency_ms = Some(last);
        if let Some(tokens) = outcome.output_tokens.filter(|tokens| *tokens > 1) {
            let rest = last.saturating_sub(first).as_secs();
            outcome.tpot_ms = Micros::from_secs(rest / (tokens - 1) as f64);
        }
        Ok(())
    }
}

/// `seconds` of the list `name`.
fn span(name: &str, seconds: f64) -> Result<Micros, String> {
    Micros::from_secs(seconds).ok_or_else(|| format!("{name}: expected seconds, 0 or more"))
}

/// The kind of failure a traceback or a reason phrase tells of.
fn kind(error: &str) -> ErrorKind {
    if error.contains("Timeout") {
        ErrorKind::Timeout
    } else if error.contains("Connect") || error.contains("connect") {
        ErrorKind::Connect
    } else if error.contains("Traceback") {
        ErrorKind::Stream
    } else {
        // vLLM keeps the reason phrase of an HTTP error, and nothing else.
        ErrorKind::Http
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn lists_are_outcomes() {
        let text = r#"{"model_id":"m","num_prompts":2,"input_lens":[7,8],"output_lens":[3,0],"ttfts":[0.1,0.0],"itls":[[0.2,0.3],[]],"start_times":[5.5,5.0],"generated_texts":["x",""],"errors":["","Service Unavailable"],"mean_ttft_ms":1}"#;
        let expected = concat!(
            r#"{"timestamp":500,"input_length":7,"output_length":3,"model":"m","generated_text":"x","seq":0,"sent_ms":500,"ttft_ms":100,"last_token_ms":600,"latency_ms":600,"tpot_ms":250,"itl_ms":[200,300],"input_tokens":7,"output_tokens":3,"token_source":"tokenizer"}"#,
            "\n",
            r#"{"timestamp":0,"input_length":8,"model":"m","generated_text":"","seq":1,"sent_ms":0,"input_tokens":8,"token_source":"tokenizer","error":{"kind":"http","message":"Service Unavailable"}}"#,
            "\n",
        );
        let (out, error, _) = convert_with("", text);
        assert_eq!((out.as_str(), error), (expected, None));
    }

    #[test]
    fn results_of_a_sweep_go_on_counting() {
        let text = concat!(
            r#"{"input_lens":[7],"output_lens":[1],"ttfts":[0.1],"itls":[[]],"max_concurrency":1}"#,
            "\n",
            r#"{"input_lens":[7],"output_lens":[1],"ttfts":[0.1],"itls":[[]],"max_concurrency":4}"#,
            "\n",
        );
        let (out, error, _) = convert_with("", text);
        assert_eq!(error, None);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[0].contains(r#""seq":0,"concurrency":1,"#), "{out}");
        assert!(lines[1].contains(r#""seq":1,"concurrency":4,"#), "{out}");
    }

    #[test]
    fn a_summary_alone_is_refused() {
        let (_, error, _) = convert_with("", r#"{"num_prompts":2,"mean_ttft_ms":1}"#);
        assert!(
            error
                .unwrap()
                .contains("run the benchmark with --save-detailed")
        );
        let (_, error, _) = convert_with("", r#"{"input_lens":[1,2],"output_lens":[1]}"#);
        assert_eq!(
            error.unwrap(),
            "in:1:1: output_lens has 1 entries, input_lens 2"
        );
    }
}
