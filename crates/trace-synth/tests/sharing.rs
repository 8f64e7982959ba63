//! What is shared, how long sessions are and how agents wait, against theory,
//! with fixed seeds: what passes once passes always, and a wrong formula fails.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod theory;

use statrs::distribution::{Continuous, ContinuousCDF, Normal};
use theory::{assert_mean, chi_square, ks};
use trace_core::{Micros, Random, Streams};
use trace_synth::beginning::{Beginnings, Shares};
use trace_synth::dist::Dist;
use trace_synth::empirical::Field;
use trace_synth::popularity::{HotCold, Popularity};

const N: usize = 50_000;

fn random(seed: u64) -> Random {
    Streams::new(seed).stream("test")
}

fn drawn(dist: &str, seed: u64) -> Vec<f64> {
    let length = dist.parse::<Dist>().unwrap().open(Field::Input).unwrap();
    let mut random = random(seed);
    (0..N).map(|_| length.draw(&mut random) as f64).collect()
}

/// How often each number comes up in `draws` draws at `seconds`.
fn counts(popularity: &Popularity, seconds: f64, draws: usize, seed: u64) -> Vec<u64> {
    let mut random = random(seed);
    let mut counts = vec![0; popularity.count() as usize];
    for _ in 0..draws {
        counts[popularity.draw(seconds, &mut random) as usize] += 1;
    }
    counts
}

fn probabilities(popularity: &Popularity, seconds: f64) -> Vec<f64> {
    let numbers = 0..popularity.count();
    numbers
        .map(|number| popularity.probability(number, seconds))
        .collect()
}

#[test]
fn popular_texts_are_as_popular_as_their_law_says() {
    for s in [0.0, 0.8, 1.0, 1.6] {
        let zipf = Popularity::zipf(60, s);
        let found = counts(&zipf, 0.0, N, 1);
        assert!(
            chi_square(&found, &probabilities(&zipf, 0.0)) < 1.0,
            "s = {s}"
        );
        let steeper = Popularity::zipf(60, s + 0.1);
        assert!(
            chi_square(&found, &probabilities(&steeper, 0.0)) > 1.0,
            "s = {s}"
        );
    }
    let uniform = Popularity::Uniform { count: 60 };
    assert!(chi_square(&counts(&uniform, 0.0, N, 1), &probabilities(&uniform, 0.0)) < 1.0);
}

#[test]
fn the_hot_set_gets_its_share_and_moves_on() {
    let mixture = Popularity::HotCold(HotCold {
        count: 30,
        hot: 5,
        share: 0.8,
        period: Some(Micros::from_micros(60_000_000)),
    });
    for minute in [0, 1, 28, 31] {
        let seconds = 60.0 * f64::from(minute) + 30.0;
        let found = counts(&mixture, seconds, N, 2);
        assert!(
            chi_square(&found, &probabilities(&mixture, seconds)) < 1.0,
            "{minute}"
        );
        assert!(
            chi_square(&found, &probabilities(&mixture, seconds + 60.0)) > 1.0,
            "{minute}"
        );
    }
}

/// Share of a normal distribution cut at 0 and 1: its distribution function
/// and its mean.
fn cut_at_0_and_1(share: f64, sd: f64) -> (impl Fn(f64) -> f64, f64) {
    let normal = Normal::new(share, sd).unwrap();
    let (low, high) = (normal.cdf(0.0), normal.cdf(1.0));
    let mean = share + sd * sd * (normal.pdf(0.0) - normal.pdf(1.0)) / (high - low);
    (move |x| (normal.cdf(x) - low) / (high - low), mean)
}

