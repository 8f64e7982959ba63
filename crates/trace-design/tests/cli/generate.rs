//! Previews and traces are those of `trace-synth curve`; underlays are those
//! of real traces.

use crate::harness::{Server, design, synth};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;

#[test]
fn preview_and_trace_are_what_trace_synth_makes() {
    let server = Server::start(&[]);
    for seed in [0, 5, 77] {
        let mut design = design();
        design["seed"] = json!(seed);
        let expected = synth(&design);
        let body = json!({ "design": design, "bins": 50 });
        let answer = server.post("/api/trace", &body);
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains("application/x-ndjson"));
        assert_eq!(answer.body, expected);
        let preview = server.post("/api/preview", &body).ok();
        let lines = expected
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty());
        let lines: Vec<Value> = lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(preview["total"]["requests"], lines.len());
        assert_eq!(
            (&preview["seed"], &preview["estimated"]),
            (&json!(seed), &json!(false))
        );
        for model in preview["models"].as_array().unwrap() {
            let mine = lines.iter().filter(|line| line["model"] == model["name"]);
            let sum = |field: &str| {
                mine.clone()
                    .map(|line| line[field].as_u64().unwrap())
                    .sum::<u64>()
            };
            assert_eq!(model["requests"], mine.clone().count());
            assert_eq!(model["input_tokens"], sum("input_length"));
            assert_eq!(model["output_tokens"], sum("output_length"));
            let arrivals: Vec<_> = mine
                .clone()
                .map(|line| line["timestamp"].as_f64())
                .collect();
            let shown = model["arrivals"]
                .as_array()
                .unwrap()
                .iter()
                .map(Value::as_f64);
            assert_eq!(shown.collect::<Vec<_>>(), arrivals);
            assert_eq!(model["bins"].as_array().unwrap().len(), 50);
        }
        assert_eq!(preview["total"]["peak"], 160.0);
    }
}

#[test]
fn a_preview_looks_closely_at_a_part() {
    let server = Server::start(&[]);
    let body = json!({ "design": design(), "bins": 10, "from_ms": 500, "to_ms": 750 });
    let preview = server.post("/api/preview", &body).ok();
    let lines = synth(&design());
    let lines = lines
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    let times: Vec<f64> = lines
        .map(|line| {
            serde_json::from_slice::<Value>(line).unwrap()["timestamp"]
                .as_f64()
                .unwrap()
        })
        .collect();
    assert_eq!(preview["total"]["requests"], times.len());
    assert_eq!(
        (&preview["from_ms"], &preview["bin_ms"]),
        (&json!(500.0), &json!(25.0))
    );
    let bins = preview["total"]["bins"].as_array().unwrap();
    let counted: f64 = bins.iter().map(|count| count.as_f64().unwrap()).sum();
    let inside = times.iter().filter(|time| (500.0..=750.0).contains(*time));
    assert_eq!(counted, inside.count() as f64);
    for bad in [(750, 500), (2_000, 3_000), (500, 500)] {
        let body = json!({ "design": design(), "from_ms": bad.0, "to_ms": bad.1 });
        let line = server.post("/api/preview", &body).refused(400);
        assert!(line.contains("no part of the duration"), "{line}");
    }
}

#[test]
fn a_design_from_the_page_opens_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let lengths = folder.path().join("lengths.csv");
    std::fs::write(&lengths, "7\n").unwrap();
    let mut design = design();
    design["models"][0]["input_length"] = json!(format!("empirical:{}", lengths.display()));
    let body = json!({ "design": design });
    let server = Server::start(&[]);
    for path in ["/api/preview", "/api/trace"] {
        let line = server.post(path, &body).refused(403);
        assert!(line.contains("names a file"), "{line}");
    }
    let line = server
        .post("/api/send", &json!({ "design": design, "url": "mock:" }))
        .refused(403);
    assert!(line.contains("names a file"), "{line}");
    // Who starts the tool with a curve that names it may.
    let curve = folder.path().join("c.json");
    std::fs::write(&curve, design.to_string()).unwrap();
    let server = Server::start(&[curve.to_str().unwrap()]);
    let preview = server.post("/api/preview", &body).ok();
    let share = &preview["models"][0];
    assert_eq!(
        share["input_tokens"].as_u64(),
        share["requests"].as_u64().map(|count| count * 7)
    );
}

#[test]
fn what_cannot_be_made_is_said() {
    let server = Server::start(&[]);
    for (field, value) in [
        ("arrival", json!("gamma")),
        ("input_length", json!("often")),
        ("prefixes", json!(7)),
    ] {
        let mut design = design();
        design["models"][1][field] = value;
        for path in ["/api/preview", "/api/trace", "/api/done"] {
            let line = server.post(path, &json!({ "design": design })).refused(400);
            assert!(
                line.starts_with("model \"code\": ") && line.contains(field),
                "{line}"
            );
        }
    }
    let line = server
        .post("/api/preview", &json!({ "design": design(), "bins": 0 }))
        .refused(400);
    assert_eq!(line, "bins is not within 1 and 10000");
}

