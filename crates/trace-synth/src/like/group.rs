//! Which requests of a trace belong together.
//!
//! Some blocks are *public*: system prompts, tools, documents asked about by
//! everybody. Below them, requests that share a block belong to one group, as
//! do turns of one session; any other request is a group by itself. A block is
//! public if many branches leave it over a good part of the recording, or if
//! such a block lies behind it.

use super::source::Source;
use super::tree::{NONE, Tree};

/// A block is public from so many branches on. Conversations that are edited
/// and asked again have fewer; in the published conversation trace one block
/// has 7373, and no other more than 13.
const PUBLIC_BRANCHES: u32 = 16;

/// The part of the recording that the branches must span: a quarter.
/// Questions about one document come in bursts, and should again.
const PUBLIC_SPAN: u64 = 4;

/// The groups of a source, numbered by their first request.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// The group of each request.
    pub members: Vec<u32>,
    /// The group of each shared block; [`NONE`] of a public one.
    pub nodes: Vec<u32>,
    /// Number of groups.
    pub count: u32,
}

impl Groups {
    /// Group the requests of `source`, which came at `times`.
    pub fn of(source: &Source, times: &[u64]) -> Self {
        let tree = &source.tree;
        let tops = tops(tree, &public(source, times));
        let mut joined = Joined::new(tree.len() + source.sessions as usize);
        let session = |index: u32| tree.len() as u32 + index;
        let top = |node: u32| tops.get(node as usize).copied().unwrap_or(NONE);
        for entry in &source.entries {
            if top(entry.core) != NONE && entry.session != NONE {
                joined.join(top(entry.core), session(entry.session));
            }
        }
        let mut groups = Self::default();
        let mut numbers = vec![NONE; tree.len() + source.sessions as usize];
        for entry in &source.entries {
            let key = match (top(entry.core), entry.session) {
                (NONE, NONE) => None,
                (NONE, index) => Some(joined.first(session(index))),
                (top, _) => Some(joined.first(top)),
            };
            let known = key.map_or(NONE, |key| numbers[key as usize]);
            let number = if known == NONE { groups.count } else { known };
            groups.count = groups.count.max(number + 1);
            if let Some(key) = key {
                numbers[key as usize] = number;
            }
            groups.members.push(number);
        }
        let number = |&top: &u32| match top {
            NONE => NONE,
            top => numbers[joined.first(top) as usize],
        };
        groups.nodes = tops.iter().map(number).collect();
        groups
    }

    /// The share of requests in the largest group; 0 if all are alone.
    pub fn largest_share(&self) -> f64 {
        let mut sizes = vec![0_u64; self.count as usize];
        for &member in &self.members {
            sizes[member as usize] += 1;
        }
        let largest = sizes.into_iter().filter(|&size| size > 1).max();
        largest.map_or(0.0, |size| size as f64 / self.members.len() as f64)
    }
}

/// How many branches leave a block, and over what time.
#[derive(Clone, Copy, Default)]
struct Branches {
    count: u32,
    first: u64,
    last: u64,
}

/// Whether each shared block is public.
fn public(source: &Source, times: &[u64]) -> Vec<bool> {
    let tree = &source.tree;
    let branches = branches(source, times);
    let span = times.last().copied().unwrap_or_default() / PUBLIC_SPAN;
    let mut public: Vec<bool> = branches
        .iter()
        .map(|branches| branches.count >= PUBLIC_BRANCHES && branches.last - branches.first >= span)
        .collect();
    for node in (0..tree.len() as u32).rev() {
        let parent = tree.parent(node);
        if public[node as usize] && parent != NONE {
            public[parent as usize] = true;
        }
    }
    public
}

/// Every way on from each block, counted when it is first taken; a prompt
/// that ends at the block or goes on alone is one, too.
fn branches(source: &Source, times: &[u64]) -> Vec<Branches> {
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
    branches
}

/// For each block the topmost one above it, or itself, that is not public;
/// [`NONE`] for public ones.
fn tops(tree: &Tree, public: &[bool]) -> Vec<u32> {
    let mut tops = vec![NONE; tree.len()];
    for node in 0..tree.len() as u32 {
        if !public[node as usize] {
            let above = tops.get(tree.parent(node) as usize);
            let above = above.copied().unwrap_or(NONE);
            tops[node as usize] = if above == NONE { node } else { above };
        }
    }
    tops
}

/// Disjoint sets.
struct Joined(Vec<u32>);

impl Joined {
    fn new(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    /// The first element of the set that `element` is in, halving the way to
    /// it for the next time.
    fn first_of(&mut self, mut element: u32) -> u32 {
        while self.0[element as usize] != element {
            let above = self.0[self.0[element as usize] as usize];
            self.0[element as usize] = above;
            element = above;
        }
        element
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.first_of(one), self.first_of(other));
        self.0[one.max(other) as usize] = one.min(other);
    }

    fn first(&self, mut element: u32) -> u32 {
        while self.0[element as usize] != element {
            element = self.0[element as usize];
        }
        element
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Reader;

    /// The groups of prompts one second apart, given as ids and a session.
    fn groups(rows: &[(&[u64], Option<u32>)]) -> Vec<u32> {
        let mut text = String::new();
        for (second, (ids, session)) in rows.iter().enumerate() {
            let session = session.map_or(String::new(), |id| format!(",\"session_id\":{id}"));
            text += &format!(
                "{{\"timestamp\":{},\"input_length\":{},\"hash_ids\":{ids:?}{session}}}\n",
                second * 1000,
                ids.len() * 512
            );
        }
        let mut reader = Reader::new("<stdin>", text.as_bytes());
        let source = Source::read(&mut reader, 512, false).unwrap().0;
        let times: Vec<u64> = source.entries.iter().map(|entry| entry.at).collect();
        Groups::of(&source, &times).members
    }

    #[test]
    fn prompts_that_share_a_block_are_one_conversation() {
        let rows: [(&[u64], _); 4] = [
            (&[1, 2], None),
            (&[7], None),
            (&[1, 2, 3], None),
            (&[1], None),
        ];
        assert_eq!(groups(&rows), [0, 1, 0, 0]);
    }

    #[test]
    fn turns_of_a_session_are_one_conversation_with_what_they_share() {
        let rows: [(&[u64], _); 5] = [
            (&[1], Some(5)),
            (&[2, 3], Some(5)),
            (&[2, 4], None),
            (&[6], None),
            (&[7], Some(6)),
        ];
        assert_eq!(groups(&rows), [0, 0, 0, 1, 2]);
    }

    #[test]
    fn what_many_begin_with_all_the_time_is_public() {
        let ids: Vec<[u64; 3]> = (0..40).map(|i| [0, 1, 2 + i / 2]).collect();
        let rows: Vec<(&[u64], _)> = ids.iter().map(|ids| (&ids[..], None)).collect();
        let expected: Vec<u32> = (0..40).map(|i| i / 2).collect();
        assert_eq!(groups(&rows), expected);
    }

    #[test]
    fn what_many_begin_with_for_a_short_time_is_not() {
        let mut ids: Vec<[u64; 2]> = (0..200).map(|i| [1000 + i, 0]).collect();
        for (i, ids) in ids[50..90].iter_mut().enumerate() {
            *ids = [0, 1 + i as u64];
        }
        let rows: Vec<(&[u64], _)> = ids.iter().map(|ids| (&ids[..], None)).collect();
        let found = groups(&rows);
        assert!(found[50..90].iter().all(|&group| group == found[50]));
    }
}
