//! What holds for every trace, whatever the flags.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use proptest::prelude::*;
use trace_core::{Reader, Request, blocks_of};
use trace_synth::{Args, run};

/// The trace that `flags` make, read back from its bytes.
fn requests(flags: &str) -> Vec<Request> {
    let words = ["trace-synth"].into_iter().chain(flags.split_whitespace());
    let args = Args::try_parse_from(words).unwrap_or_else(|err| panic!("{flags}: {err}"));
    let mut bytes = Vec::new();
    run(&args, &mut bytes).unwrap();
    Reader::new("trace", &bytes[..])
        .map(|line| line.unwrap().request)
        .collect()
}

/// Sorted, in time, as many ids as blocks, and new ids consecutive from 0.
fn check(
    trace: &[Request],
    block_size: u64,
    duration_ms: Option<f64>,
) -> Result<(), TestCaseError> {
    let mut next_id = 0;
    for pair in trace.windows(2) {
        prop_assert!(pair[0].timestamp <= pair[1].timestamp);
    }
    for request in trace {
        if let Some(end) = duration_ms {
            prop_assert!(request.timestamp.unwrap().as_millis() < end);
        }
        let input = request.input_length.unwrap();
        prop_assert!(input >= 1);
        let ids = request.hash_ids.as_ref().unwrap();
        prop_assert_eq!(ids.len() as u64, blocks_of(input, block_size));
        for &id in ids {
            prop_assert!(id <= next_id);
            next_id = next_id.max(id + 1);
        }
    }
    Ok(())
}

fn dist() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..5000u64).prop_map(|n| n.to_string()),
        (1.0..5000.0, 0.0..5000.0).prop_map(|(mean, sd)| format!("normal:{mean},{sd}")),
        (1.0..3000.0, 0.0..3000.0)
            .prop_map(|(mean, sd)| format!("lognormal:{mean},{sd},max=90000")),
        (0..2000u64, 0..2000u64).prop_map(|(low, more)| format!("uniform:{low}..{}", low + more)),
        (0.01..3000.0).prop_map(|mean| format!("poisson:{mean}")),
        (1.0..500.0, 0.05..4.0).prop_map(|(min, alpha)| format!("pareto:{min},{alpha},max=90000")),
        (0.01..3000.0, 1..9u64).prop_map(|(mean, min)| format!("exponential:{mean},min={min}")),
    ]
}

fn process() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("constant".to_owned()),
        Just("poisson".to_owned()),
        (0.001..100.0).prop_map(|cv| format!("gamma --cv {cv}")),
        (0.001..100.0).prop_map(|cv| format!("weibull --cv {cv}")),
    ]
}

