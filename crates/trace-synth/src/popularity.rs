//! Which of several things is chosen: all alike, by rank, or hot and cold.

use rand::Rng;
use trace_core::{Micros, seed};

/// Most things to choose from: a table of them is 8 MB.
pub const MAX_COUNT: u64 = 1_000_000;

/// How likely each of the numbers from 0 is.
#[derive(Clone, Debug, PartialEq)]
pub enum Popularity {
    /// All alike.
    Uniform {
        /// How many numbers.
        count: u64,
    },
    /// Number i with probability proportional to 1 / (i + 1)^s.
    Zipf {
        /// Sum of the probabilities up to and including each number.
        cumulative: Vec<f64>,
    },
    /// Some are hot, and which they are moves on.
    HotCold(HotCold),
}

/// A few numbers that get most of the choices, and move on.
///
/// At time t the hot ones are `hot` numbers from ⌊t / period⌋ on, round and
/// round: each period the one that was hot the longest turns cold, and the
/// next cold one hot. A number is hot with probability `share`, each hot one
/// alike and each cold one alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HotCold {
    /// How many numbers, 2 or more.
    pub count: u64,
    /// How many of them are hot, at least 1 and fewer than all.
    pub hot: u64,
    /// Probability that a choice is a hot one.
    pub share: f64,
    /// After this long the next one becomes hot; nothing is never.
    pub period: Option<Micros>,
}

impl Popularity {
    /// Zipf's law over `count` numbers with exponent `s`.
    pub fn zipf(count: u64, s: f64) -> Self {
        let mut total = 0.0;
        let weight = |rank: u64| libm::pow(rank as f64, -s);
        let mut cumulative: Vec<f64> = (1..=count)
            .map(|rank| {
                total += weight(rank);
                total
            })
            .collect();
        cumulative.iter_mut().for_each(|sum| *sum /= total);
        Self::Zipf { cumulative }
    }

    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        match self {
            Self::Uniform { count } => *count,
            Self::Zipf { cumulative } => cumulative.len() as u64,
            Self::HotCold(mixture) => mixture.count,
        }
    }

    /// One of the numbers, at `seconds` since the trace began.
    pub fn draw(&self, seconds: f64, rng: &mut impl Rng) -> u64 {
        match self {
            Self::Uniform { count } => seed::below(rng, *count),
            Self::Zipf { cumulative } => {
                let target = seed::unit(rng);
                let index = cumulative.partition_point(|&sum| sum <= target);
                index.min(cumulative.len() - 1) as u64
            }
            Self::HotCold(mixture) => mixture.draw(seconds, rng),
        }
    }

    /// How likely `number` is at `seconds`.
    pub fn probability(&self, number: u64, seconds: f64) -> f64 {
        match self {
            Self::Uniform { count } => 1.0 / *count as f64,
            Self::Zipf { cumulative } => {
                let index = number as usize;
                let before = index
                    .checked_sub(1)
                    .map_or(0.0, |before| cumulative[before]);
                cumulative[index] - before
            }
            Self::HotCold(mixture) => mixture.probability(number, seconds),
        }
    }
}

impl HotCold {
    /// The number that has been hot the longest.
    fn first(&self, seconds: f64) -> u64 {
        let periods = self.period.map_or(0.0, |period| seconds / period.as_secs());
        periods as u64 % self.count
    }

    fn draw(&self, seconds: f64, rng: &mut impl Rng) -> u64 {
        let place = if seed::unit(rng) < self.share {
            seed::below(rng, self.hot)
        } else {
            self.hot + seed::below(rng, self.count - self.hot)
        };
        (self.first(seconds) + place) % self.count
    }

    fn probability(&self, number: u64, seconds: f64) -> f64 {
        let place = (number + self.count - self.first(seconds)) % self.count;
        if place < self.hot {
            self.share / self.hot as f64
        } else {
            (1.0 - self.share) / (self.count - self.hot) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up() {
        let mixture = HotCold {
            count: 9,
            hot: 2,
            share: 0.75,
            period: Some(Micros::from_micros(10_000_000)),
        };
        for popularity in [
            Popularity::Uniform { count: 7 },
            Popularity::zipf(100, 1.2),
            Popularity::HotCold(mixture),
        ] {
            let sum: f64 = (0..popularity.count())
                .map(|number| popularity.probability(number, 95.0))
                .sum();
            assert!((sum - 1.0).abs() < 1e-12, "{popularity:?}: {sum}");
        }
    }

    #[test]
    fn zipf_is_the_law_of_ranks() {
        let zipf = Popularity::zipf(3, 1.0);
        let total = 1.0 + 0.5 + 1.0 / 3.0;
        for (number, weight) in [1.0, 0.5, 1.0 / 3.0].into_iter().enumerate() {
            assert!((zipf.probability(number as u64, 0.0) - weight / total).abs() < 1e-12);
        }
    }

    #[test]
    fn one_more_is_hot_each_period_and_the_oldest_turns_cold() {
        let mixture = HotCold {
            count: 4,
            hot: 2,
            share: 1.0,
            period: Some(Micros::from_micros(10_000_000)),
        };
        let hot = |seconds: f64| -> Vec<u64> {
            (0..4)
                .filter(|&number| mixture.probability(number, seconds) > 0.0)
                .collect()
        };
        assert_eq!(hot(0.0), [0, 1]);
        assert_eq!(hot(9.99), [0, 1]);
        assert_eq!(hot(10.0), [1, 2]);
        assert_eq!(hot(35.0), [0, 3]);
        let still = HotCold {
            period: None,
            ..mixture
        };
        assert_eq!(still.first(1e9), 0);
    }
}
