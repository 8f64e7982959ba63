//! Lines told apart.

use crate::harness::{TRACE, report, stats};
use serde_json::{Value, json};

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

/// Two levels of a sweep, two rounds each; the second round is twice as fast.
pub(crate) const SWEEP: &str = r#"{"input_length":600,"session_id":"s","concurrency":4,"round":1,"scheduled_ms":0,"sent_ms":0,"ttft_ms":100,"latency_ms":1000,"output_tokens":10}
{"input_length":600,"session_id":"s","concurrency":4,"round":1,"scheduled_ms":0,"sent_ms":1000,"ttft_ms":300,"latency_ms":1000,"output_tokens":10}
{"input_length":600,"session_id":"s","concurrency":4,"round":2,"scheduled_ms":2000,"sent_ms":2000,"ttft_ms":50,"latency_ms":500,"output_tokens":10}
{"input_length":1300,"session_id":"s","concurrency":4,"round":2,"scheduled_ms":2000,"sent_ms":2500,"ttft_ms":150,"latency_ms":500,"output_tokens":10}
{"input_length":600,"concurrency":16,"round":1,"scheduled_ms":4000,"sent_ms":4000,"ttft_ms":400,"latency_ms":2000,"status":200}
{"input_length":600,"concurrency":16,"round":2,"scheduled_ms":6000,"sent_ms":6000,"latency_ms":10,"status":429,"error":{"kind":"http","message":"busy"}}
"#;

fn values(by: &str) -> Vec<(String, u64)> {
    let report = report(&["--by", by], SWEEP);
    let groups = report["groups"].as_array().unwrap();
    let pair = |group: &Value| {
        let values = group["by"].as_object().unwrap().values();
        let values: Vec<String> = values.map(Value::to_string).collect();
        (values.join(" "), group["requests"].as_u64().unwrap())
    };
    groups.iter().map(pair).collect()
}

fn pairs(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    let owned = pairs
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count));
    owned.collect()
}