fn curve() -> impl Strategy<Value = String> {
    let rate = || prop_oneof![Just(0.0), 0.001..100.0];
    let term = prop_oneof![
        rate().prop_map(|a| a.to_string()),
        (rate(), rate(), 0.0..99.0, 0.0..99.0)
            .prop_map(|(a, b, time, from)| format!("ramp:{a}..{b},{time},from={from}")),
        (rate(), rate(), 0.001..99.0).prop_map(|(a, b, at)| format!("step:{a},{b}@{at}")),
        (rate(), 0.0..99.0, 0.001..9.0)
            .prop_map(|(a, at, width)| format!("spike:{a}@{at},{width}")),
        (rate(), 0.001..9.0, 0.001..9.0).prop_map(|(a, on, off)| format!("onoff:{a},{on},{off}")),
        (rate(), rate(), 0.001..999.0, 0.0..99.0).prop_map(|(low, more, period, at)| {
            format!("sine:{low}..{},{period},lowest={at}", low + more)
        }),
        (rate(), rate(), 0.001..999.0)
            .prop_map(|(low, more, day)| format!("diurnal:{low}..{},day={day}", low + more)),
        (rate(), rate(), 0.001..9.0, 0.001..9.0)
            .prop_map(|(a, b, first, second)| format!("mmpp:{a}@{first},{b}@{second}")),
    ];
    // So that the sum is never 0, which would be refused.
    proptest::collection::vec(term, 0..4).prop_map(|terms| {
        terms
            .iter()
            .fold("0.01".to_owned(), |sum, term| sum + "+" + term)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn rate_keeps_the_laws_of_a_trace(
        process in process(),
        rate in prop_oneof![0.001..100.0, 1e3..1e9],
        duration_ms in 1..60_000u32,
        requests_at_most in 0..200u64,
        lengths in (dist(), dist()),
        pool in proptest::option::of(1..2000u64),
        block_size in 1..2000u64,
        seed: u64,
    ) {
        let pool = pool.map_or(String::new(), |n| format!("--total-blocks {n}"));
        let trace = requests(&format!(
            "rate --rate {rate} --duration {duration_ms}ms --requests {requests_at_most} \
             --arrival {process} --input-length {} --output-length {} {pool} \
             --block-size {block_size} --seed {seed}",
            lengths.0, lengths.1,
        ));
        prop_assert!(trace.len() as u64 <= requests_at_most);
        check(&trace, block_size, Some(f64::from(duration_ms)))?;
    }

    #[test]
    fn any_curve_keeps_the_laws_of_a_trace(
        curve in curve(),
        process in process(),
        duration_ms in 1..60_000u32,
        seed: u64,
    ) {
        let trace = requests(&format!(
            "rate --rate {curve} --duration {duration_ms}ms --requests 500 --arrival {process} --seed {seed}"
        ));
        check(&trace, 512, Some(f64::from(duration_ms)))?;
    }

    #[test]
    fn a_number_of_requests_is_kept_to(process in process(), requests_wanted in 0..300u64, seed: u64) {
        let trace = requests(&format!(
            "rate --rate 7 --requests {requests_wanted} --arrival {process} --seed {seed}"
        ));
        prop_assert_eq!(trace.len() as u64, requests_wanted);
        check(&trace, 512, None)?;
    }

    #[test]
    fn sine_keeps_the_laws_of_a_trace(
        rates in (0.0..20.0, 0.0..20.0),
        ratios in (0.0..0.5, 0.0..0.5),
        periods in (0.01..500.0, 0.01..500.0),
        interval in 0.001..20.0,
        duration in 0.0..30.0,
        pairs in (1..9000u64, 0..3000u64, 1..9000u64, 0..3000u64),
        pool in 1..5000u64,
        block_size in 1..2000u64,
        seed: u64,
    ) {
        let trace = requests(&format!(
            "sine --rate {}..{} --period {} --isl-osl-ratio-min {} --isl-osl-ratio-max {} \
             --isl-osl-ratio-period {} --process-interval {interval} --duration {duration} \
             --isl1 {} --osl1 {} --isl2 {} --osl2 {} --total-blocks {pool} \
             --block-size {block_size} --seed {seed}",
            rates.0, rates.0 + rates.1, periods.0, ratios.0, ratios.0 + ratios.1,
            periods.1, pairs.0, pairs.1, pairs.2, pairs.3,
        ));
        check(&trace, block_size, Some(duration * 1000.0))?;
        let kinds = [(pairs.0, pairs.1), (pairs.2, pairs.3)];
        for request in &trace {
            prop_assert!(kinds.contains(&(request.input_length.unwrap(), request.output_length.unwrap())));
            prop_assert_eq!(request.timestamp.unwrap().as_micros() % 1000, 0);
        }
    }

    #[test]
    fn lengths_never_move_arrivals(first in dist(), second in dist(), seed: u64) {
        let times = |length: &str| -> Vec<_> {
            let flags = format!("rate --rate 9 --requests 50 --input-length {length} --seed {seed}");
            requests(&flags).iter().map(|r| (r.timestamp, r.output_length)).collect()
        };
        prop_assert_eq!(times(&first), times(&second));
    }
}
