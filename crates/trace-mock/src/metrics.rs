//! What `/metrics` tells, under vLLM's names, as Prometheus reads it.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::api::Quoted;
use crate::engine::Gauges;

/// Upper ends of vLLM's buckets, in seconds.
const FIRST: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
];
const NEXT: &[f64] = &[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0,
    40.0, 80.0,
];
const WHOLE: &[f64] = &[
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
    480.0, 960.0, 1920.0, 7680.0,
];

/// How often values fell into each bucket.
#[derive(Debug)]
struct Histogram {
    ends: &'static [f64],
    /// One per bucket, and one for what is beyond them all.
    counts: Vec<AtomicU64>,
    sum_micros: AtomicU64,
}

impl Histogram {
    fn new(ends: &'static [f64]) -> Histogram {
        Histogram {
            ends,
            counts: (0..=ends.len()).map(|_| AtomicU64::new(0)).collect(),
            sum_micros: AtomicU64::new(0),
        }
    }

    fn observe(&self, value: Duration, times: u64) {
        let seconds = value.as_secs_f64();
        let bucket = self.ends.partition_point(|end| *end < seconds);
        self.counts[bucket].fetch_add(times, Ordering::Relaxed);
        let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX);
        self.sum_micros
            .fetch_add(micros.saturating_mul(times), Ordering::Relaxed);
    }

    fn push(&self, name: &str, help: &str, labels: &str, out: &mut String) {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} histogram");
        let mut count = 0;
        for (at, bucket) in self.counts.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            let _ = match self.ends.get(at) {
                Some(end) => writeln!(out, "{name}_bucket{{{labels},le=\"{end:?}\"}} {count}"),
                None => writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}"),
            };
        }
        let sum = self.sum_micros.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(
            out,
            "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}"
        );
    }
}

/// Why an answer was over, in vLLM's words.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finish {
    Stop,
    Length,
    Abort,
}

