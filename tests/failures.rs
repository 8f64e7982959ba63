//! What goes wrong is data: a request that fails has its line, and says how it failed.

use crate::harness::{Server, fixture, records, send, tool};

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