/// Name, prompt lengths and shares, each a mean and a deviation.
type Preset = (&'static str, (f64, f64), (f64, f64));

/// AIBrix's presets.
const PRESETS: [Preset; 5] = [
    ("toolbench", (1835.0, 742.0), (0.85, 0.13)),
    ("embodied", (2285.0, 471.0), (0.97, 0.14)),
    ("programming", (3871.0, 1656.0), (0.97, 0.074)),
    ("video", (9865.0, 5976.0), (0.88, 0.32)),
    ("loogle", (23474.0, 6105.0), (0.91, 0.24)),
];

#[test]
fn the_shares_of_presets_are_normal_and_cut() {
    for (name, _, (share, sd)) in PRESETS {
        let mut beginnings =
            Beginnings::Shares(Box::new(Shares::new(share, sd, 10, Streams::new(3))));
        // Long prompts, so that rounding to tokens doesn't show.
        let tokens = 1_000_000_000;
        let found: Vec<f64> = (0..N)
            .map(|_| beginnings.choose(0.0, tokens).shared as f64 / tokens as f64)
            .collect();
        let (cdf, mean) = cut_at_0_and_1(share, sd);
        assert!(ks(found.clone(), cdf) < 1.0, "{name}");
        assert_mean(&found, mean, name);
        let (narrower, _) = cut_at_0_and_1(share, 0.9 * sd);
        assert!(ks(found, narrower) > 1.0, "{name}");
    }
}

#[test]
fn of_a_presets_tokens_that_share_is_cached_once_its_groups_are_known() {
    // P is at most what the longest prompt of its group had before, so in the
    // long run all of P was seen, and E[P] = E[P / L] · E[L].
    for (name, (mean, sd), (share, spread)) in PRESETS {
        let lengths = drawn(&format!("truncnormal:{mean},{sd}"), 4);
        let mut beginnings =
            Beginnings::Shares(Box::new(Shares::new(share, spread, 10, Streams::new(4))));
        let (mut longest, mut surplus) = ([0; 10], Vec::new());
        let (_, expected) = cut_at_0_and_1(share, spread);
        for (number, length) in lengths.iter().enumerate() {
            let beginning = beginnings.choose(0.0, *length as u64);
            let seen = &mut longest[beginning.place];
            let cached = beginning.shared.min(*seen);
            *seen = (*seen).max(beginning.shared);
            if number >= N / 2 {
                surplus.push(cached as f64 - expected * length);
            }
        }
        assert_mean(&surplus, 0.0, name);
    }
}

#[test]
fn truncated_lengths_follow_the_truncated_law() {
    let normal = Normal::new(2e6, 1.5e6).unwrap();
    let (low, high) = (normal.cdf(1.0), normal.cdf(3e6));
    let sample = drawn("truncnormal:2e6,1.5e6,max=3000000", 5);
    assert!(ks(sample.clone(), |x| (normal.cdf(x) - low) / (high - low)) < 1.0);
    assert!(ks(sample, |x| normal.cdf(x)) > 1.0);
}

#[test]
fn geometric_numbers_stop_with_one_probability() {
    for mean in [1.3, 4.0, 20.0] {
        let cells = (4.0 * mean) as usize;
        let mut counts = vec![0; cells + 1];
        for turns in drawn(&format!("geometric:{mean}"), 6) {
            counts[(turns as usize - 1).min(cells)] += 1;
        }
        let stop: f64 = 1.0 / mean;
        let mut expected: Vec<f64> = (0..cells)
            .map(|k| (1.0 - stop).powi(k as i32) * stop)
            .collect();
        expected.push((1.0 - stop).powi(cells as i32));
        assert!(chi_square(&counts, &expected) < 1.0, "{mean}");
    }
    assert!(drawn("geometric:1", 7).iter().all(|&turns| turns == 1.0));
}

#[test]
fn a_pareto_by_moments_has_its_mean() {
    // AIBrix's exponent, 2 + (mean / sd)², would give a deviation of 129.
    let sample = drawn("pareto:mean=80000,sd=40000", 8);
    assert_mean(&sample, 80_000.0, "mean");
    let squares: Vec<f64> = sample.iter().map(|x| x.min(4e6).powi(2)).collect();
    let (mean, sd) = (80_000.0_f64, 40_000.0_f64);
    let alpha = 1.0 + (1.0 + (mean / sd).powi(2)).sqrt();
    let scale = mean * (alpha - 1.0) / alpha;
    // The second moment of min(x, most), by the law's own integral.
    let most = 4e6_f64;
    let power = libm::pow;
    let below = alpha * power(scale, alpha) / (alpha - 2.0)
        * (power(scale, 2.0 - alpha) - power(most, 2.0 - alpha));
    let above = most * most * power(scale / most, alpha);
    assert_mean(&squares, below + above, "square");
}
