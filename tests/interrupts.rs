//! ^C loses nothing: what was sent has its line, and what was measured its report.

use crate::harness::{Background, Dir, Server, by_seq, records, send, tool, truth};
use serde_json::Value;
use std::sync::mpsc;
use std::time::Duration;

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
