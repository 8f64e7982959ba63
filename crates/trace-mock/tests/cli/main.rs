//! The binary as a client and a shell see it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod api;
mod clients;
mod engine;
mod fault;
mod harness;
mod proxy;
mod record;

use std::io::{BufRead, ErrorKind, Read, Write};
use std::process::Command;
use std::time::Duration;

use harness::{Mock, Response};

use serde_json::Value;
use trace_core::Reader;

const PROMPT: &str = r#"{"prompt":"one two three","max_tokens":4}"#;
const STREAM: &str = r#"{"prompt":"one two three","max_tokens":4,"stream":true,"stream_options":{"include_usage":true}}"#;

#[test]
fn a_completion_streams_its_tokens_its_usage_and_an_end() {
    let mock = Mock::start(&["--ttft", "2ms", "--itl", "1ms", "--model", "m"]);
    let response = mock.post("/v1/completions", "", STREAM);
    assert_eq!((response.status, response.whole), (200, true));
    let events = response.events();
    assert_eq!(events.len(), 5);
    assert!(
        events[..4]
            .iter()
            .all(|event| event["choices"][0]["text"] != "")
    );
    assert_eq!(events[3]["choices"][0]["finish_reason"], "length");
    assert_eq!(events[4]["usage"]["prompt_tokens"], 3);
    assert_eq!(events[4]["usage"]["completion_tokens"], 4);
    assert_eq!(events[0]["model"], "m");
}

#[test]
fn a_chat_is_answered_whole_or_streamed() {
    let mock = Mock::start(&[]);
    let body =
        r#"{"messages":[{"role":"user","content":"a b"}],"max_completion_tokens":2,"model":"x"}"#;
    let json = mock.post("/v1/chat/completions", "", body).json();
    assert_eq!(json["choices"][0]["message"]["content"], " the time");
    assert_eq!(json["usage"]["total_tokens"], 4);
    assert_eq!(json["model"], "x");
    let body = body.replace("\"model\"", "\"stream\":true,\"model\"");
    let events = mock.post("/v1/chat/completions", "", &body).events();
    assert_eq!(events.len(), 3);
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(events[2]["choices"][0]["delta"]["content"], " time");
}

