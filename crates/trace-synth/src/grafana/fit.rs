//! Lengths from a few of their percentiles.

use crate::normal::normal_quantile;

/// A log-normal distribution: its median, and the standard deviation of its
/// logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lognormal {
    /// Tokens.
    pub median: f64,
    /// Of the logarithm.
    pub sigma: f64,
}

impl Lognormal {
    /// The distribution that fits the percentiles best: `points` are shares
    /// below (0.5 for P50) and lengths.
    ///
    /// The logarithms of the lengths against the quantiles of the normal
    /// distribution are a straight line; its slope by least squares is sigma.
    /// As in AIBrix the line is then moved to pass through the first point,
    /// which is P50: half of the requests are as short as was measured.
    pub fn fit(points: &[(f64, f64)]) -> Self {
        let n = points.len() as f64;
        let line = || {
            let logarithm =
                |&(share, tokens): &(f64, f64)| (normal_quantile(share), libm::log(tokens));
            points.iter().map(logarithm)
        };
        let (sum_z, sum_y) = line().fold((0.0, 0.0), |(z, y), point| (z + point.0, y + point.1));
        let (mean_z, mean_y) = (sum_z / n, sum_y / n);
        let (mut above, mut below) = (0.0, 0.0);
        for (z, y) in line() {
            above += (z - mean_z) * (y - mean_y);
            below += (z - mean_z) * (z - mean_z);
        }
        Self {
            median: points[0].1,
            // Lengths don't fall, so neither does the line, but for rounding.
            sigma: (above / below).max(0.0),
        }
    }

    /// Always this long.
    pub fn always(tokens: f64) -> Self {
        Self {
            median: tokens,
            sigma: 0.0,
        }
    }

    /// The length that `z` standard deviations of the logarithm lead to.
    pub fn at(&self, z: f64) -> f64 {
        if self.sigma == 0.0 {
            return self.median;
        }
        self.median * libm::exp(self.sigma * z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_come_back_from_the_distribution_they_belong_to() {
        let (median, sigma) = (800.0, 0.9);
        let point = |share: f64| (share, median * libm::exp(sigma * normal_quantile(share)));
        for shares in [
            &[0.5, 0.7, 0.9, 0.99][..],
            &[0.5, 0.7, 0.95, 0.99],
            &[0.5, 0.7, 0.99],
        ] {
            let points: Vec<_> = shares.iter().map(|&share| point(share)).collect();
            let fitted = Lognormal::fit(&points);
            assert!((fitted.sigma - sigma).abs() < 1e-12, "{fitted:?}");
            assert_eq!(fitted.median, median);
        }
    }

    #[test]
    fn four_percentiles_give_what_aibrix_draws() {
        let points = [(0.5, 500.0), (0.7, 700.0), (0.9, 1200.0), (0.99, 3000.0)];
        let fitted = Lognormal::fit(&points);
        // By hand: Σ(z−z̄)(y−ȳ) / Σ(z−z̄)² = 2.3636 / 3.0602.
        assert!((fitted.sigma - 0.7724).abs() < 1e-3, "{fitted:?}");
        // AIBrix drew 509, 750, 1350 and 3065 in the same place.
        for (share, drawn) in [(0.5, 509.0), (0.7, 750.0), (0.9, 1350.0), (0.99, 3065.0)] {
            let found = fitted.at(normal_quantile(share));
            assert!((found / drawn - 1.0).abs() < 0.025, "{share}: {found}");
        }
        assert_eq!(
            Lognormal::fit(&[(0.5, 9.0), (0.99, 9.0)]),
            Lognormal::always(9.0)
        );
    }
}
