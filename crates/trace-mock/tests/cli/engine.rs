//! The engine model behind real requests. Times have lower bounds only: the machine may be busy.

use std::time::{Duration, Instant};

use crate::harness::Mock;

fn ask(mock: &Mock, prompt: &str, tokens: u64) -> serde_json::Value {
    let body = format!(r#"{{"prompt":"{prompt}","max_tokens":{tokens}}}"#);
    mock.post("/v1/completions", "", &body).json()
}

#[test]
fn a_prompt_that_is_cached_is_told_and_takes_less() {
    let flags = "--costs overhead=1ms,a=2ms,b=1ms --block-size 4 --cache-blocks 100";
    let mut mock = Mock::start(&flags.split(' ').collect::<Vec<_>>());
    let prompt = "one two three four five six seven eight nine ten";
    let first = ask(&mock, prompt, 2);
    assert_eq!(first["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
    let second = ask(&mock, prompt, 2);
    assert_eq!(second["usage"]["prompt_tokens_details"]["cached_tokens"], 8);
    // 1 + 10·2 + 1 ms, and 1 + 2·2 + 1.
    assert!(mock.record()["last_byte_ms"].as_f64().unwrap() >= 22.0);
    assert!(mock.record()["last_byte_ms"].as_f64().unwrap() >= 6.0);
    let metrics = mock.ask("GET /metrics HTTP/1.1", "");
    assert!(
        metrics
            .text()
            .contains("prefix_cache_hits_total{engine=\"0\",model_name=\"mock\"} 8")
    );
    assert_eq!(
        mock.post("/reset_prefix_cache", "", "").json()["reset"],
        true
    );
    let third = ask(&mock, prompt, 2);
    assert_eq!(third["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
}

#[test]
fn who_does_not_fit_into_the_batch_waits() {
    let mock = Mock::start(&["--ttft", "50ms", "--itl", "25ms", "--max-num-seqs", "1"]);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| ask(&mock, "a", 3));
        }
    });
    // The overhead is shared, the three answers of two steps each are not.
    assert!(began.elapsed() >= Duration::from_millis(50 + 3 * 50));
}

#[test]
fn a_stream_gets_its_tokens_from_the_engine() {
    let mut mock = Mock::start(&[
        "--costs",
        "overhead=2ms,b=3ms",
        "--jitter",
        "uniform:0.1",
        "--speed",
        "2",
    ]);
    let body = r#"{"prompt":"a","max_tokens":5,"n":2,"stream":true,"stream_options":{"include_usage":true}}"#;
    let events = mock.post("/v1/completions", "", body).events();
    assert_eq!(events.len(), 11);
    assert_eq!(events[10]["usage"]["completion_tokens"], 10);
    assert!(mock.record()["last_byte_ms"].as_f64().unwrap() >= 0.9 * (1.0 + 4.0 * 1.5));
}

#[test]
fn what_can_never_run_is_refused() {
    let mock = Mock::start(&["--cache-blocks", "2", "--block-size", "4"]);
    let response = mock.post(
        "/v1/completions",
        "",
        r#"{"prompt":"a b c d e","max_tokens":4}"#,
    );
    assert_eq!(response.status, 400);
    assert!(
        response
            .text()
            .contains("3 blocks of KV cache are needed; there are 2"),
        "{}",
        response.text()
    );
}

#[test]
fn a_client_that_leaves_makes_room() {
    let mock = Mock::start(&["--itl", "1h", "--max-num-seqs", "1"]);
    let body = r#"{"prompt":"a","max_tokens":5,"stream":true}"#;
    let first = mock.send("POST /v1/completions HTTP/1.1", body);
    drop(first);
    let began = Instant::now();
    while !mock
        .ask("GET /metrics HTTP/1.1", "")
        .text()
        .contains("running{engine=\"0\",model_name=\"mock\"} 0")
    {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it kept its place"
        );
    }
}
