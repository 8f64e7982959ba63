//! The recording proxy in front of another mock.

use std::io::{ErrorKind, Read, Write};

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
fn a_proxy_passes_the_same_awake_or_asleep() {
    for awake in ["10ms", "0"] {
        let (_server, mut proxy) = pair(&["--ttft", "30ms"], &["--busy-poll", awake]);
        for _ in 0..3 {
            let events = proxy.post("/v1/completions", "", STREAM).events();
            assert_eq!(events.len(), 5);
            assert!(number(&proxy.record(), "ttft_ms") >= 30.0);
            // It sleeps in between, and wakes up again.
            std::thread::sleep(std::time::Duration::from_millis(30));
        }
    }
    let (status, _, words) = crate::harness::run(&["--busy-poll", "1s"]);
    assert_eq!(status, Some(2));
    assert!(words.contains("--upstream"), "{words}");
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
    // Lines come once their prompts are counted.
    let mut records = [(); 3].map(|()| proxy.record());
    records.sort_by_key(|record| record["seq"].as_u64());
    let status = records.map(|record| record["status"].clone());
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

/// Says whether a line is one that both schemas, of outcomes and of the mock, describe.
fn judge() -> impl Fn(&Value) {
    let schema = |name: &str| -> Value {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");
        let text = std::fs::read_to_string(format!("{folder}/{name}.schema.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let [request, outcome, mock] = ["request", "outcome", "mock"].map(schema);
    let known: Vec<String> = [&request, &outcome, &mock]
        .iter()
        .flat_map(|schema| schema["properties"].as_object().unwrap().keys().cloned())
        .collect();
    let registry = jsonschema::Registry::new();
    let registry = registry.add(request["$id"].as_str().unwrap(), request.clone());
    let registry = registry.unwrap().prepare().unwrap();
    let validators = [outcome, mock].map(|schema| {
        let options = jsonschema::draft202012::options();
        options.with_registry(&registry).build(&schema).unwrap()
    });
    move |line| {
        for validator in &validators {
            let errors: Vec<_> = validator
                .iter_errors(line)
                .map(|err| err.to_string())
                .collect();
            assert!(errors.is_empty(), "{errors:?}: {line}");
        }
        for field in line.as_object().unwrap().keys() {
            assert!(known.contains(field), "no schema describes {field}: {line}");
        }
    }
}

#[test]
fn its_lines_are_outcomes_by_the_schema_whatever_happens() {
    let (_server, mut proxy) = pair(&["--ttft", "2ms"], &["--keep-text", "--sessions-by-prefix"]);
    let accept = judge();
    for fault in [
        "none", "503", "html", "cut", "reset", "truncate", "empty", "garbage", "no-usage",
        "chunks:3",
    ] {
        let mut stream = proxy.send(
            &format!("POST /v1/completions HTTP/1.1\r\nx-mock-fault: {fault}\r\nx-request-id: r/1"),
            STREAM,
        );
        // Some of them end in a reset.
        let _ = stream.read_to_end(&mut Vec::new());
        accept(&proxy.record());
    }
    proxy.post("/v1/embeddings", "", r#"{"input":"a b"}"#);
    let record = proxy.record();
    accept(&record);
    assert!(record.get("error").is_none(), "{record}");
}

#[test]
fn an_answer_that_is_none_says_what_it_was() {
    let (_server, mut proxy) = pair(&[], &[]);
    for (fault, kind) in [("html", "content"), ("empty", "empty"), ("reset", "stream")] {
        proxy
            .send(
                &format!("POST /v1/completions HTTP/1.1\r\nx-mock-fault: {fault}"),
                STREAM,
            )
            .read_to_end(&mut Vec::new())
            .unwrap();
        assert_eq!(proxy.record()["error"]["kind"], kind, "{fault}");
    }
}

/// Write `bytes`, and read until the answer has `end`.
fn converse(stream: &mut std::net::TcpStream, bytes: &[u8], end: &str) -> String {
    stream.write_all(bytes).unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(end) {
        let mut piece = [0; 4_096];
        let count = stream.read(&mut piece).unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(seen).unwrap()
}

#[test]
fn one_connection_carries_requests_in_every_framing() {
    let (mut server, mut proxy) = pair(&[], &[]);
    let mut stream = proxy.connect();
    let head = "POST /v1/completions HTTP/1.1\r\nhost: x\r\n";
    let whole = r#"{"prompt":"a b","max_tokens":2}"#;
    let chunked = format!(
        "{head}transfer-encoding: chunked\r\n\r\n5\r\n{}\r\n",
        &whole[..5]
    );
    let rest = format!("{:x}\r\n{}\r\n0\r\n\r\n", whole.len() - 5, &whole[5..]);
    stream.write_all(chunked.as_bytes()).unwrap();
    let answer = converse(&mut stream, rest.as_bytes(), "total_tokens");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    // Leave to send the body is asked for.
    let expecting = format!(
        "{head}expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        whole.len()
    );
    let leave = converse(&mut stream, expecting.as_bytes(), "\r\n\r\n");
    assert_eq!(leave, "HTTP/1.1 100 Continue\r\n\r\n");
    converse(&mut stream, whole.as_bytes(), "total_tokens");
    // Two at once, and a question without a body between.
    let one = format!("{head}content-length: {}\r\n\r\n{whole}", whole.len());
    let two = format!("{one}GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n{one}");
    let answers = converse(&mut stream, two.as_bytes(), "\"list\"");
    assert!(answers.contains("total_tokens"), "{answers}");
    for _ in 0..4 {
        assert_eq!(
            (
                proxy.record()["status"].clone(),
                &server.record()["input_length"]
            ),
            (200.into(), &2.into())
        );
    }
}

#[test]
fn what_is_no_request_is_refused_and_ends_the_connection() {
    let (_server, proxy) = pair(&["--api-key", "k"], &["--api-key", "k"]);
    let refused = |bytes: &[u8]| {
        let mut stream = proxy.connect();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    };
    for bytes in [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(),
        b"GET / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let answer = refused(bytes);
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{answer}"
        );
    }
    assert_eq!(proxy.post("/v1/completions", "", STREAM).status, 401);
    let key = "\r\nauthorization: Bearer k";
    assert_eq!(proxy.post("/v1/completions", key, STREAM).status, 200);
}

#[test]
fn a_body_that_is_too_long_is_refused_when_all_of_it_has_come() {
    let (_server, proxy) = pair(&[], &[]);
    let body = " ".repeat((64 << 20) + 1);
    let response = proxy.post("/v1/completions", "", &body);
    assert_eq!((response.status, response.error), (413, None));
    assert!(
        response.text().contains("the body has 67108865 bytes"),
        "{}",
        response.text()
    );
}

#[test]
fn pages_in_browsers_may_ask_through_it() {
    let (_server, proxy) = pair(&[], &["--api-key", "k"]);
    let preflight = "OPTIONS /v1/completions HTTP/1.1\r\norigin: http://page.example\r\n\
        access-control-request-method: POST";
    let told = proxy.ask(preflight, "");
    assert_eq!(
        (told.status, told.header("access-control-allow-origin")),
        (200, "*"),
        "the server says so"
    );
    let refused = proxy.post("/v1/completions", "\r\norigin: http://page.example", STREAM);
    assert_eq!(
        (
            refused.status,
            refused.header("access-control-allow-origin")
        ),
        (401, "*")
    );
}
