//! `sine` against the figures of `sin_synth.py` itself.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use std::collections::HashSet;
use trace_core::Request;
use trace_synth::{Args, Requests};

fn synth(flags: &str) -> impl Iterator<Item = Request> {
    let words = ["trace-synth"].into_iter().chain(flags.split_whitespace());
    Args::try_parse_from(words)
        .unwrap()
        .command
        .requests()
        .unwrap()
        .each()
}

/// What is asked of a trace.
struct Figures {
    requests: f64,
    input_mean: f64,
    output_mean: f64,
    /// Mean over requests of the share of leading blocks seen before.
    hit_rate: f64,
}

fn figures(flags: &str) -> Figures {
    let mut seen = HashSet::new();
    let (mut requests, mut input, mut output, mut hits) = (0.0, 0.0, 0.0, 0.0);
    for request in synth(flags) {
        let ids = request.hash_ids.unwrap();
        let known = ids.iter().take_while(|id| seen.contains(*id)).count();
        hits += known as f64 / ids.len() as f64;
        seen.extend(ids);
        requests += 1.0;
        input += request.input_length.unwrap() as f64;
        output += request.output_length.unwrap() as f64;
    }
    Figures {
        requests,
        input_mean: input / requests,
        output_mean: output / requests,
        hit_rate: hits / requests,
    }
}

fn assert_near(what: &str, got: f64, expected: f64, tolerance: f64) {
    assert!(
        (got - expected).abs() <= tolerance,
        "{what}: {got}, not {expected} ± {tolerance}"
    );
}

/// Four standard deviations of a Poisson number.
fn four_sigma(mean: f64) -> f64 {
    4.0 * mean.sqrt()
}

#[test]
fn the_defaults_give_the_scripts_figures() {
    for seed in 1..=3 {
        let got = figures(&format!("sine --seed {seed}"));
        assert_near("requests", got.requests, 750.0, four_sigma(750.0));
        // Rate and ratio are in phase: 0.55 of the requests are of pair 1.
        // One request's length has a deviation of 4900·√(0.55·0.45).
        let error = 4900.0 * (0.55f64 * 0.45 / 750.0).sqrt();
        assert_near("input", got.input_mean, 2305.0, 4.0 * error);
        assert_near("hit rate", got.hit_rate, 0.026, 0.010);
    }
}

#[test]
fn an_hour_at_2_to_8_gives_the_scripts_figures() {
    let got = figures(
        "sine --time-duration 3600 --rate 2..8 --request-rate-period 600 \
         --isl1 3000 --osl1 150 --isl2 3000 --osl2 150",
    );
    assert_near("requests", got.requests, 18_000.0, four_sigma(18_000.0));
    assert_eq!((got.input_mean, got.output_mean), (3000.0, 150.0));
    assert_near("hit rate", got.hit_rate, 0.0895, 0.002);
}

#[test]
fn two_periods_and_a_small_pool_give_the_scripts_figures() {
    let got = figures(
        "sine --time-duration 1800 --process-interval 5 \
         --request-rate-min 5 --request-rate-max 20 --request-rate-period 300 \
         --isl1 3000 --osl1 150 --isl2 500 --osl2 2000 \
         --isl-osl-ratio-min 0.1 --isl-osl-ratio-max 0.9 --isl-osl-ratio-period 120 \
         --total-blocks 50 --block-size 128",
    );
    assert_near("requests", got.requests, 22_500.0, four_sigma(22_500.0));
    let error = 0.5 / 22_500f64.sqrt();
    let first = (got.input_mean - 500.0) / 2500.0;
    // 0.4988 by the script's three seeds; in-phase parts cancel to 0.5.
    assert_near("pair 1", first, 0.5, 4.0 * error);
    assert_near("output", got.output_mean, 2000.0 - 1850.0 * first, 1e-6);
    assert_near("hit rate", got.hit_rate, 0.288, 0.004);
}

#[test]
fn a_large_default_trace_shares_first_blocks_as_the_script_does() {
    // 10 000 first-block contents: of one-block rows, nearly all are repeats.
    let mut seen = HashSet::new();
    let (mut rows, mut repeated) = (0u64, 0u64);
    for request in synth("sine --time-duration 100 --rate 500..1500 --period 20") {
        let ids = request.hash_ids.unwrap();
        if ids.len() == 1 {
            rows += 1;
            repeated += u64::from(seen.contains(&ids[0]));
        }
        seen.extend(ids.first().copied());
    }
    // About 100 000 rows meet 10 000 contents: only the first meetings miss.
    assert!(
        rows > 40_000 && rows - repeated < 10_000,
        "{repeated} of {rows}"
    );
}

#[test]
fn steps_begin_on_whole_milliseconds_and_timestamps_are_whole() {
    let requests: Vec<Request> = synth("sine --rate 3..90 --process-interval 2").collect();
    let micros = |request: &Request| request.timestamp.unwrap().as_micros();
    assert!(requests.iter().all(|request| micros(request) % 1000 == 0));
    let on_the_edge = requests
        .iter()
        .filter(|request| micros(request) % 2_000_000 == 0)
        .count();
    // Every one of the 50 steps has requests, and one of them is at its start.
    assert_eq!(on_the_edge, 50);
}

#[test]
fn longer_prompts_or_another_pool_never_move_an_arrival_nor_change_a_pair() {
    let base: Vec<Request> = synth("sine --seed 5").collect();
    let times = |requests: &[Request]| -> Vec<_> {
        requests
            .iter()
            .map(|r| (r.timestamp, r.output_length))
            .collect()
    };
    for other in [
        "--isl1 7000",
        "--total-blocks 3",
        "--block-size 16",
        "--no-hash-ids",
    ] {
        let changed: Vec<Request> = synth(&format!("sine --seed 5 {other}")).collect();
        assert_eq!(times(&changed), times(&base), "{other}");
    }
}
