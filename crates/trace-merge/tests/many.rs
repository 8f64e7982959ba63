//! More inputs than there are descriptors.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(unix)]

use assert_cmd::Command;
use std::fs;
use tempfile::TempDir;

/// `files` traces of two lines each, in a folder, and the numbers their lines
/// come in when they are merged.
fn traces(files: u64) -> (TempDir, Vec<u64>) {
    let dir = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for file in 0..files {
        let first = file * 7919 % 1_000;
        let times = [first, first + file % 13];
        let line =
            |(n, time): (u64, u64)| format!("{{\"timestamp\":{time},\"input_length\":{n}}}\n");
        let numbered = [(2 * file, times[0]), (2 * file + 1, times[1])];
        let name = format!("{file:05}.jsonl");
        fs::write(dir.path().join(name), numbered.map(line).concat()).unwrap();
        all.extend(numbered);
    }
    all.sort_by_key(|&(number, time)| (time, number));
    (dir, all.into_iter().map(|(number, _)| number).collect())
}

/// The merge of all files in `dir`, in a shell that first runs `before`.
fn merged(dir: &TempDir, before: &str, flags: &str) -> Vec<u64> {
    let tool = env!("CARGO_BIN_EXE_trace-merge");
    let script = format!("{before} exec {tool} --shared-ids {flags} *.jsonl");
    let assert = Command::new("sh")
        .current_dir(dir)
        .args(["-c", &script])
        .assert()
        .success();
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    text.lines()
        .map(|line| {
            let number = line.rsplit(':').next().unwrap();
            number.trim_end_matches('}').parse().unwrap()
        })
        .collect()
}

#[test]
fn ten_thousand_files_are_merged() {
    let (dir, expected) = traces(10_000);
    assert_eq!(merged(&dir, "", ""), expected);
}

#[test]
fn few_descriptors_are_made_to_do() {
    let (dir, expected) = traces(300);
    // Soft and hard: 32 are kept back, so 28 files at a time.
    assert_eq!(merged(&dir, "ulimit -n 60;", ""), expected);
    // Soft alone is raised.
    assert_eq!(merged(&dir, "ulimit -S -n 20;", ""), expected);
    assert_eq!(merged(&dir, "", "--open-files 2"), expected);
}
