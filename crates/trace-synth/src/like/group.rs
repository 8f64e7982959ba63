//! Which requests of a trace belong together.
//!
//! Some blocks are *public*: system prompts, tools, documents asked about by
//! everybody. Below them, requests that share a block belong to one group, as
//! do turns of one session; any other request is a group by itself. A block is
//! public if many branches leave it over a good part of the recording, or few
//! that each take a good part of all requests, or if such a block lies behind
//! it. Branches that leave a public block in a burst, a job that asks a hundred
//! questions at once, are one group again.

use super::public::{Branches, PUBLIC_BRANCHES, branches, public};
use super::source::{Entry, Source};
use super::tree::{NONE, Tree};

/// Branches are a burst if they follow each other by less than this part of
/// the usual number of requests. Of branches that come at random, an eighth
/// do, so a block has bursts only if half of its branches do.
const BURST: usize = 8;

/// A burst is at most this part of all requests: agents that begin together
/// are no burst.
const BURST_SHARE: u32 = 20;

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
        let branches = branches(source, times);
        let tops = tops(&source.tree, &public(source, times, &branches));
        let keys = Keys {
            tops: &tops,
            sessions_from: source.tree.len(),
            entries_from: source.tree.len() + source.sessions as usize,
        };
        let mut joined = Joined::new(keys.entries_from + source.entries.len());
        for (index, entry) in source.entries.iter().enumerate() {
            if entry.session != NONE {
                joined.join(keys.of(entry, index), keys.session(entry.session));
            }
        }
        join_bursts(source, &branches, &keys, &mut joined);
        let mut numbers = vec![NONE; joined.len()];
        let mut groups = Self::default();
        for (index, entry) in source.entries.iter().enumerate() {
            let number = &mut numbers[joined.first(keys.of(entry, index)) as usize];
            if *number == NONE {
                *number = groups.count;
                groups.count += 1;
            }
            groups.members.push(*number);
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

/// What is known of an entry's group: the topmost block that is not public,
/// else the session, else the entry itself; all numbered together.
struct Keys<'a> {
    tops: &'a [u32],
    sessions_from: usize,
    entries_from: usize,
}

impl Keys<'_> {
    fn of(&self, entry: &Entry, index: usize) -> u32 {
        let top = self.tops.get(entry.core as usize);
        match (top.copied().unwrap_or(NONE), entry.session) {
            (NONE, NONE) => (self.entries_from + index) as u32,
            (NONE, session) => self.session(session),
            (top, _) => top,
        }
    }

    fn session(&self, session: u32) -> u32 {
        self.sessions_from as u32 + session
    }
}

/// Join branches that leave a public block in quick succession, if most do.
///
/// Succession is counted in requests, not by the clock, so that of a block
/// that everybody begins with, nothing is a burst: all come one by one.
fn join_bursts(source: &Source, branches: &[Branches], keys: &Keys<'_>, joined: &mut Joined) {
    let pairs = successions(source, branches, keys, joined.len());
    let mut quick = vec![0_u32; source.tree.len()];
    for &(node, ..) in &pairs {
        quick[node as usize] += 1;
    }
    let mut sizes = vec![0_u32; joined.len()];
    for (index, entry) in source.entries.iter().enumerate() {
        sizes[joined.first_of(keys.of(entry, index)) as usize] += 1;
    }
    let most = (source.entries.len() as u32 / BURST_SHARE).max(PUBLIC_BRANCHES);
    for (node, before, after) in pairs {
        let count = branches[node as usize].count;
        if count < PUBLIC_BRANCHES || quick[node as usize] < count / 2 {
            continue;
        }
        let (before, after) = (joined.first_of(before), joined.first_of(after));
        let size = sizes[before as usize] + sizes[after as usize];
        if before != after && size <= most {
            joined.join(before, after);
            sizes[joined.first_of(after) as usize] = size;
        }
    }
}

/// Branches that leave a public block soon after another: the block, and the
/// keys of both.
fn successions(
    source: &Source,
    branches: &[Branches],
    keys: &Keys<'_>,
    count: usize,
) -> Vec<(u32, u32, u32)> {
    let mut last: Vec<Option<(usize, u32)>> = vec![None; source.tree.len()];
    let mut known = vec![false; count];
    let mut pairs = Vec::new();
    for (index, entry) in source.entries.iter().enumerate() {
        let key = keys.of(entry, index);
        if std::mem::replace(&mut known[key as usize], true) {
            continue;
        }
        let top = keys.tops.get(entry.core as usize).copied();
        let node = match top.unwrap_or(NONE) {
            NONE => entry.core,
            top => source.tree.parent(top),
        };
        let Some(last) = last.get_mut(node as usize) else {
            continue;
        };
        let usual = source.entries.len() / branches[node as usize].count.max(1) as usize;
        if let Some((before, other)) = last.replace((index, key))
            && (index - before) * BURST <= usual
        {
            pairs.push((node, other, key));
        }
    }
    pairs
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

    fn len(&self) -> usize {
        self.0.len()
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
    fn few_that_share_their_tools_are_conversations() {
        let ids = |agent: u64, step: u64| -> Vec<u64> {
            let own = (0..=step).map(|step| 100 + agent * 100 + step);
            (0..3).chain(own).collect()
        };
        let rows: Vec<(Vec<u64>, _)> = (0..60).map(|i| (ids(i % 3, i / 3), None)).collect();
        let rows: Vec<(&[u64], _)> = rows.iter().map(|(ids, none)| (&ids[..], *none)).collect();
        let expected: Vec<u32> = (0..60).map(|i| i % 3).collect();
        assert_eq!(groups(&rows), expected);
    }

    #[test]
    fn bursts_behind_what_is_public_stay_together() {
        // Ten jobs take turns; each asks twenty questions at once, three times.
        let ids: Vec<[u64; 2]> = (0..600).map(|i| [i / 20 % 10, 1000 + i]).collect();
        let rows: Vec<(&[u64], _)> = ids.iter().map(|ids| (&ids[..], None)).collect();
        let expected: Vec<u32> = (0..600).map(|i| i / 20).collect();
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
