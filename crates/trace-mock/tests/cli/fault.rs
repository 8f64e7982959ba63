//! Faults by rate, by plan, and those that only a socket shows.

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use crate::harness::Mock;
use crate::{PROMPT, STREAM};

#[test]
fn a_plan_is_followed_to_its_end() {
    let mut plan = tempfile::NamedTempFile::new().unwrap();
    writeln!(plan, "# two good ones first\nnone x2\n503:7\nempty").unwrap();
    let mut mock = Mock::start(&[
        "--fault-plan",
        plan.path().to_str().unwrap(),
        "--fault",
        "no-usage",
    ]);
    let status = [(); 5].map(|()| mock.post("/v1/completions", "", PROMPT).status);
    assert_eq!(status, [200, 200, 503, 200, 200]);
    let faults = [(); 5].map(|()| {
        mock.record()
            .get("fault")
            .map(|fault| fault.as_str().unwrap().to_owned())
    });
    let names = faults
        .each_ref()
        .map(|fault| fault.as_deref().unwrap_or("none"));
    assert_eq!(names, ["none", "none", "503:7", "empty", "no-usage"]);
}

#[test]
fn a_status_may_say_when_to_come_again() {
    let mock = Mock::start(&[]);
    assert!(
        mock.complete("503:7", PROMPT)
            .head
            .contains("retry-after: 7")
    );
    assert!(!mock.complete("503", PROMPT).head.contains("retry-after"));
}

#[test]
fn a_reset_comes_before_any_answer() {
    let mut mock = Mock::start(&[]);
    let mut bytes = Vec::new();
    let mut stream = mock.send(
        "POST /v1/completions HTTP/1.1\r\nx-mock-fault: reset",
        STREAM,
    );
    let end = std::io::Read::read_to_end(&mut stream, &mut bytes).unwrap_err();
    assert_eq!((end.kind(), bytes.len()), (ErrorKind::ConnectionReset, 0));
    let record = mock.record();
    assert_eq!(
        (&record["fault"], &record["aborted"]),
        (&"reset".into(), &true.into())
    );
}

#[test]
fn a_truncated_stream_ends_as_if_it_were_whole() {
    let mock = Mock::start(&[]);
    let response = mock.complete("truncate", STREAM);
    assert!(response.whole);
    assert_eq!(response.text().matches("data: ").count(), 2);
    assert!(!response.text().contains("[DONE]"));
    assert!(
        serde_json::from_slice::<serde_json::Value>(&mock.complete("truncate", PROMPT).body)
            .is_err()
    );
}

#[test]
fn several_tokens_may_come_in_a_chunk() {
    let mock = Mock::start(&[]);
    let events = mock.complete("chunks:3", STREAM).events();
    assert_eq!(events.len(), 3);
    assert_eq!(events[0]["choices"][0]["text"], " the time of");
    assert_eq!(events[2]["usage"]["completion_tokens"], 4);
}

#[test]
fn a_delay_and_a_slow_line_take_their_time() {
    let mock = Mock::start(&[]);
    let began = Instant::now();
    assert_eq!(mock.complete("delay:150ms", STREAM).events().len(), 5);
    assert!(began.elapsed() >= Duration::from_millis(150));
    let began = Instant::now();
    let response = mock.complete("slow:2000", PROMPT);
    assert_eq!(response.json()["usage"]["completion_tokens"], 4);
    // The first piece is free.
    let expected = (response.body.len() as f64 - 7.0) / 2_000.0;
    assert!(began.elapsed().as_secs_f64() >= expected * 0.99);
}

#[test]
fn faults_befall_every_api() {
    let mock = Mock::start(&["--fault", "garbage"]);
    let body = r#"{"prompt":"a","messages":[{"role":"user","content":"a"}],"inputs":"a","input":"a",
        "max_tokens":4,"stream":true}"#;
    for path in [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/messages",
        "/api/chat",
        "/api/generate",
        "/generate_stream",
    ] {
        let response = mock.post(path, "", body);
        assert!(
            response.whole && std::str::from_utf8(&response.body).is_err(),
            "{path}"
        );
    }
}

#[test]
fn a_plan_that_is_none_is_said_in_a_line() {
    let mut plan = tempfile::NamedTempFile::new().unwrap();
    plan.write_all(b"none\nbroken\n").unwrap();
    let path = plan.path().to_str().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_trace-mock"))
        .args(["--port", "0", "--fault-plan", path])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(
        words.starts_with(&format!("trace-mock: {path}:2:1: unknown fault \"broken\"")),
        "{words}"
    );
    assert_eq!(words.lines().count(), 1);
}
