use crate::harness::{Mock, Ran, answering, read_request, response, send, server};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use trace_core::Outcome;

const LINE: &str = "{\"timestamp\":0,\"text_input\":\"hi\",\"output_length\":3}\n";

fn ask(address: SocketAddr, kind: &str, flags: &[&str]) -> Ran {
    let url = format!("http://{address}");
    let all = [
        &["--url", &url, "--model", "m", "--endpoint-type", kind],
        flags,
    ]
    .concat();
    send(&all, LINE)
}

/// The outcome of asking an endpoint of this `kind` that answers so.
fn outcome(kind: &str, content_type: &str, body: &str) -> Outcome {
    let ran = ask(
        answering(response("200 OK", content_type, body), false),
        kind,
        &[],
    );
    assert_eq!(ran.kinds(), ["ok"], "{kind}\n{}{}", ran.stdout, ran.stderr);
    ran.outcomes().remove(0)
}

fn told(outcome: &Outcome) -> [Option<u64>; 4] {
    let Outcome {
        input_tokens,
        cached_tokens,
        output_tokens,
        chunks,
        ..
    } = *outcome;
    [input_tokens, cached_tokens, output_tokens, chunks]
}

const SSE: &str = "text/event-stream";

#[test]
fn responses_are_streamed_by_events_with_names() {
    let body = r#"event: response.created
data: {"type":"response.created","response":{"id":"r","output":[]}}

event: response.reasoning_text.delta
data: {"type":"response.reasoning_text.delta","delta":"hm"}

event: response.output_text.delta
data: {"type":"response.output_text.delta","delta":"a"}

event: response.output_text.done
data: {"type":"response.output_text.done","text":"a"}

event: response.completed
data: {"type":"response.completed","response":{"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":8},"output_tokens":3}}}

"#;
    let outcome = outcome("responses", SSE, body);
    assert_eq!(told(&outcome), [Some(9), Some(8), Some(3), Some(2)]);
}

#[test]
fn anthropics_stream_ends_without_done() {
    let body = r#"event: message_start
data: {"type":"message_start","message":{"content":[],"usage":{"input_tokens":2,"cache_read_input_tokens":7,"output_tokens":1}}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}

event: content_block_delta
data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"b"}}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}

event: message_stop
data: {"type":"message_stop"}

"#;
    let outcome = outcome("anthropic", SSE, body);
    assert_eq!(told(&outcome), [Some(9), Some(7), Some(3), Some(2)]);
}

#[test]
fn anthropic_is_shown_its_key_its_own_way() {
    let seen = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&seen);
    let address = server(move |_, mut stream| {
        let request = read_request(&mut stream).unwrap();
        *kept.lock().unwrap() = request;
        let body = "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"key sk-42 is bad\"}}\n\n";
        let _ = stream.write_all(response("200 OK", SSE, body).as_bytes());
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "sk-42\n").unwrap();
    let ran = ask(
        address,
        "anthropic",
        &["--api-key-file", file.to_str().unwrap()],
    );
    let seen = seen.lock().unwrap();
    assert!(seen.starts_with("POST /v1/messages HTTP/1.1"), "{seen}");
    assert!(seen.contains("x-api-key: sk-42\r\n"), "{seen}");
    assert!(seen.contains("anthropic-version: 2023-06-01\r\n"), "{seen}");
    assert!(!seen.contains("authorization"), "{seen}");
    assert_eq!(ran.message(), "key *** is bad");
    assert!(!ran.stdout.contains("sk-42") && !ran.stderr.contains("sk-42"));
}

#[test]
fn tgi_streams_tokens_and_then_everything_again() {
    let body = "data: {\"token\":{\"text\":\"a\"},\"generated_text\":null}\n\ndata: {\"token\":{\"text\":\"b\"},\"generated_text\":\"ab\",\"details\":{\"finish_reason\":\"length\",\"generated_tokens\":2}}\n\n";
    let outcome = outcome("tgi", SSE, body);
    assert_eq!(told(&outcome), [None, None, Some(2), Some(2)]);
}