#[test]
fn a_request_without_a_limit_gets_the_default_and_a_stop() {
    let mock = Mock::start(&["--output-tokens", "3"]);
    let json = mock
        .post("/v1/completions", "", r#"{"prompt":[5,6]}"#)
        .json();
    assert_eq!(json["usage"]["completion_tokens"], 3);
    assert_eq!(json["usage"]["prompt_tokens"], 2);
    assert_eq!(json["choices"][0]["finish_reason"], "stop");
}

#[test]
fn a_long_answer_arrives_whole() {
    let mock = Mock::start(&[]);
    let body = r#"{"prompt":"a","max_tokens":30000,"stream":true}"#;
    assert_eq!(
        mock.post("/v1/completions", "", body).events().len(),
        30_000
    );
}

#[test]
fn models_and_health_are_there_to_read() {
    let mock = Mock::start(&["--model", "a \"b\""]);
    let models = mock.ask("GET /v1/models HTTP/1.1", "").json();
    assert_eq!(models["data"][0]["id"], "a \"b\"");
    assert_eq!(mock.ask("GET /health HTTP/1.1", "").status, 200);
    assert_eq!(mock.ask("POST /health HTTP/1.1", "").status, 405);
}

#[test]
fn what_is_wrong_is_answered_in_the_shape_of_openai() {
    let mut mock = Mock::start(&[]);
    let cases = [
        ("GET /v1/completions", "", 405),
        ("POST /v1/nowhere", "{}", 404),
        ("POST /v1/completions", "", 400),
        ("POST /v1/completions", "{\"prompt\":", 400),
        ("POST /v1/completions", "\u{89}PNG\r\n", 400),
        ("POST /v1/completions", "{}", 400),
        ("POST /v1/chat/completions", r#"{"messages":"hi"}"#, 400),
        (
            "POST /v1/completions",
            r#"{"prompt":"a","max_tokens":-1}"#,
            400,
        ),
    ];
    for (head, body, status) in cases {
        let response = mock.ask(&format!("{head} HTTP/1.1"), body);
        assert_eq!(response.status, status, "{head} {body}");
        let error = &response.json()["error"];
        assert!(error["message"].is_string() && error["type"] == "invalid_request_error");
    }
    assert_eq!(mock.complete("unheard-of", PROMPT).status, 400);
    // None of them is recorded: the first record is of the first good request.
    mock.post("/v1/completions", "", r#"{"prompt":"good","max_tokens":1}"#);
    assert_eq!(mock.record()["input_length"], 1);
    mock.signal("TERM");
    let (_, rest, words) = mock.end();
    assert_eq!(rest, "");
    assert_eq!(
        words,
        "trace-mock: 1 requests, 0 of them cut short, and 7 refused\n"
    );
}

#[test]
fn a_body_beyond_the_limit_is_refused_and_the_answer_seen() {
    let mock = Mock::start(&[]);
    let body = " ".repeat((64 << 20) + 1);
    assert_eq!(mock.post("/v1/completions", "", &body).status, 413);
    assert_eq!(mock.post("/v1/nowhere", "", &body).status, 404);
}

#[test]
fn a_connection_takes_one_request_after_another() {
    let mock = Mock::start(&[]);
    let mut stream = mock.connect();
    for n in 0..3 {
        write!(
            stream,
            "POST /v1/completions HTTP/1.1\r\nhost: m\r\ncontent-length: {}\r\n\r\n{PROMPT}",
            PROMPT.len()
        )
        .unwrap();
        let mut bytes = [0; 2_048];
        let mut have = 0;
        while !bytes[..have].ends_with(b"}}") {
            have += stream.read(&mut bytes[have..]).unwrap();
        }
        let response = Response::read(&bytes[..have], None);
        assert_eq!(response.json()["id"], format!("cmpl-{n}"));
    }
}

#[test]
fn records_are_request_lines_that_say_when_bytes_left() {
    let mut mock = Mock::start(&["--ttft", "5ms", "--itl", "2ms"]);
    let headers = "\r\nx-request-id: run/\"1\"\r\nx-session-id: s-1";
    mock.post("/v1/completions", headers, STREAM);
    let record = mock.record();
    assert_eq!(record["timestamp"], 0);
    assert_eq!(record["input_length"], 3);
    assert_eq!(record["output_length"], 4);
    assert_eq!(record["request_id"], "run/\"1\"");
    assert_eq!(record["session_id"], "s-1");
    // Never early; how late depends on the machine.
    assert!(record["first_byte_ms"].as_f64().unwrap() >= 5.0);
    assert!(record["last_byte_ms"].as_f64().unwrap() >= 5.0 + 3.0 * 2.0);
    assert!(record["arrival_unix_ms"].as_f64().unwrap() > 1.6e12);
    assert!(record.get("aborted").is_none() && record.get("fault").is_none());

    mock.post(
        "/v1/completions",
        "",
        r#"{"prompt":"a","model":"m\u00e9","max_tokens":0}"#,
    );
    let record = mock.record();
    assert!(record["timestamp"].as_f64().unwrap() >= 11.0);
    assert_eq!(
        (&record["model"], &record["output_length"]),
        (&"mé".into(), &0.into())
    );
}

#[test]
fn records_are_a_trace() {
    let mock = Mock::start(&[]);
    for fault in ["none", "500", "empty", "cut"] {
        mock.complete(fault, STREAM);
    }
    mock.signal("TERM");
    let (_, records, _) = mock.end();
    let lines: Result<Vec<_>, _> = Reader::new("records", records.as_bytes()).collect();
    let lines = lines.unwrap();
    assert_eq!(lines.len(), 4);
    for line in lines {
        assert_eq!(line.request.input_length, Some(3));
        assert_eq!(line.request.output_length, Some(4));
        assert!(line.request.timestamp.is_some());
        assert!(
            line.outcome().unwrap().is_none(),
            "none of our fields is an outcome's"
        );
    }
}

#[test]
fn a_client_that_leaves_is_recorded_with_what_it_got() {
    let mut mock = Mock::start(&["--ttft", "0", "--itl", "1h"]);
    let mut stream = mock.send("POST /v1/completions HTTP/1.1", STREAM);
    let mut seen = Vec::new();
    let mut bytes = [0; 512];
    while !seen.windows(6).any(|w| w == b"data: ") {
        let n = stream.read(&mut bytes).unwrap();
        seen.extend_from_slice(&bytes[..n]);
    }
    drop(stream);
    let record = mock.record();
    assert_eq!(record["aborted"], true);
    assert_eq!(record["sent_tokens"], 1);
    assert_eq!(record["output_length"], 4);
}

#[test]
fn ordered_errors_come_with_their_status() {
    let mut mock = Mock::start(&["--fault", "503"]);
    assert_eq!(mock.post("/v1/completions", "", STREAM).status, 503);
    assert_eq!(mock.complete("none", STREAM).status, 200);
    let response = mock.complete("429", STREAM);
    assert_eq!(response.status, 429);
    assert!(response.head.contains("retry-after: 1"));
    assert!(response.json()["error"]["message"].is_string());
    let response = mock.complete("html", STREAM);
    assert_eq!(response.status, 200);
    assert!(response.head.contains("content-type: text/html"));
    assert!(response.text().starts_with("<!DOCTYPE html>"));
    let faults = [(); 4].map(|()| mock.record()["fault"].clone());
    assert_eq!(
        faults,
        ["503".into(), Value::Null, "429".into(), "html".into()]
    );
}

#[test]
fn a_cut_comes_after_half_of_the_tokens_as_a_reset() {
    let mut mock = Mock::start(&[]);
    let response = mock.complete("cut", STREAM);
    assert_eq!(
        (response.whole, response.error),
        (false, Some(ErrorKind::ConnectionReset))
    );
    assert_eq!(response.text().matches("data: ").count(), 2);
    let record = mock.record();
    assert_eq!(
        (&record["aborted"], &record["sent_tokens"]),
        (&true.into(), &2.into())
    );
    let response = mock.complete("cut", PROMPT);
    assert_eq!(
        (response.whole, response.error),
        (false, Some(ErrorKind::ConnectionReset))
    );
}

#[test]
fn a_stall_sends_nothing_or_half_and_stays() {
    let mut mock = Mock::start(&[]);
    for (fault, body, events) in [
        ("stall", STREAM, None),
        ("stall-mid", STREAM, Some(2)),
        ("stall-mid", PROMPT, Some(0)),
    ] {
        let mut stream = mock.send(
            &format!("POST /v1/completions HTTP/1.1\r\nx-mock-fault: {fault}"),
            body,
        );
        // Long enough to see that no more comes; were it too short the test would pass.
        stream
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let mut bytes = Vec::new();
        let err = stream.read_to_end(&mut bytes).unwrap_err();
        assert!(
            matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "{err}"
        );
        match events {
            None => assert_eq!(bytes, b""),
            Some(events) => {
                let response = Response::read(&bytes, None);
                assert!(!response.whole);
                assert_eq!(response.text().matches("data: ").count(), events);
            }
        }
        drop(stream);
        assert_eq!(mock.record()["aborted"], true);
    }
}

#[test]
fn a_stream_can_be_empty_garbled_without_usage_or_in_pieces() {
    let mock = Mock::start(&[]);
    let events = mock.complete("empty", STREAM).events();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["choices"][0]["text"], "");
    assert_eq!(events[0]["choices"][0]["finish_reason"], "stop");

    let response = mock.complete("garbage", STREAM);
    assert!(response.whole && std::str::from_utf8(&response.body).is_err());
    assert!(response.body.ends_with(b"data: [DONE]\n\n"));
    let json = mock.complete("garbage", PROMPT);
    assert!(serde_json::from_slice::<Value>(&json.body).is_err());

    assert_eq!(mock.complete("no-usage", STREAM).events().len(), 4);
    assert!(
        mock.complete("no-usage", PROMPT)
            .json()
            .get("usage")
            .is_none()
    );

    assert_eq!(mock.complete("bytes", STREAM).events().len(), 5);
    assert_eq!(
        mock.complete("bytes", PROMPT).json()["usage"]["total_tokens"],
        7
    );
}

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
