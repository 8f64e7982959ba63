//! Randomness that can be repeated: one seed, an independent stream for each
//! aspect.
//!
//! Arrivals, lengths and blocks each draw from a stream of their own, so that
//! asking for longer prompts never moves an arrival. ChaCha8 because its
//! output is fixed by its definition, whereas `StdRng` may change with any
//! release.

use rand::{Rng, SeedableRng};

/// The generator of every tool.
pub type Random = rand::rngs::ChaCha8Rng;

/// The streams that belong to one `--seed`.
#[derive(Debug, Clone, Copy)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// The streams of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The stream for `aspect`, such as `"arrival"`.
    pub fn stream(self, aspect: &str) -> Random {
        self.stream_of(aspect, 0)
    }

    /// The stream for `aspect` of the thing numbered `index`: a record, a
    /// block, a client. Lets things be drawn in any order, on any thread.
    pub fn stream_of(self, aspect: &str, index: u64) -> Random {
        // Every part has its place in ChaCha's key, so two streams differ
        // unless all of their parts are equal.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&fnv1a(aspect).to_le_bytes());
        key[16..24].copy_from_slice(&index.to_le_bytes());
        key[24..].copy_from_slice(b"trace/01");
        Random::from_seed(key)
    }
}

/// A number in [0, 1), all 53 bits of it random.
pub fn unit(random: &mut impl Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number in 0..`end`, each equally likely (Lemire's method).
///
/// # Panics
/// If `end` is 0.
pub fn below(random: &mut impl Rng, end: u64) -> u64 {
    assert!(end > 0, "there is no number below zero");
    // Products below this would make the lowest results likelier.
    let uneven = end.wrapping_neg() % end;
    loop {
        let product = u128::from(random.next_u64()) * u128::from(end);
        if product as u64 >= uneven {
            return (product >> 64) as u64;
        }
    }
}

/// FNV-1a, 64 bits: a name's place in the key, the same for ever.
pub fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_streams_of_a_seed_never_change() {
        let mut arrival = Streams::new(7).stream("arrival");
        let first: Vec<u64> = (0..3).map(|_| arrival.next_u64()).collect();
        assert_eq!(first, GOLDEN);
    }

    const GOLDEN: [u64; 3] = [
        8_033_721_608_188_455_037,
        15_243_609_971_711_586_296,
        7_866_581_264_662_006_837,
    ];

    #[test]
    fn aspects_seeds_and_indices_differ() {
        let first = |seed, aspect, index| Streams::new(seed).stream_of(aspect, index).next_u64();
        let all = [
            first(0, "arrival", 0),
            first(0, "length", 0),
            first(1, "arrival", 0),
            first(0, "arrival", 1),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn numbers_below_three_are_equally_likely() {
        let mut random = Streams::new(0).stream("test");
        let mut counts = [0_i32; 3];
        for _ in 0..30_000 {
            counts[below(&mut random, 3) as usize] += 1;
        }
        // Four standard deviations of a binomial.
        assert!(
            counts.iter().all(|count| (count - 10_000).abs() < 330),
            "{counts:?}"
        );
    }

    proptest! {
        #[test]
        fn draws_stay_in_range(seed in any::<u64>(), end in 1..u64::MAX) {
            let mut random = Streams::new(seed).stream("test");
            prop_assert!(below(&mut random, end) < end);
            prop_assert!((0.0..1.0).contains(&unit(&mut random)));
        }
    }
}
