//! Multipliers, and what a stretched prefix is made of.

use std::str::FromStr;

use anyhow::ensure;

use super::tree::{NONE, Tree};

/// One, in the unit that factors are kept in.
const ONE: u64 = 1_000_000;

/// A number that lengths are multiplied by: 0.000001 to 1000, in millionths,
/// so that all arithmetic is exact and 1.01 is not 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor(u64);

impl Factor {
    /// Leaves everything as it is.
    pub const ONE: Self = Self(ONE);

    /// `length` times the factor, halves to the even side.
    pub fn round(self, length: u64) -> u64 {
        let product = u128::from(length) * u128::from(self.0);
        let (whole, rest) = (
            product / u128::from(ONE),
            (product % u128::from(ONE)) as u64,
        );
        let up = rest > ONE / 2 || (rest == ONE / 2 && whole % 2 == 1);
        u64::try_from(whole)
            .unwrap_or(u64::MAX)
            .saturating_add(up.into())
    }

    /// `length` times the factor, at least 1 unless `length` is 0.
    pub fn round_up_from_zero(self, length: u64) -> u64 {
        self.round(length).max(length.min(1))
    }

    /// Whether it makes things smaller.
    pub fn shrinks(self) -> bool {
        self.0 < ONE
    }
}

impl FromStr for Factor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let factor = text.trim().parse::<f64>().unwrap_or(f64::NAN);
        let millionths = (factor * ONE as f64).round();
        if (1.0..=1000.0 * ONE as f64).contains(&millionths) {
            Ok(Self(millionths as u64))
        } else {
            Err(format!("{text:?} is not a factor above 0, at most 1000"))
        }
    }
}

/// Where a stretched prefix is cut off: a number from 0 to 1, in millionths.
///
/// A prefix of one block, halved, is one block for half of the conversations
/// and none for the others; the phase of a conversation says which it is.
#[derive(Clone, Copy, Debug)]
pub struct Phase(u64);

impl Phase {
    /// The phase of the conversation at `index`, of a seed's `offset`: evenly
    /// spread over any stretch of conversations (multiples of the golden
    /// ratio), so that means come out right with few of them.
    pub fn of(index: u64, offset: u64) -> Self {
        Self((offset.wrapping_add(index.wrapping_mul(618_034))) % ONE)
    }
}

/// A tree with stretched or shrunk paths.
///
/// Block `q` of a stretched prefix, counted from 0, belongs to the node at
/// depth ⌊q / factor⌋ of the source's. That depends on nothing else, so
/// prompts that shared a prefix share its image, and every block keeps one
/// block before it however long a conversation's own prefix becomes.
#[derive(Clone, Debug)]
pub struct Stretched {
    /// The tree.
    pub tree: Tree,
    /// For each of its nodes, the node of the source's that it stands for.
    pub origins: Vec<u32>,
    /// For each node of the source's, the last node of its image.
    lasts: Vec<u32>,
    factor: Factor,
}

impl Stretched {
    /// `tree` with paths `factor` times as long.
    ///
    /// # Errors
    /// 2^32 nodes or more.
    pub fn of(tree: &Tree, factor: Factor) -> anyhow::Result<Self> {
        let mut stretched = Self {
            tree: Tree::default(),
            origins: Vec::new(),
            lasts: Vec::with_capacity(tree.len()),
            factor,
        };
        let first = |depth: u32| (u64::from(depth) * factor.0).div_ceil(ONE);
        for node in 0..tree.len() as u32 {
            let mut last = match tree.parent(node) {
                NONE => NONE,
                parent => stretched.lasts[parent as usize],
            };
            let depth = tree.depth(node);
            for _ in first(depth - 1)..first(depth) {
                last = stretched.tree.push(last, tree.visits(node));
                stretched.origins.push(node);
            }
            ensure!(
                stretched.tree.len() < NONE as usize,
                "more than {NONE} shared blocks; a smaller --prefix-len-multiplier would do"
            );
            stretched.lasts.push(last);
        }
        Ok(stretched)
    }

    /// The last block of the image of the path to `node`, for a conversation
    /// of this phase.
    pub fn end(&self, node: u32, depth: u32, phase: Phase) -> u32 {
        if node == NONE {
            return NONE;
        }
        let blocks = (u64::from(depth) * self.factor.0 + phase.0) / ONE;
        let mut end = self.lasts[node as usize];
        while u64::from(self.tree.depth(end)) > blocks {
            end = self.tree.parent(end);
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn factor(text: &str) -> Factor {
        text.parse().unwrap()
    }

    /// Prefixes of a chain of `length` nodes, one of each depth.
    fn chain(length: u32, factor: Factor) -> Stretched {
        let mut tree = Tree::default();
        for node in 0..length {
            tree.push(if node == 0 { NONE } else { node - 1 }, 2);
        }
        Stretched::of(&tree, factor).unwrap()
    }

    fn blocks(chain: &Stretched, depth: u32, phase: Phase) -> u32 {
        chain.tree.depth(chain.end(depth - 1, depth, phase))
    }

    #[test]
    fn halves_go_to_the_even_side() {
        assert_eq!([1, 3, 5].map(|n| factor("0.5").round(n)), [0, 2, 2]);
        assert_eq!(factor("0.1").round_up_from_zero(1), 1);
        assert_eq!(factor("0.1").round_up_from_zero(0), 0);
        for bad in ["0", "-1", "1001", "NaN", "x", ""] {
            assert!(bad.parse::<Factor>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hundredth_more_is_one_block_in_a_hundred() {
        let chain = chain(100, factor("1.01"));
        assert_eq!(blocks(&chain, 100, Phase(0)), 101);
        let sum: u32 = (0..1000).map(|i| blocks(&chain, 20, Phase::of(i, 5))).sum();
        assert!((20_199..=20_201).contains(&sum), "{sum}");
    }

    #[test]
    fn half_a_block_is_a_block_half_of_the_time() {
        let chain = chain(1, factor("0.5"));
        let sum: u32 = (0..1000).map(|i| blocks(&chain, 1, Phase::of(i, 77))).sum();
        assert!((499..=501).contains(&sum), "{sum}");
    }

    proptest! {
        #[test]
        fn prefixes_get_their_length_and_stay_prefixes(
            millionths in 1_000..5_000_000_u64,
            depth in 1..40_u32,
            phase in 0..ONE,
        ) {
            let chain = chain(40, Factor(millionths));
            let end = chain.end(depth - 1, depth, Phase(phase));
            let exact = f64::from(depth) * millionths as f64 / 1e6;
            let blocks = f64::from(chain.tree.depth(end));
            prop_assert!((blocks - exact).abs() <= 1.0, "{blocks} for {exact}");
            if end != NONE {
                // Of what the prefix was made of, nothing that comes later.
                prop_assert!(chain.origins[end as usize] < depth);
                prop_assert_eq!(chain.tree.depth(end), end + 1);
            }
        }
    }
}
