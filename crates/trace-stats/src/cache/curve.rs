//! Hits by distance, and from them the hit rate at every capacity.

use hashbrown::HashMap;
use serde::Serialize;
use trace_core::quantile;

/// What a cache of some capacity had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hits {
    /// Blocks found.
    pub blocks: u64,
    /// Tokens in them.
    pub tokens: u64,
}

/// Shares of what was asked for; `None` if nothing was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Rate {
    /// Blocks found among the blocks accessed.
    #[serde(serialize_with = "quantile::number")]
    pub hit_rate: Option<f64>,
    /// Tokens found among the tokens of the prompts.
    #[serde(serialize_with = "quantile::number")]
    pub token_hit_rate: Option<f64>,
}

impl Hits {
    /// Take these hits in.
    pub fn add(&mut self, other: Self) {
        self.blocks += other.blocks;
        // A line may claim any length.
        self.tokens = self.tokens.saturating_add(other.tokens);
    }

    /// The hits as shares of all that was `asked`.
    pub fn of(self, asked: Self) -> Rate {
        Rate {
            hit_rate: crate::prefix::ratio(self.blocks, asked.blocks),
            token_hit_rate: crate::prefix::ratio(self.tokens, asked.tokens),
        }
    }
}

/// Distances below this are counted in a table, the rest in a hash map.
const NEAR: usize = 1 << 16;

/// Counts hits by stack distance.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    /// By distance − 1.
    near: Vec<Hits>,
    far: HashMap<u32, Hits, foldhash::fast::FixedState>,
    asked: Hits,
}

impl Histogram {
    /// Count `asked` blocks and tokens, found or not.
    pub fn ask(&mut self, asked: Hits) {
        self.asked.add(asked);
    }

    /// Count hits in all caches of `distance` blocks or more, at least 1.
    pub fn hit(&mut self, distance: u32, hits: Hits) {
        let at = distance as usize - 1;
        if at >= NEAR {
            self.far.entry(distance).or_default().add(hits);
            return;
        }
        if at >= self.near.len() {
            self.near.resize(at + 1, Hits::default());
        }
        self.near[at].add(hits);
    }

    /// The hit rate at every capacity.
    pub fn curve(&self) -> Curve {
        let near = (1u32..).zip(&self.near);
        let far = self.far.iter().map(|(&distance, hits)| (distance, hits));
        let mut steps: Vec<(u64, Hits)> = near
            .chain(far)
            .filter(|(_, hits)| **hits != Hits::default())
            .map(|(distance, hits)| (u64::from(distance), *hits))
            .collect();
        steps.sort_unstable_by_key(|(distance, _)| *distance);
        let mut sum = Hits::default();
        for (_, hits) in &mut steps {
            sum.add(*hits);
            *hits = sum;
        }
        Curve {
            asked: self.asked,
            steps,
        }
    }
}

/// Hit rate against capacity: a staircase that rises at some capacities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Curve {
    /// All that was asked for.
    pub asked: Hits,
    /// Capacities in blocks at which more is found, ascending, and all that is
    /// found from there on.
    pub steps: Vec<(u64, Hits)>,
}

impl Curve {
    /// What a cache of `capacity` blocks finds.
    pub fn hits(&self, capacity: u64) -> Hits {
        let above = self.steps.partition_point(|(from, _)| *from <= capacity);
        above
            .checked_sub(1)
            .map_or(Hits::default(), |at| self.steps[at].1)
    }

    /// The same as shares.
    pub fn at(&self, capacity: u64) -> Rate {
        self.hits(capacity).of(self.asked)
    }

    /// The least capacity beyond which nothing more is found; 0 if nothing
    /// ever is.
    pub fn saturation(&self) -> u64 {
        self.steps.last().map_or(0, |(from, _)| *from)
    }

    /// The curve of several caches of the same size, each with requests of its
    /// own: what they find together.
    pub fn sum(curves: impl IntoIterator<Item = Self>) -> Self {
        let mut rises: Vec<(u64, Hits)> = Vec::new();
        let mut asked = Hits::default();
        for curve in curves {
            asked.add(curve.asked);
            let mut before = Hits::default();
            for (from, hits) in curve.steps {
                let rise = Hits {
                    blocks: hits.blocks - before.blocks,
                    tokens: hits.tokens - before.tokens,
                };
                rises.push((from, rise));
                before = hits;
            }
        }
        rises.sort_unstable_by_key(|(from, _)| *from);
        let mut steps: Vec<(u64, Hits)> = Vec::new();
        let mut found = Hits::default();
        for (from, rise) in rises {
            found.add(rise);
            match steps.last_mut() {
                Some((last, hits)) if *last == from => *hits = found,
                _ => steps.push((from, found)),
            }
        }
        Self { asked, steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(blocks: u64) -> Hits {
        Hits {
            blocks,
            tokens: 10 * blocks,
        }
    }

    #[test]
    fn a_hit_counts_from_its_distance_on() {
        let mut histogram = Histogram::default();
        histogram.ask(blocks(10));
        histogram.hit(3, blocks(2));
        histogram.hit(70_000, blocks(5));
        histogram.hit(1, blocks(1));
        let curve = histogram.curve();
        let hits: Vec<u64> = [0, 1, 2, 3, 69_999, 70_000]
            .map(|c| curve.hits(c).blocks)
            .into();
        assert_eq!(hits, [0, 1, 1, 3, 3, 8]);
        assert_eq!(curve.at(3).hit_rate, Some(0.3));
        assert_eq!(curve.at(3).token_hit_rate, Some(0.3));
        assert_eq!(curve.saturation(), 70_000);
    }

    #[test]
    fn nothing_asked_is_no_rate() {
        let curve = Histogram::default().curve();
        assert_eq!(curve.at(5), Rate::default());
    }

    #[test]
    fn caches_side_by_side_find_the_sum() {
        let one = |distance, hits| {
            let mut histogram = Histogram::default();
            histogram.ask(blocks(10));
            histogram.hit(distance, blocks(hits));
            histogram.hit(9, blocks(1));
            histogram.curve()
        };
        let sum = Curve::sum([one(2, 3), one(5, 4)]);
        let steps: Vec<_> = sum
            .steps
            .iter()
            .map(|(from, hits)| (*from, hits.blocks))
            .collect();
        assert_eq!(steps, [(2, 3), (5, 7), (9, 9)]);
        assert_eq!(sum.asked.blocks, 20);
    }
}
