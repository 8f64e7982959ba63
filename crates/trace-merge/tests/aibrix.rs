//! Workload files, against what AIBrix's own tool made of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use serde_json::Value;
use std::fs;

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn rows(text: &str) -> Vec<Value> {
    let row = |line| serde_json::from_str(line).unwrap();
    text.lines().map(row).collect()
}

fn golden(name: &str) -> Vec<Value> {
    rows(&fs::read_to_string(data(name)).unwrap())
}

/// What the tool makes of `wa` and `wb`, and what it says.
fn run(flags: &[&str]) -> (String, String) {
    let assert = Command::new(env!("CARGO_BIN_EXE_trace-merge"))
        .args(["--format", "aibrix"])
        .args(flags)
        .args([data("wa.jsonl"), data("wb.jsonl")])
        .assert()
        .success();
    let output = assert.get_output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_merge_is_the_one_of_aibrix() {
    let (out, said) = run(&[]);
    assert_eq!(rows(&out), golden("merge_wa_wb.jsonl"));
    assert!(
        said.starts_with("trace-merge: 1 rows lost their fields other than requests"),
        "{said}"
    );
}

#[test]
fn a_concatenation_is_the_one_of_aibrix() {
    let (out, said) = run(&["--concat"]);
    assert_eq!(rows(&out), golden("concat_wa_wb.jsonl"));
    assert_eq!(said, "");
}

#[test]
fn a_gap_and_an_offset_move_rows() {
    let (out, _) = run(&["--concat", "--gap", "1s", "--offset", "1=2ms"]);
    let times: Vec<Value> = rows(&out)
        .iter()
        .map(|row| row["timestamp"].clone())
        .collect();
    assert_eq!(times, [100, 500, 300, 1302, 1602]);
}

#[test]
fn the_requests_of_a_time_are_joined_however_they_are_spelled() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.jsonl");
    let text = "{\"requests\": [ ], \"timestamp\": 1.0}\n\
                {\"timestamp\": 1, \"requests\": [{\"a\": 1}, {\"b\": \"]\"} ]}\n\
                {\"timestamp\": 1, \"requests\": []}\n\
                {\"timestamp\": 1, \"requests\": [{}]}\n";
    fs::write(&path, text).unwrap();
    let assert = Command::new(env!("CARGO_BIN_EXE_trace-merge"))
        .args(["--format", "aibrix"])
        .arg(&path)
        .assert()
        .success();
    assert_eq!(
        String::from_utf8_lossy(&assert.get_output().stdout),
        "{\"requests\": [ {\"a\": 1}, {\"b\": \"]\"}, {}], \"timestamp\": 1.0}\n"
    );
}

#[test]
fn a_line_of_another_format_is_located() {
    let dir = tempfile::tempdir().unwrap();
    let said = |text: &str| {
        fs::write(dir.path().join("w.jsonl"), text).unwrap();
        let assert = Command::new(env!("CARGO_BIN_EXE_trace-merge"))
            .current_dir(&dir)
            .args(["--format", "aibrix", "w.jsonl"])
            .assert()
            .code(2);
        String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
    };
    let no_rows = said("{\"timestamp\":0,\"input_length\":1}\n");
    assert!(
        no_rows.starts_with("trace-merge: w.jsonl:1:1: no requests: a row of"),
        "{no_rows}"
    );
    assert!(
        said("{\"timestamp\":-1,\"requests\":[]}\n")
            .contains("w.jsonl:1:14: expected milliseconds")
    );
    assert!(
        said("{\"timestamp\":1,\"requests\":{}}\n").contains("w.jsonl:1:27: expected an array")
    );
    assert!(said("\noops\n").contains("w.jsonl:2:"));
}
