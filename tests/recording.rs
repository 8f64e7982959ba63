//! What is recorded of a replay is the trace that was replayed: its lengths and its sharing, by the
//! mock itself and by a proxy in front of it.

use serde_json::Value;

use crate::harness::{Server, records, send, tool, truth};

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

fn is_the_same(replayed: &[Value], recorded: &str) {
    // Lines come in the order in which requests end, and a busy machine may let one arrive before
    // another that left before it: they are told by their ids.
    let recorded: Vec<Value> = truth(recorded).into_values().collect();
    assert_eq!(recorded.len(), replayed.len());
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
    let proxy = Server::start(&format!("--upstream {}", server.origin()));
    send(&proxy.completions()).reading(trace).succeeds();
    is_the_same(&replayed, &proxy.stop());
    is_the_same(&replayed, &server.stop());
}

#[test]
fn what_the_proxy_recorded_is_outcomes() {
    let server = Server::start("--ttft 3ms --itl 1ms");
    let proxy = Server::start(&format!("--upstream {}", server.origin()));
    let trace = "{\"timestamp\":0,\"input_length\":9,\"output_length\":4}\n".repeat(5);
    send(&proxy.completions()).reading(trace).succeeds();
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
