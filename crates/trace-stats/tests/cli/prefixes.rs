//! `trace-stats prefixes` as a process.

use crate::harness::conversation_trace;
use assert_cmd::Command;
use serde_json::Value;

fn report(args: &[&str], input: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-stats"));
    let command = command.args(["prefixes", "--format", "json"]).args(args);
    let output = command.write_stdin(input).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A conversation of three turns, of which the second is asked twice, and a
/// request that begins with nobody's words. Blocks of 10 tokens.
const TRACE: &str = r#"{"timestamp":0,"input_length":25,"output_length":4,"hash_ids":[0,1,2]}
{"timestamp":1000,"input_length":38,"output_length":8,"hash_ids":[0,1,3,4]}
{"timestamp":1500,"input_length":38,"output_length":8,"hash_ids":[0,1,3,4]}
{"timestamp":3000,"input_length":50,"output_length":4,"hash_ids":[0,1,3,5,6]}
{"timestamp":4000,"input_length":14,"output_length":6,"hash_ids":[7,8]}
"#;

#[test]
fn a_conversation_worked_out_by_hand() {
    let report = report(&["--block-size", "10", "--cache"], TRACE);
    let metrics = &report["metrics"];
    // 0, 20, 38, 30, 0 tokens came before
    assert_eq!(metrics["cached_prefix_length"]["mean"], 88.0 / 5.0);
    // 20, 38, 38, 30, 0 have somebody else
    assert_eq!(metrics["shared_prefix_length"]["mean"], 126.0 / 5.0);
    // The second goes on from the first; the third, the same again, and the
    // fourth from the second.
    assert_eq!(report["continued_requests"], 3);
    assert_eq!(report["conversations"], 2);
    assert_eq!(metrics["conversation_turns"]["max"], 4);
    assert_eq!(metrics["turn_gap_ms"]["min"], 500);
    assert_eq!(metrics["turn_gap_ms"]["max"], 2000);
    assert_eq!(metrics["turn_growth"]["max"], 13);
    assert_eq!(
        (&report["roots"], &report["prefix_groups"]),
        (&2.into(), &1.into())
    );
    // Three ways behind block 1 (2 and 3), two behind 3 (4 and 5).
    assert_eq!(report["forks"], 2);
    assert_eq!(metrics["fan_out"]["max"], 2);
    assert_eq!(metrics["group_depth"]["max"], 4);
    // Everything fits: the hit rate is that of an infinite cache.
    let curve = report["cache"]["curves"][0]["curve"].as_array().unwrap();
    assert_eq!(curve.last().unwrap()["hit_rate"], report["block_hit_rate"]);
}

#[test]
fn outcomes_are_put_in_the_order_of_the_input() {
    let lines: Vec<&str> = TRACE.lines().collect();
    let outcome = |seq: usize| format!("{{\"seq\":{seq},{}\n", &lines[seq][1..]);
    let run: String = [4, 2, 0, 3, 1].map(outcome).concat();
    let args = ["--block-size", "10"];
    let (run, trace) = (report(&args, &run), report(&args, TRACE));
    assert_eq!(
        run["metrics"]["cached_prefix_length"],
        trace["metrics"]["cached_prefix_length"]
    );
    assert_eq!(
        run["metrics"]["turn_gap_ms"],
        trace["metrics"]["turn_gap_ms"]
    );
}

#[test]
fn rows_without_ids_and_flaws_are_counted() {
    let flawed = "{\"input_length\":5}\n{\"input_length\":25,\"hash_ids\":[1]}\n";
    let report = report(&["--block-size", "10"], flawed);
    assert_eq!(report["requests_without_ids"], 1);
    assert_eq!(report["flaws"]["too_few_ids"]["first"][0], "<stdin>:2");
}

#[test]
fn what_a_trace_with_true_prefixes_shares_is_its_context() {
    let Some(path) = conversation_trace() else {
        return;
    };
    let report = report(&[path.to_str().unwrap()], "");
    let metrics = &report["metrics"];
    assert_eq!(metrics["shared_prefix_length"], metrics["context_length"]);
    assert!(
        metrics["cached_prefix_length"]["mean"].as_f64()
            < metrics["context_length"]["mean"].as_f64()
    );
    assert_eq!(report["flaws"], Value::Null);
}
