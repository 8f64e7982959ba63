//! Values of one quantity, counted by their leading digits.

use super::buckets::{Buckets, ERROR, middle};
use super::state::Exactly;
use super::total::{Total, TotalState};
use super::{Spread, interpolate};
use serde::{Deserialize, Serialize};

/// How far a quantile of a sketch can be from the exact one, as a share of it:
/// 2^-11, just below 0.05 %.
pub const SKETCH_ERROR: f64 = ERROR;

/// Values of one quantity, counted by their leading digits.
///
/// Quantiles are within [`SKETCH_ERROR`] of what all values would give (those
/// of values beyond 10^-307 on either side of zero); count, mean, standard
/// deviation, minimum and maximum are exact. It holds a few hundred kilobytes,
/// however many values there are, and is a function of the values alone: no
/// order in which they come, and no way to divide them, changes a bit.
#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    below: Buckets,
    zeros: u64,
    above: Buckets,
    ends: Option<(f64, f64)>,
    total: Total,
}

impl Sketch {
    /// Add a finite `value`, `times` times over.
    pub(super) fn add(&mut self, value: f64, times: u64) {
        if value > 0.0 {
            self.above.add(value, times);
        } else if value < 0.0 {
            self.below.add(-value, times);
        } else {
            self.zeros += times;
        }
        self.reach(value, value);
        self.total.add(value, times);
    }

    /// Add finite `values`.
    pub(super) fn add_all(&mut self, values: &[f64]) {
        for &value in values {
            if value > 0.0 {
                self.above.add(value, 1);
            } else if value < 0.0 {
                self.below.add(-value, 1);
            } else {
                self.zeros += 1;
            }
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low <= high {
            self.reach(low, high);
        }
        self.total.add_all(values);
    }

    fn reach(&mut self, low: f64, high: f64) {
        self.ends = Some(match self.ends {
            Some((min, max)) => (min.min(low), max.max(high)),
            None => (low, high),
        });
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.below.append(&other.below);
        self.zeros += other.zeros;
        self.above.append(&other.above);
        if let Some((min, max)) = other.ends {
            self.reach(min, max);
        }
        self.total.append(&other.total);
    }

    pub(super) fn count(&self) -> u64 {
        self.below.count() + self.zeros + self.above.count()
    }

    /// What stands for the values, ascending, with how many.
    pub(super) fn ranks(&self) -> Vec<(f64, u64)> {
        let (min, max) = self.ends.unwrap_or_default();
        let below = self.below.filled().rev();
        let below = below.map(|(bucket, times)| (-middle(bucket), times));
        let zeros = (self.zeros > 0).then_some((0.0, self.zeros));
        let above = self.above.filled();
        let above = above.map(|(bucket, times)| (middle(bucket), times));
        let all = below.chain(zeros).chain(above);
        all.map(|(value, times)| (value.clamp(min, max), times))
            .collect()
    }

    pub(super) fn spread(&self, censored: u64, at: impl Fn(u64) -> f64) -> Spread {
        let count = self.count();
        let mut spread =
            Spread::quantiles(|mille| interpolate(count, censored, f64::from(mille) / 1000.0, &at));
        spread.count = count;
        spread.censored = censored;
        let Some((min, max)) = self.ends else {
            return spread;
        };
        spread.mean = Some(self.total.mean(count).clamp(min, max));
        spread.std = Some(self.total.std(count));
        (spread.min, spread.max) = (Some(min), Some(max));
        spread.quantile_error = Some(SKETCH_ERROR);
        spread
    }
}

/// [`Sketch`] on a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SketchState {
    min: Exactly,
    max: Exactly,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    below: Vec<(usize, u64)>,
    #[serde(default, skip_serializing_if = "is_zero")]
    zeros: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    above: Vec<(usize, u64)>,
    total: TotalState,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl From<&Sketch> for SketchState {
    fn from(sketch: &Sketch) -> Self {
        let (min, max) = sketch.ends.unwrap_or_default();
        Self {
            min: Exactly(min),
            max: Exactly(max),
            below: sketch.below.filled().collect(),
            zeros: sketch.zeros,
            above: sketch.above.filled().collect(),
            total: (&sketch.total).into(),
        }
    }
}

impl TryFrom<SketchState> for Sketch {
    type Error = String;

    fn try_from(state: SketchState) -> Result<Self, String> {
        let sketch = Self {
            below: Buckets::of(&state.below)?,
            zeros: state.zeros,
            above: Buckets::of(&state.above)?,
            ends: None,
            total: state.total.try_into()?,
        };
        let (min, max) = (state.min.0, state.max.0);
        let counts = [sketch.below.count(), sketch.zeros, sketch.above.count()];
        let count = counts.into_iter().try_fold(0_u64, u64::checked_add);
        if count.is_none() || !min.is_finite() || !max.is_finite() || min > max {
            return Err("a sketch does not add up".to_owned());
        }
        Ok(Self {
            ends: (count != Some(0)).then_some((min, max)),
            ..sketch
        })
    }
}
