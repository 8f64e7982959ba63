//! What the page sends.

use crate::harness::{Server, command, design, synth, until};
use serde_json::{Value, json};

fn wish(url: &str) -> Value {
    json!({ "design": design(), "url": url })
}

fn ended(server: &Server, id: &str) -> Value {
    until(|| {
        let run = server.get(&format!("/api/send/{id}")).ok();
        (run["state"] != "running").then_some(run)
    })
}

#[test]
fn a_run_is_shown_as_it_goes_and_drawn_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--dir", folder.path().to_str().unwrap()]);
    let id = server
        .post("/api/send", &wish("mock:?ttft=20ms&itl=1ms"))
        .ok()["id"]
        .clone();
    let id = id.as_str().unwrap();
    let path = |rest: &str| format!("/api/send/{id}/{rest}?token={}", server.token);
    let line = server
        .ask("GET", &path("plots/latency_cdf.png"), &[], b"")
        .refused(409);
    assert!(line.contains("goes on"), "{line}");
    // The events end with the run.
    let events = server.ask("GET", &path("events"), &[], b"");
    assert!(events.head.contains("text/event-stream"));
    let text = String::from_utf8(events.body).unwrap();
    let events: Vec<(&str, Value)> = text
        .split_terminator("\n\n")
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let data = data.strip_prefix("data: ").unwrap();
            (
                name.strip_prefix("event: ").unwrap(),
                serde_json::from_str(data).unwrap(),
            )
        })
        .collect();
    let requests = synth(&design()).split(|&byte| byte == b'\n').count() - 1;
    assert!(events.len() > 3, "{text}");
    let (last, progress) = (&events[events.len() - 1], &events[events.len() - 2]);
    assert_eq!((last.0, progress.0), ("end", "progress"));
    assert_eq!(last.1["summary"]["ok"], requests);
    assert!(last.1["summary"]["ttft_p50_ms"].as_f64().unwrap() >= 20.0);
    assert!(
        last.1["summary"]["said"][0]
            .as_str()
            .unwrap()
            .contains("requests in")
    );
    assert_eq!(
        (&progress.1["sent"], &progress.1["in_flight"]),
        (&json!(requests), &json!(0))
    );
    let seconds = progress.1["bin_ms"].as_f64().unwrap() / 1e3;
    let models = progress.1["by_model"].as_array().unwrap();
    assert_eq!(models[0]["name"], design()["models"][0]["name"]);
    let rates = models
        .iter()
        .flat_map(|model| model["rates"].as_array().unwrap());
    let area: f64 = rates.map(|rate| rate.as_f64().unwrap() * seconds).sum();
    assert!((area - requests as f64).abs() < 1e-6, "{area}");
    // A page that comes later finds it, and what it left.
    let run = &server.get("/api/send").ok()["runs"][0];
    assert_eq!((&run["state"], &run["id"]), (&json!("ended"), &json!("1")));
    let outcomes = server.ask("GET", &path("outcomes"), &[], b"").body;
    assert_eq!(outcomes.split(|&byte| byte == b'\n').count() - 1, requests);
    assert_eq!(
        std::fs::read(folder.path().join("outcomes-1.jsonl")).unwrap(),
        outcomes
    );
    for name in [
        "scheduled_request_rate",
        "actual_request_rate",
        "latency_cdf",
    ] {
        for theme in ["", "&theme=dark"] {
            let plot = server.ask(
                "GET",
                &format!("{}{theme}", path(&format!("plots/{name}.png"))),
                &[],
                b"",
            );
            assert!(
                plot.head.contains("image/png"),
                "{name}: {}",
                String::from_utf8_lossy(&plot.body)
            );
            assert_eq!(plot.body[..8], *b"\x89PNG\r\n\x1a\n");
        }
    }
    server
        .ask("GET", &path("plots/other.png"), &[], b"")
        .refused(404);
    server
        .ask("GET", &path("plots/..%2foutcomes-1.jsonl"), &[], b"")
        .refused(404);
}

#[test]
fn a_run_stops_when_it_is_told_to_and_keeps_what_it_has() {
    let server = Server::start(&[]);
    let mut long = wish("mock:?ttft=1ms&itl=1ms");
    long["design"]["duration_ms"] = json!(600_000);
    let id = server.post("/api/send", &long).ok()["id"].clone();
    let id = id.as_str().unwrap();
    // One at a time.
    let second = server.post("/api/send", &long);
    assert!(second.refused(409).starts_with("a run is under way"));
    assert_eq!(second.json()["id"], id);
    until(|| {
        let run = server.get(&format!("/api/send/{id}")).ok();
        (run["progress"]["done"].as_u64() > Some(5)).then_some(())
    });
    server
        .post(&format!("/api/send/{id}/stop"), &json!({}))
        .ok();
    let run = ended(&server, id);
    assert_eq!(
        (&run["state"], &run["summary"]["stopped"]),
        (&json!("ended"), &json!(true))
    );
    let path = format!("/api/send/{id}/outcomes?token={}", server.token);
    let outcomes = server.ask("GET", &path, &[], b"").body;
    let kept = String::from_utf8(outcomes).unwrap().lines().count();
    assert_eq!(run["summary"]["done"], kept);
    // The next one may begin.
    let id = server.post("/api/send", &wish("mock:")).ok()["id"].clone();
    let run = ended(&server, id.as_str().unwrap());
    assert_eq!(run["state"], "ended");
}

