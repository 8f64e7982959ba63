//! The formats that can be read. The first whose `detect` says yes is taken:
//! the particular stand before the general.

mod agentic;
mod aibrix;
mod aibrix_client;
mod aiperf_records;
mod azure;
mod bailian;
mod burstgpt;
mod columns;
mod fluxperf;
mod generic;
mod guidellm;
mod inference_perf;
mod longbench;
mod mooncake;
mod objects;
mod openai;
mod otel;
mod prompts;
mod sharegpt;
mod talk;
mod vllm_bench;
mod weka;

use crate::format::Format;
pub use columns::Mapping;
pub(crate) use columns::parse_mapping;

/// Every format.
pub(crate) static ALL: &[&Format] = &[
    &burstgpt::FORMAT,
    &azure::FORMAT,
    &bailian::FORMAT,
    &agentic::FORMAT,
    &weka::FORMAT,
    &otel::FORMAT,
    &aibrix::FORMAT,
    &aibrix_client::FORMAT,
    &aiperf_records::FORMAT,
    &vllm_bench::FORMAT,
    &guidellm::FORMAT,
    &inference_perf::FORMAT,
    &openai::FORMAT,
    &sharegpt::FORMAT,
    &mooncake::FORMAT,
    &prompts::FORMAT,
    &longbench::FORMAT,
    &fluxperf::FORMAT,
    &generic::CSV,
    &generic::JSONL,
];
