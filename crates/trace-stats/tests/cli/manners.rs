//! How the tool behaves in a pipe, and over bad input.

use crate::harness::{TRACE, stats};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::process::Stdio;

#[test]
fn bad_input_gets_one_line_and_exit_2() {
    let cases: [(&[u8], &str); 6] = [
        (
            b"{\"input_length\":3}\n{\"input_len",
            "trace-stats: <stdin>:2:11: ",
        ),
        (
            b"{\"input_length\":\"x\"}\n",
            "trace-stats: <stdin>:1:17: invalid type: string",
        ),
        (
            b"{\"input_length\":3,\"timestamp\":-1}\n",
            "trace-stats: <stdin>:1:31: ",
        ),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0",
            "trace-stats: <stdin>:1:1: this is a PNG image",
        ),
        (
            b"{\"input_length\":3,\"ttft_ms\":\"soon\"}\n",
            "trace-stats: <stdin>:1:29: invalid type: string",
        ),
        (
            b"{\"input_length\":3,\"error\":7}\n",
            "trace-stats: <stdin>:1:",
        ),
    ];
    for (input, message) in cases {
        let (code, stdout, stderr) = stats(&[], input);
        assert_eq!(code, 2, "{stderr}");
        assert_eq!(stdout, "");
        assert!(stderr.starts_with(message), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let (code, _, stderr) = stats(&["no/such.jsonl"], "");
    assert_eq!(code, 2);
    assert_eq!(
        stderr,
        "trace-stats: cannot open no/such.jsonl: No such file or directory\n"
    );
    assert_eq!(stats(&["--format", "xml"], "").0, 2);
    assert_eq!(stats(&["--block-size", "0"], "").0, 2);
}

#[test]
fn bad_lines_can_be_skipped_and_are_counted() {
    let input = "oops\n{\"input_length\":3}\n{\"input_length\":4,\"ttft_ms\":-1}\n";
    let (code, _, stderr) = stats(&[], &input["oops\n".len()..]);
    assert_eq!(code, 2);
    assert!(
        stderr.starts_with("trace-stats: <stdin>:2:29: "),
        "{stderr}"
    );
    let (code, stdout, stderr) = stats(&["--skip-invalid", "--format", "json"], input);
    assert_eq!(code, 0);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&report["requests"], &report["skipped_lines"]),
        (&json!(1), &json!(2))
    );
    assert!(stderr.contains("skipped 2 invalid lines"), "{stderr}");
}

#[test]
fn a_reader_that_hangs_up_is_no_failure() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_trace-stats"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child
        .stdin
        .take()
        .unwrap()
        .write_all(TRACE.as_bytes())
        .unwrap();
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), stderr.as_str()),
        (Some(0), "")
    );
}

#[test]
fn help_says_what_it_holds() {
    let (code, stdout, _) = stats(&["--help"], "");
    assert_eq!(code, 0);
    for word in ["Examples:", "Memory", "--no-prefix", "user_ttft_ms"] {
        assert!(stdout.contains(word), "{word}: {stdout}");
    }
}

/// Whether the process has a handler for SIGINT, signal 2.
#[cfg(target_os = "linux")]
fn catches_interrupts(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_pipe_still_gives_its_numbers() {
    use std::process::Command;
    let mut stats = Command::new(env!("CARGO_BIN_EXE_trace-stats"))
        .args(["--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = stats.stdin.take().unwrap();
    input.write_all(b"{\"input_length\":7}\n").unwrap();
    while !catches_interrupts(stats.id()) {
        assert_eq!(stats.try_wait().unwrap(), None, "it ended before its input");
        std::thread::yield_now();
    }
    let interrupt = Command::new("sh")
        .args(["-c", "kill -INT \"$0\"", &stats.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    std::thread::sleep(std::time::Duration::from_millis(100));
    input.write_all(b"{\"input_length\":9}\n").unwrap();
    drop(input);
    let mut report = String::new();
    stats
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut report)
        .unwrap();
    assert!(stats.wait().unwrap().success());
    assert!(report.contains("\nrequests,2,"), "{report}");
}
