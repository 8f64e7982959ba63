//! One quantity of two runs.

use super::bootstrap::{FIGURES, Resampling, Shift, shifts};
use super::rank_sum::{kolmogorov, rank_sum};
use super::run_record::{Record, Run};
use super::signed_rank::signed_rank;
use crate::compare::divergence::kolmogorov_smirnov;
use serde::{Serialize, Serializer};
use trace_core::quantile::{self, Sample, Spread};

/// One quantity of both runs.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
    /// The quantity.
    pub name: &'static str,
    /// In the first run.
    pub a: Spread,
    /// In the second run.
    pub b: Spread,
    /// Pairs in which both have it.
    pub pairs: u64,
    /// By figure: B − A, and its interval.
    #[serde(serialize_with = "by_figure")]
    pub shifts: Vec<(&'static str, Shift)>,
    /// `wilcoxon` with pairs, else `mann-whitney`.
    pub test: &'static str,
    /// How far B tends to be above A, −1 to 1: the rank-biserial correlation,
    /// which without pairs is Cliff's delta.
    #[serde(serialize_with = "quantile::number")]
    pub effect: Option<f64>,
    /// The probability of ranks as uneven as these if neither is larger.
    #[serde(serialize_with = "quantile::number")]
    pub p: Option<f64>,
    /// Kolmogorov and Smirnov's distance of the distributions, 0 to 1.
    #[serde(serialize_with = "quantile::number")]
    pub ks: Option<f64>,
    /// The probability of such a distance if both are drawn alike.
    #[serde(serialize_with = "quantile::number")]
    pub ks_p: Option<f64>,
}

fn by_figure<S: Serializer>(
    shifts: &[(&'static str, Shift)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(shifts.iter().map(|(figure, shift)| (figure, shift)))
}

impl Trial {
    /// The quantity of that index; `None` if either run has no value of it.
    pub(super) fn of(
        index: usize,
        name: &'static str,
        (a, b): (&Run, &Run),
        pairs: &[(&Record, &Record)],
        resampling: &mut Resampling,
    ) -> Option<Self> {
        let (mut of_a, mut of_b) = (a.values(index), b.values(index));
        let measured = |values: &[f64]| values.iter().any(|value| value.is_finite());
        if !measured(&of_a) && !measured(&of_b) {
            return None;
        }
        let pairs = pairs.iter();
        let (left, right): (Vec<f64>, Vec<f64>) = pairs
            .filter_map(|(a, b)| a.values[index].zip(b.values[index]))
            .unzip();
        let paired = !left.is_empty();
        let found = if paired {
            shifts(&left, &right, true, resampling)
        } else if of_a.is_empty() || of_b.is_empty() {
            [Shift::default(); FIGURES.len()]
        } else {
            shifts(&of_a, &of_b, false, resampling)
        };
        let spread = |values: &[f64]| values.iter().copied().collect::<Sample>().spread();
        let (spread_a, spread_b) = (spread(&of_a), spread(&of_b));
        of_a.sort_unstable_by(f64::total_cmp);
        of_b.sort_unstable_by(f64::total_cmp);
        let (test, found_p) = if paired {
            ("wilcoxon", tested_pairs(&left, &right))
        } else {
            let found = rank_sum(&of_a, &of_b);
            ("mann-whitney", found.map(|found| (found.effect, found.p)))
        };
        let (effect, p) = found_p.unzip();
        let ks = kolmogorov_smirnov(&of_a, &of_b);
        Some(Self {
            name,
            a: spread_a,
            b: spread_b,
            pairs: left.len() as u64,
            shifts: FIGURES
                .iter()
                .map(|(figure, _)| *figure)
                .zip(found)
                .collect(),
            test,
            effect,
            p,
            ks,
            ks_p: ks.map(|ks| kolmogorov(ks, of_a.len(), of_b.len())),
        })
    }
}

/// The effect and the probability of how `right` is above `left`, pair by pair.
fn tested_pairs(left: &[f64], right: &[f64]) -> Option<(f64, f64)> {
    // Two failures are as slow as each other.
    let apart = |(a, b): (&f64, &f64)| if a == b { 0.0 } else { b - a };
    let apart: Vec<f64> = left.iter().zip(right).map(apart).collect();
    signed_rank(&apart).map(|found| (found.effect, found.p))
}