/// The counts of a server.
#[derive(Debug)]
pub(crate) struct Metrics {
    first: Histogram,
    next: Histogram,
    whole: Histogram,
    queue: Histogram,
    prompt_tokens: AtomicU64,
    generation_tokens: AtomicU64,
    finished: [AtomicU64; 3],
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        Metrics {
            first: Histogram::new(FIRST),
            next: Histogram::new(NEXT),
            whole: Histogram::new(WHOLE),
            queue: Histogram::new(WHOLE),
            prompt_tokens: AtomicU64::new(0),
            generation_tokens: AtomicU64::new(0),
            finished: [const { AtomicU64::new(0) }; 3],
        }
    }

    /// A first token left `after` arrival.
    pub(crate) fn first_token(&self, after: Duration) {
        self.first.observe(after, 1);
    }

    /// `tokens` more left, `gap` after the ones before them.
    pub(crate) fn more_tokens(&self, tokens: u64, gap: Duration) {
        let each = gap / u32::try_from(tokens).unwrap_or(u32::MAX).max(1);
        self.next.observe(each, tokens);
    }

    /// A request was in the queue for so long.
    pub(crate) fn queued(&self, waited: Duration) {
        self.queue.observe(waited, 1);
    }

    /// An answer was over `after` arrival, with these tokens.
    pub(crate) fn finished(&self, how: Finish, after: Duration, prompt: u64, generated: u64) {
        self.whole.observe(after, 1);
        self.prompt_tokens.fetch_add(prompt, Ordering::Relaxed);
        self.generation_tokens
            .fetch_add(generated, Ordering::Relaxed);
        self.finished[how as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// All of it as text, for the model of this name.
    pub(crate) fn text(&self, model: &str, gauges: &Gauges) -> String {
        let labels = format!("engine=\"0\",model_name={}", Quoted(model));
        let mut out = String::with_capacity(8 << 10);
        let mut one = |name: &str, kind: &str, help: &str, value: f64| {
            let _ = writeln!(
                out,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{{{labels}}} {value}"
            );
        };
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
        one(
            "vllm:num_requests_running",
            "gauge",
            "Requests in the batch.",
            gauges.running as f64,
        );
        one(
            "vllm:num_requests_waiting",
            "gauge",
            "Requests in the queue.",
            gauges.waiting as f64,
        );
        let usage = "Share of the KV cache in use, 0 to 1.";
        one(
            "vllm:kv_cache_usage_perc",
            "gauge",
            usage,
            gauges.cache_usage,
        );
        let queries = "Prompt tokens looked up in the prefix cache.";
        one(
            "vllm:prefix_cache_queries_total",
            "counter",
            queries,
            gauges.queries as f64,
        );
        let hits = "Prompt tokens found in the prefix cache.";
        one(
            "vllm:prefix_cache_hits_total",
            "counter",
            hits,
            gauges.hits as f64,
        );
        let preemptions = "Times a request gave its place up for lack of blocks.";
        one(
            "vllm:num_preemptions_total",
            "counter",
            preemptions,
            gauges.preemptions as f64,
        );
        let prompt = count(&self.prompt_tokens);
        one(
            "vllm:prompt_tokens_total",
            "counter",
            "Prompt tokens of answers.",
            prompt,
        );
        let generated = count(&self.generation_tokens);
        one(
            "vllm:generation_tokens_total",
            "counter",
            "Tokens generated.",
            generated,
        );

        let name = "vllm:request_success_total";
        let _ = writeln!(
            out,
            "# HELP {name} Answers by why they ended.\n# TYPE {name} counter"
        );
        for (reason, finished) in ["stop", "length", "abort"].into_iter().zip(&self.finished) {
            let finished = count(finished);
            let _ = writeln!(
                out,
                "{name}{{{labels},finished_reason=\"{reason}\"}} {finished}"
            );
        }
        for (name, help, histogram) in [
            (
                "vllm:time_to_first_token_seconds",
                "Arrival to first token.",
                &self.first,
            ),
            (
                "vllm:inter_token_latency_seconds",
                "From token to token.",
                &self.next,
            ),
            // vLLM's older name for the same.
            (
                "vllm:time_per_output_token_seconds",
                "From token to token.",
                &self.next,
            ),
            (
                "vllm:e2e_request_latency_seconds",
                "Arrival to end.",
                &self.whole,
            ),
            (
                "vllm:request_queue_time_seconds",
                "Arrival to batch.",
                &self.queue,
            ),
        ] {
            histogram.push(name, help, &labels, &mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_buckets_are_those_of_what_happened() {
        let metrics = Metrics::new();
        metrics.first_token(Duration::from_millis(5));
        metrics.more_tokens(2, Duration::from_millis(40));
        metrics.queued(Duration::from_secs(9_000));
        metrics.finished(Finish::Length, Duration::from_millis(45), 7, 3);
        metrics.finished(Finish::Abort, Duration::from_millis(1), 2, 0);
        let gauges = Gauges {
            running: 2,
            hits: 5,
            cache_usage: 0.25,
            ..Gauges::default()
        };
        let text = metrics.text("a \"b\"", &gauges);
        let labels = r#"engine="0",model_name="a \"b\"""#;
        for line in [
            format!("vllm:num_requests_running{{{labels}}} 2"),
            format!("vllm:kv_cache_usage_perc{{{labels}}} 0.25"),
            format!("vllm:prefix_cache_hits_total{{{labels}}} 5"),
            format!("vllm:prompt_tokens_total{{{labels}}} 9"),
            format!("vllm:request_success_total{{{labels},finished_reason=\"length\"}} 1"),
            format!("vllm:request_success_total{{{labels},finished_reason=\"abort\"}} 1"),
            format!("vllm:time_to_first_token_seconds_bucket{{{labels},le=\"0.001\"}} 0"),
            // A value on the end of a bucket is within it.
            format!("vllm:time_to_first_token_seconds_bucket{{{labels},le=\"0.005\"}} 1"),
            format!("vllm:inter_token_latency_seconds_bucket{{{labels},le=\"0.025\"}} 2"),
            format!("vllm:inter_token_latency_seconds_sum{{{labels}}} 0.04"),
            format!("vllm:request_queue_time_seconds_bucket{{{labels},le=\"7680.0\"}} 0"),
            format!("vllm:request_queue_time_seconds_bucket{{{labels},le=\"+Inf\"}} 1"),
            format!("vllm:e2e_request_latency_seconds_count{{{labels}}} 2"),
        ] {
            assert!(text.lines().any(|have| have == line), "{line}\n{text}");
        }
    }

    #[test]
    fn every_line_is_one_that_prometheus_reads() {
        let text = Metrics::new().text("m", &Gauges::default());
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(name.starts_with("vllm:") && name.ends_with('}'), "{line}");
        }
    }
}
