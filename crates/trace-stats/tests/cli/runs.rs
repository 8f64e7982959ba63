//! Parts of runs, windows, intervals, telemetry, runs side by side.

use crate::harness::{OUTCOMES, TRACE, report, stats};
use serde_json::{Value, json};

/// Four hundred answers, ten a second, each by `more` ms slower than it might be.
fn answers(more: u64) -> String {
    let line = |at: u64| {
        let (scheduled, latency) = (at * 100, 100 + at * 37 % 101 + more);
        format!(
            "{{\"input_length\":9,\"seq\":{at},\"scheduled_ms\":{scheduled},\"due_ms\":{scheduled},\"sent_ms\":{scheduled},\"lateness_ms\":0,\"ttft_ms\":{more},\"latency_ms\":{latency}}}\n"
        )
    };
    (0..400).map(line).collect()
}

#[test]
fn parts_of_traces_and_outcomes_add_up_to_one_report() {
    for text in [TRACE, OUTCOMES] {
        let (head, tail) = text.split_at(text.find('\n').unwrap() + 1);
        let parts = [tail, head].map(|part| {
            let (code, line, stderr) = stats(&["--partial", "--by", "model"], part);
            assert_eq!((code, line.lines().count()), (0, 1), "{stderr}");
            line
        });
        let sum = report(&["--combine"], parts.concat());
        assert_eq!(sum, report(&["--no-prefix", "--by", "model"], text));
    }
}

#[test]
fn what_is_no_part_says_what_would_be() {
    let (code, _, stderr) = stats(&["--combine"], OUTCOMES);
    assert_eq!(
        (code, stderr.trim_end()),
        (
            2,
            "trace-stats: <stdin>:1:1: not a partial line of trace-stats; --partial writes them"
        )
    );
    let (_, part, _) = stats(&["--partial"], OUTCOMES);
    let (code, _, stderr) = stats(&[], part);
    assert!(
        code == 2 && stderr.contains("--combine adds them up"),
        "{stderr}"
    );
    let (code, _, stderr) = stats(&["--combine"], "");
    assert!(code == 2 && stderr.contains("no partial lines"), "{stderr}");
    let (code, _, stderr) = stats(&["--combine", "--by", "model"], "");
    assert!(code == 2 && stderr.contains("--by"), "{stderr}");
}

#[test]
fn a_part_whose_counts_contradict_each_other_is_refused() {
    let (_, part, _) = stats(&["--partial"], TRACE);
    let requests = part.find("\"requests\":").unwrap() + "\"requests\":".len();
    let end = requests + part[requests..].find(',').unwrap();
    for (count, reason) in [
        ("0", "whose counts contradict each other"),
        ("18446744073709551615", "of more requests than anybody has"),
    ] {
        let part = [&part[..requests], count, &part[end..]].concat();
        let (code, _, stderr) = stats(&["--combine"], part);
        let said = format!("trace-stats: <stdin>:1:1: a partial line {reason}\n");
        assert_eq!((code, stderr), (2, said));
    }
}

#[test]
fn a_window_says_whose_throughput_it_has() {
    let run = |latency: u32| {
        let line = |i: u32| {
            format!(
                "{{\"input_length\":1,\"seq\":{i},\"scheduled_ms\":{0},\"sent_ms\":{0},\"latency_ms\":{latency}}}\n",
                i * 100
            )
        };
        let lines: String = (0..100).map(line).collect();
        report(&["--window", "1s..3s"], lines)["notes"].to_string()
    };
    let notes = run(10_000);
    assert!(
        notes.contains("20 of 20 answers ended after the window"),
        "{notes}"
    );
    assert!(!run(50).contains("ended after"));
}

#[test]
fn a_window_counts_what_was_scheduled_in_it() {
    let found = report(&["--window", "10s..20s"], answers(0));
    assert_eq!(
        (&found["requests"], &found["outside_window"]),
        (&json!(100), &json!(300))
    );
    assert_eq!(found["duration_ms"], 10_000);
    let auto = report(&["--window", "auto"], answers(0));
    assert!(
        auto["notes"][0]
            .as_str()
            .unwrap()
            .starts_with("steady state of the run"),
        "{auto}"
    );
    let (code, _, stderr) = stats(&["--window", "auto"], TRACE);
    assert!(
        code == 2 && stderr.contains("--window auto needs outcomes"),
        "{stderr}"
    );
    let (code, _, stderr) = stats(&["--window", "auto", "--partial"], OUTCOMES);
    assert!(
        code == 2 && stderr.contains("needs the whole run"),
        "{stderr}"
    );
    let (code, _, stderr) = stats(&["--window", "20s..10s"], OUTCOMES);
    assert!(
        code == 2 && stderr.contains("ends before it begins"),
        "{stderr}"
    );
}

