//! The files that FluxPerf would leave.

use crate::groups::SWEEP;
use crate::harness::{TRACE, stats};
use serde_json::{Value, json};

fn export(input: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("results");
    let args = [
        "--slo",
        "ttft_ms=300",
        "--output-dir",
        folder.to_str().unwrap(),
    ];
    let (code, _, stderr) = stats(&args, input);
    assert_eq!((code, stderr.as_str()), (0, ""));
    dir
}

#[test]
fn every_level_and_round_has_a_file() {
    let dir = export(SWEEP);
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(dir.path().join("results").join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let first = read("concurrency_4_round_1.json");
    assert_eq!(
        (&first["concurrency"], &first["round"]),
        (&json!(4), &json!(1))
    );
    let summary = &first["summary"];
    assert_eq!(summary["total_requests"], 2);
    assert_eq!(summary["duration_seconds"], 2);
    assert_eq!(summary["ttft_ms"]["avg"], 200);
    assert_eq!(summary["throughput"]["tokens_per_second"], 10);
    assert_eq!(summary["goodput"]["attainment"], 0.5);
    assert_eq!(
        first["detailed_results"][0],
        json!({"request_id": "round1_conc4_0", "input_tokens": null, "output_tokens": 10, "ttft_ms": 100, "avg_itl_ms": null, "total_latency_ms": 1000, "throughput": 10, "meets_slo": true, "error": null})
    );
    // From the schedule, its first token took 1300 ms.
    assert_eq!(first["detailed_results"][1]["meets_slo"], false);
    let last = read("concurrency_16_round_2.json");
    assert_eq!(last["detailed_results"][0]["error"], "http: busy");
    assert_eq!(last["summary"]["latency_ms"]["p50"], Value::Null);
}

#[test]
fn the_table_has_a_column_for_each() {
    let dir = export(SWEEP);
    let table = std::fs::read_to_string(dir.path().join("results/metrics_summary.csv")).unwrap();
    insta::assert_snapshot!(table, @r"
    Metric,Concurrency4-Round1,Concurrency4-Round2,Concurrency16-Round1,Concurrency16-Round2
    Total Requests,2,2,1,1
    Successful Requests,2,2,1,0
    Failed Requests,0,0,0,1
    Test Duration (sec),2,1,2,0.01
    Average Input Tokens,,,,
    Average Output Tokens,10,10,,

    TTFT (ms) Avg,200,100,400,
    TTFT (ms) P50,200,100,400,inf
    TTFT (ms) P90,280,140,400,inf
    TTFT (ms) P99,298,149,400,inf
    TTFT (ms) Min,100,50,400,
    TTFT (ms) Max,300,150,400,
    TTFT (ms) Stddev,100,50,0,

    ITL (ms) Avg,,,,
    ITL (ms) P50,,,,
    ITL (ms) P90,,,,
    ITL (ms) P99,,,,
    ITL (ms) Min,,,,
    ITL (ms) Max,,,,
    ITL (ms) Stddev,,,,

    Latency (ms) Avg,1000,500,2000,
    Latency (ms) P50,1000,500,2000,inf
    Latency (ms) P90,1000,500,2000,inf
    Latency (ms) P99,1000,500,2000,inf
    Latency (ms) Min,1000,500,2000,
    Latency (ms) Max,1000,500,2000,
    Latency (ms) Stddev,0,0,0,

    Input Length (tokens) Avg,,,,
    Input Length (tokens) P50,,,,
    Input Length (tokens) P90,,,,
    Input Length (tokens) P99,,,,
    Input Length (tokens) Min,,,,
    Input Length (tokens) Max,,,,
    Input Length (tokens) Stddev,,,,

    Output Length (tokens) Avg,10,10,,
    Output Length (tokens) P50,10,10,,
    Output Length (tokens) P90,10,10,,
    Output Length (tokens) P99,10,10,,
    Output Length (tokens) Min,10,10,,
    Output Length (tokens) Max,10,10,,
    Output Length (tokens) Stddev,0,0,,

    Token Throughput (tokens/sec),10,20,,0
    Request Throughput (requests/sec),1,2,0.5,0

    Requests Meeting SLO,1,1,0,0
    SLO Attainment,0.5,0.5,0,0
    Goodput (requests/sec),0.5,1,0,0
    Goodput (tokens/sec),5,10,0,0

    TTFT Avg Change From Previous Round (%),,-50,,
    TTFT P50 Change From Previous Round (%),,-50,,
    TTFT P99 Change From Previous Round (%),,-50,,
    ITL Avg Change From Previous Round (%),,,,
    ITL P50 Change From Previous Round (%),,,,
    Latency Avg Change From Previous Round (%),,-50,,
    Latency P50 Change From Previous Round (%),,-50,,
    Token Throughput Change From Previous Round (%),,100,,
    Request Throughput Change From Previous Round (%),,100,,-100
    Goodput (requests/sec) Change From Previous Round (%),,100,,
    ");
}

#[test]
fn stages_and_open_loops_have_their_places() {
    let run = r#"{"input_length":1,"stage":"../up","scheduled_ms":0,"sent_ms":0,"latency_ms":5}"#;
    let dir = export(run);
    let file = dir
        .path()
        .join("results/%2E%2E%2Fup/concurrency_open_round_1.json");
    assert!(file.exists());
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let (code, _, stderr) = stats(&["--output-dir", folder], TRACE);
    assert_eq!(code, 2);
    assert!(stderr.contains("no line has one"), "{stderr}");
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (code, _, stderr) = stats(&["--output-dir", file.to_str().unwrap()], SWEEP);
    assert_eq!(code, 2);
    assert!(
        stderr.starts_with("trace-stats: cannot make the folder"),
        "{stderr}"
    );
}

#[test]
fn a_bad_line_leaves_the_files_of_the_last_run() {
    let dir = export(SWEEP);
    let folder = dir.path().join("results");
    let files = || -> std::collections::BTreeMap<_, _> {
        let entries = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap());
        entries
            .map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap()))
            .collect()
    };
    let before = files();
    let half = SWEEP.replace("\"ttft_ms\":100", "\"ttft_ms\":101") + "oops\n";
    let (code, stdout, stderr) = stats(&["--output-dir", folder.to_str().unwrap()], half);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("trace-stats: <stdin>:"), "{stderr}");
    assert_eq!(files(), before, "nothing half written, nothing left over");
}

