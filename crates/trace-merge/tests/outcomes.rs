//! Outcomes of the shards of one run.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use std::fs;

/// What the tool makes of `files`, and what it says.
fn outcomes(files: &[&str], code: i32) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..files.len())
        .map(|n| format!("shard-{n}.jsonl"))
        .collect();
    for (name, text) in names.iter().zip(files) {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let assert = Command::new(env!("CARGO_BIN_EXE_trace-merge"))
        .current_dir(&dir)
        .arg("--outcomes")
        .args(&names)
        .assert()
        .code(code);
    let output = assert.get_output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn line(seq: u64, more: &str) -> String {
    format!(
        "{{\"timestamp\": {}, \"input_length\": 9, \"hash_ids\": [1], \"session_id\": \"s\", \"seq\": {seq}{more}}}\n",
        100 - seq
    )
}

#[test]
fn shards_come_in_the_order_of_the_trace_byte_for_byte() {
    let even = [line(2, ""), line(0, "")].concat();
    let odd = [line(1, ", \"ttft_ms\": 1.50"), line(3, "")].concat();
    let (out, said) = outcomes(&[&even, &odd], 0);
    assert_eq!(
        out,
        [
            line(0, ""),
            line(1, ", \"ttft_ms\": 1.50"),
            line(2, ""),
            line(3, "")
        ]
        .concat()
    );
    assert_eq!(said, "");
}

#[test]
fn stages_come_as_they_were_run_and_levels_in_their_order() {
    let warm = line(5, ", \"stage\": \"warmup\"");
    let main = |level: u64, round: u64| {
        line(
            0,
            &format!(", \"round\": {round}, \"concurrency\": {level}, \"stage\": \"main\""),
        )
    };
    let first = [warm.clone(), main(16, 1), main(2, 2)].concat();
    let second = [main(2, 1), main(16, 2)].concat();
    let (out, _) = outcomes(&[&first, &second], 0);
    assert_eq!(
        out,
        [warm, main(2, 1), main(2, 2), main(16, 1), main(16, 2)].concat()
    );
}

#[test]
fn of_two_outcomes_of_a_request_the_served_one_stays() {
    let cancelled = line(
        0,
        ", \"error\": {\"kind\": \"cancelled\", \"message\": \"^C\"}",
    );
    let served = line(0, ", \"status\": 200");
    let again = line(
        0,
        ", \"status\": 503, \"error\": {\"kind\": \"http\", \"message\": \"503\"}",
    );
    let (out, said) = outcomes(&[&cancelled, &served, &again], 0);
    assert_eq!(out, served);
    assert_eq!(
        said,
        "trace-merge: left out 2 outcomes of requests that have another, the first: seq 0\n"
    );
    let (out, _) = outcomes(&[&again, &served], 0);
    assert_eq!(out, again, "a failure is an answer too");
}

#[test]
fn a_trace_is_no_outcome() {
    let (out, said) = outcomes(
        &[&line(0, ""), "\n{\"timestamp\":0,\"input_length\":1}\n"],
        2,
    );
    assert_eq!(out, "");
    assert!(
        said.starts_with("trace-merge: shard-1.jsonl:2:1: no seq, so not an outcome"),
        "{said}"
    );
    let wrong = line(1, ", \"ttft_ms\": \"x\"");
    let (_, said) = outcomes(&[&[line(0, ""), wrong].concat()], 2);
    assert!(
        said.starts_with("trace-merge: shard-0.jsonl:2:95: "),
        "{said}"
    );
}
