//! Every API, as its clients ask and read it.

use serde_json::{Value, json};

use crate::harness::{Mock, Response};

const CHAT: &str = r#""messages":[{"role":"user","content":"a b c"}]"#;

/// The data of named events.
fn named(response: &Response) -> Vec<Value> {
    let events = response.text().trim_end().split("\n\n");
    let data = |event: &str| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(data["type"], name.strip_prefix("event: ").unwrap());
        data
    };
    events.map(data).collect()
}

#[test]
fn responses_are_answered_whole_and_streamed() {
    let mock = Mock::start(&[]);
    let body = r#"{"input":"a b c","max_output_tokens":2}"#;
    let json = mock.post("/v1/responses", "", body).json();
    assert_eq!(json["output"][0]["content"][0]["text"], " the time");
    assert_eq!(json["usage"]["input_tokens"], 3);
    let body = body.replace("\"max_", "\"stream\":true,\"max_");
    let events = named(&mock.post("/v1/responses", "", &body));
    assert_eq!(
        events.last().unwrap()["response"]["usage"]["output_tokens"],
        2
    );
}

#[test]
fn messages_are_answered_whole_and_streamed() {
    let mock = Mock::start(&[]);
    let body = format!(r#"{{"max_tokens":2,{CHAT}}}"#);
    let json = mock.post("/v1/messages", "", &body).json();
    assert_eq!(json["content"][0]["text"], " the time");
    assert_eq!(
        json["usage"],
        json!({"input_tokens": 3, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0, "output_tokens": 2})
    );
    let events = named(&mock.post(
        "/v1/messages",
        "",
        &body.replace("2,", "2,\"stream\":true,"),
    ));
    assert_eq!(events.len(), 8);
    let error = mock.post("/v1/messages", "", &format!("{{{CHAT}}}"));
    assert_eq!(
        (error.status, &error.json()["type"]),
        (400, &"error".into())
    );
    let count = mock.post("/v1/messages/count_tokens", "", &format!("{{{CHAT}}}"));
    assert_eq!(count.json()["input_tokens"], 3);
}

#[test]
fn ollama_streams_lines_unless_told_not_to() {
    let mock = Mock::start(&[]);
    let body = r#"{"model":"m","prompt":"a b c","options":{"num_predict":2}}"#;
    let response = mock.post("/api/generate", "", body);
    assert!(
        response.head.contains("content-type: application/x-ndjson"),
        "{}",
        response.head
    );
    let lines: Vec<Value> = response
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        (&lines[0]["response"], &lines[2]["eval_count"]),
        (&" the".into(), &2.into())
    );
    let body = format!(r#"{{"stream":false,{CHAT}}}"#);
    let json = mock.post("/api/chat", "", &body).json();
    assert_eq!(
        (&json["done"], &json["prompt_eval_count"]),
        (&true.into(), &3.into())
    );
    assert!(
        json["message"]["content"]
            .as_str()
            .unwrap()
            .starts_with(" the time")
    );
}

#[test]
fn text_generation_inference_streams_tokens_with_their_details() {
    let mock = Mock::start(&[]);
    let body = r#"{"inputs":"a b c","parameters":{"max_new_tokens":2}}"#;
    let json = mock.post("/generate", "", body).json();
    assert_eq!(json["generated_text"], " the time");
    let response = mock.post("/generate_stream", "", body);
    let events: Vec<Value> = response
        .text()
        .trim_end()
        .split("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data:").unwrap()).unwrap())
        .collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["details"]["generated_tokens"], 2);
}

