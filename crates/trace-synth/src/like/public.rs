//! Blocks that are everybody's: system prompts, tools, documents.
//!
//! A block is public if many branches leave it over a good part of the
//! recording, or few that each take a good part of all requests; or if such a
//! block lies behind it.

use super::source::Source;
use super::tree::NONE;

/// A block is public from so many branches on. Conversations that are edited
/// and asked again have fewer; in the published conversation trace one block
/// has 7373, and no other more than 13.
pub const PUBLIC_BRANCHES: u32 = 16;

/// The part of the recording that the branches must span: a quarter.
/// Questions about one document come in bursts, and should again.
const PUBLIC_SPAN: u64 = 4;

/// A block that this part of all requests go through is public with fewer
/// branches, too, if none of them takes nearly all: five agents with the same
/// tools are five conversations.
const PUBLIC_SHARE: u32 = 10;

/// How many branches leave a block, and over what time.
#[derive(Clone, Copy, Default)]
pub struct Branches {
    /// How many.
    pub count: u32,
    /// When the first was taken.
    pub first: u64,
    /// When the last was taken for the first time.
    pub last: u64,
    /// When the block was last visited.
    pub visited: u64,
}

/// Whether each shared block is public; requests came at `times`, µs.
pub fn public(source: &Source, times: &[u64], branches: &[Branches]) -> Vec<bool> {
    let tree = &source.tree;
    let nodes = 0..tree.len() as u32;
    let span = times.last().copied().unwrap_or_default() / PUBLIC_SPAN;
    let many = (source.entries.len() as u32 / PUBLIC_SHARE).max(PUBLIC_BRANCHES);
    let mut largest = vec![0; tree.len()];
    for node in nodes.clone() {
        if let Some(largest) = largest.get_mut(tree.parent(node) as usize) {
            *largest = tree.visits(node).max(*largest);
        }
    }
    let is_public = |node: u32| {
        let branches = &branches[node as usize];
        let visits = tree.visits(node);
        // A conversation that grows goes on by one branch nearly always.
        let parts = visits >= many && largest[node as usize] <= visits - visits / 4;
        (parts && branches.visited - branches.first >= span)
            || (branches.count >= PUBLIC_BRANCHES && branches.last - branches.first >= span)
    };
    let mut public: Vec<bool> = nodes.clone().map(is_public).collect();
    for node in nodes.rev() {
        let parent = tree.parent(node);
        if public[node as usize] && parent != NONE {
            public[parent as usize] = true;
        }
    }
    public
}

/// Every way on from each block, counted when it is first taken; a prompt
/// that ends at the block or goes on alone is one, too.
pub fn branches(source: &Source, times: &[u64]) -> Vec<Branches> {
    let tree = &source.tree;
    let mut branches = vec![Branches::default(); tree.len()];
    let mut seen = vec![false; tree.len()];
    let mut leave = |node: u32, at: u64| {
        let Some(branches) = branches.get_mut(node as usize) else {
            return;
        };
        if branches.count == 0 {
            branches.first = at;
        }
        branches.count += 1;
        branches.last = at;
    };
    for (entry, &at) in source.entries.iter().zip(times) {
        leave(entry.core, at);
        let mut node = entry.core;
        while node != NONE && !seen[node as usize] {
            seen[node as usize] = true;
            node = tree.parent(node);
            leave(node, at);
        }
    }
    for (entry, &at) in source.entries.iter().zip(times).rev() {
        let mut node = entry.core;
        while node != NONE && std::mem::take(&mut seen[node as usize]) {
            branches[node as usize].visited = at;
            node = tree.parent(node);
        }
    }
    branches
}