#[test]
fn a_window_lasts_from_its_beginning_to_its_end() {
    let line = |at: u64| {
        format!(
            r#"{{"seq":{at},"input_length":1,"output_length":1,"scheduled_ms":{at},"sent_ms":{at},"latency_ms":2}}"#
        ) + "\n"
    };
    let lines: String = [0, 9_900, 15_000].into_iter().map(line).collect();
    let rate = |window: &str| {
        let found = report(&["--window", window], lines.clone());
        (
            found["duration_ms"].clone(),
            found["throughput_rps"].clone(),
        )
    };
    assert_eq!(rate("5s..10s"), (json!(5_000), json!(0.2)));
    assert_eq!(rate("5s..15s"), (json!(10_000), json!(0.1)));
    // The run ends before the window does.
    assert_eq!(rate("5s..10m").0, json!(10_002));
    assert_eq!(rate("..10s").0, json!(10_000));
    let parts = lines
        .lines()
        .map(|line| stats(&["--partial", "--window", "5s..10s"], line).1);
    let sum = report(&["--combine"], parts.collect::<String>());
    assert_eq!(sum["duration_ms"], 5_000);
}

#[test]
fn intervals_hold_their_figure() {
    let found = report(&["--confidence"], answers(5));
    let of = &found["confidence"]["metrics"]["latency_ms"];
    for figure in ["mean", "p50", "p90", "p99"] {
        let value = found["metrics"]["latency_ms"][figure].as_f64().unwrap();
        let (low, high) = (of[figure][0].as_f64().unwrap(), of[figure][1].as_f64());
        assert!(
            low <= value && high.is_none_or(|high| value <= high),
            "{figure}: {of}"
        );
    }
    assert_eq!(found["confidence"]["level"], 0.95);
    let (code, stdout, _) = stats(&["--confidence=0.9"], answers(5));
    assert!(code == 0 && stdout.contains("90 %"), "{stdout}");
    let (code, _, stderr) = stats(&["--confidence=2"], OUTCOMES);
    assert!(code == 2 && stderr.contains("a probability"), "{stderr}");
}

/// 600 answers of which each remembers the one before, in turn slow and quick for
/// `long` of them.
fn swings(long: usize) -> String {
    let line = |at: usize| {
        let slow = if (at / long).is_multiple_of(2) {
            100
        } else {
            300
        };
        let latency = slow + at * 37 % 101;
        format!(
            r#"{{"seq":{at},"input_length":5,"scheduled_ms":{0},"sent_ms":{0},"latency_ms":{latency}}}"#,
            at * 100
        ) + "\n"
    };
    (0..600).map(line).collect()
}

#[test]
fn intervals_allow_for_requests_that_depend_on_each_other() {
    let [mixed, swinging] = [1, 30].map(|long| report(&["--confidence"], swings(long)));
    let of = |report: &Value| report["confidence"]["metrics"]["latency_ms"].clone();
    let width = |report: &Value, figure: &str| {
        let ends = [0, 1].map(|end| of(report)[figure][end].as_f64().unwrap());
        ends[1] - ends[0]
    };
    let p50 = |report: &Value| report["metrics"]["latency_ms"]["p50"].clone();
    assert_eq!(p50(&mixed), p50(&swinging));
    for figure in ["mean", "p75"] {
        let (near, far) = (width(&mixed, figure), width(&swinging, figure));
        assert!(far > 2.0 * near, "{figure}: {near} {far}");
    }
    let effective = |report: &Value| of(report)["effective"]["p50"].as_f64().unwrap();
    assert_eq!(effective(&mixed), 600.0);
    assert!(effective(&swinging) < 100.0, "{swinging}");
}

#[test]
fn without_times_there_are_no_intervals_and_it_says_so() {
    let untimed = swings(1)
        .replace("\"scheduled_ms\"", "\"x\"")
        .replace("\"sent_ms\"", "\"y\"");
    let found = report(&["--confidence"], untimed);
    let latency = &found["confidence"]["metrics"]["latency_ms"];
    assert_eq!(latency["p50"], json!([null, null]));
    let notes = found["notes"].to_string();
    assert!(notes.contains("no intervals of latency_ms"), "{notes}");
}

