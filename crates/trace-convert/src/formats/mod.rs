//! The formats that can be read. The first whose `detect` says yes is taken:
//! the particular stand before the general.

mod agentic;
mod aibrix;
mod aibrix_client;
mod aiperf_inputs;
mod aiperf_records;
mod azure;
mod bailian;
mod block_size;
mod burstgpt;
mod cell;
mod columns;
mod fluxperf;
mod generic;
mod guidellm;
mod ids;
mod inference_perf;
mod longbench;
mod member;
mod mooncake;
mod objects;
mod openai;
mod otel;
mod paths;
mod prompts;
mod sagemaker;
mod sharegpt;
mod talk;
mod vllm_bench;
mod weka;

use crate::format::Format;
pub(crate) use block_size::NAME as BLOCK_SIZE;
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
    &sagemaker::FORMAT,
    &openai::FORMAT,
    &sharegpt::FORMAT,
    &mooncake::FORMAT,
    &longbench::FORMAT,
    &prompts::FORMAT,
    &aiperf_inputs::FORMAT,
    &fluxperf::FORMAT,
    &generic::CSV,
    &generic::JSONL,
];

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    /// An object of each format with a member of a wrong type, and what is said.
    const WRONG: [(&str, &str, &str); 19] = [
        (
            "aibrix-client",
            r#"{"status":"success","start_time":1,"end_time":2,"prompt_tokens":3,"latency":"x"}"#,
            "latency: expected seconds, 0 or more",
        ),
        (
            "aibrix-client",
            r#"{"status":"success","start_time":1,"end_time":2,"latency":1,"prompt_tokens":3,"input":{"a":1}}"#,
            "input: expected a string",
        ),
        (
            "guidellm",
            r#"{"benchmarks":[{"requests":{"successful":[{"start_time":"x"}]}}]}"#,
            "start_time: expected a number",
        ),
        (
            "guidellm",
            r#"{"benchmarks":[{"requests":[]}]}"#,
            "requests: expected an object",
        ),
        (
            "guidellm",
            r#"{"benchmarks":[{"requests":{"successful":[{"start_time":9,"last_token_time":8}]}}]}"#,
            "requests.successful: the last token came before the request began",
        ),
        (
            "inference-perf",
            r#"{"start_time":2,"end_time":1,"info":{"input_tokens":1}}"#,
            "end_time: before start_time",
        ),
        (
            "inference-perf",
            r#"{"start_time":2,"end_time":3,"info":{"input_tokens":1,"output_token_times":[3,2.5]}}"#,
            "output_token_times: not in order",
        ),
        (
            "inference-perf",
            r#"{"start_time":2,"end_time":3,"info":{"input_tokens":1,"response_metrics":7}}"#,
            "response_metrics: expected an object",
        ),
        (
            "vllm-bench",
            r#"{"input_lens":[1],"output_lens":[2],"ttfts":[-1]}"#,
            "ttfts: expected seconds, 0 or more",
        ),
        (
            "vllm-bench",
            r#"{"input_lens":[1],"output_lens":[2],"ttfts":[1],"itls":[[-1]]}"#,
            "itls: expected seconds, 0 or more",
        ),
        (
            "openai",
            r#"{"custom_id":"a","response":{"status_code":"x","body":{"usage":{"prompt_tokens":1}}}}"#,
            "status_code: expected a status of HTTP, 100 to 599",
        ),
        (
            "openai",
            r#"{"custom_id":"a","response":{"body":{"created":"x","usage":{"prompt_tokens":1}}}}"#,
            "created: expected seconds since 1970",
        ),
        (
            "weka",
            r#"{"id":"c","requests":[{"t":0,"in":1,"out":1,"model":7}]}"#,
            "model: expected a string",
        ),
        (
            "weka",
            r#"{"id":"c","models":7,"requests":[{"in":1,"out":1}]}"#,
            "models: invalid type: integer `7`, expected a sequence",
        ),
        (
            "sharegpt",
            r#"{"conversations":[{"from":"human","value":"a"}],"model":7}"#,
            "model: expected a string",
        ),
        (
            "otel",
            r#"{"span_id":"s","start_time":"x","attributes":{"gen_ai.usage.input_tokens":1}}"#,
            "start_time: expected a date or a number of time",
        ),
        (
            "otel",
            r#"{"span_id":"s","attributes":{"gen_ai.usage.input_tokens":-1}}"#,
            "gen_ai.usage.input_tokens: expected a whole number, 0 or more",
        ),
        (
            "otel",
            r#"{"span_id":"s","attributes":{"gen_ai.request.model":["m"],"gen_ai.usage.input_tokens":1}}"#,
            "gen_ai.request.model: expected a string",
        ),
        (
            "otel",
            r#"{"span_id":"s","attributes":7}"#,
            "attributes: expected an object or a list of key and value",
        ),
    ];

    #[test]
    fn a_member_of_another_type_is_not_taken_for_absent() {
        for (format, object, reason) in WRONG {
            let (out, error, _) = convert_with(&format!("--from {format}"), object);
            let error = error.unwrap_or_else(|| panic!("{object} is taken: {out}"));
            let (place, said) = error.split_once(": ").unwrap();
            assert!(place.starts_with("in:1:"), "{object}: {error}");
            assert_eq!(said, reason, "{object}");
            let (out, error, report) =
                convert_with(&format!("--skip-invalid --from {format}"), object);
            assert_eq!((out.as_str(), error), ("", None), "{object}");
            let line = report.line().unwrap_or_default();
            assert!(line.contains("skipped 1 invalid lines"), "{line}");
        }
    }
}
