//! Random numbers of a given shape, equal to the last bit on every machine.
//!
//! Everything here turns the 64-bit words of a generator into numbers by
//! arithmetic and by functions of `libm`, which is software throughout. The
//! samplers of `rand_distr` would be shorter, but they take their logarithms
//! from `num-traits`, which means libm only as long as no other crate of the
//! same build asks for std; and their streams may change between versions.
//!
//! Where the inverse of the distribution function is at hand, one draw costs
//! exactly one word and grows with it, so that changing a mean or a spread
//! keeps the ranks of a sequence.

use rand::Rng;
use trace_core::seed::unit;

use crate::normal::{normal_cdf, normal_quantile};

/// Largest mean that [`poisson`] draws with; beyond it the acceptance test
/// loses its last digits to cancellation.
pub const POISSON_MAX_MEAN: f64 = 1e9;

/// A number in (0, 1), ends excluded, so that its logarithm is finite.
#[inline]
pub fn open(rng: &mut impl Rng) -> f64 {
    ((rng.next_u64() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// Whole numbers below a bound, each equally likely, from 32-bit words.
///
/// Multiply and shift, rejecting the few words that would favour some results
/// (Lemire 2019), with the rejection threshold worked out once: on block
/// contents, five a request, its division took a tenth of all time.
#[derive(Clone, Copy, Debug)]
pub struct Below {
    bound: u64,
    unfair: u32,
}

impl Below {
    /// Numbers below `bound`, which is 1 to 2^32.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn new(bound: u64) -> Self {
        assert!(
            (1..=1 << 32).contains(&bound),
            "{bound} has no numbers of 32 bits below it"
        );
        Self {
            bound,
            unfair: ((1u64 << 32) % bound) as u32,
        }
    }

    /// One number.
    #[inline]
    pub fn draw(self, rng: &mut impl Rng) -> u32 {
        loop {
            let product = u64::from(rng.next_u32()) * self.bound;
            if product as u32 >= self.unfair {
                return (product >> 32) as u32;
            }
        }
    }
}

/// An exponential number with mean 1.
#[inline]
pub fn exponential(rng: &mut impl Rng) -> f64 {
    -libm::log(open(rng))
}

/// A standard normal number, by the inverse of its distribution function.
#[inline]
pub fn normal(rng: &mut impl Rng) -> f64 {
    normal_quantile(open(rng))
}

/// A normal number of this mean and standard deviation that lies within
/// these bounds, between which the mean must lie.
///
/// By the inverse of its distribution function, so that a narrow window costs
/// no more than a wide one.
pub fn truncated_normal(
    rng: &mut impl Rng,
    (mean, sd): (f64, f64),
    (low, high): (f64, f64),
) -> f64 {
    let u = open(rng);
    if sd == 0.0 {
        return mean.clamp(low, high);
    }
    let (from, to) = (
        normal_cdf((low - mean) / sd),
        normal_cdf((high - mean) / sd),
    );
    // Far from either end in a double, so that the inverse is finite.
    let share = (from + u * (to - from)).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON);
    (mean + sd * normal_quantile(share)).clamp(low, high)
}

/// A geometric number of the given mean, at least 1: how often a coin is
/// thrown until it falls right, if it does once in `mean` throws.
pub fn geometric(rng: &mut impl Rng, mean: f64) -> u64 {
    let u = open(rng);
    if mean <= 1.0 {
        return 1;
    }
    1 + (libm::log(u) / libm::log1p(-1.0 / mean)) as u64
}

/// A gamma number of the given `shape` and scale 1 (mean `shape`).
///
/// Marsaglia and Tsang (2000), "A simple method for generating gamma
/// variables", with their power of a uniform number below shape 1.
pub fn gamma(rng: &mut impl Rng, shape: f64) -> f64 {
    if shape < 1.0 {
        let raised = gamma(rng, shape + 1.0);
        return raised * libm::pow(open(rng), 1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        if libm::log(open(rng)) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// A Poisson number; 0 for a mean of 0 or less.
///
/// Inversion below a mean of 10, the transformed rejection PTRS of Hörmann
/// (1993) above: the same two methods, at the same border, as numpy.
/// Means above [`POISSON_MAX_MEAN`] are for the caller to refuse.
pub fn poisson(rng: &mut impl Rng, mean: f64) -> u64 {
    if mean >= 10.0 {
        poisson_rejection(rng, mean)
    } else if mean > 0.0 {
        poisson_inversion(rng, mean)
    } else {
        0
    }
}

fn poisson_inversion(rng: &mut impl Rng, mean: f64) -> u64 {
    let target = unit(rng);
    let mut count = 0u64;
    let mut probability = libm::exp(-mean);
    let mut cumulative = probability;
    while target >= cumulative {
        count += 1;
        probability *= mean / count as f64;
        let next = cumulative + probability;
        // The sum has stopped growing just short of 1, below a target that
        // lies between: the far tail, with probability about 2^-53.
        if next == cumulative {
            break;
        }
        cumulative = next;
    }
    count
}

fn poisson_rejection(rng: &mut impl Rng, mean: f64) -> u64 {
    let root = mean.sqrt();
    let log_mean = libm::log(mean);
    let b = 0.931 + 2.53 * root;
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let v_r = 0.9277 - 3.6224 / (b - 2.0);
    loop {
        let u = unit(rng) - 0.5;
        let v = unit(rng);
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
        if us >= 0.07 && v <= v_r {
            return k as u64;
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let envelope = libm::log(v) + libm::log(inverse_alpha) - libm::log(a / (us * us) + b);
        if envelope <= -mean + k * log_mean - libm::lgamma(k + 1.0) {
            return k as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn below_is_fair_where_the_bound_does_not_divide_the_words() {
        // Three quarters of all words: without rejection every third number
        // would come up twice as often as the others.
        let below = Below::new(3 << 30);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let thirds = (0..30_000)
            .filter(|_| below.draw(&mut rng).is_multiple_of(3))
            .count();
        assert!((9_600..10_400).contains(&thirds), "{thirds} of 30000");
        assert!((0..100).all(|_| Below::new(1).draw(&mut rng) == 0));
        assert!((0..100).any(|_| Below::new(1 << 32).draw(&mut rng) >= 1 << 31));
    }

    #[test]
    fn a_poisson_number_of_mean_zero_is_zero() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(poisson(&mut rng, 0.0), 0);
    }

    #[test]
    fn open_numbers_exclude_both_ends() {
        struct Fixed(u64);
        impl rand::TryRng for Fixed {
            type Error = std::convert::Infallible;
            fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
                Ok(self.0 as u32)
            }
            fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
                Ok(self.0)
            }
            fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
                dst.fill(self.0 as u8);
                Ok(())
            }
        }
        assert!(open(&mut Fixed(0)) > 0.0);
        assert!(open(&mut Fixed(u64::MAX)) < 1.0);
        assert!(normal(&mut Fixed(0)).is_finite() && normal(&mut Fixed(u64::MAX)).is_finite());
    }
}
