//! Sums in which nothing is rounded.
//!
//! A sum of floats depends on the order of its terms, in the last digits, as
//! long as each step rounds. These don't: every `f64` is a whole multiple of
//! the least one, and so is a sum, as an integer of some two thousand bits
//! (Kulisch's accumulator). Parts of a run then add up to the very bits of the
//! whole, whoever counted what.

use super::limbs::{Digits, LIMB, Limbs, leading, multiply, subtract};
use serde::{Deserialize, Serialize};

/// How many values there are, what they add up to, and their squares.
#[derive(Debug, Clone, Default)]
pub(super) struct Total {
    sum: Limbs,
    squares: Limbs,
}

/// Values that are added up together: their squares, of 106 bits, do not
/// outgrow 128.
const TOGETHER: usize = 1 << 20;

/// The places that the mantissa of a finite value can stand at.
const PLACES: usize = 0x7ff;

/// The place of the least float in the sum: 2^-1074.
const LEAST: i32 = 1074;

impl Total {
    /// Add finite `values`.
    pub(super) fn add_all(&mut self, values: &[f64]) {
        values.chunks(TOGETHER).for_each(|some| self.add_some(some));
    }

    /// The same for no more than are added up together.
    ///
    /// Values that stand at the same place are whole numbers of one unit; those
    /// are added up, and only their sums digit by digit.
    fn add_some(&mut self, values: &[f64]) {
        let mut places = vec![(0_u128, 0_u128); PLACES];
        for &value in values {
            if value < 0.0 {
                self.add(value, 1);
                continue;
            }
            let (mantissa, place) = parts(value);
            let (sum, squares) = &mut places[place as usize];
            *sum += u128::from(mantissa);
            *squares += u128::from(mantissa) * u128::from(mantissa);
        }
        for (place, (sum, squares)) in (0..).zip(places) {
            if sum > 0 {
                add_wide(&mut self.sum, place, sum);
                add_wide(&mut self.squares, 2 * place, squares);
            }
        }
    }

    /// Add a finite `value`, `times` times over.
    pub(super) fn add(&mut self, value: f64, times: u64) {
        let (mantissa, place) = parts(value);
        if mantissa == 0 {
            return;
        }
        // Zeros at the end would only be carried along.
        let zeros = mantissa.trailing_zeros();
        let (mantissa, place) = (mantissa >> zeros, place + zeros);
        self.sum.add(place, mantissa, times, value < 0.0);
        let square = u128::from(mantissa) * u128::from(mantissa);
        self.squares.add(2 * place, square as u64, times, false);
        let high = (square >> 64) as u64;
        if high > 0 {
            self.squares.add(2 * place + 64, high, times, false);
        }
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.sum.append(&other.sum);
        self.squares.append(&other.squares);
    }

    /// The mean of `count` values, rounded once.
    pub(super) fn mean(&self, count: u64) -> f64 {
        let (digits, negative) = self.sum.whole();
        let (top, exponent) = leading(&digits);
        let mean = libm::scalbn(top / count as f64, exponent - LEAST);
        if negative { -mean } else { mean }
    }

    /// The standard deviation of `count` values, as of a whole population:
    /// √(count · Σx² − (Σx)²) / count, where nothing is lost before the root.
    pub(super) fn std(&self, count: u64) -> f64 {
        let (sum, _) = self.sum.whole();
        let (squares, _) = self.squares.whole();
        let scaled = multiply(&squares, &[count as u32, (count >> LIMB) as u32]);
        let (mut top, mut exponent) = leading(&subtract(&scaled, &multiply(&sum, &sum)));
        if exponent % 2 != 0 {
            top *= 2.0;
            exponent -= 1;
        }
        libm::scalbn(top.sqrt() / count as f64, exponent / 2 - LEAST)
    }
}

/// A finite value without its sign as a whole number, and the power of two it
/// is to be multiplied with, from that of the least float on.
#[inline]
fn parts(value: f64) -> (u64, u32) {
    let bits = value.to_bits();
    let exponent = (bits >> 52) as u32 & 0x7ff;
    let fraction = bits & ((1 << 52) - 1);
    match exponent {
        0 => (fraction, 0),
        _ => (fraction | 1 << 52, exponent - 1),
    }
}

