//! What is recorded of a replay is the trace that was replayed: its lengths and its sharing, by the
//! mock itself and by a proxy in front of it.

use serde_json::Value;

use crate::harness::{Server, records, tool};

/// Requests 20 ms apart, and prompts of some blocks that share their beginnings.
fn trace() -> String {
    let synth =
        tool("trace-synth").args("rate --rate 50 --arrival constant --requests 40 --seed 3");
    let synth = synth.args("--input-length uniform:10..3000 --output-length uniform:1..20");
    synth.args("--prefixes pool:3,fixed:1024").run().ok()
}

fn ids(line: &Value) -> Vec<u64> {
    let ids = line["hash_ids"].as_array().unwrap();
    ids.iter().map(|id| id.as_u64().unwrap()).collect()
}

/// Blocks that two prompts share.
fn shared(a: &Value, b: &Value) -> usize {
    trace_core::shared_prefix(&ids(a), &ids(b))
}

/// Which request it was: the end of the id that the client gave it.
fn seq(line: &Value) -> u64 {
    let id = line["request_id"].as_str().unwrap();
    let digits = id.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap();
    digits.parse().unwrap()
}

fn is_the_same(replayed: &[Value], mut recorded: Vec<Value>) {
    assert_eq!(recorded.len(), replayed.len());
    // Lines come in the order in which requests end, and a busy machine may let one arrive before
    // another that left before it.
    recorded.sort_by_key(seq);
    for (sent, seen) in replayed.iter().zip(&recorded) {
        for length in ["input_length", "output_length"] {
            assert_eq!(sent[length], seen[length], "{sent}\n{seen}");
        }
    }
    for (at, (sent, seen)) in replayed.iter().zip(&recorded).enumerate() {
        for (other_sent, other_seen) in replayed.iter().zip(&recorded).skip(at + 1) {
            assert_eq!(
                shared(sent, other_sent),
                shared(seen, other_seen),
                "{sent}\n{other_sent}\n{seen}\n{other_seen}"
            );
        }
    }
}

#[test]
fn what_is_recorded_of_a_replay_is_what_was_replayed() {
    let trace = trace();
    let replayed = records(&trace);
    let both = replayed
        .iter()
        .flat_map(|a| replayed.iter().map(move |b| shared(a, b)));
    assert!(
        both.filter(|shared| *shared >= 2).count() > 40,
        "prompts share nothing"
    );

    let server = Server::start("");
    let proxy = Server::start(
        &format!("--upstream {}", server.completions()).replace("/v1/completions", ""),
    );
    tool("trace-send")
        .args("--url")
        .arg(proxy.completions())
        .reading(trace)
        .succeeds();
    is_the_same(&replayed, records(&proxy.stop()));
    is_the_same(&replayed, records(&server.stop()));
}

#[test]
fn what_the_proxy_recorded_is_outcomes() {
    let server = Server::start("--ttft 3ms --itl 1ms");
    let proxy = Server::start(
        &format!("--upstream {}", server.completions()).replace("/v1/completions", ""),
    );
    let trace = "{\"timestamp\":0,\"input_length\":9,\"output_length\":4}\n".repeat(5);
    tool("trace-send")
        .args("--url")
        .arg(proxy.completions())
        .reading(trace)
        .succeeds();
    let stats = tool("trace-stats")
        .args("--format json")
        .reading(proxy.stop())
        .json();
    assert_eq!(
        (&stats["kind"], &stats["requests"]),
        (&"outcomes".into(), &5.into())
    );
    assert!(stats["metrics"]["ttft_ms"]["min"].as_f64().unwrap() >= 3.0);
}