#[test]
fn embeddings_have_a_vector_for_each_input() {
    let mut mock = Mock::start(&["--embedding-dimensions", "4"]);
    let json = mock
        .post("/v1/embeddings", "", r#"{"input":["a b","c"]}"#)
        .json();
    assert_eq!(json["data"].as_array().unwrap().len(), 2);
    assert_eq!(json["data"][0]["embedding"].as_array().unwrap().len(), 4);
    assert_eq!(json["usage"]["prompt_tokens"], 3);
    let record = mock.record();
    assert_eq!(
        (&record["input_length"], &record["output_length"]),
        (&3.into(), &0.into())
    );
}

#[test]
fn stop_strings_and_limits_shape_an_answer() {
    let mock = Mock::start(&["--max-model-len", "20"]);
    let ask = |fields: &str| {
        mock.post(
            "/v1/completions",
            "",
            &format!(r#"{{"prompt":"a b c",{fields}}}"#),
        )
    };
    let json = ask(r#""max_tokens":10,"stop":[" of"]"#).json();
    assert_eq!(json["choices"][0]["text"], " the time");
    assert_eq!(json["choices"][0]["finish_reason"], "stop");
    assert_eq!(json["usage"]["completion_tokens"], 3);
    let events = ask(r#""max_tokens":10,"stop":"me of","stream":true"#).events();
    let text: String = events
        .iter()
        .map(|event| event["choices"][0]["text"].as_str().unwrap())
        .collect();
    assert_eq!(text, " the ti");
    let response = ask(r#""max_tokens":18"#);
    assert_eq!(response.status, 400);
    assert!(
        response
            .text()
            .contains("maximum context length is 20 tokens"),
        "{}",
        response.text()
    );
    // Without a limit an answer has what is left of the context.
    assert_eq!(ask(r#""n":1"#).json()["usage"]["completion_tokens"], 16);
}

#[test]
fn answers_end_by_themselves_at_a_rate_that_requests_can_refuse() {
    let mock = Mock::start(&["--eos-rate", "1"]);
    let tokens = |fields: &str| {
        let body = format!(r#"{{"prompt":"a","max_tokens":9,{fields}}}"#);
        mock.post("/v1/completions", "", &body).json()["usage"]["completion_tokens"].clone()
    };
    assert_eq!(
        [
            tokens(r#""n":1"#),
            tokens(r#""min_tokens":4"#),
            tokens(r#""ignore_eos":true"#)
        ],
        [1, 5, 9]
    );
}

#[test]
fn only_who_has_a_key_is_answered() {
    let mock = Mock::start(&["--api-key", "one", "--api-key", "two"]);
    let status = |path: &str, header: &str| {
        mock.ask(&format!("{path} HTTP/1.1{header}"), r#"{"prompt":"a"}"#)
            .status
    };
    assert_eq!(status("POST /v1/completions", ""), 401);
    assert_eq!(
        status("POST /v1/completions", "\r\nauthorization: Bearer three"),
        401
    );
    assert_eq!(
        status("POST /v1/completions", "\r\nauthorization: Bearer two"),
        200
    );
    assert_eq!(status("POST /v1/completions", "\r\nx-api-key: one"), 200);
    assert_eq!(status("GET /v1/models", ""), 401);
    assert_eq!(status("GET /health", ""), 200);
    let error = mock.post("/v1/messages", "", "{}").json();
    assert_eq!(error["error"]["type"], "authentication_error");
}

#[test]
fn several_models_are_on_offer_and_others_may_be_refused() {
    let mock = Mock::start(&["--model", "a", "--model", "b", "--strict-models"]);
    let models = mock.ask("GET /v1/models HTTP/1.1", "").json();
    assert_eq!(models["data"][1]["id"], "b");
    assert_eq!(mock.ask("GET /v1/models/b HTTP/1.1", "").json()["id"], "b");
    let status = |model: &str| {
        let body = format!(r#"{{"prompt":"a","model":"{model}"}}"#);
        mock.post("/v1/completions", "", &body).status
    };
    assert_eq!([status("b"), status("c")], [200, 404]);
    assert_eq!(
        mock.post("/v1/completions", "", r#"{"prompt":"a"}"#).json()["model"],
        "a"
    );
}

#[test]
fn a_server_that_starts_is_healthy_but_not_ready() {
    let mock = Mock::start(&["--startup-delay", "1h"]);
    let get = |path: &str| mock.ask(&format!("GET {path} HTTP/1.1"), "").status;
    assert_eq!([get("/health"), get("/ready")], [200, 503]);
    let response = mock.post("/v1/completions", "", r#"{"prompt":"a"}"#);
    assert_eq!(response.status, 503);
    assert!(response.head.contains("retry-after: 1"));
    let mock = Mock::start(&[]);
    assert_eq!(mock.ask("GET /ready HTTP/1.1", "").status, 200);
}

#[test]
fn tokens_are_told_and_turned_back_into_text() {
    let mock = Mock::start(&[]);
    let json = mock
        .post("/tokenize", "", r#"{"prompt":"hello world"}"#)
        .json();
    assert_eq!(
        (&json["count"], &json["tokens"]),
        (&2.into(), &json!([24912, 2375]))
    );
    let json = mock
        .post("/detokenize", "", r#"{"tokens":[24912,2375]}"#)
        .json();
    assert_eq!(json["prompt"], "hello world");
    let chat = mock.post("/tokenize", "", &format!("{{{CHAT}}}")).json();
    assert_eq!(chat["count"], 3);
    let words = Mock::start(&["--tokenizer", "words"]);
    assert_eq!(
        words
            .post("/tokenize", "", r#"{"prompt":"hello-world x"}"#)
            .json()["count"],
        2
    );
    assert_eq!(
        words.post("/detokenize", "", r#"{"tokens":[1]}"#).status,
        400
    );
}

#[test]
fn metrics_count_what_was_answered() {
    let mock = Mock::start(&["--model", "m"]);
    mock.post(
        "/v1/completions",
        "",
        r#"{"prompt":"a b c","max_tokens":4}"#,
    );
    let metrics = mock.ask("GET /metrics HTTP/1.1", "");
    assert!(
        metrics
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{}",
        metrics.head
    );
    for line in [
        "vllm:prompt_tokens_total{engine=\"0\",model_name=\"m\"} 3",
        "vllm:generation_tokens_total{engine=\"0\",model_name=\"m\"} 4",
        "vllm:time_to_first_token_seconds_count{engine=\"0\",model_name=\"m\"} 1",
        "vllm:request_success_total{engine=\"0\",model_name=\"m\",finished_reason=\"length\"} 1",
    ] {
        assert!(
            metrics.text().lines().any(|have| have == line),
            "{line}\n{}",
            metrics.text()
        );
    }
}
