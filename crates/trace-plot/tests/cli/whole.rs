//! `trace-plot cache` and `trace-plot compare` as processes.

use std::process::Output;

use assert_cmd::Command;

const TRACE: &str = r#"{"timestamp":0,"input_length":25,"output_length":4,"hash_ids":[0,1,2]}
{"timestamp":1000,"input_length":28,"output_length":8,"hash_ids":[0,1,3]}
{"timestamp":1500,"input_length":28,"output_length":8,"hash_ids":[0,1,3]}
"#;

const OBJECT: &str = r#"{
  "block_size": 10, "kind": "cache", "curves": [
    {"policy": "lru", "replicas": 1, "routing": null, "curve": [
      {"blocks": 1, "hit_rate": 0.1, "token_hit_rate": null},
      {"blocks": 9, "hit_rate": 0.5, "token_hit_rate": null}]}]
}"#;

fn plot(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-plot"));
    command.args(args).write_stdin(input).output().unwrap()
}

fn svg(args: &[&str], input: &str) -> String {
    let output = plot(args, input);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn refusal(args: &[&str], input: &str) -> String {
    let output = plot(args, input);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_trace_and_a_cache_object_are_told_apart() {
    let args = ["cache", "--format", "svg", "--block-size", "10"];
    let trace = svg(&args, TRACE);
    assert!(
        trace.contains("3 requests · 9 accesses to 4 blocks of 10 tokens"),
        "{trace}"
    );
    let object = svg(&args, OBJECT);
    assert!(
        object.contains("Hit rate of a cache by its capacity: lru"),
        "{object}"
    );
    let line: String = OBJECT.split_whitespace().collect();
    assert_eq!(svg(&args, &line), object);
}

#[test]
fn two_traces_are_six_panels() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    std::fs::write(&path, TRACE).unwrap();
    let sheet = svg(
        &["compare", "--format", "svg", path.to_str().unwrap(), "-"],
        TRACE,
    );
    for title in [
        "Gaps between arrivals",
        "Prompt lengths",
        "Context in tokens",
        "LRU cache",
    ] {
        assert!(sheet.contains(title), "{title}");
    }
    assert!(sheet.contains("width=\"1440\""));
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let cache = ["cache", "--format", "svg"];
    assert!(refusal(&cache, "{\"input_length\":1}\n").contains("no request has hash_ids"));
    assert!(refusal(&cache, "").contains("the input has no requests"));
    assert!(refusal(&cache, "{\n").contains("no cache object"));
    assert!(refusal(&cache, "\u{89}PNG\n").contains("<stdin>:1:1"));
    assert!(refusal(&["compare", "-"], TRACE).contains("compare takes two traces"));
    assert!(refusal(&["cache", "rate", "-o", "x.svg"], TRACE).contains("drawn by itself"));
}

/// Two metrics over ten seconds, the second of two engines.
fn telemetry() -> String {
    let line = |t: u32, name: &str, engine: u32, value: u32| {
        format!(
            "{{\"t_ms\":{},\"unix_ms\":1,\"source\":\"http://s\",\"name\":\"{name}\",\
             \"labels\":{{\"engine\":\"{engine}\",\"model\":\"m\"}},\"value\":{value},\"unit\":\"1/s\"}}\n",
            t * 1_000
        )
    };
    (0..10)
        .flat_map(|t| {
            [
                line(t, "running", 0, t),
                line(t, "tokens", 0, 7 * t),
                line(t, "tokens", 1, 9),
            ]
        })
        .collect()
}

#[test]
fn telemetry_is_a_panel_a_metric_and_a_line_a_set_of_labels() {
    let args = ["telemetry", "--format", "svg"];
    let all = svg(&args, &telemetry());
    assert!(all.contains("running. tokens."), "{}", &all[..400]);
    let one = svg(
        &["telemetry", "--metric", "run", "--format", "svg"],
        &telemetry(),
    );
    assert!(!one.contains("tokens"), "{}", &one[..400]);
    assert_ne!(
        svg(
            &args,
            &telemetry().replace("\"engine\":\"1\"", "\"engine\":\"0\"")
        ),
        all
    );
}

#[test]
fn telemetry_that_cannot_be_drawn_is_said() {
    let args = ["telemetry", "--format", "svg"];
    assert!(refusal(&args, "").contains("the input has no telemetry lines"));
    let bad = telemetry() + "{\"t_ms\":1}\n";
    let error = refusal(&args, &bad);
    assert!(
        error.contains("<stdin>:31:10: not a telemetry line: missing field"),
        "{error}"
    );
    assert!(refusal(&args, "\u{89}PNG\n").contains("<stdin>:1:1: not a telemetry line"));
    let named = ["telemetry", "--metric", "nope", "--format", "svg"];
    assert!(refusal(&named, &telemetry()).contains("no metric is called nope"));
    assert!(svg(&["telemetry", "--skip-invalid", "--format", "svg"], &bad).contains("running"));
}
