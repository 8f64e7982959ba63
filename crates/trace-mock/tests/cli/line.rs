//! The lines of a record.

use std::io::Read;

use trace_core::Reader;

use crate::STREAM;
use crate::harness::Mock;

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
        r#"{"prompt":"a","model":"m\u00e9","max_tokens":1}"#,
    );
    let record = mock.record();
    assert!(record["timestamp"].as_f64().unwrap() >= 11.0);
    assert_eq!(
        (&record["model"], &record["output_length"]),
        (&"mé".into(), &1.into())
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
