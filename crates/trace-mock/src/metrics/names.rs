//! The names of what is told, and where the values are found.

use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::Histogram;
use super::model::Metrics;
use crate::engine::Gauges;

/// How a value of a model is found among its counts and gauges.
type Value = fn(&Metrics, &Gauges) -> f64;

/// What has one number.
pub(super) struct Number {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) help: &'static str,
    pub(super) value: Value,
}

const fn gauge(name: &'static str, help: &'static str, value: Value) -> Number {
    let kind = "gauge";
    Number {
        name,
        kind,
        help,
        value,
    }
}

const fn counter(name: &'static str, help: &'static str, value: Value) -> Number {
    let kind = "counter";
    Number {
        name,
        kind,
        help,
        value,
    }
}

pub(super) fn count(count: &AtomicU64) -> f64 {
    count.load(Ordering::Relaxed) as f64
}

pub(super) const NUMBERS: [Number; 9] = [
    gauge(
        "vllm:num_requests_running",
        "Requests in the batch.",
        |_, gauges| gauges.running as f64,
    ),
    gauge(
        "vllm:num_requests_waiting",
        "Requests in the queue.",
        |_, gauges| gauges.waiting as f64,
    ),
    gauge(
        "vllm:kv_cache_usage_perc",
        "Share of the KV cache in use, 0 to 1.",
        |_, gauges| gauges.cache_usage,
    ),
    counter(
        "vllm:prefix_cache_queries_total",
        "Prompt tokens looked up in the prefix cache.",
        |_, gauges| gauges.queries as f64,
    ),
    counter(
        "vllm:prefix_cache_hits_total",
        "Prompt tokens found in the prefix cache.",
        |_, gauges| gauges.hits as f64,
    ),
    counter(
        "vllm:num_preemptions_total",
        "Times a request gave its place up for lack of blocks.",
        |_, gauges| gauges.preemptions as f64,
    ),
    counter(
        "vllm:prompt_tokens_total",
        "Prompt tokens of answers.",
        |metrics, _| count(&metrics.prompt_tokens),
    ),
    counter(
        "vllm:prompt_tokens_cached_total",
        "Prompt tokens that were cached.",
        |_, gauges| gauges.hits as f64,
    ),
    counter(
        "vllm:generation_tokens_total",
        "Tokens generated.",
        |metrics, _| count(&metrics.generation_tokens),
    ),
];

/// Where a histogram is among the counts of a model.
type Place = fn(&Metrics) -> &Histogram;

/// Name, help and place of the histograms.
pub(super) const HISTOGRAMS: [(&str, &str, Place); 14] = [
    (
        "vllm:time_to_first_token_seconds",
        "Arrival to first token.",
        |metrics| &metrics.first,
    ),
    (
        "vllm:inter_token_latency_seconds",
        "From token to token.",
        |metrics| &metrics.next,
    ),
    // vLLM's older name for the same.
    (
        "vllm:time_per_output_token_seconds",
        "From token to token.",
        |metrics| &metrics.next,
    ),
    (
        "vllm:request_time_per_output_token_seconds",
        "From token to token, the mean of each request.",
        |metrics| &metrics.pace,
    ),
    (
        "vllm:e2e_request_latency_seconds",
        "Arrival to end.",
        |metrics| &metrics.whole,
    ),
    (
        "vllm:request_queue_time_seconds",
        "Arrival to batch.",
        |metrics| &metrics.queue,
    ),
    (
        "vllm:request_prefill_time_seconds",
        "Batch to first token.",
        |metrics| &metrics.prefill,
    ),
    (
        "vllm:request_decode_time_seconds",
        "First token to last.",
        |metrics| &metrics.decode,
    ),
    (
        "vllm:request_inference_time_seconds",
        "Batch to last token.",
        |metrics| &metrics.inference,
    ),
    (
        "vllm:request_prompt_tokens",
        "Tokens of the prompt.",
        |metrics| &metrics.prompts,
    ),
    (
        "vllm:request_generation_tokens",
        "Tokens of each answer.",
        |metrics| &metrics.lengths,
    ),
    // As many in each of the answers, so the most in any.
    (
        "vllm:request_max_num_generation_tokens",
        "Tokens of the longest answer.",
        |metrics| &metrics.lengths,
    ),
    (
        "vllm:request_params_max_tokens",
        "Tokens that were asked for.",
        |metrics| &metrics.limits,
    ),
    (
        "vllm:request_params_n",
        "Answers that were asked for.",
        |metrics| &metrics.choices,
    ),
];
