//! Whoever asks a server and whoever stands before it say the same of its answers, odd ones, too.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use serde_json::Value;

use crate::harness::{Server, records, send};

/// What must be the same on both sides; times are not.
const TOLD: [&str; 8] = [
    "status",
    "chunks",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "token_source",
    "ttft_ms",
];

/// Where a body ends.
#[derive(Clone, Copy)]
enum Length {
    /// Where its length says.
    Told,
    /// Before.
    Short,
    /// With the connection.
    Open,
}
use Length::{Open, Short, Told};

const WORD: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"}}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// Answers with their head, their body and its length, and what kind of failure they are.
fn answers() -> Vec<(&'static str, String, Length, Option<&'static str>)> {
    let event = |json: &str| format!("data: {json}\n\n");
    let finish = event(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#);
    let other = event(r#"{"choices":[{"index":1,"delta":{"content":" b"}}]}"#);
    let think = event(r#"{"choices":[{"delta":{"reasoning_content":"hm hm"}}]}"#);
    let call = event(
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"find","arguments":"{\"city\":\"Ulm\"}"}}]}}]}"#,
    );
    let usage = event(
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"cached_tokens":3,"completion_tokens_details":{"reasoning_tokens":2}}}"#,
    );
    let messages = [
        r#"{"type":"message_start","message":{"usage":{"input_tokens":3,"cache_creation_input_tokens":10,"cache_read_input_tokens":20,"output_tokens":1}}}"#,
        r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"ab"}}"#,
        r#"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}"#,
    ]
    .map(event);
    let responses = [
        r#"{"type":"response.reasoning_summary_text.delta","delta":"hm"}"#,
        r#"{"type":"response.output_text.delta","delta":"ab"}"#,
        r#"{"type":"response.completed","response":{"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":4},"output_tokens":5}}}"#,
    ]
    .map(event);
    let tgi = event(
        r#"{"token":{"text":" b"},"generated_text":" a b","details":{"finish_reason":"length","generated_tokens":2,"input_length":9}}"#,
    );
    let ollama = concat!(
        "{\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"find\",\"arguments\":{\"city\":\"Ulm\"}}}]},\"done\":false}\n",
        "{\"done\":true,\"prompt_eval_count\":5,\"eval_count\":7}\n"
    );
    let whole = r#"{"choices":[{"message":{"content":"two words"}}]}"#;
    let (sse, json, lines) = (
        "text/event-stream",
        "application/json",
        "application/x-ndjson",
    );
    let join = |parts: &[&str]| parts.concat();
    vec![
        (sse, join(&[WORD, &finish, &usage, DONE]), Told, None),
        (
            sse,
            join(&["\u{feff}", WORD, WORD, DONE]).replace('\n', "\r"),
            Told,
            None,
        ),
        (
            sse,
            "data: {\"choices\":[{\ndata: \"text\":\"a\"}]}\n\ndata: [DONE]\n\n".into(),
            Told,
            None,
        ),
        (
            sse,
            join(&[WORD, "event: error\ndata: {\"message\":\"over\"}\n\n"]),
            Told,
            Some("stream"),
        ),
        (
            sse,
            join(&[WORD, &event("{\"error\":{\"message\":\"no memory\"}}")]),
            Told,
            Some("stream"),
        ),
        (
            sse,
            join(&[WORD, "data: {\"choices\":[{\n\n", DONE]),
            Told,
            Some("stream"),
        ),
        (
            sse,
            join(&[WORD, "data: {\"choices\":[{\"te"]),
            Told,
            Some("stream"),
        ),
        (sse, join(&[WORD, DONE, WORD, "data: {"]), Short, None),
        (sse, join(&[WORD, WORD]), Short, Some("stream")),
        (sse, join(&[WORD, WORD]), Told, Some("stream")),
        (sse, join(&[WORD, WORD]), Open, Some("stream")),
        (sse, join(&[WORD, &finish]), Open, None),
        (
            sse,
            join(&[WORD, &other, &finish, &other]),
            Told,
            Some("stream"),
        ),
        (sse, join(&[&think, WORD, &call, DONE]), Told, None),
        (sse, messages.concat(), Told, None),
        (sse, messages[..2].concat(), Told, Some("stream")),
        (sse, responses.concat(), Told, None),
        (sse, tgi, Told, None),
        (sse, join(&[": ping\n\n", DONE]), Told, Some("empty")),
        (sse, "<html>\n<p>welcome".into(), Told, Some("content")),
        (lines, ollama.into(), Told, None),
        (
            lines,
            ollama.lines().next().unwrap_or_default().into(),
            Open,
            Some("stream"),
        ),
        (json, whole.into(), Told, None),
        (json, whole.into(), Open, None),
        (json, whole[..20].into(), Told, Some("content")),
        (json, whole[..20].into(), Short, Some("stream")),
        ("text/html", "<html>".into(), Told, Some("content")),
        (
            "application/json\r\ncontent-encoding: gzip",
            "\u{1f}".into(),
            Told,
            Some("content"),
        ),
        (
            "Text/Event-Stream; charset=utf-8",
            join(&[WORD, DONE]),
            Told,
            None,
        ),
    ]
}

/// Answer each request by the number that the sender gave it, until all are.
fn serve(answers: Vec<Vec<u8>>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        let mut left = answers.len();
        while left > 0 {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            // The proxy may only want to know who is there.
            if let Some(number) = asked(&mut stream) {
                stream.get_mut().write_all(&answers[number]).unwrap();
                left -= 1;
            }
        }
    });
    (origin, thread)
}

/// Read a request, and give its number.
fn asked(stream: &mut impl BufRead) -> Option<usize> {
    let (mut number, mut length, mut line) = (None, 0, String::new());
    while stream.read_line(&mut line).ok()? > 2 {
        match line.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("x-request-id", id)) => number = id.rsplit('-').next()?.parse().ok(),
            Some(("content-length", told)) => length = told.parse().ok()?,
            _ => {}
        }
        line.clear();
    }
    stream.read_exact(&mut vec![0; length]).ok()?;
    number
}

#[test]
fn sender_and_recorder_say_the_same_of_odd_answers() {
    let answers = answers();
    let bytes = answers.iter().map(|(head, body, length, _)| {
        let length = match length {
            Told => format!("content-length: {}\r\n", body.len()),
            Short => format!("content-length: {}\r\n", body.len() + 9),
            Open => String::new(),
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {head}\r\n{length}");
        format!("{head}connection: close\r\n\r\n{body}").into_bytes()
    });
    let (origin, server) = serve(bytes.collect());
    let proxy = Server::start(&format!("--upstream {origin}"));
    let trace = "{\"text_input\":\"some words\",\"output_length\":4}\n".repeat(answers.len());
    let sender = send(&proxy.completions()).args("--concurrency 1");
    let told = records(&sender.reading(trace).ok());
    server.join().unwrap();
    let seen = records(&proxy.stop());
    assert_eq!((told.len(), seen.len()), (answers.len(), answers.len()));
    for ((told, seen), answer) in told.iter().zip(&seen).zip(&answers) {
        let said = format!("{:?}\nsender:   {told}\nrecorder: {seen}", answer.1);
        for field in TOLD {
            if field.ends_with("_ms") {
                let has = |line: &Value| line.get(field).is_some();
                assert_eq!(has(told), has(seen), "{field}: {said}");
            } else {
                assert_eq!(told.get(field), seen.get(field), "{field}: {said}");
            }
        }
        for line in [told, seen] {
            assert_eq!(line["error"]["kind"].as_str(), answer.3, "{said}");
        }
    }
}
