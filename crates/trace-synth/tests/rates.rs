//! Rates over time against theory, with fixed seeds: a wrong formula fails.
//!
//! If the clock is bent rightly, bending it back gives the unit-rate process:
//! its gaps are compared with their distribution by Kolmogorov and Smirnov's
//! distance at a significance of 0.001, counts by chi-square at 0.001 and
//! dispersion indices within four standard errors.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use statrs::distribution::{ChiSquared, ContinuousCDF, Exp, Gamma, Weibull};
use std::f64::consts::PI;
use trace_core::{Micros, Streams};
use trace_synth::gap::Gap;
use trace_synth::rate_curve::RateCurve;
use trace_synth::rescaled::Rescaled;

/// Seconds of the arrivals at the rate `curve` with unit gaps from `gap`.
fn arrivals(curve: &str, gap: Option<Gap>, seconds: f64, seed: u64) -> Vec<f64> {
    let curve: RateCurve = curve.parse().unwrap();
    let streams = Streams::new(seed);
    let intensity = curve.open(streams, Micros::from_secs(seconds));
    Rescaled::new(intensity, gap, streams.stream("arrival"))
        .map(|arrival| arrival.seconds)
        .collect()
}

/// Largest distance between the distribution of `sample` and `cdf`, over what
/// one sample in a thousand exceeds by chance.
fn ks(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = sample.iter().enumerate().map(|(i, &x)| {
        let expected = cdf(x);
        (expected - i as f64 / n).max((i + 1) as f64 / n - expected)
    });
    distance.fold(0.0, f64::max) * n.sqrt() / 1.949
}

