//! The tree of what requests share: one node per block that several begin with.

use anyhow::{Context, bail};
use trace_core::BlockTable;

/// No node: above the first block, or no shared block at all.
pub const NONE: u32 = u32::MAX;

/// Collects prompts, block by block.
#[derive(Default)]
pub struct Builder {
    table: BlockTable<u64>,
    parents: Vec<u32>,
    visits: Vec<u32>,
}

impl Builder {
    /// Walk down `ids`, making the nodes that are missing; the last node.
    ///
    /// A node is a path: the same id behind another prefix is another node.
    ///
    /// # Errors
    /// More than 2^32 − 1 different blocks.
    pub fn insert(&mut self, ids: &[u64]) -> anyhow::Result<u32> {
        let mut node = None;
        for &id in ids {
            let child = self.table.child(node, id);
            if child == self.visits.len() as u64 {
                self.push(node)?;
            }
            self.visits[child as usize] += 1;
            node = Some(child);
        }
        Ok(node.map_or(NONE, |node| node as u32))
    }

    fn push(&mut self, parent: Option<u64>) -> anyhow::Result<()> {
        if self.visits.len() as u64 >= u64::from(NONE) {
            bail!("the trace has more than {NONE} different blocks");
        }
        let parent = parent.map_or(Ok(NONE), u32::try_from);
        self.parents.push(parent.context("too many blocks")?);
        self.visits.push(0);
        Ok(())
    }

    /// The nodes that two or more prompts visit, and where each node went.
    pub fn finish(self) -> (Tree, Places) {
        let Self {
            parents, visits, ..
        } = self;
        let mut tree = Tree::default();
        let mut cores = vec![NONE; visits.len()];
        for (node, &parent) in parents.iter().enumerate() {
            let above = if parent == NONE {
                NONE
            } else {
                cores[parent as usize]
            };
            if visits[node] > 1 {
                cores[node] = tree.push(above, visits[node]);
            }
        }
        (tree, Places { parents, cores })
    }
}

/// What became of the nodes of a [`Builder`].
pub struct Places {
    parents: Vec<u32>,
    cores: Vec<u32>,
}

impl Places {
    /// The deepest shared node of the prompt that ends at `leaf`, and how many
    /// unshared blocks follow it.
    pub fn split(&self, mut leaf: u32) -> (u32, u32) {
        let mut tail = 0;
        while leaf != NONE {
            let core = self.cores[leaf as usize];
            if core != NONE {
                return (core, tail);
            }
            tail += 1;
            leaf = self.parents[leaf as usize];
        }
        (NONE, tail)
    }
}

/// The blocks that at least two prompts begin with; parents come before
/// their children.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    parents: Vec<u32>,
    depths: Vec<u32>,
    visits: Vec<u32>,
}

impl Tree {
    /// Add a node below `parent`.
    pub fn push(&mut self, parent: u32, visits: u32) -> u32 {
        let node = self.len() as u32;
        self.depths.push(self.depth(parent) + 1);
        self.parents.push(parent);
        self.visits.push(visits);
        node
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether nothing is shared.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// The node above, or [`NONE`].
    pub fn parent(&self, node: u32) -> u32 {
        self.parents[node as usize]
    }

    /// Blocks from the start of the prompt to the node, itself included.
    pub fn depth(&self, node: u32) -> u32 {
        if node == NONE {
            0
        } else {
            self.depths[node as usize]
        }
    }

    /// Prompts that go through the node.
    pub fn visits(&self, node: u32) -> u32 {
        self.visits[node as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_nodes_are_kept_and_tails_counted() {
        let mut builder = Builder::default();
        let rows: [&[u64]; 4] = [&[0, 1, 2, 3], &[0, 1], &[0, 1, 2], &[0, 4, 5]];
        let leaves = rows.map(|ids| builder.insert(ids).unwrap());
        let (tree, places) = builder.finish();
        assert_eq!(tree.len(), 3);
        let found = leaves.map(|leaf| {
            let (core, tail) = places.split(leaf);
            (tree.depth(core), tail)
        });
        assert_eq!(found, [(3, 1), (2, 0), (3, 0), (1, 2)]);
        assert_eq!([0, 1, 2].map(|node| tree.visits(node)), [4, 3, 2]);
    }

    #[test]
    fn an_id_behind_another_prefix_is_another_block() {
        let mut builder = Builder::default();
        let leaves = [&[1, 9][..], &[2, 9], &[9]].map(|ids| builder.insert(ids).unwrap());
        let (tree, places) = builder.finish();
        assert!(tree.is_empty());
        assert_eq!(
            leaves.map(|leaf| places.split(leaf)),
            [(NONE, 2), (NONE, 2), (NONE, 1)]
        );
        assert_eq!(places.split(NONE), (NONE, 0));
    }
}