#[test]
fn telemetry_is_told_of_each_level() {
    let dir = export(SWEEP);
    let folder = dir.path().join("results");
    let telemetry = dir.path().join("telemetry.jsonl");
    let line = |t_ms: u32, value: f64| {
        format!(
            "{{\"t_ms\":{t_ms},\"unix_ms\":0,\"source\":\"m\",\"name\":\"kv_usage\",\
             \"labels\":{{\"gpu\":\"0\"}},\"value\":{value},\"unit\":\"\"}}\n"
        )
    };
    // Round 1 of level 4 is from 0 to 2 s, round 2 from 2 s to 3 s.
    let lines = [line(500, 0.25), line(1_500, 0.75), line(2_500, 0.5)];
    std::fs::write(&telemetry, lines.concat()).unwrap();
    let (folder, file) = (folder.to_str().unwrap(), telemetry.to_str().unwrap());
    let args = ["--output-dir", folder, "--telemetry", file];
    assert_eq!(stats(&args, SWEEP).0, 0);
    let table = std::fs::read_to_string(dir.path().join("results/metrics_summary.csv")).unwrap();
    let row = |name: &str| {
        table
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_default()
    };
    assert!(row("0\"\"} Avg\"").ends_with(",0.5,0.5,,"), "{table}");
    assert!(row("0\"\"} Max\"").ends_with(",0.75,0.5,,"), "{table}");
    std::fs::write(&telemetry, lines.concat() + "oops\n").unwrap();
    let (code, _, stderr) = stats(&args, SWEEP);
    assert_eq!(code, 2);
    assert!(stderr.contains("telemetry.jsonl:4:1: "), "{stderr}");
}