#[test]
fn failures_of_the_server_are_data_and_those_of_the_wish_are_said() {
    let server = Server::start(&[]);
    for bad in [
        json!({ "speed": 0 }),
        json!({ "max_concurrency": 0 }),
        json!({ "endpoint_type": "soap" }),
    ] {
        let mut wish = wish("mock:");
        wish.as_object_mut()
            .unwrap()
            .extend(bad.as_object().unwrap().clone());
        let line = server.post("/api/send", &wish).refused(400);
        assert!(line.starts_with("invalid value"), "{line}");
    }
    server.post("/api/send/1/stop", &json!({})).refused(404);
    let id = server.post("/api/send", &wish("ftp://h/")).ok()["id"].clone();
    let run = ended(&server, id.as_str().unwrap());
    assert_eq!(run["state"], "failed");
    assert!(
        run["error"].as_str().unwrap().contains("expected http://"),
        "{run}"
    );
    // A port where nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut wish = wish(&format!("http://127.0.0.1:{port}/v1/completions"));
    wish["speed"] = json!(4);
    let id = server.post("/api/send", &wish).ok()["id"].clone();
    let run = ended(&server, id.as_str().unwrap());
    let requests = synth(&design()).split(|&byte| byte == b'\n').count() - 1;
    assert_eq!(run["state"], "ended");
    assert_eq!(run["summary"]["failed"], json!({ "connect": requests }));
}

#[test]
fn an_interrupt_in_the_middle_of_a_run_keeps_its_outcomes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--dir", folder.path().to_str().unwrap()]);
    let mut long = wish("mock:?ttft=1ms&itl=1ms");
    long["design"]["duration_ms"] = json!(600_000);
    server.post("/api/send", &long).ok();
    until(|| (server.get("/api/send/1").ok()["progress"]["done"].as_u64() > Some(5)).then_some(()));
    server.signal("-INT");
    let (status, stdout, _) = server.wait();
    assert_eq!((status.code(), stdout.as_str()), (Some(130), ""));
    let kept = std::fs::read_to_string(folder.path().join("outcomes-1.jsonl")).unwrap();
    assert!(kept.lines().count() > 5 && kept.ends_with("}\n"));
}

#[test]
fn without_a_folder_nothing_is_left_however_it_ends() {
    for signal in ["-INT", "-TERM", "-KILL"] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(&["--port", "0"]);
        let server = Server::of(command.env("TMPDIR", folder.path()));
        let mut long = wish("mock:?ttft=1ms&itl=1ms");
        long["design"]["duration_ms"] = json!(600_000);
        server.post("/api/send", &long).ok();
        let run = until(|| {
            let run = server.get("/api/send/1").ok();
            (run["progress"]["done"].as_u64() > Some(5)).then_some(run)
        });
        assert_eq!(run["outcomes"], Value::Null);
        let path = format!("/api/send/1/outcomes?token={}", server.token);
        assert!(server.ask("GET", &path, &[], b"").body.len() > 100);
        server.signal(signal);
        server.wait();
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{signal}"
        );
    }
}

#[test]
fn another_model_is_asked_for_and_the_drawn_ones_are_charted() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--dir", folder.path().to_str().unwrap()]);
    let mut wish = wish("mock:");
    wish["model"] = json!("served \"m\"");
    wish["speed"] = json!(10);
    wish["endpoint_type"] = json!("chat");
    server.post("/api/send", &wish).ok();
    let run = ended(&server, "1");
    let outcomes = std::fs::read_to_string(folder.path().join("outcomes-1.jsonl")).unwrap();
    assert!(outcomes.lines().count() > 20);
    for line in outcomes.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["model"], "served \"m\"", "{line}");
    }
    for model in run["progress"]["by_model"].as_array().unwrap() {
        let rates = model["rates"].as_array().unwrap().iter();
        assert!(
            rates.filter_map(Value::as_f64).sum::<f64>() > 0.0,
            "{model}"
        );
    }
}

#[test]
fn the_key_is_that_of_the_variable_that_is_named() {
    let server = trace_mock::start(
        &trace_mock::Settings {
            api_keys: vec!["sk-of-the-variable".to_owned()],
            ..trace_mock::Settings::default()
        },
        None,
    )
    .unwrap();
    let mut command = command(&["--port", "0"]);
    let designer = Server::of(command.env("DRAWN_KEY", "sk-of-the-variable"));
    let mut wish = wish(&server.url());
    wish["speed"] = json!(10);
    wish["endpoint_type"] = json!("completions");
    let line = {
        wish["api_key_env"] = json!("NOT_THERE");
        designer.post("/api/send", &wish).refused(400)
    };
    assert_eq!(line, "NOT_THERE is not set where trace-design was started");
    for (name, failed) in [(json!(null), true), (json!("DRAWN_KEY"), false)] {
        wish["api_key_env"] = name;
        let id = designer.post("/api/send", &wish).ok()["id"].clone();
        let run = ended(&designer, id.as_str().unwrap());
        assert_eq!(run["summary"]["errors"].as_u64() > Some(0), failed, "{run}");
    }
}

#[test]
fn where_others_can_reach_the_page_no_key_of_ours_is_sent() {
    let server = trace_mock::start(
        &trace_mock::Settings {
            api_keys: vec!["sk-usual".to_owned()],
            ..trace_mock::Settings::default()
        },
        None,
    )
    .unwrap();
    for (address, sent) in [("127.0.0.1", true), ("0.0.0.0", false)] {
        let mut command = command(&["--port", "0", "--listen", address]);
        let mut designer = Server::of(command.env("OPENAI_API_KEY", "sk-usual"));
        if let Some((_, token)) = designer.announced.split_once("?token=") {
            designer.token = token.split_whitespace().next().unwrap().to_owned();
        }
        let mut wish = wish(&server.url());
        wish["speed"] = json!(10);
        designer.post("/api/send", &wish).ok();
        let run = ended(&designer, "1");
        assert_eq!(run["summary"]["errors"] == 0, sent, "{run}");
    }
}
