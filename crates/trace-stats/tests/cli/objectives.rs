//! Service level objectives: attainment and goodput.

use crate::harness::{TRACE, report, stats};
use serde_json::json;

/// Ten seconds of a run: three answers, one of them late, a failure, a skipped
/// turn. By the schedule the first waited for 100 ms.
pub(crate) const RUN: &str = r#"{"input_length":9,"model":"a","scheduled_ms":0,"due_ms":0,"sent_ms":100,"ttft_ms":100,"last_token_ms":900,"latency_ms":1000,"itl_ms":[400,400],"output_tokens":3,"chunks":3,"token_source":"usage"}
{"input_length":9,"model":"a","scheduled_ms":1000,"due_ms":1000,"sent_ms":1000,"ttft_ms":200,"last_token_ms":500,"latency_ms":500,"itl_ms":[300],"output_tokens":2,"chunks":2,"token_source":"usage"}
{"input_length":9,"model":"b","scheduled_ms":2000,"due_ms":2000,"sent_ms":2000,"ttft_ms":300,"last_token_ms":8000,"latency_ms":8000,"itl_ms":[],"output_tokens":1,"chunks":1,"token_source":"usage"}
{"input_length":9,"model":"b","scheduled_ms":3000,"due_ms":3000,"sent_ms":3000,"latency_ms":1,"status":500,"error":{"kind":"http","message":"500"}}
{"input_length":9,"model":"b","scheduled_ms":9000,"error":{"kind":"skipped","message":""}}
"#;

#[test]
fn attainment_and_goodput_worked_out_by_hand() {
    let slo = ["--slo", "ttft_ms=200", "--slo", "latency_ms=1000"];
    let scheduled = report(&slo, RUN);
    assert_eq!(scheduled["duration_ms"], 10_000);
    // ttft 200, 200, 300 and latency 1100, 500, 8000 from the schedule; one of
    // four failed, one was skipped
    assert_eq!(scheduled["good"], 1);
    assert_eq!(scheduled["slo_attainment"], 0.25);
    assert_eq!(scheduled["goodput_rps"], 0.1);
    assert_eq!(scheduled["goodput_tps"], 0.2);
    assert_eq!(scheduled["slo"]["clock"], "scheduled");
    assert_eq!(scheduled["slo"]["scheduled"], 4);
    assert_eq!(
        scheduled["slo"]["constraints"],
        json!([
            {"name": "ttft_ms", "max": 200, "good": 2, "attainment": 0.5, "goodput_rps": 0.2, "goodput_tps": 0.5, "untold": 0},
            {"name": "latency_ms", "max": 1000, "good": 1, "attainment": 0.25, "goodput_rps": 0.1, "goodput_tps": 0.2, "untold": 0},
        ])
    );
    let sent = report(&[&slo[..], &["--slo-clock", "sent"]].concat(), RUN);
    // latency 1000, on the bound
    assert_eq!(
        (&sent["good"], &sent["slo_attainment"]),
        (&json!(2), &json!(0.5))
    );
    assert_eq!(sent["goodput_tps"], 0.5);
}

#[test]
fn successes_only_forgets_the_failures() {
    let slo = ["--slo", "ttft_ms=200", "--successes-only"];
    let report = report(&slo, RUN);
    assert_eq!(report["slo_attainment"], 2.0 / 3.0);
    assert_eq!(report["metrics"]["latency_ms"]["censored"], 0);
    assert_eq!(report["metrics"]["latency_ms"]["p99"], 7860);
    assert_eq!(report["failed"], 1);
}

#[test]
fn gaps_and_throughput_can_be_bounded() {
    // mean gaps 400 and 300, and the answer of one token has none
    let gaps = report(&["--slo", "itl_ms=300"], RUN);
    assert_eq!(gaps["good"], 2);
    // 3, 4 and 0.125 tokens a second
    let rate = report(&["--slo", "output_token_throughput=3"], RUN);
    assert_eq!(rate["good"], 2);
    assert_eq!(rate["slo"]["constraints"][0]["min"], 3);
}

#[test]
fn objectives_come_from_files_and_flags_win() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slo.yaml");
    let file = path.to_str().unwrap();
    std::fs::write(
        &path,
        "name: chat\nconstraints:\n  ttft_ms: {max: 200}\n  latency_ms:\n    max: 1000\n",
    )
    .unwrap();
    let from_file = report(&["--slo-file", file], RUN);
    assert_eq!(from_file["slo_attainment"], 0.25);
    assert_eq!(from_file["slo"]["name"], "chat");
    std::fs::write(&path, "slo:\n  ttft_ms: 200\n  latency_ms: 1000\n").unwrap();
    assert_eq!(report(&["--slo-file", file], RUN)["slo_attainment"], 0.25);
    let flag = report(&["--slo-file", file, "--slo", "latency_ms=1100"], RUN);
    assert_eq!(flag["slo_attainment"], 0.5);
    std::fs::write(&path, "slo:\n  ttft: 200\n").unwrap();
    let (code, _, stderr) = stats(&["--slo-file", file], RUN);
    assert_eq!(code, 2);
    assert!(
        stderr.starts_with(&format!("trace-stats: {file}:2:3: ")),
        "{stderr}"
    );
    assert!(stderr.contains("did you mean ttft_ms?"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    std::fs::write(&path, b"\x89PNG\r\n\x1a\n\xff").unwrap();
    assert_eq!(stats(&["--slo-file", file], RUN).0, 2);
    assert_eq!(stats(&["--slo-file", "no/such.yaml"], RUN).0, 2);
}

#[test]
fn what_the_outcome_does_not_tell_is_not_good_and_it_says_so() {
    let line = r#"{"input_length":9,"sent_ms":0,"latency_ms":10,"output_tokens":5}"#;
    let report = report(&["--slo", "ttft_ms=100"], line);
    assert_eq!(report["slo_attainment"], 0);
    assert_eq!(report["slo"]["constraints"][0]["untold"], 1);
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("1 of the answers do not tell their ttft_ms"),
        "{notes}"
    );
    assert!(notes.contains("when they were scheduled"), "{notes}");
}

#[test]
fn groups_sum_to_the_whole() {
    let report = report(&["--slo", "ttft_ms=200", "--by", "model"], RUN);
    let groups = report["groups"].as_array().unwrap();
    let sum: u64 = groups
        .iter()
        .map(|group| group["good"].as_u64().unwrap())
        .sum();
    assert_eq!(report["good"], sum);
    assert_eq!(groups[0]["slo_attainment"], 1);
    assert_eq!(groups[1]["slo_attainment"], 0);
}

#[test]
fn a_trace_cannot_be_judged() {
    let (code, stdout, stderr) = stats(&["--slo", "ttft_ms=200"], TRACE);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("these 5 lines are requests without one"),
        "{stderr}"
    );
    assert_eq!(stats(&["--slo", "ttft_ms=200"], "").0, 0);
    let (code, _, stderr) = stats(&["--slo", "tfft_ms=200"], RUN);
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean ttft_ms?"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn the_objectives_are_a_table() {
    let (_, stdout, _) = stats(&["--slo", "ttft_ms=200", "--slo", "latency_ms=1000"], RUN);
    let (_, table) = stdout.split_once("objectives").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    insta::assert_snapshot!(table, @r"
    , from when a request was scheduled, of 4 requests
    objective     bound  good  attainment  goodput_rps  goodput_tps
    ttft_ms      <= 200     2      0.5000       0.2000       0.5000
    latency_ms  <= 1000     1      0.2500       0.1000       0.2000
    all                     1      0.2500       0.1000       0.2000
    ");
}
