//! A trace sent over HTTP: client, statistics and server tell the same story.
//!
//! The mock's own lines are the truth that everything else is held against.
//! No test here claims a speed: a busy machine may be late, but it may not be
//! early, lose a request or count one twice.

use crate::harness::{Background, Dir, Server, Tool, fixture, records, tool};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

fn send(url: &str) -> Tool {
    tool("trace-send").arg("--url").arg(url)
}

fn number(line: &Value, field: &str) -> f64 {
    let number = line[field].as_f64();
    number.unwrap_or_else(|| panic!("no number {field} in {line}"))
}

/// Outcomes by `seq`, each once.
fn by_seq(lines: Vec<Value>) -> BTreeMap<u64, Value> {
    let mut sorted = BTreeMap::new();
    for line in lines {
        let seq = line["seq"].as_u64().expect("an outcome has a seq");
        let twice = sorted.insert(seq, line);
        assert!(twice.is_none(), "seq {seq} came twice");
    }
    sorted
}

/// The server's lines by the `seq` in the id their client gave them.
fn truth(lines: &str) -> BTreeMap<u64, Value> {
    let mut sorted = BTreeMap::new();
    for line in records(lines) {
        let id = line["request_id"]
            .as_str()
            .expect("the client names its requests");
        let seq = id.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap();
        let seq = seq.parse().unwrap();
        let twice = sorted.insert(seq, line);
        assert!(twice.is_none(), "the server saw {seq} twice");
    }
    sorted
}

#[test]
fn client_and_server_tell_the_same_story() {
    let dir = Dir::new();
    let server = Server::start("--ttft 20ms --itl 2ms");
    let synth =
        "sine --duration 30 --rate 4..20 --isl1 700 --osl1 12 --isl2 1600 --osl2 3 --seed 5";
    let trace = tool("trace-synth").args(synth).run().ok();
    let run = send(&server.completions())
        .args("--speed 20")
        .reading(trace.as_str());
    let outcomes = by_seq(records(&run.ok()));
    let seen = truth(&server.stop());
    let sent = records(&trace);

    assert_eq!(outcomes.len(), sent.len(), "every line has its outcome");
    assert!(
        outcomes.keys().eq(seen.keys()),
        "the server saw what was sent, once"
    );
    for (seq, outcome) in &outcomes {
        let (asked, seen) = (&sent[*seq as usize], &seen[seq]);
        assert_eq!(outcome.get("error"), None, "{outcome}");
        for field in ["timestamp", "input_length", "output_length", "hash_ids"] {
            assert_eq!(outcome[field], asked[field], "{field} of {seq}");
        }
        assert_eq!(seen["output_length"], asked["output_length"], "{seen}");
        assert_eq!(
            outcome["input_tokens"], seen["input_length"],
            "usage is the server's"
        );
        assert_eq!(
            outcome["output_tokens"], seen["output_length"],
            "usage is the server's"
        );
        assert_eq!(outcome["token_source"], "usage");
        assert_eq!(
            outcome["chunks"], outcome["output_tokens"],
            "the mock sends one by one"
        );

        // Sent at the time of the trace, twenty times as fast.
        let due = number(asked, "timestamp") / 20.0;
        assert!(
            (number(outcome, "scheduled_ms") - due).abs() < 0.002,
            "{outcome}"
        );
        assert!(
            number(outcome, "sent_ms") >= due - 0.002,
            "nothing leaves early: {outcome}"
        );

        // A client is further from the server's clock than the server itself.
        // Only clocks that are cut to the microsecond are allowed for.
        let first = number(outcome, "ttft_ms") - number(seen, "first_byte_ms");
        let end = number(outcome, "latency_ms") - number(seen, "last_byte_ms");
        assert!(
            first > -0.002 && end > -0.002,
            "it came before it left: {outcome} {seen}"
        );
        assert!(number(seen, "first_byte_ms") >= 20.0, "{seen}");
        let gaps = outcome["itl_ms"].as_array().unwrap();
        assert_eq!(
            gaps.len() as u64 + 1,
            outcome["chunks"].as_u64().unwrap(),
            "{outcome}"
        );
        // First token, gaps and last token are one clock, cut to the microsecond.
        let gaps: f64 = gaps.iter().map(|gap| gap.as_f64().unwrap()).sum();
        let last = number(outcome, "last_token_ms");
        let told = number(outcome, "ttft_ms") + gaps;
        assert!(
            (last - told).abs() < 0.05,
            "{last} is not {told}: {outcome}"
        );
        assert!(last <= number(outcome, "latency_ms"), "{outcome}");
    }

    dir.write("out.jsonl", run.text());
    let report = dir
        .tool("trace-stats")
        .args("--format json out.jsonl")
        .run()
        .json();
    let total = |field: &str| seen.values().map(|seen| number(seen, field)).sum::<f64>();
    assert_eq!(report["requests"], seen.len());
    assert_eq!(report["succeeded"], seen.len());
    assert_eq!(report["failed"], 0);
    assert_eq!(number(&report, "total_input_tokens"), total("input_length"));
    assert_eq!(
        number(&report, "total_output_tokens"),
        total("output_length")
    );
    let count = |metric: &str| number(&report["metrics"][metric], "count");
    assert_eq!(count("ttft_ms"), seen.len() as f64);
    assert_eq!(count("itl_ms"), total("output_length") - seen.len() as f64);
    let mean = number(&report["metrics"]["ttft_ms"], "mean");
    let told = outcomes
        .values()
        .map(|outcome| number(outcome, "ttft_ms"))
        .sum::<f64>();
    assert!((mean - told / outcomes.len() as f64).abs() < 1e-6, "{mean}");
}