/// A curve as it is typed, how long it is tried, and its integral from 0.
type Case = (&'static str, f64, fn(f64) -> f64);

/// Integrals worked out by hand, independently of the code.
const CASES: [Case; 5] = [
    ("ramp:2..20,1000", 3000.0, |t| {
        let ramp = t.min(1000.0);
        2.0 * ramp + 0.009 * ramp * ramp + 20.0 * (t - ramp)
    }),
    ("step:40,2@200,10@1000", 5000.0, |t| {
        40.0 * t.min(200.0) + 2.0 * (t.min(1000.0) - 200.0).max(0.0) + 10.0 * (t - 1000.0).max(0.0)
    }),
    ("sine:1..21,100", 3000.0, |t| {
        11.0 * t - 10.0 * 100.0 / (2.0 * PI) * libm::sin(2.0 * PI * t / 100.0)
    }),
    ("diurnal:0..20,day=400,peak=100", 3000.0, |t| {
        let phase = |t: f64| libm::sin(2.0 * PI * (t - 100.0) / 400.0);
        10.0 * t + 10.0 * 400.0 / (2.0 * PI) * (phase(t) - phase(0.0))
    }),
    ("5+sine:0..10,60+onoff:20,5,15", 2000.0, |t| {
        let (cycles, rest) = ((t / 20.0).floor(), t % 20.0);
        let sine = 5.0 * t - 5.0 * 60.0 / (2.0 * PI) * libm::sin(2.0 * PI * t / 60.0);
        5.0 * t + sine + 100.0 * cycles + 20.0 * rest.min(5.0)
    }),
];

/// Gaps on the bent-back clock, without the first.
fn unit_gaps(case: Case, gap: Option<Gap>, seed: u64) -> Vec<f64> {
    let (curve, seconds, integral) = case;
    let times = arrivals(curve, gap, seconds, seed);
    assert!(times.len() > 10_000, "{curve}: {}", times.len());
    let units: Vec<f64> = times.iter().map(|&time| integral(time)).collect();
    units.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn bent_back_the_gaps_follow_their_distribution() {
    for (i, case) in CASES.into_iter().enumerate() {
        let seed = 100 + i as u64;
        let poisson = ks(unit_gaps(case, Some(Gap::poisson(1.0)), seed), |x| {
            Exp::new(1.0).unwrap().cdf(x)
        });
        assert!(poisson < 1.0, "{}: {poisson}", case.0);

        // Gaps of a larger one are lost to rounding on the way back.
        let cv: f64 = 1.5;
        let shape = 1.0 / (cv * cv);
        let gamma = ks(unit_gaps(case, Some(Gap::gamma(1.0, cv)), seed), |x| {
            Gamma::new(shape, shape).unwrap().cdf(x)
        });
        assert!(gamma < 1.0, "{}: gamma {gamma}", case.0);

        let gap = Gap::weibull(1.0, 0.6);
        let Gap::Weibull { shape, scale } = gap else {
            unreachable!()
        };
        let weibull = ks(unit_gaps(case, Some(gap), seed), |x| {
            Weibull::new(shape, scale).unwrap().cdf(x)
        });
        assert!(weibull < 1.0, "{}: weibull {weibull}", case.0);
    }
}

#[test]
fn without_a_gap_every_unit_has_its_arrival() {
    for case in CASES {
        let gaps = unit_gaps(case, None, 0);
        let off = gaps.iter().map(|gap| (gap - 1.0).abs());
        assert!(off.fold(0.0, f64::max) < 1e-5, "{}", case.0);
    }
}

#[test]
fn the_test_of_bent_clocks_would_notice() {
    // Three per cent more at the end of the ramp than was asked for.
    let (curve, seconds, _) = CASES[0];
    let wrong: Case = (curve, seconds, |t| 1.03 * CASES[0].2(t));
    let gaps = unit_gaps(wrong, Some(Gap::poisson(1.0)), 100);
    assert!(ks(gaps, |x| Exp::new(1.0).unwrap().cdf(x)) > 1.0);
    // Gaps that keep to the rate they began with, as a loop over "the rate
    // now" has them, instead of the sum of the rate.
    let mut time = 0.0;
    let mut units = Vec::new();
    let at = |t: f64| 1.1 - libm::cos(2.0 * PI * t);
    for gap in arrivals("1", Some(Gap::poisson(1.0)), 40_000.0, 7)
        .windows(2)
        .map(|pair| pair[1] - pair[0])
    {
        let before = time;
        time += gap / at(time);
        let sum = |t: f64| 1.1 * t - libm::sin(2.0 * PI * t) / (2.0 * PI);
        units.push(sum(time) - sum(before));
    }
    assert!(ks(units, |x| Exp::new(1.0).unwrap().cdf(x)) > 1.0);
}

#[test]
fn poisson_counts_of_a_wave_follow_its_rate() {
    // 300 periods of 100 s, folded onto 20 parts of one.
    let mut counts = [0.0; 20];
    for time in arrivals("sine:1..21,100", Some(Gap::poisson(1.0)), 30_000.0, 5) {
        counts[(time % 100.0 / 5.0) as usize] += 1.0;
    }
    let (_, _, integral) = CASES[2];
    let sum: f64 = (0..20)
        .map(|i| {
            let (from, to) = (f64::from(i) * 5.0, f64::from(i + 1) * 5.0);
            let expected = 300.0 * (integral(to) - integral(from));
            (counts[i as usize] - expected) * (counts[i as usize] - expected) / expected
        })
        .sum();
    let limit = ChiSquared::new(20.0).unwrap().inverse_cdf(0.999);
    assert!(sum < limit, "{sum} {limit}");
}

fn mean_and_variance(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let squares = sample.iter().map(|x| (x - mean) * (x - mean));
    (mean, squares.sum::<f64>() / (n - 1.0))
}

#[test]
fn counts_of_a_modulated_poisson_process_are_dispersed_as_theory_says() {
    // Two states: rates 2 and 50, means of 30 s and 10 s. In the long run the
    // rate is 14; a count over T has the variance of a Poisson count plus
    // 2 p q (a−b)² / s² · (sT − 1 + e^(−sT)), with s the sum of the exit rates.
    let (a, b, first, second): (f64, f64, f64, f64) = (2.0, 50.0, 30.0, 10.0);
    let exits = 1.0 / first + 1.0 / second;
    let (p, q) = (first / (first + second), second / (first + second));
    let mean_rate = p * a + q * b;
    let window = 20.0;
    // Runs, not windows of one run: these are independent of each other, and
    // each must begin as in the long run.
    let counts: Vec<f64> = (0..4_000)
        .map(|seed| arrivals("mmpp:2@30,50@10", Some(Gap::poisson(1.0)), window, seed).len() as f64)
        .collect();
    let (mean, variance) = mean_and_variance(&counts);
    let error = (variance / counts.len() as f64).sqrt();
    assert!((mean - mean_rate * window).abs() < 4.0 * error, "{mean}");
    let st = exits * window;
    let modulation =
        2.0 * p * q * (a - b) * (a - b) / (exits * exits) * (st - 1.0 + libm::exp(-st));
    let expected = 1.0 + modulation / (mean_rate * window);
    // The standard error of a variance, from the sample's own fourth moment.
    let fourth = counts.iter().map(|x| (x - mean).powi(4)).sum::<f64>() / counts.len() as f64;
    let of_variance = ((fourth - variance * variance) / counts.len() as f64).sqrt() / mean;
    let found = variance / mean;
    assert!(
        (found - expected).abs() < 4.0 * of_variance,
        "{found}, not {expected} ± {of_variance}"
    );
    assert!(expected > 50.0);
}

#[test]
fn the_times_in_a_state_are_exponential() {
    // Rates so far apart that each gap tells its state.
    let times = arrivals("mmpp:1000@2,0@3", None, 20_000.0, 9);
    let pauses: Vec<f64> = times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .filter(|&gap| gap > 0.01)
        .map(|gap| gap - 0.001)
        .collect();
    assert!(pauses.len() > 3_000);
    // Those shorter than 0.01 s were not seen: without memory that only shifts.
    let excess = ks(pauses, |x| {
        Exp::new(1.0 / 3.0).unwrap().cdf((x - 0.009).max(0.0))
    });
    assert!(excess < 1.0, "{excess}");
}
