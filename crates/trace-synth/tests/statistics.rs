//! Generators against theory, with fixed seeds: a wrong formula fails.
//!
//! Distributions are compared with independent distribution functions by
//! Kolmogorov and Smirnov's distance at a significance of 0.001, means and
//! variances within four standard errors, counts by chi-square at 0.001.
//! Since the seeds are fixed, what passes once passes always.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use statrs::distribution::{ChiSquared, ContinuousCDF, DiscreteCDF};
use statrs::distribution::{Exp, Gamma, LogNormal, Normal, Pareto, Poisson, Weibull};
use trace_core::{Micros, Random, Streams};
use trace_synth::arrival::{Arrival, Constant, Intervals, Renewal, until};
use trace_synth::curve::{Curve, Sine};
use trace_synth::dist::Dist;
use trace_synth::draw;
use trace_synth::empirical::Field;
use trace_synth::gap::Gap;

const N: usize = 50_000;

fn random(seed: u64) -> Random {
    Streams::new(seed).stream("test")
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

fn mean_and_variance(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    (
        mean,
        sample.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0),
    )
}

/// Whether the mean of `sample` is within four standard errors of `expected`.
fn assert_mean(sample: &[f64], expected: f64, what: &str) {
    let (mean, variance) = mean_and_variance(sample);
    let error = (variance / sample.len() as f64).sqrt();
    assert!(
        (mean - expected).abs() < 4.0 * error,
        "{what}: {mean} ± {error}, not {expected}"
    );
}

/// Chi-square of `counts` against `expected`, over what one in a thousand
/// exceeds by chance.
fn chi_square(counts: &[f64], expected: &[f64]) -> f64 {
    let sum: f64 = counts
        .iter()
        .zip(expected)
        .map(|(c, e)| (c - e) * (c - e) / e)
        .sum();
    sum / ChiSquared::new((counts.len() - 1) as f64)
        .unwrap()
        .inverse_cdf(0.999)
}

fn gaps(gap: Gap, seed: u64) -> Vec<f64> {
    let mut rng = random(seed);
    (0..N).map(|_| gap.draw(&mut rng)).collect()
}

#[test]
fn normal_numbers_are_normal() {
    let mut rng = random(1);
    let sample: Vec<f64> = (0..N).map(|_| draw::normal(&mut rng)).collect();
    let reference = Normal::standard();
    assert!(ks(sample, |x| reference.cdf(x)) < 1.0);
}

#[test]
fn gaps_follow_their_distributions() {
    let exponential = Exp::new(4.0).unwrap();
    assert!(ks(gaps(Gap::poisson(4.0), 1), |x| exponential.cdf(x)) < 1.0);
    for (seed, cv) in [(2, 0.3), (3, 1.0), (4, 2.5), (5, 8.0)] {
        let shape = 1.0 / (cv * cv);
        let gamma = Gamma::new(shape, 4.0 * shape).unwrap();
        assert!(
            ks(gaps(Gap::gamma(4.0, cv), seed), |x| gamma.cdf(x)) < 1.0,
            "gamma, cv {cv}"
        );

        let gap = Gap::weibull(4.0, cv);
        let Gap::Weibull { shape, scale } = gap else {
            unreachable!()
        };
        let weibull = Weibull::new(shape, scale).unwrap();
        assert!(
            ks(gaps(gap, seed), |x| weibull.cdf(x)) < 1.0,
            "weibull, cv {cv}"
        );
    }
}

#[test]
fn the_test_of_distributions_would_notice() {
    // A gamma process with the cv where its square belongs.
    let wrong = Gamma::new(1.0 / 2.5, 4.0 / 2.5).unwrap();
    assert!(ks(gaps(Gap::gamma(4.0, 2.5), 4), |x| wrong.cdf(x)) > 5.0);
    let slightly = Exp::new(4.2).unwrap();
    assert!(ks(gaps(Gap::poisson(4.0), 1), |x| slightly.cdf(x)) > 1.0);
}

