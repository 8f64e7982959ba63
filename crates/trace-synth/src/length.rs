//! How long requests are: input and output lengths, in tokens.
//!
//! [`Lengths`] gives both lengths of a request at once, because they need not
//! be independent of each other, nor of the time. [`Length`] is one
//! distribution, as [`Dist`](crate::dist::Dist) spells it on the command line.

use rand::Rng;
use trace_core::seed;

use crate::curve::Curve;
use crate::draw;
use crate::empirical::Table;

/// Longest length drawn or accepted, tokens. Heavy tails end here.
pub const MAX_TOKENS: u64 = 1_000_000_000;

/// Both lengths of the requests of a trace, in order.
pub trait Lengths {
    /// Input and output tokens of the request that arrives at `seconds`.
    fn draw(&mut self, seconds: f64) -> (u64, u64);
}

/// Input and output drawn independently, each from its own stream.
#[derive(Clone, Debug)]
pub struct Independent<R> {
    /// Distribution of input lengths, and where its randomness comes from.
    pub input: (Length, R),
    /// The same for output lengths.
    pub output: (Length, R),
}

impl<R: Rng> Lengths for Independent<R> {
    fn draw(&mut self, _: f64) -> (u64, u64) {
        (
            self.input.0.draw(&mut self.input.1),
            self.output.0.draw(&mut self.output.1),
        )
    }
}

/// One of two kinds of request, the share of the first varying with time.
#[derive(Clone, Debug)]
pub struct Pairs<C, R> {
    /// Probability of `first` at each moment, 0 to 1.
    pub share: C,
    /// Input and output tokens of the first kind.
    pub first: (u64, u64),
    /// Input and output tokens of the second kind.
    pub second: (u64, u64),
    /// Decides between them.
    pub rng: R,
}

impl<C: Curve, R: Rng> Lengths for Pairs<C, R> {
    fn draw(&mut self, seconds: f64) -> (u64, u64) {
        if seed::unit(&mut self.rng) < self.share.at(seconds) {
            self.first
        } else {
            self.second
        }
    }
}

/// A distribution of token counts.
///
/// Draws are rounded to the nearest whole number and then moved into
/// `min..=max`: what would be longer becomes `max`, as a context window cuts
/// prompts, and is not drawn again.
#[derive(Clone, Debug, PartialEq)]
pub struct Length {
    /// Before rounding and bounds.
    pub shape: Shape,
    /// Fewest tokens.
    pub min: u64,
    /// Most tokens.
    pub max: u64,
}

/// The form of a distribution of token counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Always the same.
    Fixed(u64),
    /// A normal distribution of this mean and standard deviation.
    Normal {
        /// Tokens.
        mean: f64,
        /// Standard deviation, tokens.
        sd: f64,
    },
    /// A normal distribution cut at the bounds of the length: what would be
    /// beyond them is drawn again, in effect.
    TruncatedNormal {
        /// Before the cut.
        mean: f64,
        /// Before the cut.
        sd: f64,
    },
    /// e to the power of a normal number.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Every whole number from `low` to `high`, both included.
    Uniform {
        /// Fewest tokens.
        low: u64,
        /// Most tokens.
        high: u64,
    },
    /// A Poisson distribution.
    Poisson {
        /// Tokens.
        mean: f64,
    },
    /// 1, and one more as often as a coin that fits the mean says.
    Geometric {
        /// At least 1.
        mean: f64,
    },
    /// At least `scale`; longer than x with probability (scale/x)^alpha.
    Pareto {
        /// Fewest tokens.
        scale: f64,
        /// Tail exponent; the mean is finite above 1, the variance above 2.
        alpha: f64,
    },
    /// An exponential distribution.
    Exponential {
        /// Tokens.
        mean: f64,
    },
    /// The lengths of a file, each as often as it occurs there.
    Empirical(Table),
}

impl Shape {
    /// The log-normal distribution whose own mean and standard deviation
    /// (not those of the logarithm) are `mean` and `sd`.
    pub fn lognormal(mean: f64, sd: f64) -> Self {
        let spread = sd / mean;
        let variance = libm::log1p(spread * spread);
        Self::Lognormal {
            mu: libm::log(mean) - variance / 2.0,
            sigma: variance.sqrt(),
        }
    }

    /// The Pareto distribution of this mean and standard deviation, both more
    /// than 0.
    ///
    /// Its variance is mean² / (α (α − 2)), so α = 1 + √(1 + (mean / sd)²).
    pub fn pareto(mean: f64, sd: f64) -> Self {
        let ratio = mean / sd;
        let alpha = 1.0 + (1.0 + ratio * ratio).sqrt();
        Self::Pareto {
            scale: mean * (alpha - 1.0) / alpha,
            alpha,
        }
    }
}

impl Length {
    /// One length, in tokens.
    pub fn draw(&self, rng: &mut impl Rng) -> u64 {
        let tokens = match &self.shape {
            Shape::Fixed(tokens) => *tokens,
            Shape::Normal { mean, sd } => rounded(mean + sd * draw::normal(rng)),
            Shape::TruncatedNormal { mean, sd } => rounded(draw::truncated_normal(
                rng,
                (*mean, *sd),
                (self.min as f64, self.max as f64),
            )),
            Shape::Lognormal { mu, sigma } => rounded(libm::exp(mu + sigma * draw::normal(rng))),
            Shape::Uniform { low, high } => low + seed::below(rng, high - low + 1),
            Shape::Poisson { mean } => draw::poisson(rng, *mean),
            Shape::Geometric { mean } => draw::geometric(rng, *mean),
            Shape::Pareto { scale, alpha } => {
                rounded(scale * libm::pow(draw::open(rng), -1.0 / alpha))
            }
            Shape::Exponential { mean } => rounded(mean * draw::exponential(rng)),
            Shape::Empirical(table) => table.draw(rng),
        };
        tokens.clamp(self.min, self.max)
    }
}

/// `tokens` to the nearest whole number; below zero is zero.
fn rounded(tokens: f64) -> u64 {
    tokens.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    #[test]
    fn draws_are_moved_to_the_bounds() {
        let length = Length {
            shape: Shape::Normal { mean: 0.0, sd: 1e6 },
            min: 3,
            max: 9,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<u64> = (0..200).map(|_| length.draw(&mut rng)).collect();
        assert!(drawn.contains(&3) && drawn.contains(&9));
        assert!(drawn.iter().all(|tokens| (3..=9).contains(tokens)));
    }

    #[test]
    fn a_uniform_range_includes_both_ends() {
        let length = Length {
            shape: Shape::Uniform { low: 4, high: 6 },
            min: 1,
            max: MAX_TOKENS,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut seen: Vec<u64> = (0..100).map(|_| length.draw(&mut rng)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [4, 5, 6]);
    }

    #[test]
    fn an_endless_tail_ends_at_the_largest_length() {
        let length = Length {
            shape: Shape::Pareto {
                scale: 1.0,
                alpha: 0.01,
            },
            min: 1,
            max: MAX_TOKENS,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert!((0..100).all(|_| length.draw(&mut rng) <= MAX_TOKENS));
    }

    #[test]
    fn a_share_of_one_always_takes_the_first_pair() {
        let share = crate::curve::Sine::new(1.0, 1.0, 10.0);
        let rng = ChaCha8Rng::seed_from_u64(1);
        let mut pairs = Pairs {
            share,
            first: (100, 2000),
            second: (5000, 100),
            rng,
        };
        assert!((0..1000).all(|i| pairs.draw(f64::from(i)) == (100, 2000)));
    }
}