#[test]
fn lines_are_told_apart_by_what_is_worked_out_too() {
    assert_eq!(values("turn"), pairs(&[("1", 2), ("2", 2), ("null", 2)]));
    let buckets = [(r#""512..1024""#, 5), (r#""1024..2048""#, 1)];
    assert_eq!(values("length-bucket"), pairs(&buckets));
    assert_eq!(
        values("error.kind"),
        pairs(&[(r#""http""#, 1), ("null", 5)])
    );
    assert_eq!(
        values("status"),
        pairs(&[("200", 1), ("429", 1), ("null", 4)])
    );
    let sweep = [("4 1", 2), ("4 2", 2), ("16 1", 1), ("16 2", 1)];
    assert_eq!(values("concurrency,round"), pairs(&sweep));
    let bounds = ["--by", "length-bucket", "--buckets", "1000"];
    let report = report(&bounds, SWEEP);
    assert_eq!(report["groups"][0]["by"]["length-bucket"], "0..1000");
}

#[test]
fn each_round_is_compared_with_the_one_before() {
    let report = report(&["--by", "concurrency,round"], SWEEP);
    let change = &report["round_changes"][0];
    assert_eq!(change["by"], json!({"concurrency": 4}));
    assert_eq!((&change["from"], &change["to"]), (&json!(1), &json!(2)));
    let figures = &change["figures"];
    assert_eq!(
        figures["ttft_ms.mean"],
        json!({"from": 200, "to": 100, "change": -0.5})
    );
    assert_eq!(figures["throughput_rps"]["change"], 1);
    // Everything failed in the second round of the other level.
    let change = &report["round_changes"][1]["figures"];
    assert_eq!(
        change["latency_ms.p50"],
        json!({"from": 2000, "to": null, "change": null})
    );
}

#[test]
fn the_comparison_is_readable() {
    let args = [
        "--by",
        "concurrency,round",
        "--slo",
        "ttft_ms=300",
        "--no-prefix",
    ];
    let (code, stdout, stderr) = stats(&args, SWEEP);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let (_, comparison) = stdout.rsplit_once("\n\nttft_ms\n").unwrap();
    insta::assert_snapshot!(comparison, @r"
    concurrency  round  count  failed  mean  std  min  p50  p90  p95  p99  max
    4            1          2       0   200  100  100  200  280  290  298  300
    4            2          2       0   100   50   50  100  140  145  149  150
    16           1          1       0   400    0  400  400  400  400  400  400
    16           2          0       1     -    -    -  inf  inf  inf  inf    -

    latency_ms
    concurrency  round  count  failed  mean  std   min   p50   p90   p95   p99   max
    4            1          2       0  1000    0  1000  1000  1000  1000  1000  1000
    4            2          2       0   500    0   500   500   500   500   500   500
    16           1          1       0  2000    0  2000  2000  2000  2000  2000  2000
    16           2          0       1     -    -     -   inf   inf   inf   inf     -

    user_ttft_ms
    concurrency  round  count  failed  mean  std  min  p50   p90   p95   p99   max
    4            1          2       0   700  600  100  700  1180  1240  1288  1300
    4            2          2       0   350  300   50  350   590   620   644   650
    16           1          1       0   400    0  400  400   400   400   400   400
    16           2          0       1     -    -    -  inf   inf   inf   inf     -

    user_latency_ms
    concurrency  round  count  failed  mean  std   min   p50   p90   p95   p99   max
    4            1          2       0  1500  500  1000  1500  1900  1950  1990  2000
    4            2          2       0   750  250   500   750   950   975   995  1000
    16           1          1       0  2000    0  2000  2000  2000  2000  2000  2000
    16           2          0       1     -    -     -   inf   inf   inf   inf     -

    output_tokens
    concurrency  round  count  failed  mean  std  min  p50  p90  p95  p99  max
    4            1          2       0    10    0   10   10   10   10   10   10
    4            2          2       0    10    0   10   10   10   10   10   10
    16           1          -       -     -    -    -    -    -    -    -    -
    16           2          -       -     -    -    -    -    -    -    -    -

    requests and throughput
    concurrency  round  requests  succeeded  failed  error_rate  throughput_rps  output_tps  total_tps
    4            1             2          2       0           0               1          10          -
    4            2             2          2       0           0               2          20          -
    16           1             1          1       0           0          0.5000           -          -
    16           2             1          0       1           1               0           0          0

    goodput
    concurrency  round  requests  good  slo_attainment  goodput_rps  goodput_tps
    4            1             2     1          0.5000       0.5000            5
    4            2             2     1          0.5000            1           10
    16           1             1     0               0            0            0
    16           2             1     0               0            0            0

    round to round
    concurrency  rounds  figure                before   after   change
    4            1, 2    ttft_ms.mean             200     100   -50.0%
    4            1, 2    ttft_ms.p50              200     100   -50.0%
    4            1, 2    ttft_ms.p90              280     140   -50.0%
    4            1, 2    ttft_ms.p99              298     149   -50.0%
    4            1, 2    latency_ms.mean         1000     500   -50.0%
    4            1, 2    latency_ms.p50          1000     500   -50.0%
    4            1, 2    latency_ms.p90          1000     500   -50.0%
    4            1, 2    latency_ms.p99          1000     500   -50.0%
    4            1, 2    user_ttft_ms.mean        700     350   -50.0%
    4            1, 2    user_ttft_ms.p50         700     350   -50.0%
    4            1, 2    user_ttft_ms.p90        1180     590   -50.0%
    4            1, 2    user_ttft_ms.p99        1288     644   -50.0%
    4            1, 2    user_latency_ms.mean    1500     750   -50.0%
    4            1, 2    user_latency_ms.p50     1500     750   -50.0%
    4            1, 2    user_latency_ms.p90     1900     950   -50.0%
    4            1, 2    user_latency_ms.p99     1990     995   -50.0%
    4            1, 2    error_rate                 0       0        -
    4            1, 2    throughput_rps             1       2  +100.0%
    4            1, 2    output_tps                10      20  +100.0%
    4            1, 2    slo_attainment        0.5000  0.5000    +0.0%
    4            1, 2    goodput_rps           0.5000       1  +100.0%
    4            1, 2    goodput_tps                5      10  +100.0%
    16           1, 2    ttft_ms.mean             400       -        -
    16           1, 2    ttft_ms.p50              400     inf        -
    16           1, 2    ttft_ms.p90              400     inf        -
    16           1, 2    ttft_ms.p99              400     inf        -
    16           1, 2    latency_ms.mean         2000       -        -
    16           1, 2    latency_ms.p50          2000     inf        -
    16           1, 2    latency_ms.p90          2000     inf        -
    16           1, 2    latency_ms.p99          2000     inf        -
    16           1, 2    user_ttft_ms.mean        400       -        -
    16           1, 2    user_ttft_ms.p50         400     inf        -
    16           1, 2    user_ttft_ms.p90         400     inf        -
    16           1, 2    user_ttft_ms.p99         400     inf        -
    16           1, 2    user_latency_ms.mean    2000       -        -
    16           1, 2    user_latency_ms.p50     2000     inf        -
    16           1, 2    user_latency_ms.p90     2000     inf        -
    16           1, 2    user_latency_ms.p99     2000     inf        -
    16           1, 2    error_rate                 0       1        -
    16           1, 2    throughput_rps        0.5000       0  -100.0%
    16           1, 2    output_tps                 -       0        -
    16           1, 2    slo_attainment             0       0        -
    16           1, 2    goodput_rps                0       0        -
    16           1, 2    goodput_tps                0       0        -

    quantiles: linear interpolation between closest ranks (numpy's default, Hyndman-Fan type 7); std: population
    ");
}

#[test]
fn too_many_groups_are_not_held() {
    let (code, stdout, stderr) = stats(&["--by", "round", "--max-groups", "1"], SWEEP);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(
        stderr,
        "trace-stats: --by round makes more than 1 groups; --max-groups allows more\n"
    );
}

#[test]
fn a_field_without_a_name_is_refused() {
    for by in ["", ",", "round,"] {
        let (code, stdout, stderr) = stats(&["--by", by], SWEEP);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(
            stderr.contains("a name between commas is empty"),
            "{stderr}"
        );
    }
}

#[test]
fn a_field_that_no_line_has_is_mentioned() {
    let report = report(&["--by", "modle"], SWEEP);
    assert_eq!(report["groups"].as_array().unwrap().len(), 1);
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("no line has it; did you mean model?"),
        "{notes}"
    );
}
