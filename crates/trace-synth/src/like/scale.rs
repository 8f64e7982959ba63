//! Multipliers, and what a stretched prefix is made of.

use std::str::FromStr;

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

    /// Most blocks that one block becomes.
    pub fn stride(self) -> usize {
        self.0.div_ceil(ONE) as usize
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

/// A block of a stretched prefix: which node of the tree it stands for, and
/// which of the blocks that the node became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The node.
    pub node: u32,
    /// 0 for the first block of the node.
    pub copy: u32,
}

/// Stretches or shrinks prefixes.
///
/// Block `q` of a stretched prefix, counted from 0, belongs to the node at
/// depth ⌊q / factor⌋ of the source's. That depends on nothing else, so
/// prompts that shared a prefix share its image, and every block keeps one
/// block before it however long a conversation's own prefix becomes.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    factor: Factor,
}

impl Scale {
    /// Prefixes `factor` times as long.
    pub fn new(factor: Factor) -> Self {
        Self { factor }
    }

    /// Blocks of a prefix that was `depth` blocks.
    pub fn blocks(self, depth: u32, phase: Phase) -> u32 {
        let whole = (u64::from(depth) * self.factor.0 + phase.0) / ONE;
        // Up to 2^32 source blocks times 1000; a row that long is not read.
        u32::try_from(whole).unwrap_or(u32::MAX)
    }

    /// The first `blocks` blocks of the image of the path to `node`, in order.
    pub fn fill(self, tree: &Tree, node: u32, blocks: u32, slots: &mut Vec<Slot>) {
        slots.clear();
        slots.resize(
            blocks as usize,
            Slot {
                node: NONE,
                copy: 0,
            },
        );
        let mut at = node;
        if self.factor == Factor::ONE {
            for slot in slots.iter_mut().rev() {
                slot.node = at;
                at = tree.parent(at);
            }
            return;
        }
        for (q, slot) in slots.iter_mut().enumerate().rev() {
            let above = q as u64 * ONE / self.factor.0;
            while u64::from(tree.depth(at)) > above + 1 {
                at = tree.parent(at);
            }
            let first = (above * self.factor.0).div_ceil(ONE);
            *slot = Slot {
                node: at,
                copy: (q as u64 - first) as u32,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn factor(text: &str) -> Factor {
        text.parse().unwrap()
    }

    fn chain(length: u32) -> Tree {
        let mut tree = Tree::default();
        for node in 0..length {
            tree.push(if node == 0 { NONE } else { node - 1 }, 2);
        }
        tree
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
        let scale = Scale::new(factor("1.01"));
        assert_eq!(scale.blocks(100, Phase(0)), 101);
        let blocks: u32 = (0..1000).map(|i| scale.blocks(20, Phase::of(i, 5))).sum();
        assert!((20_199..=20_201).contains(&blocks), "{blocks}");
    }

    #[test]
    fn half_a_block_is_a_block_half_of_the_time() {
        let scale = Scale::new(factor("0.5"));
        let kept: u32 = (0..1000).map(|i| scale.blocks(1, Phase::of(i, 77))).sum();
        assert!((499..=501).contains(&kept), "{kept}");
    }

    proptest! {
        #[test]
        fn images_of_a_prefix_are_prefixes_of_each_other(
            millionths in 1_000..5_000_000_u64,
            (short, long) in (1..40_u32, 1..40_u32),
            (one, other) in (0..ONE, 0..ONE),
        ) {
            let scale = Scale::new(Factor(millionths));
            let tree = chain(40);
            let image = |depth: u32, phase| {
                let mut slots = Vec::new();
                scale.fill(&tree, depth - 1, scale.blocks(depth, Phase(phase)), &mut slots);
                slots
            };
            let (a, b) = (image(short, one), image(long, other));
            let shared = a.len().min(b.len());
            prop_assert_eq!(&a[..shared], &b[..shared]);
            for (i, slot) in a.iter().enumerate() {
                prop_assert!(slot.node < short);
                prop_assert!((slot.copy as usize) < scale.factor.stride());
                prop_assert!(!a[..i].contains(slot));
            }
        }
    }
}