#[test]
fn intervals_of_absurd_numbers_take_no_memory() {
    let token = r#""ttft_ms":5,"output_tokens":9007199254740992,"chunks":2,"itl_ms":[5]"#;
    let lines = swings(1).replace("\"seq\"", &format!("{token},\"seq\""));
    let found = report(&["--confidence"], lines);
    let gaps = &found["confidence"]["metrics"]["itl_ms"];
    assert_eq!(gaps["p50"][0], found["metrics"]["itl_ms"]["p50"], "{gaps}");
}

#[test]
fn many_values_are_a_sketch_that_says_so() {
    let exact = report(&["--no-prefix"], answers(5));
    let sketch = report(&["--no-prefix", "--exact-up-to", "0"], answers(5));
    let p99 = |report: &Value| report["metrics"]["latency_ms"]["p99"].as_f64().unwrap();
    let error = sketch["metrics"]["latency_ms"]["quantile_error"]
        .as_f64()
        .unwrap();
    assert!((p99(&sketch) / p99(&exact) - 1.0).abs() <= error);
    let notes = sketch["notes"].to_string();
    assert!(notes.contains("within 0.05 %") && !exact["notes"].to_string().contains("sketch"));
    let (code, _, stderr) = stats(&["--exact-up-to", "some"], "");
    assert!(
        code == 2 && stderr.contains("a number or `all`"),
        "{stderr}"
    );
}

#[test]
fn runs_of_different_traces_are_no_pairs() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name).to_string_lossy().into_owned());
    std::fs::write(&a, answers(10)).unwrap();
    let other = answers(10).replace("\"input_length\":", "\"input_length\":1");
    std::fs::write(&b, other).unwrap();
    let (code, page, _) = stats(&["compare", &a, &b], "");
    assert_eq!(code, 0);
    assert!(
        page.contains("400 requests of one identity ask for different prompts"),
        "{page}"
    );
    assert!(page.contains("mann-whitney"), "{page}");
}

#[test]
fn runs_are_held_against_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let (a, b) = (write("a.jsonl", answers(10)), write("b.jsonl", answers(13)));
    let compare = |flags: &[&str]| {
        let mut all = vec!["compare", "--resamples", "200", &a, &b];
        all.extend(flags);
        stats(&all, "")
    };
    let (code, json, _) = compare(&["--format", "json"]);
    let contest: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &contest["pairs"]), (0, &json!(400)));
    let latency = &contest["metrics"].as_array().unwrap()[1];
    assert_eq!(latency["name"], "latency_ms");
    assert_eq!(
        latency["shifts"]["mean"],
        json!({"difference": 3, "interval": [3, 3]})
    );
    let (code, page, _) = compare(&["--tolerance", "ttft_ms.p50.worse=0.1"]);
    assert!(
        code == 1 && page.contains("ttft_ms.p50.worse: 0.3000, allowed 0.1000"),
        "{page}"
    );
    let (code, page, _) = compare(&["--tolerance", "latency_ms.*.worse=0.1"]);
    assert!(
        code == 0 && page.contains("within every tolerance"),
        "{page}"
    );
    let (code, page, _) = compare(&["--requests"]);
    assert!(
        code == 0 && page.contains("dispersion"),
        "as traces: {page}"
    );
}

#[test]
fn telemetry_is_summarised_and_told_from_requests() {
    let line = r#"{"t_ms":1,"unix_ms":5,"source":"nvml","name":"power","labels":{"gpu":"0"},"value":100,"unit":"W"}"#;
    let (code, stdout, _) = stats(&["telemetry"], line);
    assert!(
        code == 0 && stdout.contains(r#"power{gpu="0"}"#),
        "{stdout}"
    );
    let (code, _, stderr) = stats(&[], line);
    assert!(
        code == 2 && stderr.contains("trace-stats telemetry reads them"),
        "{stderr}"
    );
    let (code, _, stderr) = stats(&["telemetry"], TRACE);
    assert!(
        code == 2 && stderr.contains("not a line of telemetry"),
        "{stderr}"
    );
    let (code, _, stderr) = stats(&["telemetry"], "");
    assert!(code == 0 && stderr.contains("no samples"), "{stderr}");
}