#[test]
fn gaps_have_the_rate_and_the_cv_that_were_asked_for() {
    for (seed, cv) in [(6, 0.2), (7, 0.7), (8, 1.6)] {
        for gap in [Gap::gamma(10.0, cv), Gap::weibull(10.0, cv)] {
            let sample = gaps(gap, seed);
            assert_mean(&sample, 0.1, &format!("{gap:?}"));
            // The square's mean is that of the distribution, in its own errors.
            let squares: Vec<f64> = sample.iter().map(|x| x * x).collect();
            assert_mean(
                &squares,
                0.01 * (1.0 + cv * cv),
                &format!("{gap:?} squared"),
            );
        }
    }
}

#[test]
fn the_rest_of_a_gap_makes_the_process_stationary() {
    // What is left of a gap met at random has density (1 − F(x)) / mean, so
    // its mean is (1 + cv²) / 2 gaps.
    for (seed, cv) in [(9, 0.4), (10, 1.0), (11, 2.0)] {
        for gap in [
            Gap::gamma(10.0, cv),
            Gap::weibull(10.0, cv),
            Gap::poisson(10.0),
        ] {
            let cv = if gap == Gap::poisson(10.0) { 1.0 } else { cv };
            let mut rng = random(seed);
            let sample: Vec<f64> = (0..N).map(|_| gap.rest(&mut rng)).collect();
            assert_mean(&sample, 0.05 * (1.0 + cv * cv), &format!("{gap:?}"));
        }
    }
}

#[test]
fn a_bursty_trace_holds_rate_times_duration_even_when_short() {
    // 20 s at 5/s: a process that starts with a whole gap would hold 107.5.
    let counts: Vec<f64> = (0..2_000)
        .map(|seed| {
            let arrivals = Renewal::new(Gap::gamma(5.0, 4.0), random(seed));
            until(arrivals, Some(Micros::from_micros(20_000_000)), None).count() as f64
        })
        .collect();
    assert_mean(&counts, 100.0, "arrivals in 20 s");
}

fn counts_per_second(arrivals: impl Iterator<Item = Arrival>, seconds: usize) -> Vec<f64> {
    let mut counts = vec![0.0; seconds];
    for arrival in arrivals {
        match counts.get_mut((arrival.timestamp.as_micros() / 1_000_000) as usize) {
            Some(count) => *count += 1.0,
            None => break,
        }
    }
    counts
}

#[test]
fn poisson_counts_are_dispersed_as_poisson_counts_are() {
    let seconds = 5_000;
    let counts = counts_per_second(Renewal::new(Gap::poisson(20.0), random(12)), seconds);
    assert_mean(&counts, 20.0, "per second");
    // The dispersion index of n counts has a standard error of √(2/(n−1)).
    let (mean, variance) = mean_and_variance(&counts);
    let error = (2.0 / (seconds - 1) as f64).sqrt();
    assert!(
        (variance / mean - 1.0).abs() < 4.0 * error,
        "{}",
        variance / mean
    );

    let regular = counts_per_second(Constant::new(20.0), 100);
    assert_eq!(regular, vec![20.0; 100]);
    let bursty = counts_per_second(Renewal::new(Gap::gamma(20.0, 3.0), random(12)), seconds);
    let (mean, variance) = mean_and_variance(&bursty);
    assert!(variance / mean > 4.0, "{}", variance / mean);
}

#[test]
fn poisson_numbers_follow_their_distribution_on_both_sides_of_the_method_border() {
    for (seed, mean) in [(13, 0.4), (14, 9.9), (15, 10.1), (16, 60.0), (17, 1e5)] {
        let mut rng = random(seed);
        let sample: Vec<u64> = (0..N).map(|_| draw::poisson(&mut rng, mean)).collect();
        let reference = Poisson::new(mean).unwrap();
        // Cells of at least 1 in 200, split where the distribution says.
        let (mut edges, mut last) = (Vec::new(), 0.0);
        let reach = (mean + 6.0 * mean.sqrt() + 6.0) as u64;
        for k in (mean - 6.0 * mean.sqrt()).max(0.0) as u64..reach {
            let cdf = reference.cdf(k);
            if cdf - last > 0.005 && cdf < 0.995 {
                edges.push((k, cdf));
                last = cdf;
            }
        }
        let mut counts = vec![0.0; edges.len() + 1];
        for x in sample {
            counts[edges.partition_point(|&(k, _)| k < x)] += 1.0;
        }
        let ends: Vec<f64> = edges.iter().map(|&(_, cdf)| cdf).chain([1.0]).collect();
        let starts = [0.0].into_iter().chain(ends.iter().copied());
        let expected: Vec<f64> = ends
            .iter()
            .zip(starts)
            .map(|(end, start)| (end - start) * N as f64)
            .collect();
        let excess = chi_square(&counts, &expected);
        assert!(excess < 1.0, "mean {mean}: {excess}");
    }
}