#[test]
fn the_embedded_mock_does_the_same_job() {
    let synth = tool("trace-synth").args("sine --duration 5 --osl1 4 --osl2 2 --seed 7");
    let run = synth
        .pipe(send("mock:").args("--speed 10"))
        .pipe(tool("trace-stats").args("--format json"))
        .run();
    let report = run.json();
    assert_eq!(report["kind"], "outcomes");
    assert_eq!(report["succeeded"], report["requests"]);
    run.check(
        run.stderr[1].contains("mock"),
        "it should say that this is no real server",
    );
}

#[test]
fn what_the_mock_saw_can_be_sent_again() {
    let server = Server::start("");
    send(&server.completions())
        .arg(fixture("shared_prefixes.jsonl"))
        .run()
        .ok();
    let seen = server.stop();
    let report = tool("trace-stats")
        .args("--format json")
        .reading(seen.as_str())
        .json();
    assert_eq!(report["kind"], "trace");
    assert_eq!(report["requests"], 8);

    let server = Server::start("");
    let mut seen: Vec<&str> = seen.split_inclusive('\n').collect();
    // The mock writes in the order of ends.
    seen.sort_by(|a, b| {
        let time = |line: &str| number(&serde_json::from_str(line).unwrap(), "timestamp");
        time(a).total_cmp(&time(b))
    });
    let again = send(&server.completions()).reading(seen.concat());
    let lengths = |lines: Vec<Value>| -> Vec<(u64, u64)> {
        let length = |line: &Value, field: &str| line[field].as_u64().unwrap();
        let mut lengths: Vec<_> = lines
            .iter()
            .map(|line| (length(line, "input_length"), length(line, "output_length")))
            .collect();
        lengths.sort_unstable();
        lengths
    };
    assert_eq!(
        lengths(records(&again.ok())),
        lengths(records(&server.stop()))
    );
}

#[test]
fn chats_and_completions_have_one_clock() {
    let server = Server::start("--ttft 10ms --itl 2ms");
    for url in [server.completions(), server.chat()] {
        let run = send(&url).arg(fixture("shared_prefixes.jsonl")).run();
        for outcome in records(&run.ok()) {
            run.check(
                number(&outcome, "ttft_ms") >= 10.0,
                "a chunk without output is no token",
            );
            run.check(
                outcome["chunks"] == outcome["output_length"],
                "as many as asked",
            );
        }
    }
}

#[test]
fn a_failed_request_is_an_outcome_with_its_kind() {
    let cases = [
        ("500", "http", Some(500)),
        ("429", "http", Some(429)),
        ("html", "content", Some(200)),
        ("cut", "stream", Some(200)),
        ("empty", "empty", Some(200)),
        ("stall", "timeout", None),
        ("stall-mid", "timeout", Some(200)),
    ];
    for (fault, kind, status) in cases {
        let server = Server::start(&format!("--fault {fault}"));
        // Long enough for a busy machine to answer in, where an answer comes.
        let timeout = if kind == "timeout" { "1s" } else { "60s" };
        let send = send(&server.completions()).args("--timeout").arg(timeout);
        let run = send.arg(fixture("shared_prefixes.jsonl")).run();
        let outcomes = records(&run.ok());
        run.check(outcomes.len() == 8, "every request has its line");
        for outcome in &outcomes {
            let told = &outcome["error"]["kind"];
            // A one-token answer has no middle to stall in or to be cut at.
            let whole = outcome.get("error").is_none() && outcome["output_length"] == 1;
            run.check(
                whole || told == kind,
                format!("{fault} is {kind}, not {told}"),
            );
            if !whole && let Some(status) = status {
                run.check(
                    outcome["status"] == status,
                    format!("{fault} has status {status}"),
                );
            }
        }
        let report = tool("trace-stats")
            .args("--format json")
            .reading(run.text())
            .json();
        let failed = report["failed"].as_u64().unwrap();
        run.check(failed >= 7, format!("statistics know of {failed} failures"));
        assert_eq!(report["errors"][kind], failed);
    }
}

#[test]
fn a_server_that_is_down_is_data() {
    // Port 9 is discard, which nothing has served for decades.
    let run = send("http://127.0.0.1:9/v1/completions")
        .arg(fixture("sessions.jsonl"))
        .run();
    let outcomes = records(&run.ok());
    run.check(outcomes.len() == 6, "every request has its line");
    for outcome in &outcomes {
        let kind = outcome["error"]["kind"].as_str().unwrap_or("none");
        run.check(
            kind == "connect" || kind == "skipped",
            format!("connect, not {kind}"),
        );
        run.check(outcome.get("status").is_none(), "there was no response");
    }
}

