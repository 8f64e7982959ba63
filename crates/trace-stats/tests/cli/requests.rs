//! What the report says of requests.

use crate::harness::{TRACE, conversation_trace, report, stats};
use serde_json::{Value, json};

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

/// The published figures of the Mooncake conversation trace. The trace is
/// 3 MB and not ours, so it is read from the folder that `TRACE_DATA` names.
#[test]
fn the_conversation_trace_comes_out_to_the_last_digit() {
    let Some(path) = conversation_trace() else {
        return;
    };
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

#[test]
fn the_curve_of_a_cache_comes_from_the_same_pass() {
    let report = report(&["--block-size", "10", "--cache"], TRACE);
    let curve = report["cache"]["curves"][0]["curve"].as_array().unwrap();
    // Everything fits: the hit rate is that of an infinite cache.
    assert_eq!(curve.last().unwrap()["hit_rate"], report["block_hit_rate"]);
    let (code, _, stderr) = stats(&["--cache", "--no-prefix"], TRACE);
    assert_eq!(code, 2, "{stderr}");
}
