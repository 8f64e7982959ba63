//! The test of Mann and Whitney on two samples, and that of Kolmogorov and
//! Smirnov.

use super::two_sided;

/// What the ranks of two samples say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RankSum {
    /// How much likelier a value of the second is the larger than the smaller one
    /// of two that are drawn, −1 to 1 (Cliff's delta).
    pub effect: f64,
    /// The probability of ranks as uneven as these if both are drawn alike.
    pub p: f64,
}

/// Whether values of `b` tend to be larger than those of `a`; both sorted, with
/// infinite ones at the end.
///
/// The normal approximation with correction for ties (Hollander and Wolfe,
/// 4.1), good from some ten values each on. `None` if either is empty or all
/// values are equal.
pub(super) fn rank_sum(a: &[f64], b: &[f64]) -> Option<RankSum> {
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j) = (0, 0);
    let (mut ranks, mut ties) = (0.0, 0.0);
    while i < a.len() || j < b.len() {
        let here = match (a.get(i), b.get(j)) {
            (Some(a), Some(b)) => a.min(*b),
            (Some(value), None) | (None, Some(value)) => *value,
            (None, None) => break,
        };
        let count = |values: &[f64]| values.iter().take_while(|value| **value == here).count();
        let (of_a, of_b) = (count(&a[i..]), count(&b[j..]));
        let tied = (of_a + of_b) as f64;
        ranks += of_b as f64 * ((i + j) as f64 + (tied + 1.0) / 2.0);
        ties += tied * tied * tied - tied;
        (i, j) = (i + of_a, j + of_b);
    }
    let u = ranks - m * (m + 1.0) / 2.0;
    let all = n + m;
    let variance = n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    (n > 0.0 && m > 0.0 && variance > 0.0).then(|| RankSum {
        effect: 2.0 * u / (n * m) - 1.0,
        p: two_sided((u - n * m / 2.0) / variance.sqrt()),
    })
}

/// The probability of a largest difference of `statistic` between the shares of
/// two samples of so many values if both are drawn alike (Kolmogorov's limit,
/// with Stephens' correction for finite samples).
pub(super) fn kolmogorov(statistic: f64, a: usize, b: usize) -> f64 {
    let (a, b) = (a as f64, b as f64);
    let root = (a * b / (a + b)).sqrt();
    let t = (root + 0.12 + 0.11 / root) * statistic;
    if t < 0.2 {
        return 1.0;
    }
    let terms = (1..=100).map(|k| {
        let k = f64::from(k);
        let sign = if k % 2.0 == 1.0 { 2.0 } else { -2.0 };
        sign * libm::exp(-2.0 * k * k * t * t)
    });
    terms.sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_p_is_scipys() {
        // scipy.stats.mannwhitneyu(b, a, use_continuity=False, method="asymptotic")
        let a = [1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 9.0, 12.0];
        let b = [2.0, 4.0, 6.0, 9.0, 9.0, 10.0, 15.0, 20.0, 21.0, 30.0];
        let found = rank_sum(&a, &b).unwrap();
        assert!((found.p - P).abs() < 1e-12, "{found:?}");
        assert!((found.effect - EFFECT).abs() < 1e-12, "{found:?}");
        assert_eq!(rank_sum(&[1.0, 1.0], &[1.0]), None);
        assert_eq!(rank_sum(&[], &[1.0]), None);
        let failures = rank_sum(&[1.0, f64::INFINITY], &[f64::INFINITY; 2]).unwrap();
        assert_eq!(failures.effect, 0.5);
    }

    const P: f64 = 0.040_160_707_373_796_77;
    const EFFECT: f64 = 0.575;

    #[test]
    fn kolmogorovs_limit_is_near_the_exact_p() {
        // scipy.stats.ks_2samp of samples of 100 and 100, method="exact"
        for (statistic, p) in [(0.1, 0.7021), (0.2, 0.0364), (0.3, 0.000_22)] {
            let found = kolmogorov(statistic, 100, 100);
            assert!((found - p).abs() < 0.03, "{statistic}: {found}");
        }
        assert_eq!(kolmogorov(0.0, 5, 5), 1.0);
    }
}
