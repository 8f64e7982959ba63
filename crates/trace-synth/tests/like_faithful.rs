//! `trace-synth like` against its source: what a finite cache makes of both,
//! and what the requests are like.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

mod like_lab;

use like_lab::{Trace, conversation_trace, correlation, deviation, families, like, mean, replayed};
use std::path::Path;
use trace_core::Request;

/// Compare five seeds of as many requests as `source` has with it.
fn assert_faithful(name: &str, source: &Path, capacities: &[usize]) {
    let original = Trace::parse(&std::fs::read(source).unwrap());
    let (expected, _) = original.lru(capacities);
    let made: Vec<Vec<u8>> = (0..5)
        .map(|seed| like(source, &format!("--seed {seed}")))
        .collect();
    let traces: Vec<Trace> = made.iter().map(|bytes| Trace::parse(bytes)).collect();
    let rates: Vec<Vec<f64>> = traces.iter().map(|trace| trace.lru(capacities).0).collect();
    for (i, capacity) in capacities.iter().enumerate() {
        let found: Vec<f64> = rates.iter().map(|rates| rates[i]).collect();
        eprintln!("{name}: {capacity} blocks: {:.4}, {found:.4?}", expected[i]);
        let off = (mean(&found) - expected[i]).abs();
        assert!(off < 0.01, "{name}, {capacity} blocks: {off:.4} off");
        for rate in &found {
            let off = (rate - expected[i]).abs();
            assert!(off < 0.02, "{name}, {capacity} blocks: {off:.4} off");
        }
    }
    assert_same_laws(name, &original, &traces);
    for (seed, trace) in traces.iter().enumerate() {
        assert_eq!(trace.requests.len(), original.requests.len(), "{name}");
        let longest = replayed(&original, trace);
        assert!(
            longest < 12,
            "{name}, seed {seed}: {longest} lines replayed"
        );
        assert!(
            made[..seed].iter().all(|other| *other != made[seed]),
            "{name}"
        );
    }
}

/// Averages over seeds within 2 % of the source's.
fn assert_same_laws(name: &str, original: &Trace, traces: &[Trace]) {
    let source = original.lengths();
    let lengths: Vec<_> = traces.iter().map(Trace::lengths).collect();
    let what = ["input", "context", "unique", "output"];
    for (i, what) in what.iter().enumerate() {
        for (figure, of) in [("mean", mean as fn(&[f64]) -> f64), ("std", deviation)] {
            let expected = of(&source[i]);
            let found = mean(&lengths.iter().map(|all| of(&all[i])).collect::<Vec<_>>());
            let off = (found - expected).abs();
            assert!(
                off <= 0.02 * expected,
                "{name}: {what} {figure} {found}, not {expected}"
            );
        }
    }
    let correlations: Vec<f64> = lengths
        .iter()
        .map(|all| correlation(&all[1], &all[2]))
        .collect();
    let expected = correlation(&source[1], &source[2]);
    let off = (mean(&correlations) - expected).abs();
    assert!(
        off < 0.03 || expected.is_nan(),
        "{name}: {correlations:?}, not {expected}"
    );
}

#[test]
fn a_finite_cache_sees_the_reuse_of_the_conversation_trace() {
    if let Some(source) = conversation_trace() {
        let capacities = [1_000, 3_000, 10_000, 30_000, 100_000];
        assert_faithful("conversation trace", &source, &capacities);
    }
}

#[test]
fn a_long_trace_hits_no_more_than_the_conversation_trace() {
    let Some(source) = conversation_trace() else {
        return;
    };
    let (_, expected) = Trace::parse(&std::fs::read(&source).unwrap()).lru(&[]);
    let long = Trace::parse(&like(&source, "-n 200000"));
    let (_, found) = long.lru(&[]);
    assert_eq!(long.requests.len(), 200_000);
    assert!((found - expected).abs() < 0.005, "{found}, not {expected}");
}

/// A file with `trace`.
fn file(trace: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), trace).unwrap();
    file
}

#[test]
fn a_finite_cache_sees_the_reuse_of_families_of_traces() {
    for (name, trace) in families::all() {
        let blocks = Trace::parse(&trace).ids().flatten().max().unwrap() + 1;
        let shares = [0.01, 0.03, 0.1, 0.3, 1.0];
        let capacities = shares.map(|share| (blocks as f64 * share) as usize);
        assert_faithful(name, file(&trace).path(), &capacities);
    }
}

#[test]
fn a_long_trace_hits_no_more_than_its_source() {
    for (name, trace) in families::all() {
        let original = Trace::parse(&trace);
        let many = original.requests.len() * 15 + 77;
        let long = Trace::parse(&like(file(&trace).path(), &format!("-n {many}")));
        assert_eq!(long.requests.len(), many, "{name}");
        let ((_, found), (_, expected)) = (long.lru(&[]), original.lru(&[]));
        eprintln!("{name}: {found:.4} at {many} requests, {expected:.4} in the source");
        assert!(
            (found - expected).abs() < 0.02,
            "{name}: {found}, not {expected}"
        );
    }
}

/// Variance over mean of the number of requests in windows of so many seconds
/// from the first on; the last window, which is not whole, is left out.
fn dispersion(trace: &Trace, window: f64) -> f64 {
    let second = |request: &Request| request.timestamp.unwrap().as_secs();
    let first = second(&trace.requests[0]);
    let windows = trace.requests.iter().map(second);
    let windows: Vec<usize> = windows.map(|at| ((at - first) / window) as usize).collect();
    let mut counts = vec![0.0; windows.last().unwrap() + 1];
    for window in windows {
        counts[window] += 1.0;
    }
    counts.pop();
    deviation(&counts).powi(2) / mean(&counts)
}

fn gaps(trace: &Trace) -> Vec<f64> {
    let times: Vec<f64> = trace
        .requests
        .iter()
        .map(|request| request.timestamp.unwrap().as_secs())
        .collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn arrivals_burst_and_rise_as_in_the_source() {
    for (name, trace) in families::all() {
        let original = Trace::parse(&trace);
        let source = file(&trace);
        let traces: Vec<Trace> = (0..5)
            .map(|seed| Trace::parse(&like(source.path(), &format!("--seed {seed}"))))
            .collect();
        let average = |of: &dyn Fn(&Trace) -> f64| mean(&traces.iter().map(of).collect::<Vec<_>>());
        for of in [mean, deviation] {
            let ratio = average(&|trace| of(&gaps(trace))) / of(&gaps(&original));
            assert!((0.98..1.02).contains(&ratio), "{name}: gaps {ratio}");
        }
        // An hour has 60 windows of a minute; fewer would be chance.
        for window in [1.0, 10.0, 60.0] {
            let expected = dispersion(&original, window);
            let found = average(&|trace| dispersion(trace, window));
            eprintln!("{name}, {window} s: dispersion {found:.2} for {expected:.2}");
            assert!(
                (0.8..1.25).contains(&(found / expected)),
                "{name}, {window} s"
            );
        }
    }
}