#[test]
fn more_than_there_is_room_for_is_refused() {
    let server = Server::start(&[]);
    let headers = [
        ("x-trace-design", server.token.as_str()),
        ("Content-Length", "67108865"),
    ];
    // Nothing of it needs to come.
    for path in ["/api/preview", "/api/done", "/api/import"] {
        server.ask("POST", path, &headers, b"{").refused(413);
    }
    let large = vec![b' '; (64 << 20) + 1];
    server.api("PUT", "/api/design", &large).refused(413);
    server.get("/api/design").ok();
}

#[test]
fn a_newer_question_ends_the_one_before() {
    let server = Server::start(&[]);
    let mut large = design();
    large["duration_ms"] = json!(1e6);
    large["models"][0]["points"] = json!([{ "t_ms": 0, "rate": 1900 }]);
    let ask = |design: &Value| server.post("/api/preview?tab=a", &json!({ "design": design }));
    let statuses = std::thread::scope(|scope| {
        let older = scope.spawn(|| ask(&large));
        std::thread::sleep(std::time::Duration::from_millis(300));
        let newer = ask(&design());
        let older = older.join().unwrap();
        assert_eq!(older.json()["superseded"], true);
        (older.status, newer.status)
    });
    assert_eq!(statuses, (409, 200));
}

#[test]
fn a_real_trace_becomes_an_underlay() {
    let server = Server::start(&[]);
    let text: String = (0..20_000)
        .map(|i| {
            format!(
                "{{\"timestamp\":{},\"input_length\":9,\"model\":\"m{}\"}}\n",
                i * 3,
                i % 2
            )
        })
        .collect();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    for bytes in [text.as_bytes(), &packed] {
        let underlay = server
            .api("POST", "/api/underlay?bins=100&name=day.jsonl", bytes)
            .ok();
        assert_eq!(
            (&underlay["requests"], &underlay["duration_ms"]),
            (&json!(20_000), &json!(59_997.0))
        );
        let models = underlay["models"].as_array().unwrap();
        assert_eq!(models.len(), 2);
        let seconds = underlay["bin_ms"].as_f64().unwrap() / 1e3;
        for model in models {
            let rates = model["rates"].as_array().unwrap();
            assert!(rates.len() <= 100);
            let area: f64 = rates
                .iter()
                .map(|rate| rate.as_f64().unwrap() * seconds)
                .sum();
            assert!((area - 10_000.0).abs() < 1e-6, "{area}");
        }
    }
    let large =
        "{\"timestamp\":0,\"input_length\":1}\n".repeat(100_000) + "oops\n" + &text.repeat(20);
    let line = server
        .api("POST", "/api/underlay?name=day%202.jsonl", large.as_bytes())
        .refused(400);
    assert!(line.starts_with("day 2.jsonl:100001:1: "), "{line}");
    server.api("POST", "/api/underlay", b"").refused(400);
    server.api("POST", "/api/underlay?bins=x", b"").refused(400);
}

#[test]
fn the_patterns_reach_the_highest_rate() {
    let server = Server::start(&[]);
    for kind in [
        "quick_rising",
        "slow-rising",
        "pattern-slight_fluctuation",
        "severe_fluctuation",
    ] {
        let preset = server
            .post(
                "/api/preset",
                &json!({ "kind": kind, "duration_ms": 60_000, "max_rate": 80 }),
            )
            .ok();
        let rates = preset["points"]
            .as_array()
            .unwrap()
            .iter()
            .map(|point| point["rate"].as_f64().unwrap());
        let most = rates.fold(0.0, f64::max);
        assert!(most > 79.0 && most <= 80.0, "{kind}: {most}");
        let curve = json!({ "version": 1, "duration_ms": 60_000, "models": [{ "name": "m", "interpolation": preset["interpolation"], "points": preset["points"] }] });
        assert!(
            server
                .post("/api/preview", &json!({ "design": curve }))
                .ok()["total"]["requests"]
                .as_u64()
                > Some(1_000)
        );
    }
    let line = server
        .post(
            "/api/preset",
            &json!({ "kind": "odd", "duration_ms": 1, "max_rate": 1 }),
        )
        .refused(400);
    assert!(
        line.starts_with("\"odd\" is none of quick_rising"),
        "{line}"
    );
    server
        .post(
            "/api/preset",
            &json!({ "kind": "constant", "duration_ms": 0, "max_rate": 1 }),
        )
        .refused(400);
}
