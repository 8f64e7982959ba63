//! Laws of every conversion, through the real binary: what goes in comes out
//! or is counted, and what comes out is read again as it stands.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use std::io::Write as _;
use std::path::Path;
use std::process::Output;

fn convert(arguments: &[&str], input: &[u8]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_trace-convert"))
        .args(arguments)
        .write_stdin(input)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A trace with sessions, gaps in time and fields nobody knows.
fn trace() -> String {
    (0..500_u64)
        .map(|i| {
            let ids: Vec<String> = (0..i % 4 + 1).map(|b| (i / 7 * 10 + b).to_string()).collect();
            format!(
                "{{\"timestamp\": {}, \"input_length\": {}, \"output_length\": {}, \"hash_ids\": [{}], \"session_id\": \"s{}\", \"x\": 1e5}}\n",
                i * 37,
                (i % 4) * 512 + 1 + i,
                i % 5,
                ids.join(", "),
                i % 60
            )
        })
        .collect()
}

#[test]
fn read_is_written_and_dropped_together() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.json");
    for flags in [
        "--from-time 2 --to-time 9",
        "--sample 0.4 --seed 3",
        "--sample 0.4 --sample-by request --failed drop",
        "--where session_id=s7",
        "--min-input-length 600 --max-output-length 3 --skip 5",
        "--repair --failed drop",
        "--ungroup-interval 3s --speed 2 --zero --skip 3",
    ] {
        let mut arguments: Vec<&str> = flags.split_whitespace().collect();
        arguments.extend(["--report", path.to_str().unwrap()]);
        let output = convert(&arguments, trace().as_bytes());
        let report: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let count = |name: &str| report[name].as_u64().unwrap();
        let lines = output.stdout.iter().filter(|b| **b == b'\n').count() as u64;
        assert_eq!(count("written"), lines, "{flags}");
        assert_eq!(
            count("read"),
            count("written") + count("requests_dropped"),
            "{flags}: {report}"
        );
        assert_eq!(count("read"), 500, "{flags}");
    }
}

#[test]
fn what_was_written_is_read_again_unchanged() {
    let table = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n1.5,a,3,m,600,500,1100,x\n2,,1,m,5,0,5,API log\n3,a,2,m,1200,1,1201,x\n";
    for flags in [
        &[][..],
        &["--block-size", "16"],
        &["--repeat", "3"],
        &["--scale-input", "1.7"],
        &["--compat", "dynamo"],
    ] {
        let first = convert(flags, table.as_bytes());
        let second = convert(&[], &first.stdout);
        assert_eq!(first.stdout, second.stdout, "{flags:?}");
        assert!(second.stderr.is_empty());
    }
}

#[test]
fn fields_nobody_knows_and_their_spelling_stay() {
    for flags in [
        &["--speed", "3"][..],
        &["--block-size", "64"],
        &["--relabel"],
        &["--scale-output", "2"],
    ] {
        let output = convert(flags, trace().as_bytes());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.lines().all(|line| line.ends_with("\"x\": 1e5}")),
            "{flags:?}"
        );
        assert_eq!(text.lines().count(), 500);
    }
}

#[test]
fn several_files_are_one_stream() {
    let dir = tempfile::tempdir().unwrap();
    let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    let write = |name: &str, row: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("{header}{row}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (a, b) = (
        write("a.csv", "2024-05-10 00:00:00+00:00,5,1"),
        write("b.csv", "2024-05-10 00:01:00+00:00,6,1"),
    );
    let text = |output: Output| String::from_utf8(output.stdout).unwrap();
    let both = "{\"timestamp\":0,\"input_length\":5,\"output_length\":1,\"hash_ids\":[0]}\n{\"timestamp\":60000,\"input_length\":6,\"output_length\":1,\"hash_ids\":[1]}\n";
    assert_eq!(text(convert(&[&a, &b], b"")), both);
    assert_eq!(text(convert(&[dir.path().to_str().unwrap()], b"")), both);
    let tagged = text(convert(&[&format!("day={a}")], b""));
    assert!(tagged.ends_with("\"source\":\"day\"}\n"), "{tagged}");
}

/// The published traces, where `TRACE_DATA` says they are.
fn published(name: &str) -> Option<Vec<u8>> {
    let Some(dir) = std::env::var_os("TRACE_DATA") else {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: TRACE_DATA does not name the folder with {name}"
        )
        .unwrap();
        return None;
    };
    Some(std::fs::read(Path::new(&dir).join(name)).unwrap())
}

#[test]
fn the_conversation_trace_goes_through_byte_for_byte() {
    let Some(trace) = published("conversation_trace.jsonl") else {
        return;
    };
    assert!(convert(&[], &trace).stdout == trace);
    // Every request, taken apart by time, once.
    let early = convert(&["--to-time", "30m"], &trace).stdout;
    let late = convert(&["--from-time", "30m"], &trace).stdout;
    assert!([early, late].concat() == trace);
    // Blocks there and back.
    let fine = convert(&["--block-size", "16"], &trace).stdout;
    let back = convert(&["--from-block-size", "16", "--block-size", "512"], &fine).stdout;
    let renumbered = convert(&["--relabel"], &trace).stdout;
    let ids = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines()
            .map(|line| line.split("hash_ids").nth(1).unwrap().to_owned())
            .collect()
    };
    assert!(ids(&back) == ids(&renumbered));
}

#[test]
fn the_azure_trace_has_its_published_size() {
    let Some(table) = published("AzureLLMInferenceTrace_code.csv") else {
        return;
    };
    let output = convert(&[], &table);
    assert_eq!(output.stdout.iter().filter(|b| **b == b'\n').count(), 8_819);
}
