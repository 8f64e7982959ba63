//! Faults that a request asks for itself.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Mock, Response};
use crate::{PROMPT, STREAM};

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
fn characters_and_frames_come_in_single_bytes() {
    let mock = Mock::start(&[]);
    let body = STREAM.replace(":4,", ":16,");
    let response = mock.complete("bytes:1", &body);
    assert!(response.text().contains(" café"), "{}", response.text());
    assert_eq!(response.events().len(), 17);
}

#[test]
fn a_reset_may_come_right_after_the_head() {
    let mut mock = Mock::start(&[]);
    let response = mock.complete("reset-head", STREAM);
    assert_eq!((response.status, response.whole), (200, false));
    assert_eq!(response.error, Some(ErrorKind::ConnectionReset));
    let record = mock.record();
    assert_eq!(
        (&record["aborted"], &record["fault"]),
        (&true.into(), &"reset-head".into())
    );
}

#[test]
fn what_means_nothing_changes_nothing() {
    let mock = Mock::start(&[]);
    let plain = mock.complete("none", STREAM);
    let noisy = mock.complete("comments", STREAM);
    let meant = |response: &Response| -> String {
        let lines = response
            .text()
            .lines()
            .filter(|line| line.starts_with("data: "));
        let texts = lines.filter_map(|line| serde_json::from_str::<Value>(&line[6..]).ok());
        texts
            .filter_map(|json| json["choices"][0]["text"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(meant(&noisy), meant(&plain));
    assert_eq!(
        noisy.text().matches(": ping\n\nevent: message\n").count(),
        4
    );

    let big = mock.complete("big:1000000", STREAM);
    assert_eq!(meant(&big), meant(&plain));
    assert!(big.body.len() >= 1_000_000 + plain.body.len());
    let big = mock.complete("big:1000000", PROMPT);
    assert_eq!(big.json()["usage"]["total_tokens"], 7);
    assert!(big.body.len() > 1_000_000);
}

#[test]
fn a_connection_can_end_with_its_answer() {
    let mock = Mock::start(&[]);
    let head = |fault: &str| {
        let mut stream = mock.connect();
        write!(
            stream,
            "POST /v1/completions HTTP/1.1\r\nhost: x\r\nx-mock-fault: {fault}\r\ncontent-length: {}\r\n\r\n{PROMPT}",
            PROMPT.len()
        )
        .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Response::read(&bytes, None)
    };
    let response = head("close");
    assert!(
        response.whole && response.head.contains("connection: close"),
        "{}",
        response.head
    );
}
