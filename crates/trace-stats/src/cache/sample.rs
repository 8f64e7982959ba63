//! The LRU curve from a sample of the blocks: SHARDS (Waldspurger et al.,
//! FAST 2015), for traces whose blocks do not fit in memory.
//!
//! A block is in the sample if the hash of its id says so, always or never, so
//! among the blocks between two uses of one the same share is in the sample:
//! sampled distances over the rate are distances. Memory is that share of what
//! the exact curve takes. How many accesses fall into the sample varies; the
//! surplus or lack is booked as hits of the smallest cache, as in the paper.
//!
//! The error is measured, not assumed: eight samples of an eighth of the rate,
//! without a block in common, each give a curve. The spread of the eight over √8
//! tells which blocks were drawn, and the difference of their mean from the
//! curve of the whole sample what so small samples get wrong together; both are
//! in the error that is stated. What no sample resolves are capacities that lie
//! close together: the distance of a use varies from sample to sample like the
//! square root of the sampled blocks in it, so the curve is smoothed over
//! ±1/√(rate × capacity) of a capacity, and a bend in it comes out flatter,
//! however many blocks there are.

use super::curve::{Curve, Hits, Rate};
use super::distance::{Distances, Order};
use super::row::{Row, full_blocks};
use crate::ids::Ids;

/// Samples that the error is measured with.
const PARTS: usize = 8;

/// Measures the curve of a sample: prompts go in one after the other.
#[derive(Debug)]
pub struct Sample {
    rate: f64,
    block_size: u64,
    full_only: bool,
    whole: Part,
    parts: [Part; PARTS],
    /// All accesses, sampled or not.
    accessed: Hits,
    /// Tokens of all prompts.
    tokens: u64,
    without_length: u64,
}

/// The blocks of one sample.
#[derive(Debug)]
struct Part {
    ids: Ids,
    distances: Distances,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            ids: Ids::of_sample(),
            distances: Distances::new(Order::Forward),
        }
    }
}

/// A rate that was estimated, and its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The rates.
    pub rate: Rate,
    /// Error of the hit rate by block, one standard deviation.
    pub hit_rate_error: Option<f64>,
    /// Error of the hit rate by token, one standard deviation.
    pub token_hit_rate_error: Option<f64>,
}

impl Sample {
    /// A sample of the share `rate` of all blocks, more than 0 and at most 1.
    pub fn new(rate: f64, block_size: u64, full_only: bool) -> Self {
        Self {
            rate,
            block_size,
            full_only,
            whole: Part::default(),
            parts: Default::default(),
            accessed: Hits::default(),
            tokens: 0,
            without_length: 0,
        }
    }

    /// Take the next prompt: its length in tokens, if known, and its ids.
    ///
    /// # Errors
    ///
    /// If more ids are sampled than can be numbered.
    pub fn push(&mut self, tokens: Option<u64>, ids: &[u64]) -> anyhow::Result<()> {
        self.without_length += u64::from(tokens.is_none() && !ids.is_empty());
        let full = full_blocks(tokens, ids.len(), self.block_size, self.full_only);
        let row = Row {
            blocks: &[],
            tokens: tokens.unwrap_or(0),
            block_size: self.block_size,
        };
        self.accessed.add(row.hits(0, full));
        self.tokens = self.tokens.saturating_add(row.tokens);
        for (at, &id) in ids[..full].iter().enumerate() {
            let hash = mix(id);
            // The upper bits decide, the lower ones tell the parts apart.
            if ((hash >> 11) as f64) < self.rate * (1u64 << 53) as f64 {
                let access = row.hits(at, 1);
                self.whole.access(id, access)?;
                self.parts[hash as usize % PARTS].access(id, access)?;
            }
        }
        Ok(())
    }

    /// Blocks in the sample.
    pub fn distinct(&self) -> u32 {
        self.whole.ids.len()
    }

    /// All accesses, sampled or not, and the tokens of all prompts.
    pub fn asked(&self) -> Hits {
        Hits {
            blocks: self.accessed.blocks,
            tokens: self.tokens,
        }
    }

    /// Prompts with ids and without a length.
    pub fn without_length(&self) -> u64 {
        self.without_length
    }

    /// The curves that estimates are made of.
    pub fn finish(&self) -> Sampled {
        Sampled {
            rate: self.rate,
            accessed: self.accessed,
            asked: self.asked(),
            whole: self.whole.distances.curve(),
            parts: self.parts.each_ref().map(|part| part.distances.curve()),
        }
    }
}

impl Part {
    fn access(&mut self, id: u64, access: Hits) -> anyhow::Result<()> {
        let block = self.ids.number(id)?;
        self.distances.access(block, access);
        Ok(())
    }
}

/// The curves of a sample.
#[derive(Debug)]
pub struct Sampled {
    rate: f64,
    accessed: Hits,
    asked: Hits,
    whole: Curve,
    parts: [Curve; PARTS],
}

impl Sampled {
    /// The least capacity beyond which the sample finds no more.
    pub fn saturation(&self) -> u64 {
        let distance = self.whole.saturation().saturating_sub(1) as f64 / self.rate;
        distance.ceil() as u64 + 1
    }

    /// The hit rates of a cache of `capacity` blocks.
    pub fn at(&self, capacity: u64) -> Estimate {
        let rate = self.estimate(&self.whole, self.rate, capacity);
        let parts = self.parts.each_ref();
        let parts = parts.map(|part| self.estimate(part, self.rate / PARTS as f64, capacity));
        Estimate {
            rate,
            hit_rate_error: error(rate.hit_rate, parts.map(|part| part.hit_rate)),
            token_hit_rate_error: error(rate.token_hit_rate, parts.map(|part| part.token_hit_rate)),
        }
    }

