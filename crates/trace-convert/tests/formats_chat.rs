//! Chats, prompts, workloads and other tools' results, through the process.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;

fn convert(flags: &[&str], input: &str) -> (String, String) {
    let assert = Command::new(env!("CARGO_BIN_EXE_trace-convert"))
        .args(flags)
        .write_stdin(input)
        .assert()
        .success();
    let output = assert.get_output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_conversation_is_a_session() {
    let chat = r#"[{"id":"a","conversations":[{"from":"human","value":"1?"},{"from":"gpt","value":"1"},{"from":"human","value":"2?"},{"from":"gpt","value":"2"}]}]"#;
    let (out, told) = convert(&[], chat);
    assert_eq!(out.lines().count(), 2);
    assert!(told.contains("sharegpt (by its keys)"), "{told}");
    assert!(told.contains("tokens are those of o200k"), "{told}");
}

#[test]
fn a_workload_comes_back_as_it_went_in() {
    let workload = concat!(
        r#"{"timestamp":0,"requests":[{"prompt":"a","prompt_length":10,"output_length":5,"session_id":"s"},{"prompt":"c","prompt_length":1}]}"#,
        "\n",
        r#"{"timestamp":900,"requests":[{"prompt":"b","prompt_length":4,"output_length":5,"session_id":"s"}]}"#,
        "\n",
    );
    let (lines, _) = convert(&[], workload);
    assert_eq!(lines.lines().count(), 3);
    let (back, _) = convert(&["--to", "aibrix"], &lines);
    assert_eq!(back, workload);
}

#[test]
fn prompt_files_are_told_apart() {
    for (input, format) in [
        ("{\"prompt\":\"a\",\"completion\":\"b\"}\n", "prompts"),
        ("{\"session_id\":1,\"prompts\":[\"a\"]}\n", "prompts"),
        ("[{\"text\":\"a\"}]", "fluxperf"),
        (
            "{\"session_id\":\"s\",\"user_messages\":[\"a\"]}\n",
            "fluxperf",
        ),
        (
            "{\"input\":\"q\",\"context\":\"c\",\"_id\":\"1\"}\n",
            "longbench",
        ),
    ] {
        let (out, told) = convert(&[], input);
        assert!(out.contains("\"text_input\":"), "{out}");
        assert!(
            told.starts_with(&format!("trace-convert: {format} (")),
            "{told}"
        );
    }
}

#[test]
fn chats_and_bodies_of_every_kind_are_told_apart() {
    for (input, format) in [
        (
            r#"{"conversation_id":"c","model":"m","conversation":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"turn":1}"#,
            "sharegpt",
        ),
        (
            r#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"a"}]}}"#,
            "openai",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":"a"}],"max_tokens":5}"#,
            "openai",
        ),
        (
            r#"{"data":[{"session_id":"s","payloads":[{"model":"m","messages":[{"role":"user","content":"a"}]}]}]}"#,
            "openai",
        ),
        // Ours, though it looks alike.
        (
            r#"{"timestamp":0,"model":"m","messages":[{"role":"user","content":"a"}],"temperature":0}"#,
            "mooncake",
        ),
    ] {
        let (out, told) = convert(&["--statistics"], input);
        assert_eq!(out.lines().count(), 1, "{input}");
        if format != "mooncake" {
            assert!(out.contains("\"input_length\":1,"), "{out}");
            assert!(
                told.contains(&format!(": {format} (by its keys)")),
                "{told}"
            );
        }
    }
}

#[test]
fn results_of_other_tools_are_outcomes() {
    let aibrix = r#"{"request_id":1,"status":"success","input":[{"role":"user","content":"a"}],"output":"b","prompt_tokens":3,"output_tokens":5,"total_tokens":8,"latency":0.5,"throughput":10,"start_time":100.5,"end_time":101.0,"ttft":0.1,"tpot":0.08}"#;
    let aiperf = r#"{"metadata":{"request_start_ns":1700000000500000000},"metrics":{"input_sequence_length":{"value":3,"unit":"tokens"},"output_sequence_length":{"value":5,"unit":"tokens"},"time_to_first_token":{"value":100,"unit":"ms"},"request_latency":{"value":500,"unit":"ms"}},"error":null}"#;
    let vllm = r#"{"num_prompts":1,"input_lens":[3],"output_lens":[5],"ttfts":[0.1],"itls":[[0.1,0.1,0.2]],"errors":[""]}"#;
    let guidellm = r#"{"benchmarks":[{"config":{"strategy":{"type_":"constant","rate":1}},"requests":{"successful":[{"prompt_tokens":3,"output_tokens":5,"request_start_time":7.5,"request_latency":0.5,"time_to_first_token_ms":100}]}}]}"#;
    let inference_perf = r#"[{"start_time":7.5,"end_time":8.0,"info":{"input_tokens":3,"output_tokens":5,"output_token_times":[7.6,7.7,7.8,7.9,8.0]},"error":null}]"#;
    for record in [aibrix, aiperf, vllm, guidellm, inference_perf] {
        let (out, _) = convert(&["--to", "phase02"], record);
        let row = out.lines().nth(1).unwrap();
        assert!(row.starts_with("1,3,5,8,0.5,0.1,0.1,10,16,"), "{row}");
    }
}
