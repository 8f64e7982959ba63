//! What only the process can show.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use std::fs;
use tempfile::TempDir;

fn merge() -> Command {
    Command::new(env!("CARGO_BIN_EXE_trace-merge"))
}

/// A folder with `a.jsonl` and `b.jsonl`.
fn two() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let a = "{\"timestamp\": 0, \"input_length\": 1, \"hash_ids\": [0], \"x\": 1e5}\n{\"timestamp\": 10, \"input_length\": 2}\n";
    let b = "{\"timestamp\": 5, \"input_length\": 3, \"hash_ids\": [0], \"session_id\": \"s\"}\n";
    fs::write(dir.path().join("a.jsonl"), a).unwrap();
    fs::write(dir.path().join("b.jsonl"), b).unwrap();
    dir
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}

#[test]
fn lines_come_by_time_and_ids_stay_apart() {
    let dir = two();
    let out = stdout(merge().current_dir(&dir).args(["a.jsonl", "b.jsonl"]));
    assert_eq!(
        out,
        "{\"timestamp\": 0, \"input_length\": 1, \"hash_ids\": [0], \"x\": 1e5}\n\
         {\"timestamp\": 5, \"input_length\": 3, \"hash_ids\": [1], \"session_id\": \"1:s\"}\n\
         {\"timestamp\": 10, \"input_length\": 2}\n"
    );
}

#[test]
fn shared_ids_go_through_byte_for_byte() {
    let dir = two();
    let out = stdout(
        merge()
            .current_dir(&dir)
            .args(["--shared-ids", "b.jsonl", "a.jsonl"]),
    );
    assert!(out.contains(
        "{\"timestamp\": 5, \"input_length\": 3, \"hash_ids\": [0], \"session_id\": \"s\"}\n"
    ));
}

#[test]
fn a_concatenation_goes_on_where_the_first_ended() {
    let dir = two();
    let out = stdout(
        merge()
            .current_dir(&dir)
            .args(["--concat", "--gap", "1s", "a.jsonl", "b.jsonl"]),
    );
    let times: Vec<&str> = out
        .lines()
        .map(|line| &line[..line.find(',').unwrap()])
        .collect();
    assert_eq!(
        times,
        [
            "{\"timestamp\": 0",
            "{\"timestamp\": 10",
            "{\"timestamp\": 1015"
        ]
    );
}

#[test]
fn one_input_alone_is_not_changed() {
    let dir = two();
    let out = stdout(merge().current_dir(&dir).arg("b.jsonl"));
    assert_eq!(out, fs::read_to_string(dir.path().join("b.jsonl")).unwrap());
}

#[test]
fn an_unsorted_input_stops_it_after_what_was_merged() {
    let dir = two();
    fs::write(
        dir.path().join("c.jsonl"),
        "{\"timestamp\":9,\"input_length\":1}\n{\"timestamp\":8,\"input_length\":1}\n",
    )
    .unwrap();
    let assert = merge()
        .current_dir(&dir)
        .args(["b.jsonl", "c.jsonl"])
        .assert()
        .code(2);
    let output = assert.get_output();
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "trace-merge: c.jsonl:2:1: not sorted: timestamp 8 after 9; sort the trace first\n"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 2);
}

#[test]
fn a_missing_file_is_found_before_anything_is_written() {
    let dir = two();
    let assert = merge()
        .current_dir(&dir)
        .args(["a.jsonl", "nowhere.jsonl"])
        .assert()
        .code(2);
    let output = assert.get_output();
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "trace-merge: cannot open nowhere.jsonl: No such file or directory\n"
    );
    assert!(output.stdout.is_empty());
}