fn add_wide(limbs: &mut Limbs, place: u32, value: u128) {
    limbs.add(place, value as u64, 1, false);
    let high = (value >> 64) as u64;
    if high > 0 {
        limbs.add(place + 64, high, 1, false);
    }
}

/// [`Total`] on a line: the digits of both sums, base 2^32, from the first
/// that is not zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TotalState {
    sum: Digits,
    squares: Digits,
}

impl From<&Total> for TotalState {
    fn from(total: &Total) -> Self {
        Self {
            sum: (&total.sum).into(),
            squares: (&total.squares).into(),
        }
    }
}

impl TryFrom<TotalState> for Total {
    type Error = String;

    fn try_from(state: TotalState) -> Result<Self, String> {
        if state.squares.negative {
            return Err("a sum of squares is less than nothing".to_owned());
        }
        Ok(Self {
            sum: state.sum.try_into()?,
            squares: state.squares.try_into()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn total(values: &[f64]) -> Total {
        let mut total = Total::default();
        values.iter().for_each(|&value| total.add(value, 1));
        total
    }

    #[test]
    fn what_floats_lose_is_kept() {
        let far = [1e100, 1.0, -1e100, 1.0, 1e-300, -1e-300];
        assert_eq!(total(&far).mean(6), 2.0 / 6.0);
        let close = total(&[1e15, 1e15 + 1.0, 1e15 + 2.0]);
        assert_eq!(close.mean(3), 1e15 + 1.0);
        assert!((close.std(3) - (2.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(total(&[0.1; 3]).std(3), 0.0);
        let least = f64::from_bits(1);
        assert_eq!(total(&[least, 3.0 * least]).mean(2), 2.0 * least);
        assert_eq!(total(&[f64::MAX, f64::MAX]).mean(2), f64::MAX);
    }

    #[test]
    fn times_are_additions() {
        let mut at_once = Total::default();
        at_once.add(-0.3, u64::MAX);
        assert_eq!(at_once.mean(u64::MAX), -0.3);
        assert_eq!(at_once.std(u64::MAX), 0.0);
    }

    proptest! {
        #[test]
        fn any_split_and_any_order_give_the_same_digits(
            values in prop::collection::vec((any::<f64>().prop_filter("a number", |v| v.is_finite()), 1u64..1_000), 0..40),
            cut in 0usize..40,
        ) {
            let mut whole = Total::default();
            values.iter().for_each(|&(value, times)| whole.add(value, times));
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut parts = Total::default();
            for part in [right, left] {
                let mut total = Total::default();
                for &(value, times) in part.iter().rev() {
                    for chunk in [times / 2, times - times / 2] {
                        total.add(value, chunk);
                    }
                }
                parts.append(&total);
            }
            prop_assert_eq!(TotalState::from(&whole), TotalState::from(&parts));
            let read = Total::try_from(TotalState::from(&whole)).unwrap();
            prop_assert_eq!(TotalState::from(&read), TotalState::from(&whole));
        }

        #[test]
        fn values_together_are_values_one_by_one(
            values in prop::collection::vec(prop_oneof![any::<f64>().prop_filter("a number", |v| v.is_finite()), 0.0..1e4], 0..60),
        ) {
            let mut together = Total::default();
            together.add_all(&values);
            prop_assert_eq!(TotalState::from(&together), TotalState::from(&total(&values)));
        }

        #[test]
        fn mean_and_std_are_those_of_whole_numbers(values in prop::collection::vec(-1_000_000_i64..1_000_000, 1..50)) {
            let count = values.len() as i64;
            let floats: Vec<f64> = values.iter().map(|&value| value as f64).collect();
            let (sum, squares): (i64, i64) = (values.iter().sum(), values.iter().map(|v| v * v).sum());
            let total = total(&floats);
            let n = values.len() as u64;
            prop_assert_eq!(total.mean(n), sum as f64 / count as f64);
            let expected = ((count * squares - sum * sum) as f64).sqrt() / count as f64;
            prop_assert!((total.std(n) - expected).abs() <= 1e-15 * expected);
        }
    }
}
