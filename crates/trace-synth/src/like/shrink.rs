//! Shrinking prefixes as Dynamo does: chain by chain.

use super::scale::Factor;
use super::tree::{NONE, Tree};

/// Shrink every chain of equally visited nodes to `factor` of its length, one
/// node at least; the tree, and where each node went.
pub fn shrink(tree: &Tree, factor: Factor) -> (Tree, Vec<u32>) {
    let chained = |node: u32| {
        let parent = tree.parent(node);
        (parent != NONE && tree.visits(parent) == tree.visits(node)).then_some(parent)
    };
    let nodes = 0..tree.len() as u32;
    let mut lengths = vec![1_u32; tree.len()];
    let mut last = vec![true; tree.len()];
    for node in nodes.clone() {
        if let Some(parent) = chained(node) {
            lengths[node as usize] = lengths[parent as usize] + 1;
            last[parent as usize] = false;
        }
    }
    // How many nodes of its chain, from the node upwards, stay.
    let mut staying = vec![0_u64; tree.len()];
    for node in nodes.clone().rev() {
        if last[node as usize] {
            staying[node as usize] = factor.round(lengths[node as usize].into()).max(1);
        }
        if let Some(parent) = chained(node) {
            staying[parent as usize] = staying[node as usize].saturating_sub(1);
        }
    }
    let mut shrunk = Tree::default();
    let mut places = vec![NONE; tree.len()];
    for node in nodes {
        let parent = tree.parent(node);
        let above = if parent == NONE {
            NONE
        } else {
            places[parent as usize]
        };
        places[node as usize] = if staying[node as usize] > 0 {
            shrunk.push(above, tree.visits(node))
        } else {
            above
        };
    }
    (shrunk, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_shrink_and_keep_a_block() {
        // 0 → 1 → 2 (4 visits each), then 3 → 4 (2 visits), and 5 (2 visits).
        let mut tree = Tree::default();
        for (parent, visits) in [(NONE, 4), (0, 4), (1, 4), (2, 2), (3, 2), (2, 2)] {
            tree.push(parent, visits);
        }
        let depths = |factor: &str| {
            let (shrunk, places) = shrink(&tree, factor.parse().unwrap());
            places
                .iter()
                .map(|&place| shrunk.depth(place))
                .collect::<Vec<_>>()
        };
        // Half of 3 is 2 (to the even side), half of 2 is 1, half of 1 is 1.
        assert_eq!(depths("0.5"), [0, 1, 2, 2, 3, 3]);
        assert_eq!(depths("0.001"), [0, 0, 1, 1, 2, 2]);
        assert_eq!(depths("0.999999"), [1, 2, 3, 4, 5, 4]);
    }
}
