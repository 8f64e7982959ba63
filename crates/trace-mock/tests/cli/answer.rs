//! Answers, and what is said of requests that get none.

use std::io::{Read, Write};

use crate::harness::{Mock, Response};
use crate::{PROMPT, STREAM};

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
        assert!(error["message"].is_string() && error["type"].is_string());
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
