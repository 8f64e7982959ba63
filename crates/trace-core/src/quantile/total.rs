//! Sums in which nothing is rounded.
//!
//! A sum of floats depends on the order of its terms, in the last digits, as
//! long as each step rounds. These don't: every `f64` is a whole multiple of
//! the least one, and so is a sum, as an integer of some two thousand bits
//! (Kulisch's accumulator). Parts of a run then add up to the very bits of the
//! whole, whoever counted what.

use serde::{Deserialize, Serialize};

/// The bits of a digit.
const DIGIT: u32 = 32;
/// Additions after which carries are propagated: digits have 31 bits of room.
const ROOM: u32 = 1 << 29;

/// A sum of products of whole numbers, in units of a power of two.
#[derive(Debug, Clone, Default)]
struct Limbs {
    /// Digits of 32 bits, least first, whose carries wait.
    digits: Vec<i64>,
    waiting: u32,
}

impl Limbs {
    /// Add `value` × `times` × 2^`place`, or take it away.
    fn add(&mut self, place: u32, value: u64, times: u64, negative: bool) {
        let product = u128::from(value) * u128::from(times);
        let (low, high) = (product as u64, (product >> 64) as u64);
        self.add_at(place, low, negative);
        if high > 0 {
            self.add_at(place + 64, high, negative);
        }
    }

    fn add_at(&mut self, place: u32, value: u64, negative: bool) {
        let (first, shift) = ((place / DIGIT) as usize, place % DIGIT);
        if self.digits.len() < first + 5 {
            self.digits.resize(first + 5, 0);
        }
        if self.waiting >= ROOM {
            self.carry();
        }
        self.waiting += 1;
        let wide = u128::from(value) << shift;
        for (at, digit) in self.digits[first..first + 3].iter_mut().enumerate() {
            let part = ((wide >> (DIGIT * at as u32)) as u32) as i64;
            *digit += if negative { -part } else { part };
        }
    }

    /// Bring every digit but the last into 0..2^32.
    fn carry(&mut self) {
        self.waiting = 0;
        let mut carry = 0;
        if self.digits.last().is_some_and(|&last| last != 0) {
            self.digits.push(0);
        }
        let last = self.digits.len().saturating_sub(1);
        for digit in &mut self.digits[..last] {
            let sum = *digit + carry;
            *digit = sum & 0xffff_ffff;
            carry = sum >> DIGIT;
        }
        if let Some(last) = self.digits.last_mut() {
            *last += carry;
        }
    }

    fn append(&mut self, other: &Self) {
        self.carry();
        let mut other = other.clone();
        other.carry();
        if self.digits.len() < other.digits.len() {
            self.digits.resize(other.digits.len(), 0);
        }
        for (digit, more) in self.digits.iter_mut().zip(other.digits) {
            *digit += more;
        }
        self.carry();
    }

    /// The digits without sign, least first and none of them superfluous, and
    /// whether they are less than nothing.
    fn whole(&self) -> (Vec<u32>, bool) {
        let mut limbs = self.clone();
        limbs.digits.push(0);
        limbs.carry();
        let negative = limbs.digits.last().is_some_and(|&last| last < 0);
        if negative {
            limbs.digits.iter_mut().for_each(|digit| *digit = -*digit);
            limbs.carry();
        }
        let digits = limbs.digits.into_iter().map(|digit| digit as u32);
        let mut digits: Vec<u32> = digits.collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        (digits, negative)
    }
}

/// How many values there are, what they add up to, and their squares.
#[derive(Debug, Clone, Default)]
pub(super) struct Total {
    sum: Limbs,
    squares: Limbs,
}

/// The place of the least float in the sum: 2^-1074.
const LEAST: i32 = 1074;

impl Total {
    /// Add a finite `value`, `times` times over.
    pub(super) fn add(&mut self, value: f64, times: u64) {
        let bits = value.to_bits();
        let exponent = (bits >> 52) as u32 & 0x7ff;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, place) = match exponent {
            0 => (fraction, 0),
            _ => (fraction | 1 << 52, exponent - 1),
        };
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
        let scaled = multiply(&squares, &[count as u32, (count >> DIGIT) as u32]);
        let (mut top, mut exponent) = leading(&subtract(&scaled, &multiply(&sum, &sum)));
        if exponent % 2 != 0 {
            top *= 2.0;
            exponent -= 1;
        }
        libm::scalbn(top.sqrt() / count as f64, exponent / 2 - LEAST)
    }
}

/// A number as its three leading digits and the power of two they stand at.
fn leading(digits: &[u32]) -> (f64, i32) {
    let from = digits.len().saturating_sub(3);
    let top = digits[from..].iter().rev();
    let top = top.fold(0_u128, |number, &digit| {
        (number << DIGIT) | u128::from(digit)
    });
    (top as f64, from as i32 * DIGIT as i32)
}

fn multiply(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut product = vec![0_u32; a.len() + b.len()];
    for (i, &a) in a.iter().enumerate() {
        let mut carry = 0_u64;
        for (j, &b) in b.iter().enumerate() {
            let sum = u64::from(a) * u64::from(b) + u64::from(product[i + j]) + carry;
            product[i + j] = sum as u32;
            carry = sum >> DIGIT;
        }
        product[i + b.len()] = carry as u32;
    }
    product
}

/// `a` − `b`, where `b` is not larger.
fn subtract(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut borrow = 0_i64;
    let mut difference: Vec<u32> = (0..a.len().max(b.len()))
        .map(|at| {
            let digit = |digits: &[u32]| i64::from(digits.get(at).copied().unwrap_or(0));
            let left = digit(a) - digit(b) + borrow;
            borrow = left >> DIGIT;
            left as u32
        })
        .collect();
    while difference.last() == Some(&0) {
        difference.pop();
    }
    difference
}

/// [`Total`] on a line: the digits of both sums, base 2^32, from the first
/// that is not zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TotalState {
    sum: Digits,
    squares: Digits,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digits {
    from: u16,
    digits: Vec<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    negative: bool,
}

/// More digits than any sum of a total has.
const MOST: usize = 150;

impl From<&Limbs> for Digits {
    fn from(limbs: &Limbs) -> Self {
        let (mut digits, negative) = limbs.whole();
        let from = digits.iter().take_while(|&&digit| digit == 0).count();
        digits.drain(..from);
        Self {
            from: from as u16,
            digits,
            negative,
        }
    }
}

impl TryFrom<Digits> for Limbs {
    type Error = String;

    fn try_from(state: Digits) -> Result<Self, String> {
        let from = usize::from(state.from);
        if from + state.digits.len() > MOST {
            return Err("a sum has too many digits".to_owned());
        }
        let sign = if state.negative { -1 } else { 1 };
        let mut digits = vec![0; from];
        digits.extend(state.digits.iter().map(|&digit| sign * i64::from(digit)));
        Ok(Self { digits, waiting: 0 })
    }
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
