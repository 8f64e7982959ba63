//! The engine model behind real requests. Times have lower bounds only: the machine may be busy.

use std::time::{Duration, Instant};

use crate::harness::{Mock, run};

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
            began.elapsed() < Duration::from_secs(60),
            "it kept its place"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_engine_can_be_had_by_name_and_made_faster() {
    let mut mock = Mock::start(&["--profile", "h100-llama-3.1-8b", "--speed", "10"]);
    ask(&mock, "a b c", 11);
    let last = mock.record()["last_byte_ms"].as_f64().unwrap();
    // 5 ms of overhead and ten steps of 7.4, at a tenth.
    assert!(last >= 7.9, "{last}");
}

#[test]
fn a_fit_is_a_profile_to_run_by() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let line = |n: u64| {
        let (sent, input) = (n * 1_000, 100 + 10 * n);
        let ttft = 5.0 + 0.1 * input as f64;
        format!(
            "{{\"input_length\":{input},\"seq\":{n},\"sent_ms\":{sent},\"ttft_ms\":{ttft:.3},\
             \"last_token_ms\":{:.3},\"output_tokens\":11}}\n",
            ttft + 80.0
        )
    };
    std::fs::write(path("run.jsonl"), (0..30).map(line).collect::<String>()).unwrap();
    let (status, yaml, _) = run(&["--fit", &path("run.jsonl")]);
    assert_eq!(status, Some(0));
    assert!(
        yaml.contains("step_ms: 8.0") || yaml.contains("step_ms: 7.9"),
        "{yaml}"
    );
    assert!(
        yaml.contains("prefill_token_ms: 0.1000") || yaml.contains("prefill_token_ms: 0.0999"),
        "{yaml}"
    );
    std::fs::write(path("fit.yaml"), yaml).unwrap();
    let mut mock = Mock::start(&["--profile", &path("fit.yaml")]);
    ask(&mock, "a b c", 3);
    assert!(mock.record()["last_byte_ms"].as_f64().unwrap() >= 20.0);

    std::fs::write(path("few.jsonl"), line(0)).unwrap();
    let (status, out, err) = run(&["--fit", &path("few.jsonl")]);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(
        err.contains("few.jsonl: 1 answers of two tokens or more") && err.lines().count() == 1,
        "{err}"
    );
}

#[test]
fn a_profile_that_is_none_is_said_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.yaml").to_str().unwrap().to_owned();
    std::fs::write(&path, "costs:\n  step: 3\n").unwrap();
    for (name, expected) in [(path.as_str(), "p.yaml:2:3: "), ("gtx-1080", "one of a100")] {
        let (status, _, err) = run(&["--port", "0", "--profile", name]);
        assert_eq!(status, Some(2));
        assert!(err.contains(expected) && err.lines().count() == 1, "{err}");
    }
}

#[test]
fn the_next_turn_finds_the_answer_in_the_cache_unless_it_is_forgotten() {
    let cached = |flags: &[&str]| {
        let mock =
            Mock::start(&[&["--cache-blocks", "1000", "--block-size", "16"], flags].concat());
        let chat = |messages: serde_json::Value, tokens: u64| {
            let body = serde_json::json!({"messages": messages, "max_tokens": tokens});
            mock.post("/v1/chat/completions", "", &body.to_string())
                .json()
        };
        let user =
            serde_json::json!({"role": "user", "content": "one two three four five six seven"});
        let answer = chat(serde_json::json!([user]), 58);
        let assistant = &answer["choices"][0]["message"];
        let next = chat(serde_json::json!([user, assistant, user]), 1);
        assert_eq!(next["usage"]["prompt_tokens"], 7 + 58 + 7);
        next["usage"]["prompt_tokens_details"]["cached_tokens"].clone()
    };
    // 7 + 57 tokens were computed.
    assert_eq!(cached(&[]), 64);
    assert_eq!(cached(&["--no-output-cache"]), 0);
    assert_eq!(cached(&["--no-prefix-cache"]), 0);
}

#[test]
fn each_model_has_its_own_metrics() {
    let mock = Mock::start(&[
        "--model",
        "a",
        "--model",
        "b",
        "--costs",
        "overhead=1ms",
        "--block-size",
        "1",
    ]);
    for model in ["a", "b", "b", "made up"] {
        mock.post(
            "/v1/completions",
            "",
            &format!(r#"{{"prompt":"x y","max_tokens":2,"model":"{model}"}}"#),
        );
    }
    let text = mock.ask("GET /metrics HTTP/1.1", "").text().to_owned();
    for (model, requests) in [("a", 1), ("b", 2), ("made up", 1)] {
        for (name, value) in [
            ("vllm:generation_tokens_total", 2 * requests),
            ("vllm:prefix_cache_queries_total", 2 * requests),
            ("vllm:e2e_request_latency_seconds_count", requests),
        ] {
            let line = format!("{name}{{engine=\"0\",model_name=\"{model}\"}} {value}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
    }
}

#[test]
fn times_scatter_without_an_engine_too_and_by_the_seed() {
    let times = |seed: &str| {
        let flags = [
            "--ttft",
            "20ms",
            "--itl",
            "10ms",
            "--jitter",
            "uniform:0.5",
            "--seed",
            seed,
        ];
        let mut mock = Mock::start(&flags);
        let mut last = || {
            ask(&mock, "a", 3);
            mock.record()["last_byte_ms"].as_f64().unwrap()
        };
        [last(), last()]
    };
    let [first, second] = times("1");
    // 20 + 2 · 10 ms, each between half and one and a half of it.
    assert!(
        first >= 20.0 && second >= 20.0 && first != second,
        "{first} {second}"
    );
}