#[test]
fn turns_of_a_session_wait_for_each_other() {
    let server = Server::start("--ttft 30ms --itl 1ms");
    let run = send(&server.completions())
        .arg(fixture("sessions.jsonl"))
        .run();
    let outcomes = by_seq(records(&run.ok()));
    for (turn, before) in [(2, 0), (4, 2), (3, 1)] {
        let (turn, before) = (&outcomes[&turn], &outcomes[&before]);
        let end = number(before, "sent_ms") + number(before, "latency_ms");
        let delay = turn["delay"].as_f64().unwrap_or_default();
        run.check(
            number(turn, "scheduled_ms") >= end + delay - 0.002,
            format!("{turn} should wait for {before}"),
        );
    }
}

#[test]
fn a_cap_on_concurrency_shows_as_queueing() {
    let server = Server::start("--ttft 20ms");
    let capped = send(&server.completions()).args("--max-concurrency 1");
    let run = capped.arg(fixture("shared_prefixes.jsonl")).run();
    let outcomes = by_seq(records(&run.ok()));
    let queued = outcomes
        .values()
        .map(|o| number(o, "queue_ms"))
        .fold(0.0, f64::max);
    run.check(
        queued > 20.0,
        format!("waits of {queued} ms are too short to be true"),
    );
    for outcome in outcomes.values() {
        let parts = number(outcome, "scheduled_ms") + number(outcome, "queue_ms");
        run.check(
            (parts - number(outcome, "due_ms")).abs() < 0.002,
            format!("queue_ms is due - scheduled: {outcome}"),
        );
        let parts = number(outcome, "due_ms") + number(outcome, "lateness_ms");
        run.check(
            (parts - number(outcome, "sent_ms")).abs() < 0.002,
            format!("lateness_ms is sent - due: {outcome}"),
        );
    }
    let mut spans: Vec<(f64, f64)> = records(&server.stop())
        .iter()
        .map(|seen| (number(seen, "timestamp"), number(seen, "last_byte_ms")))
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    for pair in spans.windows(2) {
        run.check(
            pair[1].0 > pair[0].0 + pair[0].1 - 0.002,
            format!("the server had two at once: {pair:?}"),
        );
    }
}

#[test]
fn a_closed_loop_keeps_as_many_in_flight_and_no_more() {
    let server = Server::start("--ttft 10ms");
    let trace = "{\"input_length\":4,\"output_length\":1}\n".repeat(40);
    let run = send(&server.completions())
        .args("--concurrency 8")
        .reading(trace);
    run.check(records(&run.ok()).len() == 40, "every request has its line");
    let mut steps: Vec<(f64, i32)> = Vec::new();
    for seen in records(&server.stop()) {
        let begin = number(&seen, "timestamp");
        steps.push((begin, 1));
        steps.push((begin + number(&seen, "last_byte_ms"), -1));
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut flying = 0;
    for (_, step) in steps {
        flying += step;
        run.check(flying <= 8, format!("{flying} are in flight"));
    }
}

#[test]
fn an_interrupt_loses_nothing() {
    let server = Server::start("--ttft 30ms --itl 5ms");
    let dir = Dir::new();
    let line = |i| {
        format!(
            "{{\"timestamp\":{},\"input_length\":9,\"output_length\":4}}\n",
            i * 20
        )
    };
    dir.write("long.jsonl", (0..100_000).map(line).collect::<String>());
    let (told, lines) = mpsc::channel();
    let tool = dir
        .tool("trace-send")
        .arg("--url")
        .arg(server.completions());
    let running = Background::start(tool.args("long.jsonl"), move |line| {
        // Nobody listens any more once the test has seen enough.
        let _ = told.send(line.len());
    });
    for _ in 0..5 {
        // Outcomes are there as they come, not when a buffer is full.
        lines.recv_timeout(Duration::from_secs(60)).unwrap();
    }
    let run = running.interrupt();
    run.fails(130);
    let outcomes = by_seq(records(&run.text()));
    let seen = truth(&server.stop());
    run.check(outcomes.len() >= 5, "what came before stays");
    for seq in seen.keys() {
        run.check(
            outcomes.contains_key(seq),
            format!("{seq} was sent and has no line"),
        );
    }
}

#[test]
fn an_interrupted_pipe_still_reports_what_it_measured() {
    let server = Server::start("--ttft 10ms --itl 5ms");
    let dir = Dir::new();
    let synth = "rate --rate 50 --duration 10m --no-hash-ids --output-length fixed:4";
    let pipe = dir
        .tool("trace-synth")
        .args(synth)
        .pipe(send(&server.completions()))
        .pipe(tool("trace-stats").args("--format json"));
    let run = pipe.interrupt_when(|| server.seen() >= 20);
    run.check(
        run.codes[1] == Some(130),
        "the sender says that it was stopped",
    );
    run.fails(0);
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    let seen = records(&server.stop()).len();
    run.check(
        seen >= 20 && report["requests"] == seen,
        format!("{seen} were sent"),
    );
    run.check(
        report["succeeded"] == seen,
        "what was in flight has come to its end",
    );
}
