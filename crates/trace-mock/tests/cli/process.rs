//! The process: its signals, its outputs, its last words.

use std::io::{BufRead, Read};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::harness::{Mock, Response};
use crate::{PROMPT, STREAM};

#[test]
fn a_signal_lets_running_streams_end_and_writes_the_last_records() {
    for signal in ["TERM", "INT"] {
        let mock = Mock::start(&["--ttft", "300ms"]);
        let mut stream = mock.send("POST /v1/completions HTTP/1.1", STREAM);
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        mock.signal(signal);
        let mut bytes = head.to_vec();
        stream.read_to_end(&mut bytes).unwrap();
        assert!(Response::read(&bytes, None).whole);
        let (status, records, words) = mock.end();
        assert!(status.success(), "{status}");
        assert_eq!(records.lines().count(), 1);
        assert!(!records.contains("aborted"));
        assert_eq!(
            words,
            "trace-mock: 1 requests, 0 of them cut short, and 0 refused\n"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_request_that_came_while_it_did_not_run_has_its_true_time() {
    let mut mock = Mock::start(&["--ttft", "10ms"]);
    mock.post("/v1/completions", "", PROMPT);
    mock.record();
    mock.signal("STOP");
    std::thread::sleep(Duration::from_millis(50));
    let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut stream = mock.send("POST /v1/completions HTTP/1.1", STREAM);
    std::thread::sleep(Duration::from_millis(600));
    mock.signal("CONT");
    stream.read_to_end(&mut Vec::new()).unwrap();
    let record = mock.record();
    let arrival = record["arrival_unix_ms"].as_f64().unwrap() - sent.as_secs_f64() * 1_000.0;
    assert!((-1.0..300.0).contains(&arrival), "{arrival}: {record}");
    // Its answer was due while it slept, and tells how late it was.
    let first = record["first_byte_ms"].as_f64().unwrap();
    assert!(first > 250.0, "{record}");
}

#[test]
fn a_second_signal_cuts_what_is_running() {
    let mut mock = Mock::start(&["--ttft", "1h"]);
    let mut idle = mock.connect();
    let mut stream = mock.send("POST /v1/completions HTTP/1.1", STREAM);
    stream.read_exact(&mut [0; 12]).unwrap();
    mock.signal("INT");
    // Idle connections close as soon as the first signal is heard.
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0);
    mock.signal("INT");
    assert_eq!(mock.record()["aborted"], true);
    assert!(mock.end().0.success());
}

#[test]
fn a_reader_that_hangs_up_does_not_end_the_answers() {
    let mut mock = Mock::start(&[]);
    mock.post("/v1/completions", "", PROMPT);
    mock.record();
    mock.stdout = None;
    for _ in 0..3 {
        assert_eq!(mock.post("/v1/completions", "", PROMPT).status, 200);
        std::thread::sleep(Duration::from_millis(10)); // lets the records be written apart
    }
    mock.signal("TERM");
    let (status, _, words) = mock.end();
    assert!(status.success());
    assert_eq!(
        words,
        "trace-mock: 4 requests, 0 of them cut short, and 0 refused\n"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_at_once_and_at_the_end() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut mock = Mock::start_with(&[], full.into());
    mock.post("/v1/completions", "", PROMPT);
    let mut words = String::new();
    mock.stderr.read_line(&mut words).unwrap();
    assert!(
        words.starts_with("trace-mock: cannot write records, and goes on without: No space"),
        "{words}"
    );
    assert_eq!(mock.post("/v1/completions", "", PROMPT).status, 200);
    mock.signal("TERM");
    let (status, _, words) = mock.end();
    assert_eq!(status.code(), Some(2));
    assert!(words.contains("trace-mock: 2 requests"), "{words}");
    assert!(
        words.contains("trace-mock: cannot write records: No space"),
        "{words}"
    );
}

#[test]
fn what_cannot_be_done_is_said_in_a_line() {
    let mock = Mock::start(&[]);
    let (_, port) = mock.address.rsplit_once(':').unwrap();
    let fails = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_trace-mock"))
            .args(args)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(output.stdout, b"");
        String::from_utf8(output.stderr).unwrap()
    };
    let words = fails(&["--port", port]);
    assert!(
        words.starts_with(&format!(
            "trace-mock: cannot listen at 127.0.0.1:{port}: Address"
        )),
        "{words}"
    );
    assert_eq!(words.lines().count(), 1);
    assert!(fails(&["--ttft", "soon"]).contains("is not a duration"));
    assert!(fails(&["--fault", "200"]).contains("unknown fault"));
}
