//! `trace-synth like --method iid` against what its formulas say: means
//! within four standard errors at 200,000 requests.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod like_lab;

use like_lab::{Trace, conversation_trace, deviation, families, like, mean};
use std::path::Path;

const REQUESTS: usize = 200_000;

/// A mean, and the standard deviation it comes with.
struct Expected(f64, f64);

fn assert_mean(flags: &str, what: &str, values: &[f64], expected: &Expected) {
    let Expected(mean_expected, deviation) = *expected;
    let error = deviation / (values.len() as f64).sqrt();
    let off = (mean(values) - mean_expected).abs() / error;
    assert!(
        off < 4.0,
        "{flags}: {what} {}, not {mean_expected}, {off:.1} standard errors off",
        mean(values)
    );
}

/// Context, unique and output length of 200,000 requests.
fn made(source: &Path, flags: &str) -> [Vec<f64>; 4] {
    let bytes = like(source, &format!("--method iid -n {REQUESTS} {flags}"));
    Trace::parse(&bytes).lengths()
}

#[test]
fn the_conversation_trace_gives_the_means_of_the_formulas() {
    let Some(source) = conversation_trace() else {
        return;
    };
    let context = || Expected(6377.2960, 12025.75);
    let unique = || Expected(5662.0798, 12358.42);
    for (flags, context, unique) in [
        ("", context(), unique()),
        (
            "--prefix-len-multiplier 2",
            Expected(12754.5920, 24051.51),
            unique(),
        ),
        (
            "--prefix-len-multiplier 0.5",
            Expected(3582.5105, 6062.31),
            unique(),
        ),
        (
            "--prompt-len-multiplier 1.5",
            context(),
            Expected(8724.8024, 18491.23),
        ),
        (
            "--prompt-len-multiplier 0.5",
            context(),
            Expected(2833.5468, 6126.99),
        ),
    ] {
        let [_, found_context, found_unique, output] = made(&source, flags);
        assert_mean(flags, "context", &found_context, &context);
        assert_mean(flags, "unique", &found_unique, &unique);
        assert_mean(flags, "output", &output, &Expected(342.6189, 249.91));
    }
}

#[test]
fn prefix_factors_act_as_said() {
    let trace = families::system_prompts();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), trace).unwrap();
    let [_, plain, ..] = made(file.path(), "");
    for factor in ["1.01", "1.5", "3"] {
        let flags = format!("--prefix-len-multiplier {factor}");
        let [_, scaled, ..] = made(file.path(), &flags);
        let expected = mean(&plain) * factor.parse::<f64>().unwrap();
        // The same walks, so that only the rounding to blocks differs.
        let off = (mean(&scaled) - expected).abs() / expected;
        assert!(off < 0.003, "{factor}: {} for {expected}", mean(&scaled));
        assert!(deviation(&scaled) > deviation(&plain));
    }
}

#[test]
fn other_flags_leave_times_and_walks_as_they_were() {
    let trace = families::agents();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), trace).unwrap();
    let trace = |flags: &str| Trace::parse(&like(file.path(), &format!("--method iid {flags}")));
    let (plain, long) = (trace(""), trace("--osl-multiplier 2"));
    for (one, other) in plain.requests.iter().zip(&long.requests) {
        assert_eq!(one.timestamp, other.timestamp);
        assert_eq!(one.hash_ids, other.hash_ids);
    }
    let other = trace("--seed 1");
    let differ = |at: &dyn Fn(usize) -> bool| (0..plain.requests.len()).any(at);
    assert!(differ(
        &|i| plain.requests[i].timestamp != other.requests[i].timestamp
    ));
    assert!(differ(
        &|i| plain.requests[i].output_length != other.requests[i].output_length
    ));
}

/// Dynamo's generators share a seed: a long tail comes with a full last
/// block, a large instant with a long gap.
#[test]
fn what_is_drawn_apart_is_independent() {
    let trace = families::rising();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), trace).unwrap();
    let trace = Trace::parse(&like(file.path(), "--method iid -n 20000"));
    let times: Vec<u64> = trace
        .requests
        .iter()
        .map(|request| request.timestamp.unwrap().as_micros())
        .collect();
    let gaps: Vec<f64> = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]) as f64)
        .collect();
    let [_, context, unique, output] = trace.lengths();
    for (what, other) in [
        ("context", &context),
        ("unique", &unique),
        ("output", &output),
    ] {
        let found = like_lab::correlation(&gaps, &other[1..]);
        assert!(found.abs() < 0.03, "gap and {what}: {found}");
    }
    let found = like_lab::correlation(&unique, &output);
    assert!(found.abs() < 0.03, "unique and output: {found}");
}

#[test]
fn filters_keep_the_rate_and_the_law_of_what_passes() {
    let trace = families::chat();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), trace).unwrap();
    let trace = |flags: &str| {
        let flags = format!("--method iid -n {REQUESTS} {flags}");
        Trace::parse(&like(file.path(), &flags))
    };
    let (all, some) = (trace(""), trace("--min-isl 2000 --max-isl 6000 --seed 3"));
    let passing = |trace: &Trace| -> Vec<f64> {
        let lengths = trace
            .requests
            .iter()
            .map(|request| request.input_length.unwrap());
        lengths
            .filter(|length| (2000..=6000).contains(length))
            .map(|length| length as f64)
            .collect()
    };
    let (expected, found) = (passing(&all), passing(&some));
    assert_eq!(found.len(), REQUESTS);
    let error =
        deviation(&expected) * (1.0 / expected.len() as f64 + 1.0 / found.len() as f64).sqrt();
    assert!((mean(&expected) - mean(&found)).abs() < 4.0 * error);
    let last = |trace: &Trace| trace.requests.last().unwrap().timestamp.unwrap().as_secs();
    assert!((last(&all) / last(&some) - 1.0).abs() < 0.02);
}
