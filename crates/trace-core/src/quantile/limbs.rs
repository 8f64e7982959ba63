//! Whole numbers of any size, digit by digit.

use serde::{Deserialize, Serialize};

/// The bits of a digit.
pub(super) const LIMB: u32 = 32;
/// Additions after which carries are propagated: digits have 31 bits of room.
const ROOM: u32 = 1 << 29;

/// A sum of products of whole numbers, in units of a power of two.
#[derive(Debug, Clone, Default)]
pub(super) struct Limbs {
    /// Digits of 32 bits, least first, whose carries wait.
    digits: Vec<i64>,
    waiting: u32,
}

impl Limbs {
    /// Add `value` × `times` × 2^`place`, or take it away.
    pub(super) fn add(&mut self, place: u32, value: u64, times: u64, negative: bool) {
        let product = u128::from(value) * u128::from(times);
        let (low, high) = (product as u64, (product >> 64) as u64);
        self.add_at(place, low, negative);
        if high > 0 {
            self.add_at(place + 64, high, negative);
        }
    }

    fn add_at(&mut self, place: u32, value: u64, negative: bool) {
        let (first, shift) = ((place / LIMB) as usize, place % LIMB);
        if self.digits.len() < first + 5 {
            self.digits.resize(first + 5, 0);
        }
        if self.waiting >= ROOM {
            self.carry();
        }
        self.waiting += 1;
        let wide = u128::from(value) << shift;
        for (at, digit) in self.digits[first..first + 3].iter_mut().enumerate() {
            let part = ((wide >> (LIMB * at as u32)) as u32) as i64;
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
            carry = sum >> LIMB;
        }
        if let Some(last) = self.digits.last_mut() {
            *last += carry;
        }
    }

    pub(super) fn append(&mut self, other: &Self) {
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
    pub(super) fn whole(&self) -> (Vec<u32>, bool) {
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

/// A number as its three leading digits and the power of two they stand at.
pub(super) fn leading(digits: &[u32]) -> (f64, i32) {
    let from = digits.len().saturating_sub(3);
    let top = digits[from..].iter().rev();
    let top = top.fold(0_u128, |number, &digit| {
        (number << LIMB) | u128::from(digit)
    });
    (top as f64, from as i32 * LIMB as i32)
}

pub(super) fn multiply(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut product = vec![0_u32; a.len() + b.len()];
    for (i, &a) in a.iter().enumerate() {
        let mut carry = 0_u64;
        for (j, &b) in b.iter().enumerate() {
            let sum = u64::from(a) * u64::from(b) + u64::from(product[i + j]) + carry;
            product[i + j] = sum as u32;
            carry = sum >> LIMB;
        }
        product[i + b.len()] = carry as u32;
    }
    product
}

/// `a` − `b`, where `b` is not larger.
pub(super) fn subtract(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut borrow = 0_i64;
    let mut difference: Vec<u32> = (0..a.len().max(b.len()))
        .map(|at| {
            let digit = |digits: &[u32]| i64::from(digits.get(at).copied().unwrap_or(0));
            let left = digit(a) - digit(b) + borrow;
            borrow = left >> LIMB;
            left as u32
        })
        .collect();
    while difference.last() == Some(&0) {
        difference.pop();
    }
    difference
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Digits {
    from: u16,
    digits: Vec<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) negative: bool,
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