#[test]
fn a_poisson_number_of_the_largest_mean_has_its_moments() {
    let mut rng = random(18);
    let mean = draw::POISSON_MAX_MEAN;
    let sample: Vec<f64> = (0..5_000)
        .map(|_| draw::poisson(&mut rng, mean) as f64 - mean)
        .collect();
    assert_mean(&sample, 0.0, "shift");
    let squares: Vec<f64> = sample.iter().map(|x| x * x / mean).collect();
    assert_mean(&squares, 1.0, "variance over mean");
}

fn lengths(dist: &str, seed: u64) -> Vec<f64> {
    let length = dist.parse::<Dist>().unwrap().open(Field::Input).unwrap();
    let mut rng = random(seed);
    (0..N).map(|_| length.draw(&mut rng) as f64).collect()
}

#[test]
fn lengths_follow_their_distributions() {
    // Means so large that rounding to tokens is far below the test's eye: a
    // length stands for half a token around it.
    let check = |dist: &str, seed: u64, cdf: &dyn Fn(f64) -> f64| {
        let excess = ks(lengths(dist, seed), cdf);
        assert!(excess < 1.0, "{dist}: {excess}");
    };
    let normal = Normal::new(5e6, 1e6).unwrap();
    check("normal:5e6,1e6", 20, &|x| normal.cdf(x));
    let lognormal = LogNormal::new(13.0, 0.8).unwrap();
    check("lognormal:mu=13,sigma=0.8", 21, &|x| lognormal.cdf(x));
    let exponential = Exp::new(1e-6).unwrap();
    check("exponential:1e6", 22, &|x| exponential.cdf(x));
    let pareto = Pareto::new(1e6, 1.5).unwrap();
    check("pareto:1e6,1.5,max=1000000000", 23, &|x| pareto.cdf(x));
    check("uniform:1000000..2000000", 24, &|x| {
        (x - 1e6 + 1.0) / 1_000_001.0
    });
}

#[test]
fn lengths_have_the_moments_that_were_asked_for() {
    assert_mean(&lengths("lognormal:1200,900", 30), 1200.0, "log-normal");
    let squares: Vec<f64> = lengths("lognormal:1200,900", 30)
        .iter()
        .map(|x| x * x)
        .collect();
    assert_mean(
        &squares,
        1200.0 * 1200.0 + 900.0 * 900.0,
        "log-normal squared",
    );
    assert_mean(&lengths("normal:512,64", 31), 512.0, "normal");
    assert_mean(&lengths("poisson:15", 32), 15.0, "poisson");
    assert_mean(&lengths("exponential:250", 33), 250.0, "exponential");
    assert_mean(&lengths("pareto:100,3", 34), 150.0, "pareto");
    assert_mean(&lengths("uniform:10..20", 35), 15.0, "uniform");
}

#[test]
fn sine_counts_follow_the_rate_at_the_left_edge_of_each_interval() {
    // 500 periods of 20 steps of half a second, folded onto one period.
    let rate = Sine::new(5.0, 40.0, 10.0);
    let (duration, step) = (
        Micros::from_micros(5_000_000_000),
        Micros::from_micros(500_000),
    );
    let mut counts = [0.0; 20];
    for arrival in Intervals::new(rate, duration, step, random(40)) {
        counts[(arrival.seconds / 0.5).floor() as usize % 20] += 1.0;
    }
    let expected: Vec<f64> = (0..20)
        .map(|i| rate.at(f64::from(i) * 0.5) * 250.0)
        .collect();
    // Counts are free to differ in their sum too: one more degree of freedom.
    let sum: f64 = counts
        .iter()
        .zip(&expected)
        .map(|(c, e)| (c - e) * (c - e) / e)
        .sum();
    assert!(
        sum < ChiSquared::new(20.0).unwrap().inverse_cdf(0.999),
        "{sum}"
    );
}
