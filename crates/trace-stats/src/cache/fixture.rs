//! Rows that tests are made of.

use proptest::prelude::*;

/// Rows that are paths of a tree, as prompts are, of fewer than `blocks` blocks.
pub(super) fn paths(blocks: usize) -> impl Strategy<Value = Vec<Vec<u32>>> {
    let path = prop::collection::vec(0u32..3, 0..blocks).prop_map(|choices| {
        let mut node = 0;
        choices
            .iter()
            .map(|choice| {
                node = 3 * node + choice + 1;
                node
            })
            .collect()
    });
    prop::collection::vec(path, 0..40)
}