    /// What `curve`, of a sample at `rate`, says of all blocks.
    fn estimate(&self, curve: &Curve, rate: f64, capacity: u64) -> Rate {
        // Sampled distances up to d are found by a cache of d ÷ rate blocks, on
        // average; one whose size lies between two of these finds a part of
        // what the larger one finds more.
        let within = capacity as f64 * rate;
        let part = within.fract();
        let (less, more) = (curve.hits(within as u64), curve.hits(within as u64 + 1));
        let between = |less: u64, more: u64| less as f64 + part * (more - less) as f64;
        let blocks = between(less.blocks, more.blocks);
        let tokens = between(less.tokens, more.tokens);
        let share = |hits: f64, sampled: u64, accessed: u64, asked: u64| {
            let surplus = accessed as f64 - sampled as f64 / rate;
            let all = (hits / rate + surplus).clamp(0.0, accessed as f64);
            (asked > 0).then(|| all / asked as f64)
        };
        let (sampled, accessed, asked) = (curve.asked, self.accessed, self.asked);
        Rate {
            hit_rate: share(blocks, sampled.blocks, accessed.blocks, asked.blocks),
            token_hit_rate: share(tokens, sampled.tokens, accessed.tokens, asked.tokens),
        }
    }
}

/// The error of an estimate, given those of the parts: the standard error of
/// their mean, and how far that is from the `whole`, which a part that is too
/// small for the capacity gets wrong in the same way as the others.
fn error(whole: Option<f64>, parts: [Option<f64>; PARTS]) -> Option<f64> {
    let whole = whole?;
    let parts: Vec<f64> = parts.into_iter().collect::<Option<_>>()?;
    let count = parts.len() as f64;
    let mean = parts.iter().sum::<f64>() / count;
    let squares: f64 = parts.iter().map(|part| (part - mean) * (part - mean)).sum();
    let bias = mean - whole;
    Some((squares / (count - 1.0) / count + bias * bias).sqrt())
}

/// A hash of `id` with every bit as good as random (the finalizer of
/// SplitMix64): the same on every machine.
fn mix(id: u64) -> u64 {
    let id = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let id = (id ^ (id >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let id = (id ^ (id >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    id ^ (id >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Rows;
    use trace_core::Streams;
    use trace_core::seed::{below, unit};

    /// Prompts of one to eight blocks, a few blocks asked for far more often.
    fn prompts() -> Vec<Vec<u64>> {
        let mut random = Streams::new(1).stream("test");
        let mut prompt = || {
            let start = libm::pow(40_000.0, unit(&mut random)) as u64;
            (start..start + 1 + below(&mut random, 8)).collect()
        };
        (0..30_000).map(|_| prompt()).collect()
    }

    fn sampled(rate: f64, prompts: &[Vec<u64>]) -> Sampled {
        let mut sample = Sample::new(rate, 10, false);
        for ids in prompts {
            sample.push(Some(10 * ids.len() as u64), ids).unwrap();
        }
        sample.finish()
    }

    fn exact(prompts: &[Vec<u64>]) -> Curve {
        let mut rows = Rows::new(10, false);
        let mut distances = Distances::new(Order::Forward);
        for ids in prompts {
            distances.push(&rows.row(Some(10 * ids.len() as u64), ids).unwrap());
        }
        distances.curve()
    }

    #[test]
    fn a_sample_of_everything_is_exact() {
        let prompts = prompts();
        let (sampled, exact) = (sampled(1.0, &prompts), exact(&prompts));
        for capacity in [1, 10, 100, 1_000, 10_000, 40_000] {
            assert_eq!(sampled.at(capacity).rate, exact.at(capacity));
        }
        assert_eq!(sampled.saturation(), exact.saturation());
    }

    #[test]
    fn a_capacity_between_two_sampled_ones_is_neither() {
        let sampled = sampled(0.1, &prompts());
        let at = |capacity| sampled.at(capacity).rate.hit_rate.unwrap();
        for low in [300, 2_000] {
            let (less, more) = (at(low), at(low + 10));
            assert!(less < more);
            // The larger one's, if it were cut at a sampled distance.
            let between = less + 0.3 * (more - less);
            assert!((at(low + 3) - between).abs() < 1e-9, "{less} {more}");
        }
    }

    #[test]
    fn the_stated_error_is_the_error() {
        let prompts = prompts();
        let exact = exact(&prompts);
        // Other ids, other samples.
        let (mut off, mut stated) = (0.0, 0.0);
        for salt in 0..10 {
            let renamed = prompts.iter().map(|ids| {
                let ids = ids.iter().map(|id| id + salt * 1_000_000);
                ids.collect::<Vec<u64>>()
            });
            let sampled = sampled(0.1, &renamed.collect::<Vec<_>>());
            for capacity in [300, 1_000, 3_000, 10_000, 40_000] {
                let found = sampled.at(capacity);
                let error = found.rate.hit_rate.unwrap() - exact.at(capacity).hit_rate.unwrap();
                off += error * error;
                stated += found.hit_rate_error.unwrap() * found.hit_rate_error.unwrap();
            }
        }
        let ratio = f64::sqrt(off / stated);
        assert!((0.5..1.5).contains(&ratio), "{ratio}");
    }

    #[test]
    fn the_hash_never_changes() {
        assert_eq!(
            [mix(0), mix(1)],
            [0xe220_a839_7b1d_cdaf, 0x910a_2dec_8902_5cc1]
        );
    }
}
