//! Lengths of a client's requests, as they were found.

use rand::Rng;
use trace_core::{Random, Streams, seed};

use crate::draw;
use crate::length::{Lengths, MAX_TOKENS};
use crate::servegen::client::Dataset;

/// Both lengths from the dataset of the moment, perhaps correlated.
pub struct Found {
    datasets: Vec<Dataset>,
    /// Seconds of the recording at which the trace begins.
    offset: f64,
    rho: f64,
    current: usize,
    input: Random,
    output: Random,
    parts: Random,
}

impl Found {
    /// Lengths from `datasets`, of which there is at least one, in a trace
    /// that begins `offset` seconds into the recording.
    ///
    /// `rho` is the correlation of the normal numbers behind the two (a
    /// Gaussian copula): 0 for independence, 1 for the same rank.
    pub fn new(datasets: Vec<Dataset>, offset: f64, rho: f64, streams: Streams) -> Self {
        Self {
            datasets,
            offset,
            rho,
            current: 0,
            input: streams.stream("input_length"),
            output: streams.stream("output_length"),
            parts: streams.stream("input parts"),
        }
    }

    /// The dataset at `seconds` of the recording: the last that begins until
    /// then, or the first of all.
    fn find(&mut self, seconds: f64) {
        let next = self.datasets.get(self.current + 1);
        if seconds < self.datasets[self.current].start || next.is_some_and(|n| seconds >= n.start) {
            let after = self
                .datasets
                .partition_point(|dataset| dataset.start <= seconds);
            self.current = after.saturating_sub(1);
        }
    }
}

/// Shares below two normal numbers of correlation `rho`, each even on 0 to 1.
fn shares(rho: f64, first: &mut impl Rng, second: &mut impl Rng) -> (f64, f64) {
    if rho == 0.0 {
        return (seed::unit(first), seed::unit(second));
    }
    let (z, own) = (draw::normal(first), draw::normal(second));
    let other = rho * z + (1.0 - rho * rho).sqrt() * own;
    let below = |z: f64| 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
    (below(z), below(other))
}

impl Lengths for Found {
    fn draw(&mut self, seconds: f64) -> (u64, u64) {
        self.find(seconds + self.offset);
        let (input, output) = shares(self.rho, &mut self.input, &mut self.output);
        let dataset = &self.datasets[self.current];
        let (first, others) = dataset
            .inputs
            .split_first()
            .expect("a dataset has an input");
        let mut tokens = first.at(input);
        for other in others {
            tokens += other.at(seed::unit(&mut self.parts));
        }
        let whole = |tokens: f64| (tokens.round() as u64).min(MAX_TOKENS);
        (whole(tokens).max(1), whole(dataset.output.at(output)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_even_and_correlated_as_asked() {
        for rho in [-1.0, -0.5, 0.0, 0.7, 1.0] {
            let streams = Streams::new(1);
            let (mut first, mut second) = (streams.stream("a"), streams.stream("b"));
            let pairs: Vec<(f64, f64)> = (0..20_000)
                .map(|_| shares(rho, &mut first, &mut second))
                .collect();
            let n = pairs.len() as f64;
            let mean = |f: fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / n;
            // Even numbers: mean 1/2 and variance 1/12, four standard errors.
            let error = 4.0 * (1.0 / 12.0 / n).sqrt();
            assert!((mean(|p| p.0) - 0.5).abs() < error && (mean(|p| p.1) - 0.5).abs() < error);
            let covariance = mean(|p| (p.0 - 0.5) * (p.1 - 0.5));
            // Pearson (1907): ranks of normal numbers correlate by 6/π·asin(ρ/2).
            let expected = 6.0 / std::f64::consts::PI * libm::asin(rho / 2.0);
            assert!(
                (covariance * 12.0 - expected).abs() < 0.03,
                "{rho}: {covariance}"
            );
        }
    }
}
