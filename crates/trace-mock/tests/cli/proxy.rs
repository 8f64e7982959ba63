//! The recording proxy in front of another mock.

use std::io::{ErrorKind, Read};

use serde_json::Value;

use crate::STREAM;
use crate::harness::Mock;

/// A mock, and a proxy in front of it.
fn pair(server: &[&str], proxy: &[&str]) -> (Mock, Mock) {
    let server = Mock::start(server);
    let url = format!("http://{}", server.address);
    let proxy = Mock::start(&[&["--upstream", url.as_str()], proxy].concat());
    (server, proxy)
}

fn number(record: &Value, name: &str) -> f64 {
    let number = record[name].as_f64();
    number.unwrap_or_else(|| panic!("no {name} in {record}"))
}

#[test]
fn a_stream_passes_and_its_times_are_recorded() {
    let (server, mut proxy) = pair(&["--ttft", "20ms", "--itl", "5ms"], &["--block-size", "2"]);
    let headers = "\r\nx-request-id: run/7\r\nx-session-id: s";
    let events = proxy.post("/v1/completions", headers, STREAM).events();
    let direct = server.post("/v1/completions", "", STREAM).events();
    for (passed, direct) in events.iter().zip(&direct) {
        assert_eq!(
            (&passed["choices"], &passed["usage"]),
            (&direct["choices"], &direct["usage"])
        );
    }
    assert_eq!(events.len(), direct.len());
    let record = proxy.record();
    for (name, expected) in [
        ("input_length", 3),
        ("output_length", 4),
        ("input_tokens", 3),
        ("output_tokens", 4),
        ("status", 200),
        ("seq", 0),
    ] {
        assert_eq!(record[name], expected, "{name}");
    }
    assert_eq!(record["hash_ids"], serde_json::json!([0, 1]));
    assert_eq!(
        (&record["request_id"], &record["session_id"]),
        (&"run/7".into(), &"s".into())
    );
    assert_eq!(record["token_source"], "usage");
    assert!(number(&record, "ttft_ms") >= 20.0 && number(&record, "latency_ms") >= 35.0);
    assert!(number(&record, "tpot_ms") >= 0.0);
    assert!(record.get("error").is_none());
}

#[test]
fn an_answer_in_one_piece_tells_what_it_used() {
    let (_server, mut proxy) = pair(&[], &["--keep-text"]);
    let json = proxy
        .post(
            "/v1/completions",
            "",
            r#"{"prompt":"secret","max_tokens":9,"stop":" of"}"#,
        )
        .json();
    assert_eq!(json["choices"][0]["text"], " the time");
    let record = proxy.record();
    // What came, rather than what was asked for.
    assert_eq!(
        (&record["output_length"], &record["text_input"]),
        (&3.into(), &"secret".into())
    );
    assert!(record.get("ttft_ms").is_none());
    assert_eq!(
        proxy.ask("GET /v1/models HTTP/1.1", "").json()["data"][0]["id"],
        "mock"
    );
    assert_eq!(proxy.ask("GET /nowhere HTTP/1.1", "").status, 404);
}

#[test]
fn text_is_not_written_unless_asked_for() {
    let (_server, mut proxy) = pair(&[], &[]);
    proxy.post(
        "/v1/completions",
        "",
        r#"{"prompt":"secret","max_tokens":1}"#,
    );
    assert!(!proxy.record().to_string().contains("secret"));
}

#[test]
fn tokens_that_the_server_does_not_tell_are_counted() {
    let (_server, mut proxy) = pair(&["--fault", "no-usage"], &[]);
    proxy.post(
        "/v1/chat/completions",
        "",
        r#"{"messages":[{"role":"user","content":"a"}],"max_tokens":5,"stream":true}"#,
    );
    let record = proxy.record();
    assert_eq!(
        (&record["output_tokens"], &record["chunks"]),
        (&5.into(), &5.into())
    );
    assert_eq!(record["token_source"], "tokenizer");
}

#[test]
fn what_fails_passes_too_and_says_how() {
    let (_server, mut proxy) = pair(&[], &[]);
    let response = proxy.complete("503:9", STREAM);
    assert_eq!(response.status, 503);
    assert!(response.head.contains("retry-after: 9"));
    let record = proxy.record();
    assert_eq!(
        (&record["status"], &record["error"]["kind"]),
        (&503.into(), &"http".into())
    );

    let response = proxy.complete("cut", STREAM);
    assert_eq!(
        (response.whole, response.error),
        (false, Some(ErrorKind::ConnectionReset))
    );
    let record = proxy.record();
    assert_eq!(record["error"]["kind"], "stream");
    assert_eq!(record["chunks"], 2);
}

#[test]
fn a_server_that_is_not_there_is_a_bad_gateway() {
    let mut proxy = Mock::start(&["--upstream", "http://127.0.0.1:9"]);
    let response = proxy.post("/v1/completions", "", STREAM);
    assert_eq!(response.status, 502);
    assert!(
        response
            .text()
            .contains("no answer from the server: Connection refused"),
        "{}",
        response.text()
    );
    let record = proxy.record();
    assert_eq!(
        (&record["error"]["kind"], record.get("status")),
        (&"connect".into(), None)
    );
}

#[test]
fn a_client_that_leaves_is_recorded_and_leaves_the_server() {
    let (mut server, mut proxy) = pair(&["--itl", "1h"], &[]);
    let mut stream = proxy.send("POST /v1/completions HTTP/1.1", STREAM);
    let mut seen = Vec::new();
    while !seen.windows(6).any(|bytes| bytes == b"data: ") {
        let mut bytes = [0; 512];
        let count = stream.read(&mut bytes).unwrap();
        seen.extend_from_slice(&bytes[..count]);
    }
    drop(stream);
    let record = proxy.record();
    assert_eq!(
        (&record["error"]["kind"], &record["chunks"]),
        (&"cancelled".into(), &1.into())
    );
    assert_eq!(record["output_length"], 4, "what was asked for");
    assert_eq!(server.record()["aborted"], true);
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    let (server, mut proxy) = pair(&[], &[]);
    assert_eq!(proxy.post("/v1/completions", "", STREAM).status, 200);
    let port = server.address.rsplit_once(':').unwrap().1.to_owned();
    drop(server);
    assert_eq!(proxy.post("/v1/completions", "", STREAM).status, 502);
    let again = Mock::start_at(&port);
    assert_eq!(proxy.post("/v1/completions", "", STREAM).status, 200);
    drop(again);
    let status = [(); 3].map(|()| proxy.record()["status"].clone());
    assert_eq!(status, [200.into(), Value::Null, 200.into()]);
}

#[test]
fn the_last_lines_are_written_when_it_ends() {
    let (_server, proxy) = pair(&[], &[]);
    for _ in 0..20 {
        proxy.post("/v1/completions", "", STREAM);
    }
    proxy.signal("TERM");
    let (status, records, words) = proxy.end();
    assert!(status.success());
    assert_eq!(records.lines().count(), 20);
    assert_eq!(
        words,
        "trace-mock: 20 requests, 0 of them cut short, and 0 refused\n"
    );
}
