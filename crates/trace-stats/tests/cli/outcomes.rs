//! What the report says of outcomes.

use crate::harness::{OUTCOMES, TRACE, report, stats};
use serde_json::{Value, json};

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

                          count  failed    mean     std     min     p50     p90     p95     p99     max
    ttft_ms                   2       1      75      25      50     100     inf     inf     inf     100
    tpot_ms                   2       1      20      10      10      30     inf     inf     inf      30
    tpot_with_ttft_ms         2       1  33.750  13.750      20  47.500     inf     inf     inf  47.500
    tpot_phase02_ms           2       1  33.875  13.625  20.250  47.500     inf     inf     inf  47.500
    itl_ms                    5       0      24       8      10      30      30      30      30      30
    icl_ms                    5       0      24       8      10      30      30      30      30      30
    latency_ms                2       1  135.50  54.500      81     190     inf     inf     inf     190
    user_ttft_ms              2       1      81      29      52     110     inf     inf     inf     110
    user_latency_ms           2       1  141.50  58.500      83     200     inf     inf     inf     200
    lateness_ms               3       0  0.6667  0.9428       0       0   1.600   1.800   1.960       2
    queue_ms                  3       0   3.333   4.714       0       0       8       9   9.800      10
    request_output_tps        2       0  35.218  14.165  21.053  35.218  46.550  47.966  49.099  49.383
    input_tokens              2       0      15       5      10      15      19  19.500  19.900      20
    output_tokens             2       0       4       0       4       4       4       4       4       4
    cached_tokens             1       0      10       0      10      10      10      10      10      10
    input_length              4       0  12.500   4.330      10      10      17  18.500  19.700      20
    context_length            4       0       5       5       0       5      10      10      10      10
    unique_prompt_length      4       0   7.500   4.330       0      10      10      10      10      10
    prefix_hit_rate           3       0  0.1667  0.2357       0       0  0.4000  0.4500  0.4900  0.5000
    gap_ms                    3       0     300  282.84     100     100     580     640     688     700

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

    the client kept its schedule: p99 lateness 1.96 ms (limit 5 ms)
    itl_ms is per chunk in 1 of 2 requests: how many tokens a chunk has is unknown
    1 of 3 requests failed: infinite latencies in quantiles, left out of mean, std, min and max
    1 of 4 requests have no hash_ids: context 0, and no part in the hit rate

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
    let late = [late; 3].join("\n");
    let late = late.as_str();
    let (code, stdout, _) = stats(&[], late);
    assert_eq!(
        code, 0,
        "judging is for --assert, not for the exit code of a report"
    );
    assert!(
        stdout.contains("client-limited: p99 lateness 7.5 ms is above 5 ms"),
        "{stdout}"
    );
    assert_eq!(report(&[], late)["client_limited"], true);
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
