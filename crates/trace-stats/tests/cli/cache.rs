//! `trace-stats cache` as a process.

use crate::harness::conversation_trace;
use assert_cmd::Command;
use serde_json::Value;

fn stats(args: &[&str], input: impl Into<Vec<u8>>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-stats"));
    let output = command.args(args).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

fn report(args: &[&str], input: &str) -> Value {
    let mut all = vec!["cache", "--format", "json"];
    all.extend(args);
    let (code, stdout, stderr) = stats(&all, input);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

/// Blocks of 10 tokens: five accesses before the second row has two hits at
/// distance 3, and the third row, the same again, three at distance 3.
const TRACE: &str = r#"{"timestamp":0,"input_length":25,"hash_ids":[0,1,2]}
{"timestamp":1000,"input_length":28,"hash_ids":[0,1,3]}
{"timestamp":1500,"input_length":28,"hash_ids":[0,1,3]}
{"timestamp":4000,"input_length":14}
"#;

#[test]
fn a_curve_worked_out_by_hand() {
    let (code, stdout, stderr) = stats(&["cache", "--block-size", "10"], TRACE);
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout, @r"
    cache: 4 requests, 9 accesses to 4 blocks of 10 tokens

    hit rate by block
    blocks     lru
         1  0.0000
         2  0.0000
         3  0.5556

    hit rate by token
    blocks     lru
         1  0.0000
         2  0.0000
         3  0.5926

    1 of 4 requests have no hash_ids and take no part
    ");
    let report = report(&["--block-size", "10", "--capacities", "2,3"], TRACE);
    assert_eq!(report["curves"][0]["curve"][0]["hit_rate"], 0);
    assert_eq!(report["curves"][0]["curve"][1]["hit_rate"], 5.0 / 9.0);
    // 20 + 28 of 25 + 28 + 28
    assert_eq!(
        report["curves"][0]["curve"][1]["token_hit_rate"],
        48.0 / 81.0
    );
}

#[test]
fn engines_cache_full_blocks_only() {
    let args = [
        "--block-size",
        "10",
        "--full-blocks-only",
        "--capacities",
        "2",
    ];
    let report = report(&args, TRACE);
    assert_eq!(
        (&report["blocks"], &report["distinct_blocks"]),
        (&6.into(), &2.into())
    );
    assert_eq!(report["curves"][0]["curve"][0]["hit_rate"], 4.0 / 6.0);
    // What is not cached is still asked for.
    assert_eq!(
        report["curves"][0]["curve"][0]["token_hit_rate"],
        40.0 / 81.0
    );
}

#[test]
fn capacities_may_be_in_bytes() {
    let bytes = [
        "--block-size",
        "10",
        "--bytes-per-token",
        "1MiB",
        "--capacities",
        "35MiB,2",
    ];
    let report = report(&bytes, TRACE);
    let curve = report["curves"][0]["curve"].as_array().unwrap();
    assert_eq!(
        (&curve[0]["blocks"], &curve[1]["blocks"]),
        (&2.into(), &3.into())
    );
    assert_eq!(curve[1]["gib"], 30.0 / 1024.0);
    let (code, _, stderr) = stats(&["cache", "--capacities", "1GiB"], TRACE);
    assert_eq!(code, 2);
    assert!(stderr.contains("--bytes-per-token"), "{stderr}");
}

#[test]
fn outcomes_are_taken_in_the_order_of_the_input() {
    let lines: Vec<&str> = TRACE.lines().collect();
    let outcome = |seq: usize| format!("{{\"seq\":{seq},{}\n", &lines[seq][1..]);
    let run: String = [2, 0, 3, 1].map(outcome).concat();
    assert_eq!(
        report(&["--block-size", "10"], &run)["curves"],
        report(&["--block-size", "10"], TRACE)["curves"]
    );
}

#[test]
fn a_trace_without_ids_has_no_curve() {
    let (code, stdout, stderr) = stats(&["cache", "--format", "json"], "{\"input_length\":5}\n");
    assert_eq!(code, 0);
    assert_eq!(stderr, "trace-stats: no request has hash_ids\n");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["curves"][0]["curve"][0]["hit_rate"], Value::Null);
}

#[test]
fn the_conversation_trace_has_its_published_curve() {
    let Some(path) = conversation_trace() else {
        return;
    };
    let path = path.to_str().unwrap();
    let report = report(&["--capacities", "1000,3000,10000,30000,100000", path], "");
    let curve = report["curves"][0]["curve"].as_array().unwrap();
    let rates = curve
        .iter()
        .map(|point| point["hit_rate"].as_f64().unwrap());
    let rates: Vec<String> = rates.map(|rate| format!("{rate:.4}")).collect();
    assert_eq!(rates, ["0.0445", "0.0650", "0.2112", "0.3257", "0.3637"]);
}

#[test]
fn policies_and_replicas_stand_side_by_side() {
    let flags = "cache --block-size 10 --policy lru,optimum --replicas 1,2 --capacities 2,3";
    let args: Vec<&str> = flags.split(' ').collect();
    let (code, stdout, stderr) = stats(&args, TRACE);
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout, @r"
    cache: 4 requests, 9 accesses to 4 blocks of 10 tokens

    hit rate by block
    blocks     lru  lru × 2 round-robin  optimum  optimum × 2 round-robin
         2  0.0000               0.0000   0.4444                   0.2222
         3  0.5556               0.2222   0.5556                   0.2222

    hit rate by token
    blocks     lru  lru × 2 round-robin  optimum  optimum × 2 round-robin
         2  0.0000               0.0000   0.4938                   0.2469
         3  0.5926               0.2469   0.5926                   0.2469

    tokens of the busiest replica over the mean
    blocks  lru  lru × 2 round-robin  optimum  optimum × 2 round-robin
         2    -                1.309        -                    1.309
         3    -                1.309        -                    1.309

    1 of 4 requests have no hash_ids and take no part
    ");
}

#[test]
fn what_has_to_be_simulated_needs_capacities() {
    let (code, stdout, stderr) = stats(&["cache", "--policy", "fifo"], TRACE);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(
        stderr,
        "trace-stats: fifo is simulated at chosen sizes: name them with --capacities\n"
    );
}

#[test]
fn an_optimum_behind_a_router_that_looks_is_left_out() {
    let flags = "cache --policy lru,optimum --replicas 2 --routing prefix-affinity --capacities 2";
    let args: Vec<&str> = flags.split(' ').collect();
    let (code, stdout, _) = stats(&args, TRACE);
    assert_eq!(code, 0);
    assert!(stdout.contains("left out: the optimum"), "{stdout}");
    let (code, _, stderr) = stats(&[&args[..2], &["optimum"], &args[3..]].concat(), TRACE);
    assert_eq!(code, 2, "{stderr}");
}

#[test]
fn a_sample_states_its_error() {
    let (code, stdout, _) = stats(&["cache", "--block-size", "10", "--sample", "0.9"], TRACE);
    assert_eq!(code, 0);
    assert!(
        stdout.contains(" ± ") && stdout.contains("one standard deviation"),
        "{stdout}"
    );
    let (code, _, stderr) = stats(&["cache", "--sample", "0.9", "--replicas", "2"], TRACE);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("--sample estimates lru of a single cache"),
        "{stderr}"
    );
}