#[test]
fn tgi_has_whole_answers_at_a_path_of_their_own() {
    let flags = ["--url", "mock:", "--endpoint-type", "tgi", "--no-stream"];
    let ran = send(&[&flags[..], &["--ignore-eos"]].concat(), LINE);
    assert_eq!(ran.kinds(), ["ok"], "{}{}", ran.stdout, ran.stderr);
    let outcome = &ran.outcomes()[0];
    assert!(outcome.ttft_ms.is_none() && outcome.latency_ms.is_some());
    assert_eq!(outcome.output_tokens, Some(3));
    let said = "--ignore-eos is not sent: this endpoint has no word for it";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn ollama_may_begin_with_null_and_end_twice() {
    let body = "{\"response\":null,\"done\":false}\n{\"response\":\"a\",\"done\":false}\n{\"response\":\"b\",\"done\":true}\n{\"response\":\"\",\"done\":true,\"prompt_eval_count\":4,\"eval_count\":2}\n";
    let generated = outcome("ollama", "application/x-ndjson", body);
    assert_eq!(told(&generated), [Some(4), None, Some(2), Some(2)]);
    let body = "{\"message\":{\"role\":\"assistant\",\"content\":\"a\"},\"done\":false}\n{\"message\":{\"content\":\"\"},\"done\":true,\"eval_count\":1}\n";
    let chat = outcome("ollama-chat", "application/x-ndjson", body);
    assert_eq!(told(&chat), [None, None, Some(1), Some(1)]);
}

#[test]
fn an_embedding_has_no_tokens_to_wait_for() {
    let body = r#"{"object":"list","data":[{"embedding":[0.1,-0.2]}],"usage":{"prompt_tokens":5,"total_tokens":5}}"#;
    let outcome = outcome("embeddings", "application/json", body);
    assert_eq!(told(&outcome), [Some(5), None, None, None]);
    assert!(outcome.ttft_ms.is_none() && outcome.latency_ms.is_some());
}

#[test]
fn a_raw_payload_goes_anywhere_and_anything_comes_back() {
    let address = answering(response("200 OK", "text/plain", "fine"), false);
    let url = format!("http://{address}/predict");
    let flags = ["--url", &url, "--endpoint-type", "raw", "--model", "m"];
    let ran = send(&flags, "{\"timestamp\":0,\"payload\":{\"x\":[1]}}\n");
    assert_eq!(ran.kinds(), ["ok"], "{}", ran.stdout);
    let ran = send(&flags, LINE);
    assert!(ran.message().contains("no payload"), "{}", ran.message());
}

#[test]
fn a_model_that_is_not_there_is_said_before_anything_is_sent() {
    let list = r#"{"data":[{"id":"a"},{"id":"b"}]}"#;
    let address = answering(response("200 OK", "application/json", list), false);
    let ran = ask(address, "completions", &["--models-check"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr.contains("no model \"m\"; it has a, b"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_server_that_is_still_loading_is_waited_for() {
    let address = server(|number, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            let answer = if number < 2 {
                response("503 Loading", "application/json", "{\"error\":\"loading\"}")
            } else if request.starts_with("GET") {
                response("404 None", "text/plain", "")
            } else {
                let body = "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n";
                response("200 OK", SSE, body)
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let ran = ask(address, "completions", &["--wait-ready", "20s"]);
    assert_eq!(ran.kinds(), ["ok"], "{}{}", ran.stdout, ran.stderr);
    // It lists its models before it has loaded one.
    let loads = std::time::Instant::now() + std::time::Duration::from_millis(700);
    let listing = server(move |_, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            let has_loaded = std::time::Instant::now() >= loads;
            let answer = match request.split(' ').nth(1).unwrap() {
                "/v1/models" => {
                    response("200 OK", "application/json", "{\"data\":[{\"id\":\"m\"}]}")
                }
                "/health" if has_loaded => response("200 OK", "text/plain", ""),
                "/v1/completions" if has_loaded => {
                    let body = "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n";
                    response("200 OK", SSE, body)
                }
                "/ready" => response("404 None", "text/plain", ""),
                _ => response("503 Loading", "text/plain", "loading"),
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let ran = ask(listing, "completions", &["--wait-ready", "20s"]);
    assert_eq!(ran.kinds(), ["ok"], "{}{}", ran.stdout, ran.stderr);
    let never = answering(
        response("503 Loading", "application/json", "{\"error\":\"loading\"}"),
        true,
    );
    let ran = ask(never, "completions", &["--wait-ready", "300ms"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("not ready after 0.3 s: /v1/models: status 503: loading"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_mock_understands_every_endpoint_and_is_understood() {
    let kinds = [
        "completions",
        "chat",
        "responses",
        "tgi",
        "ollama",
        "ollama-chat",
        "anthropic",
    ];
    for kind in kinds {
        let mock = Mock::start(20, 2);
        let url = mock.url();
        let flags = ["--url", &url, "--model", "m", "--endpoint-type", kind];
        let input = "{\"timestamp\":0,\"input_length\":20,\"output_length\":8}\n";
        let ran = send(&flags, input);
        assert_eq!(ran.kinds(), ["ok"], "{kind}\n{}", ran.stdout);
        let outcome = &ran.outcomes()[0];
        let [input, _, output, chunks] = told(outcome);
        assert_eq!(
            [input, output, chunks],
            [Some(20), Some(8), Some(8)],
            "{kind}"
        );
        assert!(outcome.ttft_ms.unwrap().as_millis() >= 20.0, "{kind}");
    }
    let mock = Mock::start(0, 0);
    let url = mock.url();
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--endpoint-type",
        "embeddings",
    ];
    let ran = send(&flags, "{\"timestamp\":0,\"input_length\":20}\n");
    assert_eq!(ran.kinds(), ["ok"], "{}", ran.stdout);
    assert_eq!(told(&ran.outcomes()[0])[0], Some(20));
}

#[test]
fn tokens_are_counted_where_the_server_counts_none() {
    // o200k has "hello", " world"; "hm" and "," are two more.
    let stream = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm,\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"hello wo\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"rld\"}}]}\n\ndata: [DONE]\n\n";
    let whole = "{\"choices\":[{\"message\":{\"content\":\"hello world\"}}]}";
    for (kind, body, tokens) in [(SSE, stream, 4), ("application/json", whole, 2)] {
        let address = answering(response("200 OK", kind, body), false);
        let url = format!("http://{address}");
        let flags = ["--url", &url, "--model", "m", "--endpoint-type", "chat"];
        let input = "{\"timestamp\":0,\"text_input\":\"hello world\",\"output_length\":8}\n";
        let ran = send(&flags, input);
        let outcome = &ran.outcomes()[0];
        assert_eq!(
            outcome.token_source,
            Some(trace_core::TokenSource::Tokenizer),
            "{}",
            ran.stdout
        );
        assert_eq!(outcome.input_tokens, Some(2), "{}", ran.stdout);
        assert_eq!(outcome.output_tokens, Some(tokens), "{}", ran.stdout);
    }
}
