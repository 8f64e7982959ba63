//! What is on offer: adapters, Ollama's lists; and how long connections are kept.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::PROMPT;
use crate::harness::Mock;

#[test]
fn adapters_are_models_with_a_parent_that_come_and_go() {
    let mock = Mock::start(&[
        "--model",
        "base",
        "--lora",
        "sql",
        "--lora",
        "poems=base",
        "--strict-models",
    ]);
    let models = || mock.ask("GET /v1/models HTTP/1.1", "").json()["data"].clone();
    assert_eq!(models()[1]["id"], "sql");
    assert_eq!(
        (&models()[0]["parent"], &models()[2]["parent"]),
        (&Value::Null, &"base".into())
    );
    let status = |path: &str, body: &str| mock.post(path, "", body).status;
    let ask = r#"{"prompt":"a","model":"chess"}"#;
    assert_eq!(status("/v1/completions", ask), 404);
    let chess = r#"{"lora_name":"chess","lora_path":"/adapters/chess"}"#;
    assert_eq!(status("/v1/load_lora_adapter", chess), 200);
    assert_eq!(status("/v1/completions", ask), 200);
    assert_eq!(status("/v1/load_lora_adapter", chess), 400);
    assert_eq!(status("/v1/unload_lora_adapter", chess), 200);
    assert_eq!(status("/v1/unload_lora_adapter", chess), 404);
    assert_eq!(status("/v1/completions", ask), 404);
}

#[test]
fn metrics_tell_which_adapters_are_asked() {
    let mock = Mock::start(&["--lora", "sql", "--itl", "1h"]);
    let line = |mock: &Mock| {
        let metrics = mock.ask("GET /metrics HTTP/1.1", "");
        let mut lines = metrics
            .text()
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        lines.retain(|line| line.starts_with("vllm:lora_requests_info{"));
        lines.concat()
    };
    assert!(
        line(&mock).contains("running_lora_adapters=\"\""),
        "{}",
        line(&mock)
    );
    let body = r#"{"prompt":"a","model":"sql","stream":true,"max_tokens":9}"#;
    let mut stream = mock.send("POST /v1/completions HTTP/1.1", body);
    stream.read_exact(&mut [0; 15]).unwrap();
    assert!(
        line(&mock).contains("running_lora_adapters=\"sql\""),
        "{}",
        line(&mock)
    );
    assert!(
        !Mock::start(&[])
            .ask("GET /metrics HTTP/1.1", "")
            .text()
            .contains("lora")
    );
}

#[test]
fn ollama_finds_its_lists() {
    let mock = Mock::start(&["--model", "m", "--max-model-len", "4096"]);
    let get = |path: &str| mock.ask(&format!("GET {path} HTTP/1.1"), "");
    assert_eq!(get("/api/tags").json()["models"][0]["name"], "m");
    assert_eq!(get("/api/ps").json()["models"][0]["model"], "m");
    assert!(get("/api/version").json()["version"].is_string());
    assert_eq!(get("/").status, 200);
    let shown = mock.post("/api/show", "", r#"{"model":"m"}"#).json();
    assert_eq!(shown["model_info"]["mock.context_length"], 4096);
    let unknown = mock.post("/api/show", "", r#"{"name":"x"}"#);
    assert_eq!(
        (unknown.status, unknown.json()["error"].is_string()),
        (404, true)
    );
    let nowhere = get("/v1/nowhere");
    assert_eq!(
        (nowhere.status, nowhere.json()["error"]["code"].clone()),
        (404, 404.into())
    );
}

#[test]
fn connections_are_closed_when_idle_and_behind_their_last_request() {
    let request = format!(
        "POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{PROMPT}",
        PROMPT.len()
    );
    let mock = Mock::start(&["--keep-alive", "100ms", "--ttft", "300ms"]);
    let begun = Instant::now();
    let mut stream = mock.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    // An answer that takes longer is not cut.
    assert!(
        answer.contains("total_tokens") && !answer.contains("connection: close"),
        "{answer}"
    );
    assert!(begun.elapsed() >= Duration::from_millis(400));

    let mock = Mock::start(&["--keep-alive", "0"]);
    let mut stream = mock.connect();
    std::thread::sleep(Duration::from_millis(50));
    // Who has not asked yet is awaited.
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("total_tokens"), "{answer}");

    let mock = Mock::start(&["--keep-alive-requests", "2"]);
    let mut stream = mock.connect();
    stream.write_all(request.repeat(3).as_bytes()).unwrap();
    let mut answers = Vec::new();
    // What came too late may make the end a reset.
    let _ = stream.read_to_end(&mut answers);
    let answers = String::from_utf8(answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    assert_eq!(answers.matches("connection: close").count(), 1);
}

#[test]
fn pages_in_browsers_may_ask() {
    let preflight = "OPTIONS /v1/chat/completions HTTP/1.1\r\norigin: http://page.example\r\n\
        access-control-request-method: POST\r\n\
        access-control-request-headers: authorization,content-type";
    let page = "\r\norigin: http://page.example";
    let mock = Mock::start(&["--api-key", "k"]);
    // Nobody has a key to ask whether they may.
    let told = mock.ask(preflight, "");
    assert_eq!(told.status, 200);
    assert_eq!(told.header("access-control-allow-origin"), "*");
    assert!(told.header("access-control-allow-methods").contains("POST"));
    assert_eq!(
        told.header("access-control-allow-headers"),
        "authorization,content-type"
    );
    let with_key = format!("{page}\r\nauthorization: Bearer k");
    let answer = mock.post("/v1/completions", &with_key, r#"{"prompt":"a"}"#);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    // Why it failed may be read too.
    let refused = mock.post("/v1/completions", page, "{}");
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    // Who is no browser is told nothing.
    let answer = mock.ask("GET /health HTTP/1.1", "");
    assert_eq!(answer.header("access-control-allow-origin"), "");

    let mock = Mock::start(&["--allowed-origins", "http://page.example"]);
    let allowed = |origin: &str| {
        let answer = mock.ask(&format!("GET /health HTTP/1.1\r\norigin: {origin}"), "");
        answer.header("access-control-allow-origin").to_owned()
    };
    assert_eq!(allowed("http://page.example"), "http://page.example");
    assert_eq!(allowed("http://other.example"), "");
    assert_eq!(mock.ask(preflight, "").status, 200);
    let other = preflight.replace("page", "other");
    assert_eq!(mock.ask(&other, "").status, 400);
}
