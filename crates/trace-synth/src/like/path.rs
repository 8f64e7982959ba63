//! The way down a tree, in runs of blocks whose ids lie side by side.

use super::tree::{NONE, Tree};

/// Whose a shared block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Everybody's, always.
    Lasting,
    /// Everybody's, for one pass.
    Passing,
    /// The conversation's alone.
    Private,
}

/// Blocks below each other whose places lie side by side: those from `begin`
/// to before `end` among the blocks of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whose they are.
    pub owner: Owner,
    /// Place of the first.
    pub begin: u32,
    /// Place after the last.
    pub end: u32,
}

/// A tree whose nodes have places for ids.
///
/// Prompts of hundreds of blocks are the rule; a conversation that grows has
/// its blocks in one run, which is copied as a whole.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    tree: Tree,
    places: Vec<(Owner, u32)>,
    /// The first node of the run that a node is in.
    heads: Vec<u32>,
}

impl Paths {
    /// `tree`, with the owner of each node and its place among the owner's.
    pub fn new(tree: Tree, places: Vec<(Owner, u32)>) -> Self {
        let mut heads: Vec<u32> = Vec::with_capacity(tree.len());
        for node in 0..tree.len() as u32 {
            let (owner, place) = places[node as usize];
            let head = match tree.parent(node) {
                NONE => node,
                parent if places[parent as usize] == (owner, place.wrapping_sub(1)) => {
                    heads[parent as usize]
                }
                _ => node,
            };
            heads.push(head);
        }
        Self {
            tree,
            places,
            heads,
        }
    }

    /// The tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Put the path to `node` into `runs`, from its first block on.
    pub fn runs(&self, mut node: u32, runs: &mut Vec<Run>) {
        runs.clear();
        while node != NONE {
            let head = self.heads[node as usize];
            let (owner, begin) = self.places[head as usize];
            let end = self.places[node as usize].1 + 1;
            runs.push(Run { owner, begin, end });
            node = self.tree.parent(head);
        }
        runs.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_where_places_part() {
        let mut tree = Tree::default();
        let mut places = Vec::new();
        for (parent, owner, place) in [
            (NONE, Owner::Lasting, 0),
            (0, Owner::Private, 0),
            (1, Owner::Private, 1),
            (1, Owner::Private, 2),
            (3, Owner::Private, 3),
        ] {
            tree.push(parent, 2);
            places.push((owner, place));
        }
        let paths = Paths::new(tree, places);
        let runs = |node| {
            let mut runs = Vec::new();
            paths.runs(node, &mut runs);
            runs.iter()
                .map(|run| run.begin..run.end)
                .collect::<Vec<_>>()
        };
        assert_eq!(runs(2), [0..1, 0..2]);
        assert_eq!(runs(4), [0..1, 0..1, 2..4]);
        assert_eq!(runs(NONE), []);
    }
}
