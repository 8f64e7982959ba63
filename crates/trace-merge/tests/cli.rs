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
        "trace-merge: c.jsonl:2:1: not sorted: timestamp 8 after 9; sort the trace first, or say --sort\n"
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

fn stderr(command: &mut Command, code: i32) -> String {
    let assert = command.assert().code(code);
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn an_input_is_moved_named_and_tagged() {
    let dir = two();
    let out = stdout(merge().current_dir(&dir).args([
        "chat=a.jsonl",
        "b.jsonl",
        "--shared-ids",
        "--offset",
        "chat=1s",
        "--speed",
        "0=2",
        "--model",
        "b.jsonl=org/m:7b",
        "--model",
        "other",
        "--tag",
        "tenant=x=y",
    ]));
    assert_eq!(
        out,
        "{\"timestamp\": 5, \"input_length\": 3, \"hash_ids\": [0], \"session_id\": \"s\",\"model\":\"org/m:7b\",\"tenant\":\"x=y\"}\n\
         {\"timestamp\": 1000, \"input_length\": 1, \"hash_ids\": [0], \"x\": 1e5,\"source\":\"chat\",\"model\":\"other\",\"tenant\":\"x=y\"}\n\
         {\"timestamp\": 1005, \"input_length\": 2,\"source\":\"chat\",\"model\":\"other\",\"tenant\":\"x=y\"}\n"
    );
}

#[test]
fn an_offset_backwards_may_not_pass_the_beginning() {
    let dir = two();
    let out = stdout(
        merge()
            .current_dir(&dir)
            .args(["b.jsonl", "--offset", "-5ms"]),
    );
    assert!(out.starts_with("{\"timestamp\": 0,"), "{out}");
    let said = stderr(
        merge().current_dir(&dir).args(["b.jsonl", "--offset=-6ms"]),
        2,
    );
    assert!(
        said.starts_with("trace-merge: b.jsonl:1:1: timestamp 5 would be moved before 0"),
        "{said}"
    );
}

#[test]
fn a_setting_for_an_input_that_is_not_there_is_refused() {
    let dir = two();
    let said = stderr(
        merge()
            .current_dir(&dir)
            .args(["a.jsonl", "b.jsonl", "--offset", "c.jsonl=1s"]),
        2,
    );
    assert!(
        said.contains("--offset c.jsonl=1s: no input is called \"c.jsonl\""),
        "{said}"
    );
    let said = stderr(
        merge()
            .current_dir(&dir)
            .args(["a.jsonl", "--tag", "hash_ids=1"]),
        2,
    );
    assert!(said.contains("\"hash_ids\" cannot be set"), "{said}");
}

#[test]
fn ids_past_what_can_be_held_point_to_relabel() {
    let dir = two();
    fs::write(
        dir.path().join("large.jsonl"),
        "{\"timestamp\":0,\"input_length\":1,\"hash_ids\":[1,9007199254740991]}\n",
    )
    .unwrap();
    let said = stderr(
        merge().current_dir(&dir).args(["large.jsonl", "a.jsonl"]),
        2,
    );
    assert!(said.starts_with("trace-merge: large.jsonl:1:1: "), "{said}");
    assert!(said.contains("trace-convert --relabel"), "{said}");
}

#[test]
fn what_is_packed_is_unpacked_and_what_is_cut_is_said() {
    use std::io::Write;
    let dir = two();
    let text = fs::read(dir.path().join("a.jsonl")).unwrap();
    let mut pack = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    pack.write_all(&text).unwrap();
    let packed = pack.finish().unwrap();
    fs::write(dir.path().join("a.gz"), &packed).unwrap();
    fs::write(
        dir.path().join("a.zst"),
        zstd::encode_all(&text[..], 1).unwrap(),
    )
    .unwrap();
    fs::write(dir.path().join("cut.gz"), &packed[..packed.len() - 12]).unwrap();
    let out = stdout(
        merge()
            .current_dir(&dir)
            .args(["--shared-ids", "a.gz", "a.zst"]),
    );
    assert_eq!(out.lines().count(), 4);
    let said = stderr(merge().current_dir(&dir).args(["cut.gz", "b.jsonl"]), 2);
    assert!(said.starts_with("trace-merge: cut.gz:"), "{said}");
    assert!(said.contains("cannot read on"), "{said}");
}

#[test]
fn invalid_lines_are_skipped_when_asked_and_counted_once() {
    let dir = two();
    for (name, text) in [
        ("c.jsonl", "oops\n{\"timestamp\":1,\"input_length\":1}\n"),
        ("d.jsonl", "{\"timestamp\":2,\"input_length\":\"x\"}\n"),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let assert = merge()
        .current_dir(&dir)
        .args(["--skip-invalid", "c.jsonl", "d.jsonl"])
        .assert()
        .success();
    let output = assert.get_output();
    assert_eq!(output.stdout, b"{\"timestamp\":1,\"input_length\":1}\n");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.starts_with("trace-merge: skipped 2 invalid lines, the first: c.jsonl:1:1: "),
        "{said}"
    );
}

#[test]
fn unsorted_inputs_are_sorted_when_asked() {
    let dir = two();
    let lines: Vec<String> = (0..500_u64)
        .map(|n| {
            format!(
                "{{\"timestamp\":{},\"input_length\":{n}}}\n",
                n * 7919 % 100
            )
        })
        .collect();
    fs::write(dir.path().join("c.jsonl"), lines.concat()).unwrap();
    let mut expected = lines;
    let time = |line: &String| line[13..line.find(',').unwrap()].parse::<u64>().unwrap();
    expected.sort_by_key(time);
    for memory in ["256M", "2K", "1"] {
        let assert = merge()
            .current_dir(&dir)
            .args(["--sort", "--sort-memory", memory, "c.jsonl"])
            .assert()
            .success();
        let output = assert.get_output();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected.concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("trace-merge: sorted: "), "{said}");
    }
    let out = stdout(
        merge()
            .current_dir(&dir)
            .args(["--sort", "--concat", "c.jsonl", "b.jsonl"]),
    );
    assert!(out.ends_with("{\"timestamp\": 104, \"input_length\": 3, \"hash_ids\": [1], \"session_id\": \"1:s\"}\n"), "{out}");
}

#[cfg(unix)]
#[test]
fn the_output_may_not_be_an_input() {
    let dir = two();
    let path = dir.path().join("a.jsonl");
    let before = fs::read(&path).unwrap();
    let append = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_trace-merge"))
        .current_dir(&dir)
        .args(["a.jsonl", "b.jsonl"])
        .stdout(append)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
    assert_eq!(fs::read(&path).unwrap(), before);
}
