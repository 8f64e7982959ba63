//! A trace sent over HTTP: client, statistics and server tell the same story.
//!
//! The mock's own lines are the truth that everything else is held against.
//! No test here claims a speed: a busy machine may be late, but it may not be
//! early, lose a request or count one twice.

use crate::harness::{Server, by_seq, fixture, number, records, send, tool, truth};
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn client_and_server_tell_the_same_story() {
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
        has_what_was_asked_and_billed(outcome, asked, seen);
        // Twenty times as fast.
        left_when_due(outcome, number(asked, "timestamp") / 20.0);
        has_the_times_of_the_server(outcome, seen);
        assert!(number(seen, "first_byte_ms") >= 20.0, "{seen}");
    }
    counts_the_same(&run.text(), &outcomes, &seen);
}

fn has_what_was_asked_and_billed(outcome: &Value, asked: &Value, seen: &Value) {
    assert_eq!(outcome.get("error"), None, "{outcome}");
    for field in ["timestamp", "input_length", "output_length", "hash_ids"] {
        assert_eq!(outcome[field], asked[field], "{field} of {outcome}");
    }
    assert_eq!(seen["output_length"], asked["output_length"], "{seen}");
    for (told, known) in [
        ("input_tokens", "input_length"),
        ("output_tokens", "output_length"),
    ] {
        assert_eq!(outcome[told], seen[known], "usage is the server's");
    }
    assert_eq!(outcome["token_source"], "usage");
    assert_eq!(
        outcome["chunks"], outcome["output_tokens"],
        "the mock sends one by one"
    );
}

fn left_when_due(outcome: &Value, due: f64) {
    let scheduled = number(outcome, "scheduled_ms");
    assert!((scheduled - due).abs() < 0.002, "{outcome}");
    let sent = number(outcome, "sent_ms");
    assert!(sent >= due - 0.002, "nothing leaves early: {outcome}");
}

fn has_the_times_of_the_server(outcome: &Value, seen: &Value) {
    // A client is further from the server's clock than the server itself.
    // Only clocks that are cut to the microsecond are allowed for.
    let first = number(outcome, "ttft_ms") - number(seen, "first_byte_ms");
    let end = number(outcome, "latency_ms") - number(seen, "last_byte_ms");
    assert!(
        first > -0.002 && end > -0.002,
        "it came before it left: {outcome} {seen}"
    );
    // First token, gaps and last token are of one clock.
    let gaps = outcome["itl_ms"].as_array().unwrap();
    let chunks = outcome["chunks"].as_u64().unwrap();
    assert_eq!(gaps.len() as u64 + 1, chunks, "{outcome}");
    let gaps: f64 = gaps.iter().map(|gap| gap.as_f64().unwrap()).sum();
    let (last, told) = (
        number(outcome, "last_token_ms"),
        number(outcome, "ttft_ms") + gaps,
    );
    assert!((last - told).abs() < 0.05, "not {told}: {outcome}");
    assert!(last <= number(outcome, "latency_ms"), "{outcome}");
}

/// The statistics of `lines` are those of what the client and the server say.
fn counts_the_same(lines: &str, outcomes: &BTreeMap<u64, Value>, seen: &BTreeMap<u64, Value>) {
    let stats = tool("trace-stats").args("--format json");
    let report = stats.reading(lines).json();
    let total = |field: &str| seen.values().map(|seen| number(seen, field)).sum::<f64>();
    assert_eq!(report["requests"], seen.len());
    assert_eq!(report["succeeded"], seen.len());
    assert_eq!(report["failed"], 0);
    for (told, known) in [
        ("total_input_tokens", "input_length"),
        ("total_output_tokens", "output_length"),
    ] {
        assert_eq!(number(&report, told), total(known), "{told}");
    }
    let count = |metric: &str| number(&report["metrics"][metric], "count");
    assert_eq!(count("ttft_ms"), seen.len() as f64);
    assert_eq!(count("itl_ms"), total("output_length") - seen.len() as f64);
    let mean = number(&report["metrics"]["ttft_ms"], "mean");
    let told = outcomes.values().map(|outcome| number(outcome, "ttft_ms"));
    let told = told.sum::<f64>() / outcomes.len() as f64;
    assert!((mean - told).abs() < 1e-6, "{mean} is not {told}");
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
