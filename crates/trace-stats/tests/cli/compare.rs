//! `trace-stats compare` as a process.

use crate::harness::conversation_trace;
use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn stats(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-stats"));
    let output = command
        .current_dir(dir)
        .arg("compare")
        .args(args)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

/// Two small traces, a.jsonl and b.jsonl, in blocks of 10 tokens.
fn traces() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let a = r#"{"timestamp":0,"input_length":20,"output_length":4,"hash_ids":[0,1]}
{"timestamp":100,"input_length":30,"output_length":6,"hash_ids":[0,1,2]}
{"timestamp":200,"input_length":10,"output_length":2,"hash_ids":[3]}
"#;
    let b = r#"{"timestamp":0,"input_length":20,"output_length":4,"hash_ids":[0,1]}
{"timestamp":100,"input_length":30,"output_length":6,"hash_ids":[2,3,4]}
{"timestamp":400,"input_length":40,"output_length":2,"hash_ids":[5,6,7,8],"session_id":1}
"#;
    std::fs::write(dir.path().join("a.jsonl"), a).unwrap();
    std::fs::write(dir.path().join("b.jsonl"), b).unwrap();
    dir
}

fn differences(dir: &Path, args: &[&str]) -> Value {
    let mut all = vec!["--block-size", "10", "--format", "json"];
    all.extend(args);
    let (code, stdout, stderr) = stats(dir, &all);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn difference(comparison: &Value, name: &str) -> Value {
    let all = comparison["differences"].as_array().unwrap();
    let found = all.iter().find(|difference| difference["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}"))["difference"].clone()
}

#[test]
fn differences_worked_out_by_hand() {
    let dir = traces();
    let comparison = differences(dir.path(), &["a.jsonl", "b.jsonl", "--capacities", "1,2"]);
    // Lengths 10, 20, 30 and 20, 30, 40: ten tokens each, of 20 on average.
    assert_eq!(difference(&comparison, "input_length.wasserstein"), 0.5);
    assert_eq!(difference(&comparison, "input_length.mean"), 0.5);
    assert_eq!(difference(&comparison, "input_length.std"), 0);
    let ks = difference(&comparison, "input_length.ks").as_f64().unwrap();
    assert!((ks - 1.0 / 3.0).abs() < 1e-12);
    // Gaps 100, 100 and 100, 300.
    assert_eq!(difference(&comparison, "gap_ms.ks"), 0.5);
    assert_eq!(difference(&comparison, "rate_rps"), 0.5);
    // Two of six blocks are hits in a cache of two, none in B.
    assert_eq!(difference(&comparison, "lru.1"), 0);
    assert_eq!(difference(&comparison, "lru.max"), 2.0 / 6.0);
    assert_eq!(difference(&comparison, "block_hit_rate"), 2.0 / 6.0);
    // Only B has sessions.
    assert_eq!(difference(&comparison, "session_turns.ks"), Value::Null);
}

#[test]
fn a_trace_is_not_apart_from_itself() {
    let dir = traces();
    let (code, stdout, stderr) = stats(dir.path(), &["--tolerance", "*=0", "a.jsonl", "a.jsonl"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.ends_with("within every tolerance\n"), "{stdout}");
}

#[test]
fn a_difference_beyond_its_tolerance_is_named_and_ends_with_one() {
    let dir = traces();
    let rules: PathBuf = dir.path().join("rules");
    std::fs::write(
        &rules,
        "# lengths\ninput_length.* = 0.6\n\ngap_ms.ks=0.4 # too far\n",
    )
    .unwrap();
    let (code, stdout, _) = stats(dir.path(), &["--tolerance", "rules", "a.jsonl", "b.jsonl"]);
    assert_eq!(code, 1);
    let (_, verdict) = stdout.split_once("beyond tolerance\n").unwrap();
    assert_eq!(verdict, "gap_ms.ks: 0.5000, allowed 0.4000\n");
    let args = ["--tolerance", "session_turns.mean=9", "a.jsonl", "b.jsonl"];
    let (code, stdout, _) = stats(dir.path(), &args);
    assert_eq!(code, 1);
    assert!(
        stdout.contains("session_turns.mean: only one of the two has it"),
        "{stdout}"
    );
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let dir = traces();
    std::fs::write(dir.path().join("rules"), "\ngap_ms.ks: 3\n").unwrap();
    std::fs::write(dir.path().join("empty"), "").unwrap();
    let cases: [(&[&str], &str); 5] = [
        (
            &["--tolerance", "gap.ks=1", "a.jsonl", "b.jsonl"],
            "no such difference",
        ),
        (
            &["--tolerance", "rules", "a.jsonl", "b.jsonl"],
            "rules:2: \"gap_ms.ks: 3\" is not",
        ),
        (&["a.jsonl", "empty"], "empty holds no requests"),
        (&["a.jsonl", "rules"], "rules:2:1: expected value"),
        (&["a.jsonl"], "<B>"),
    ];
    for (args, reason) in cases {
        let (code, stdout, stderr) = stats(dir.path(), args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(
            stderr.contains(reason) && stderr.lines().count() == 1,
            "{stderr}"
        );
    }
}

#[test]
fn the_conversation_trace_correlates_as_published() {
    let Some(path) = conversation_trace() else {
        return;
    };
    let path = path.to_str().unwrap();
    let (_, stdout, _) = stats(Path::new("."), &["--format", "json", path, path]);
    let comparison: Value = serde_json::from_str(&stdout).unwrap();
    let pair = &comparison["correlations"][0];
    assert_eq!(pair["name"], "context_unique");
    assert_eq!(format!("{:.3}", pair["a"].as_f64().unwrap()), "-0.160");
}
