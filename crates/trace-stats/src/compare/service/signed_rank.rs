//! Wilcoxon's signed-rank test on pairs.

use super::two_sided;

/// What the ranks of differences say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SignedRank {
    /// The matched-pairs rank-biserial correlation: the share of the ranks whose
    /// difference is above zero less that of those below, −1 to 1.
    pub effect: f64,
    /// The probability of ranks as uneven as these if differences are as often
    /// above zero as below.
    pub p: f64,
}

/// Whether `differences` are above zero as far and as often as below; zeros
/// tell nothing and are left out. Infinite ones have the highest ranks.
///
/// The normal approximation with correction for ties (Hollander and Wolfe,
/// *Nonparametric Statistical Methods*, 3.1), good from some ten pairs on.
/// `None` if all are zero.
pub(super) fn signed_rank(differences: &[f64]) -> Option<SignedRank> {
    let mut all: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    if all.is_empty() {
        return None;
    }
    all.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let n = all.len() as f64;
    let (mut above, mut ties, mut before) = (0.0, 0.0, 0.0);
    for tied in all.chunk_by(|a, b| a.abs() == b.abs()) {
        let count = tied.len() as f64;
        let rank = before + (count + 1.0) / 2.0;
        above += rank * tied.iter().filter(|d| **d > 0.0).count() as f64;
        ties += count * count * count - count;
        before += count;
    }
    let total = n * (n + 1.0) / 2.0;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    Some(SignedRank {
        effect: 2.0 * above / total - 1.0,
        p: two_sided((above - total / 2.0) / variance.sqrt()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_p_is_scipys() {
        // scipy.stats.wilcoxon(d, zero_method="wilcox", correction=False, method="approx")
        let d = [1.0, -2.0, 3.0, 4.0, 5.0, 0.0, 6.0, -0.5, 7.0, 3.0, 3.0];
        let found = signed_rank(&d).unwrap();
        assert!((found.p - P).abs() < 1e-12, "{found:?}");
        assert!((found.effect - EFFECT).abs() < 1e-12, "{found:?}");
        let ends = signed_rank(&[f64::INFINITY, 1.0, 2.0, f64::INFINITY]).unwrap();
        assert_eq!(ends.effect, 1.0);
        assert_eq!(signed_rank(&[0.0; 5]), None);
    }

    const P: f64 = 0.016_324_090_583_034_21;
    const EFFECT: f64 = 0.854_545_454_545_454_5;
}
