//! `trace-stats` as a process: what it prints, how it ends, what it survives.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::process::Stdio;

fn stats(args: &[&str], input: impl Into<Vec<u8>>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-stats"));
    let output = command.args(args).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

fn report(args: &[&str], input: impl Into<Vec<u8>>) -> Value {
    let mut all = vec!["--format", "json"];
    all.extend(args);
    let (code, stdout, stderr) = stats(&all, input);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

/// Blocks of 10 tokens: rows 1 and 2 share two blocks, row 3 is row 2 again,
/// row 4 shares with nobody, row 5 has no ids.
const TRACE: &str = r#"{"timestamp":0,"input_length":25,"output_length":4,"hash_ids":[0,1,2],"session_id":"a"}
{"timestamp":1000,"input_length":28,"output_length":8,"hash_ids":[0,1,3],"session_id":"a","model":"m"}
{"timestamp":1500,"input_length":28,"output_length":8,"hash_ids":[0,1,3],"session_id":7,"model":"m"}
{"timestamp":3000,"input_length":5,"output_length":4,"hash_ids":[4]}
{"timestamp":4000,"input_length":14,"output_length":6}
"#;

#[test]
fn a_trace_in_numbers_worked_out_by_hand() {
    let report = report(&["--block-size", "10"], TRACE);
    assert_eq!(report["kind"], "trace");
    assert_eq!(report["requests"], 5);
    assert_eq!(report["duration_ms"], 4000);
    // four gaps in four seconds
    assert_eq!(report["rate_rps"], 1);
    assert_eq!(report["sessions"], 2);
    assert_eq!(report["models"], json!({"m": 2}));
    let metrics = &report["metrics"];
    assert_eq!(metrics["input_length"]["mean"], 20);
    assert_eq!(metrics["output_length"]["mean"], 6);
    assert_eq!(metrics["gap_ms"]["p50"], 1000);
    assert_eq!(metrics["session_turns"]["max"], 2);
    // context 20, 28, 28, 0, 0 and the rest 5, 0, 0, 5, 14
    assert_eq!(metrics["context_length"]["mean"], 15.2);
    assert_eq!(metrics["context_length"]["p50"], 20);
    assert_eq!(metrics["unique_prompt_length"]["mean"], 4.8);
    // hit rates 0, 2/3, 1, 0: the row without ids has none
    let hit = &metrics["prefix_hit_rate"];
    assert_eq!(hit["count"], 4);
    assert_eq!(hit["p50"], 1.0 / 3.0);
    assert_eq!(report["blocks"], 10);
    assert_eq!(report["block_hit_rate"], 0.5);
    // 20 + 28 of 25 + 28 + 28 + 5
    assert_eq!(report["token_hit_rate"], 48.0 / 86.0);
    assert_eq!(report["distinct_blocks"], 5);
    assert_eq!(report["repeated_blocks"], 3);
    assert_eq!(report["fully_repeated"], 2);
    assert_eq!(report["unique_prefixes"], 5);
    assert_eq!(report["prefix_groups"], 1);
    assert_eq!(report["prefix_reuse_ratio"], 0.8);
    assert_eq!(report["requests_without_ids"], 1);
    assert_eq!(report["std"], "population");
}

#[test]
fn the_table_is_readable() {
    let (code, stdout, stderr) = stats(&["--block-size", "10"], TRACE);
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout, @r"
    trace: 5 requests over 4 s

                          count    mean     std  min     p50     p90     p95     p99   max
    input_length              5      20   9.099    5      25      28      28      28    28
    context_length            5  15.200  12.750    0      20      28      28      28    28
    unique_prompt_length      5   4.800   5.115    0       5  10.400  12.200  13.640    14
    output_length             5       6   1.789    4       6       8       8       8     8
    prefix_hit_rate           4  0.4167  0.4330    0  0.3333  0.9000  0.9500  0.9900     1
    gap_ms                    4    1000  353.55  500    1000    1350  1425.0  1485.0  1500
    session_turns             2   1.500  0.5000    1   1.500   1.900   1.950   1.990     2

    rate_rps              1
    sessions              2
    models                m 2
    block_size            10
    requests_without_ids  1
    blocks                10
    distinct_ids          5
    distinct_blocks       5
    repeated_blocks       3
    block_hit_rate        0.5000
    token_hit_rate        0.5581
    fully_repeated        2
    unique_prefixes       5
    prefix_groups         1
    prefix_reuse_ratio    0.8000

    1 of 5 requests have no hash_ids: context 0, and no part in the hit rate

    quantiles: linear interpolation between closest ranks (numpy's default, Hyndman-Fan type 7); std: population
    ");
}

#[test]
fn the_table_fits_a_hundred_columns() {
    let (_, stdout, _) = stats(&[], OUTCOMES);
    let tables = stdout.split("\n\n").take(2);
    for line in tables.flat_map(str::lines) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

/// One success in order, one that ended before it, a failure, one cancelled.
const OUTCOMES: &str = r#"{"input_length":20,"hash_ids":[1,2],"seq":1,"scheduled_ms":100,"due_ms":100,"sent_ms":102,"lateness_ms":2,"queue_ms":0,"ttft_ms":50,"last_token_ms":80,"latency_ms":81,"tpot_ms":10,"itl_ms":[10,20],"input_tokens":20,"cached_tokens":10,"output_tokens":4,"token_source":"usage","chunks":3,"status":200}
{"input_length":10,"hash_ids":[1],"seq":0,"scheduled_ms":0,"due_ms":10,"sent_ms":10,"lateness_ms":0,"queue_ms":10,"ttft_ms":100,"last_token_ms":190,"latency_ms":190,"tpot_ms":30,"itl_ms":[30,30,30],"input_tokens":10,"output_tokens":4,"token_source":"usage","chunks":4,"status":200}
{"input_length":10,"hash_ids":[9],"seq":2,"scheduled_ms":200,"due_ms":200,"sent_ms":200,"lateness_ms":0,"queue_ms":0,"latency_ms":300,"status":500,"error":{"kind":"http","message":"500"}}
{"input_length":10,"seq":3,"scheduled_ms":900,"error":{"kind":"cancelled","message":"^C"}}
"#;

#[test]
fn outcomes_in_numbers_worked_out_by_hand() {
    let report = report(&["--block-size", "10"], OUTCOMES);
    assert_eq!(report["kind"], "outcomes");
    assert_eq!(report["requests"], 4);
    assert_eq!(
        (&report["succeeded"], &report["failed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(report["errors"], json!({"http": 1}));
    assert_eq!(report["unserved"], json!({"cancelled": 1}));
    assert_eq!(report["error_rate"], 1.0 / 3.0);
    // first scheduled 0, last end 200 + 300
    assert_eq!(report["duration_ms"], 500);
    assert_eq!(report["throughput_rps"], 4);
    assert_eq!(report["output_tps"], 16);
    assert_eq!(report["total_tps"], 76);
    assert_eq!(report["cached_share"], 0.5);
    assert_eq!(report["client_limited"], false);
    let metrics = &report["metrics"];
    assert_eq!(metrics["ttft_ms"]["mean"], 75);
    assert_eq!(metrics["user_ttft_ms"]["min"], 52);
    assert_eq!(metrics["user_ttft_ms"]["max"], 110);
    assert_eq!(metrics["latency_ms"]["p50"], 190);
    assert_eq!(metrics["latency_ms"]["p90"], Value::Null);
    assert_eq!(metrics["latency_ms"]["censored"], 1);
    assert_eq!(metrics["user_latency_ms"]["max"], 200);
    assert_eq!(metrics["lateness_ms"]["count"], 3);
    assert_eq!(metrics["queue_ms"]["max"], 10);
    // four tokens in three chunks: per chunk; four in four: per token
    assert_eq!(report["itl_per"], "mixed");
    assert_eq!(metrics["itl_ms"]["count"], 5);
    assert_eq!(metrics["icl_ms"]["mean"], 24);
    // the first request of the input ended second; its block is a hit in the other
    assert_eq!(metrics["prefix_hit_rate"]["max"], 0.5);
    assert_eq!(report["block_hit_rate"], 0.25);
}

#[test]
fn failures_are_infinite_in_the_table() {
    let (_, stdout, _) = stats(&["--block-size", "10"], OUTCOMES);
    insta::assert_snapshot!(stdout, @r"
    outcomes: 4 requests over 0.5000 s, 2 succeeded, 1 failed

                          count  failed    mean     std  min  p50     p90     p95     p99     max
    ttft_ms                   2       1      75      25   50  100     inf     inf     inf     100
    tpot_ms                   2       1      20      10   10   30     inf     inf     inf      30
    itl_ms                    5       0      24       8   10   30      30      30      30      30
    icl_ms                    5       0      24       8   10   30      30      30      30      30
    latency_ms                2       1  135.50  54.500   81  190     inf     inf     inf     190
    user_ttft_ms              2       1      81      29   52  110     inf     inf     inf     110
    user_latency_ms           2       1  141.50  58.500   83  200     inf     inf     inf     200
    lateness_ms               3       0  0.6667  0.9428    0    0   1.600   1.800   1.960       2
    queue_ms                  3       0   3.333   4.714    0    0       8       9   9.800      10
    input_tokens              2       0      15       5   10   15      19  19.500  19.900      20
    output_tokens             2       0       4       0    4    4       4       4       4       4
    cached_tokens             1       0      10       0   10   10      10      10      10      10
    input_length              4       0  12.500   4.330   10   10      17  18.500  19.700      20
    context_length            4       0       5       5    0    5      10      10      10      10
    unique_prompt_length      4       0   7.500   4.330    0   10      10      10      10      10
    prefix_hit_rate           3       0  0.1667  0.2357    0    0  0.4000  0.4500  0.4900  0.5000
    gap_ms                    3       0     300  282.84  100  100     580     640     688     700

    succeeded             2
    failed                1
    errors                http 1
    unserved              cancelled 1
    error_rate            0.3333
    throughput_rps        4
    output_tps            16
    total_tps             76
    total_input_tokens    30
    total_output_tokens   8
    total_cached_tokens   10
    cached_share          0.5000
    client_limited        no
    lateness_limit_ms     5
    itl_per               mixed
    rate_rps              3.333
    block_size            10
    requests_without_ids  1
    blocks                4
    distinct_ids          3
    distinct_blocks       3
    repeated_blocks       1
    block_hit_rate        0.2500
    token_hit_rate        0.2500
    fully_repeated        1
    unique_prefixes       3
    prefix_groups         1
    prefix_reuse_ratio    0.5000

    the client kept its schedule: p99 lateness 1.960 ms (limit 5 ms)
    itl_ms is per chunk in 1 of 2 requests: how many tokens a chunk has is unknown
    1 of 3 requests failed: infinite latencies in quantiles, left out of mean, std, min and max
    1 of 4 requests have no hash_ids: context 0, and no part in the hit rate

    quantiles: linear interpolation between closest ranks (numpy's default, Hyndman-Fan type 7); std: population
    ");
}

#[test]
fn a_run_that_failed_altogether_still_has_a_report() {
    let line = r#"{"input_length":1,"seq":0,"scheduled_ms":0,"sent_ms":0,"error":{"kind":"connect","message":"refused"}}"#;
    let (code, stdout, _) = stats(&[], format!("{line}\n{line}\n"));
    assert_eq!(code, 0);
    let row = stdout.lines().find(|line| line.starts_with("latency_ms"));
    let cells: Vec<_> = row.unwrap().split_whitespace().collect();
    assert_eq!(
        cells,
        [
            "latency_ms",
            "0",
            "2",
            "-",
            "-",
            "-",
            "inf",
            "inf",
            "inf",
            "inf",
            "-"
        ]
    );
    let report = report(&[], line);
    assert_eq!(report["metrics"]["latency_ms"]["p50"], Value::Null);
    assert_eq!(report["errors"], json!({"connect": 1}));
}

#[test]
fn a_late_client_is_called_client_limited() {
    let late = r#"{"input_length":1,"due_ms":0,"sent_ms":7.5,"latency_ms":1}"#;
    let (code, stdout, _) = stats(&[], late);
    assert_eq!(
        code, 0,
        "judging is for --assert, not for the exit code of a report"
    );
    assert!(
        stdout.contains("client-limited: a hundredth of the requests left 7.500 ms late"),
        "{stdout}"
    );
    assert_eq!(report(&[], late)["client_limited"], true);
}

#[test]
fn markdown_and_csv_hold_every_figure() {
    let (_, markdown, _) = stats(&["--format", "markdown"], TRACE);
    assert!(
        markdown.contains("| input_length | 5 | 0 | 20 | 9.099 | 5 | 14 | 25 |"),
        "{markdown}"
    );
    let (_, csv, notes) = stats(&["--format", "csv", "--block-size", "10"], TRACE);
    let mut lines = csv.lines();
    let header = "metric,value,count,censored,mean,std,min,p25,p50,p75,p90,p95,p99,max";
    assert_eq!(lines.next(), Some(header));
    let columns = header.split(',').count();
    assert!(
        lines.all(|line| line.split(',').count() == columns),
        "{csv}"
    );
    assert!(csv.contains("\nblock_hit_rate,0.5,,"), "{csv}");
    assert!(csv.contains("\ncontext_length,,5,0,15.2,"), "{csv}");
    assert!(
        notes.contains("1 of 5 requests have no hash_ids"),
        "{notes}"
    );
}

#[test]
fn groups_are_reported_apart() {
    let report = report(&["--by", "model"], TRACE);
    assert_eq!(report["requests"], 5);
    let groups = report["groups"].as_array().unwrap();
    let found: Vec<_> = groups
        .iter()
        .map(|group| (&group["by"]["model"], &group["requests"]))
        .collect();
    assert_eq!(found, [(&json!("m"), &json!(2)), (&json!(null), &json!(3))]);
}

#[test]
fn files_can_be_told_apart_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("day.jsonl");
    std::fs::write(&path, TRACE).unwrap();
    let named = |name: &str| format!("{name}={}", path.display());
    let report = report(&["--by", "source", &named("x"), &named("y")], "");
    assert_eq!(report["requests"], 10);
    assert_eq!(report["groups"][0]["by"]["source"], "x");
    assert_eq!(report["groups"][1]["requests"], 5);
}

#[test]
fn requests_among_outcomes_are_mentioned() {
    let (_, stdout, _) = stats(&[], format!("{OUTCOMES}{TRACE}"));
    assert!(stdout.starts_with("outcomes: 9 requests"), "{stdout}");
    assert!(
        stdout.contains("5 of 9 lines are requests without an outcome"),
        "{stdout}"
    );
}

#[test]
fn violations_are_counted_with_their_places_and_stop_nothing() {
    let trace = r#"{"input_length":25,"hash_ids":[1,2]}
{"input_length":5,"hash_ids":[1,2,3]}
{"input_length":11,"hash_ids":[1,9]}
{"hash_ids":[1],"text_input":"hi"}
{"input_length":31,"hash_ids":[1,2,3,9]}
"#;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.jsonl");
    std::fs::write(&path, trace).unwrap();
    let place = |line: u32| format!("{}:{line}", path.display());
    let report = report(&["--block-size", "10", path.to_str().unwrap()], "");
    let flaws = &report["flaws"];
    assert_eq!(
        flaws["too_few_ids"],
        json!({"count": 1, "first": [place(1)]})
    );
    assert_eq!(
        flaws["too_many_ids"],
        json!({"count": 1, "first": [place(2)]})
    );
    assert_eq!(
        flaws["without_input_length"],
        json!({"count": 1, "first": [place(4)]})
    );
    // The third block of line 2 is repeated, so its context is its 5 tokens;
    // line 5 repeats three full blocks of its 31 tokens.
    assert_eq!(flaws.get("context_exceeds_input"), None);
    assert_eq!(report["requests"], 5);
}

#[test]
fn an_empty_trace_is_a_trace() {
    for input in ["", "\n\n"] {
        let (code, stdout, stderr) = stats(&["--format", "json"], input);
        assert_eq!(code, 0);
        assert_eq!(stderr, "trace-stats: the input holds no requests\n");
        let report: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(report["requests"], 0);
        assert_eq!(report["duration_ms"], Value::Null);
        assert_eq!(report["metrics"], json!({}));
    }
    for format in ["table", "csv", "markdown"] {
        assert_eq!(stats(&["--format", format], "").0, 0);
    }
}

#[test]
fn bad_input_gets_one_line_and_exit_2() {
    let cases: [(&[u8], &str); 6] = [
        (
            b"{\"input_length\":3}\n{\"input_len",
            "trace-stats: <stdin>:2:11: ",
        ),
        (
            b"{\"input_length\":\"x\"}\n",
            "trace-stats: <stdin>:1:17: invalid type: string",
        ),
        (
            b"{\"input_length\":3,\"timestamp\":-1}\n",
            "trace-stats: <stdin>:1:31: ",
        ),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0",
            "trace-stats: <stdin>:1:1: this is a PNG image",
        ),
        (
            b"{\"input_length\":3,\"ttft_ms\":\"soon\"}\n",
            "trace-stats: <stdin>:1:29: invalid type: string",
        ),
        (
            b"{\"input_length\":3,\"error\":7}\n",
            "trace-stats: <stdin>:1:",
        ),
    ];
    for (input, message) in cases {
        let (code, stdout, stderr) = stats(&[], input);
        assert_eq!(code, 2, "{stderr}");
        assert_eq!(stdout, "");
        assert!(stderr.starts_with(message), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let (code, _, stderr) = stats(&["no/such.jsonl"], "");
    assert_eq!(code, 2);
    assert_eq!(
        stderr,
        "trace-stats: cannot open no/such.jsonl: No such file or directory\n"
    );
    assert_eq!(stats(&["--format", "xml"], "").0, 2);
    assert_eq!(stats(&["--block-size", "0"], "").0, 2);
}

#[test]
fn bad_lines_can_be_skipped_and_are_counted() {
    let input = "oops\n{\"input_length\":3}\n{}\n";
    let (code, stdout, stderr) = stats(&["--skip-invalid", "--format", "json"], input);
    assert_eq!(code, 0);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&report["requests"], &report["skipped_lines"]),
        (&json!(1), &json!(2))
    );
    assert!(stderr.contains("skipped 2 invalid lines"), "{stderr}");
}

#[test]
fn huge_numbers_are_numbers() {
    let line = format!(
        "{{\"input_length\":{0},\"output_length\":{0},\"hash_ids\":[{0}],\"timestamp\":0}}\n",
        u64::MAX
    );
    let report = report(&[], line.repeat(2));
    assert_eq!(
        report["metrics"]["input_length"]["max"],
        18_446_744_073_709_551_615u64 as f64
    );
    assert_eq!(report["fully_repeated"], 2);
}

#[test]
fn a_reader_that_hangs_up_is_no_failure() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_trace-stats"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child
        .stdin
        .take()
        .unwrap()
        .write_all(TRACE.as_bytes())
        .unwrap();
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), stderr.as_str()),
        (Some(0), "")
    );
}

#[test]
fn help_says_what_it_holds() {
    let (code, stdout, _) = stats(&["--help"], "");
    assert_eq!(code, 0);
    for word in ["Examples:", "Memory", "--no-prefix", "user_ttft_ms"] {
        assert!(stdout.contains(word), "{word}: {stdout}");
    }
}

/// The published figures of the Mooncake conversation trace. The trace is
/// 3 MB and not ours, so it is read from the folder that `TRACE_DATA` names.
#[test]
fn the_conversation_trace_comes_out_to_the_last_digit() {
    let Some(folder) = std::env::var_os("TRACE_DATA") else {
        eprintln!("SKIPPED: set TRACE_DATA to the folder of conversation_trace.jsonl");
        return;
    };
    let path = std::path::Path::new(&folder).join("conversation_trace.jsonl");
    let (_, text, _) = stats(&["--format", "json", path.to_str().unwrap()], "");
    let report: Value = serde_json::from_str(&text).unwrap();
    // Parsed digit by digit, since serde_json may miss the last one.
    let figure = |metric: &str, name: &str| -> f64 {
        let (_, rest) = text.split_once(&format!("\"{metric}\": {{")).unwrap();
        let (_, rest) = rest.split_once(&format!("\"{name}\": ")).unwrap();
        let end = rest.find([',', '\n']).unwrap();
        rest[..end].parse().unwrap()
    };
    let golden = [
        (
            "input_length",
            [
                12035.061341534369,
                15800.344851301792,
                891.0,
                2306.5,
                6909.0,
                15367.0,
                126195.0,
            ],
        ),
        (
            "context_length",
            [
                6373.585487490649,
                12024.627428204118,
                512.0,
                512.0,
                1536.0,
                7168.0,
                122880.0,
            ],
        ),
        (
            "unique_prompt_length",
            [
                5661.475854043721,
                12353.496775322432,
                0.0,
                350.0,
                594.0,
                6071.5,
                125683.0,
            ],
        ),
        (
            "output_length",
            [
                342.6189011719724,
                249.90803456204557,
                1.0,
                156.5,
                350.0,
                472.0,
                2000.0,
            ],
        ),
        (
            "prefix_hit_rate",
            [
                0.38425808746366197,
                0.33651244604875785,
                0.0,
                0.06666666666666667,
                0.3333333333333333,
                0.6666666666666666,
                1.0,
            ],
        ),
    ];
    for (metric, figures) in golden {
        let names = ["mean", "std", "min", "p25", "p50", "p75", "max"];
        for (name, golden) in names.into_iter().zip(figures) {
            assert_eq!(figure(metric, name), golden, "{metric} {name}");
        }
    }
    let counts = [
        ("requests", 12_031),
        ("blocks", 288_500),
        ("distinct_blocks", 182_790),
        ("repeated_blocks", 44_144),
        ("fully_repeated", 214),
        ("prefix_groups", 1),
    ];
    for (name, count) in counts {
        assert_eq!(report[name], count, "{name}");
    }
    let close = |name: &str, figure: f64| {
        let found = report[name].as_f64().unwrap();
        assert!((found - figure).abs() < 1e-10, "{name}: {found}");
    };
    close("block_hit_rate", 0.366_412_478_3);
    close("token_hit_rate", 0.373_623_749_1);
    close("prefix_reuse_ratio", 0.519_424_610_051_993);
}

/// Whether the process has a handler for SIGINT, signal 2.
#[cfg(target_os = "linux")]
fn catches_interrupts(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_pipe_still_gives_its_numbers() {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    let mut stats = Command::new(env!("CARGO_BIN_EXE_trace-stats"))
        .args(["--format", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = stats.stdin.take().unwrap();
    input.write_all(b"{\"input_length\":7}\n").unwrap();
    while !catches_interrupts(stats.id()) {
        std::thread::yield_now();
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &stats.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    std::thread::sleep(std::time::Duration::from_millis(100));
    input.write_all(b"{\"input_length\":9}\n").unwrap();
    drop(input);
    let mut report = String::new();
    stats
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut report)
        .unwrap();
    assert!(stats.wait().unwrap().success());
    assert!(report.contains("\nrequests,2,"), "{report}");
}

#[test]
fn the_curve_of_a_cache_comes_from_the_same_pass() {
    let report = report(&["--block-size", "10", "--cache"], TRACE);
    let curve = report["cache"]["curves"][0]["curve"].as_array().unwrap();
    // Everything fits: the hit rate is that of an infinite cache.
    assert_eq!(curve.last().unwrap()["hit_rate"], report["block_hit_rate"]);
    let (code, _, stderr) = stats(&["--cache", "--no-prefix"], TRACE);
    assert_eq!(code, 2, "{stderr}");
}
