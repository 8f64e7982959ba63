//! Assertions, made for Makefiles and CI.

use crate::harness::{TRACE, stats};
use crate::objectives::RUN;
use serde_json::{Value, json};

fn judge(assertions: &[&str], more: &[&str]) -> (i32, Vec<String>) {
    let flags = assertions.iter().flat_map(|text| ["--assert", text]);
    let args: Vec<&str> = flags.chain(more.iter().copied()).collect();
    let (code, _, stderr) = stats(&args, RUN);
    (code, stderr.lines().map(str::to_owned).collect())
}

#[test]
fn each_assertion_is_told_and_one_failure_is_exit_1() {
    let (code, lines) = judge(&["error_rate<=25%", "ttft_ms.mean<150"], &[]);
    assert_eq!(code, 1);
    assert_eq!(
        lines,
        [
            "trace-stats: passed: error_rate<=25%: it is 0.2500",
            "trace-stats: FAILED: ttft_ms.mean<150: it is 200, 50 too much (33.3%)",
        ]
    );
    let (code, lines) = judge(&["error_rate<=25%", "requests==5"], &[]);
    assert_eq!((code, lines.len()), (0, 2));
}

#[test]
fn failures_fail_every_upper_bound_on_a_quantile_they_reach() {
    assert_eq!(judge(&["ttft_ms.p99<1000000"], &[]).0, 1);
    assert_eq!(judge(&["ttft_ms.p50<1000000"], &[]).0, 0);
    assert_eq!(judge(&["ttft_ms.p99<1000000"], &["--successes-only"]).0, 0);
}

#[test]
fn with_groups_it_must_hold_in_each() {
    let (code, lines) = judge(&["failed==0"], &["--by", "model"]);
    assert_eq!(code, 1);
    assert_eq!(
        lines,
        [
            "trace-stats: passed: model = \"a\": failed==0: it is 0",
            "trace-stats: FAILED: model = \"b\": failed==0: it is 1, 1 too much",
        ]
    );
}

#[test]
fn objectives_can_be_asserted() {
    let slo = ["--slo", "ttft_ms=200"];
    assert_eq!(judge(&["slo_attainment>=0.5"], &slo).0, 0);
    assert_eq!(judge(&["slo.ttft_ms.attainment>0.5"], &slo).0, 1);
    let (code, lines) = judge(&["slo_attainment>=0"], &[]);
    assert_eq!(code, 1);
    assert!(lines[0].contains("has none"), "{lines:?}");
}

#[test]
fn nothing_passes_on_nothing() {
    let (code, _, stderr) = stats(&["--assert", "ttft_ms.p99<500"], "");
    assert_eq!(code, 1);
    assert!(
        stderr.contains("FAILED: ttft_ms.p99<500: no request has ttft_ms"),
        "{stderr}"
    );
    assert_eq!(stats(&["--assert", "requests>0"], "").0, 1);
    let (code, _, stderr) = stats(&["--assert", "error_rate<0.5"], TRACE);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("requests without outcomes has none"),
        "{stderr}"
    );
}

#[test]
fn an_unknown_name_is_bad_usage() {
    for (text, hint) in [
        ("tfft_ms.p99<5", "did you mean ttft_ms?"),
        ("ttft_ms<5", "such as ttft_ms.p99"),
        ("ttft_ms.p98<5", "did you mean"),
        ("ttft_ms.p99", "expected NAME"),
    ] {
        let (code, lines) = judge(&[text], &[]);
        assert_eq!(code, 2, "{text}");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(hint), "{lines:?}");
    }
}

#[test]
fn the_report_has_them_too() {
    let args = [
        "--assert",
        "failed<1",
        "--assert",
        "requests==5",
        "--format",
    ];
    let run = |format| {
        let (code, stdout, stderr) = stats(&[&args[..], &[format]].concat(), RUN);
        assert_eq!(code, 1);
        assert!(stderr.contains("FAILED: failed<1"), "{stderr}");
        stdout
    };
    let json: Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(
        json["assertions"],
        json!([
            {"assertion": "failed<1", "passed": false, "value": 1, "excess": 0, "words": "failed<1: it is 1, the bound itself"},
            {"assertion": "requests==5", "passed": true, "value": 5, "words": "requests==5: it is 5"},
        ])
    );
    assert!(run("markdown").contains("- **failed**: failed<1: it is 1"));
    assert!(run("csv").contains("\nfailed<1,false,"));
    assert!(run("prometheus").contains("trace_stats_assertion_passed{assertion=\"failed<1\"} 0\n"));
}

#[test]
fn the_far_tail_can_be_asserted() {
    let (code, lines) = judge(
        &["latency_ms.p99.9<1", "ttft_ms.p99.9>0"],
        &["--successes-only"],
    );
    assert_eq!(code, 1);
    assert!(
        lines[0].starts_with("trace-stats: FAILED: latency_ms.p99.9<1: it is "),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("trace-stats: passed: "), "{lines:?}");
}
