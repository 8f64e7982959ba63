//! The shape of what prompts share: the tree of prefixes, and conversations.
//!
//! Every distinct prefix is a node; a prompt is a path from the root. What a
//! prompt has in common with another one ends at a node, earlier or later in
//! the trace; what it has in common with an *earlier* one is what a cache could
//! have held. These are true prefixes: a block counts only behind an unbroken
//! line of shared blocks, unlike in the five rows of the analyzers people
//! compare with.
//!
//! Traces rarely say which requests belong to one conversation, but prompts
//! do: the next turn begins with the whole prompt of the turn before, that is
//! with its full blocks. A request *continues* an earlier one if its prompt
//! goes on behind the last full block of that one's, and that block was new
//! when it came, so that beginnings which everybody has, such as a system
//! prompt, join nobody. Of several such requests it is the longest, of equals
//! the last.

use crate::lengths::Lengths;
use crate::order::Prompt;
use crate::prefix::{ROOT, Step, Watch};
use hashbrown::{HashMap, HashSet};
use trace_core::Micros;
use trace_core::quantile::{Sample, Spread, Tally};

/// Grows with the steps of each row. Some 90 bytes per row, and a bit for each
/// distinct block.
#[derive(Debug, Default)]
pub struct Tree {
    block_size: u64,
    rows: Vec<Row>,
    current: Current,
    /// First blocks, with what is behind each.
    groups: HashMap<u32, Group, foldhash::fast::FixedState>,
    /// Nodes at which a prompt ended that nothing goes on behind yet.
    tips: HashSet<u32, foldhash::fast::FixedState>,
    /// Nodes with two children or more, and how many.
    forks: HashMap<u32, u32, foldhash::fast::FixedState>,
    /// The last full block of each row for which it was new, and the last row
    /// that it is so for.
    ends: HashMap<u32, u32, foldhash::fast::FixedState>,
    /// A bit for each node that is among `ends`, to look there rarely.
    is_end: Vec<u64>,
    /// Requests of each conversation.
    conversations: Vec<u32>,
    turn_gap: Sample,
    turn_growth: Tally,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    tokens: Option<u64>,
    arrival: Option<Micros>,
    /// Leading blocks that an earlier row has.
    cached: u32,
    /// Leading blocks that any other row has.
    shared: u32,
    conversation: u32,
}

/// The row that is being walked.
#[derive(Debug, Clone, Copy, Default)]
struct Current {
    first: u32,
    last: Option<Step>,
    cached: u32,
    full_blocks: u64,
    /// The node of its last full block, if that is new.
    end: Option<u32>,
    /// The row it goes on from.
    before: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Group {
    requests: u64,
    /// Deepest block that two rows have.
    shared: u32,
}

/// The shape of a tree of prefixes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// Tokens of each prompt that an earlier one begins with too: what an
    /// infinite cache would have held.
    pub cached_prefix_length: Spread,
    /// Tokens of each prompt that another one begins with too, earlier or later.
    pub shared_prefix_length: Spread,
    /// Different first blocks.
    pub roots: u64,
    /// Requests behind each first block that two requests or more have.
    pub group_requests: Spread,
    /// Blocks down to the deepest one that two requests have, of each of those.
    pub group_depth: Spread,
    /// Children of each node that has two or more.
    pub fan_out: Spread,
    /// Requests that continue an earlier one.
    pub continued: u64,
    /// Requests of each conversation.
    pub conversation_turns: Spread,
    /// Milliseconds since the request that is continued arrived.
    pub turn_gap: Spread,
    /// Tokens of the prompt beyond the one that is continued.
    pub turn_growth: Spread,
}

impl Tree {
    /// A tree of blocks of `block_size` tokens.
    pub fn new(block_size: u64) -> Self {
        Self {
            block_size,
            ..Self::default()
        }
    }

    /// Begin the row of `prompt`, which has ids; its steps follow.
    pub fn begin(&mut self, prompt: &Prompt<'_>) {
        let full = prompt.input_length.map(|tokens| tokens / self.block_size);
        self.current = Current {
            full_blocks: full.unwrap_or(u64::MAX).min(prompt.ids.len() as u64),
            ..Current::default()
        };
    }

    /// End the row of `prompt`; all its steps were seen.
    pub fn end(&mut self, prompt: &Prompt<'_>) {
        let current = self.current;
        let Some(last) = current.last else { return };
        if !last.seen {
            self.tips.insert(last.node);
        }
        let row = self.rows.len() as u32;
        let conversation = match current.before {
            Some(before) => {
                self.continue_from(before, prompt);
                self.rows[before as usize].conversation
            }
            None => {
                self.conversations.push(0);
                self.conversations.len() as u32 - 1
            }
        };
        self.conversations[conversation as usize] += 1;
        if let Some(end) = current.end {
            self.mark_end(end, row);
        }
        let group = self.groups.entry(current.first).or_default();
        group.requests += 1;
        group.shared = group.shared.max(current.cached);
        self.rows.push(Row {
            tokens: prompt.input_length,
            arrival: prompt.arrival,
            cached: current.cached,
            shared: current.cached,
            conversation,
        });
    }

    fn continue_from(&mut self, before: u32, prompt: &Prompt<'_>) {
        let before = self.rows[before as usize];
        if let Some((then, now)) = before.arrival.zip(prompt.arrival)
            && now >= then
        {
            self.turn_gap.push(now.saturating_sub(then).as_millis());
        }
        if let Some((then, now)) = before.tokens.zip(prompt.input_length) {
            self.turn_growth.push(now as f64 - then as f64);
        }
    }

    fn mark_end(&mut self, node: u32, row: u32) {
        self.ends.insert(node, row);
        let word = (node / 64) as usize;
        // Nodes of ids behind a second prefix are numbered from far up.
        if word < 1 << 25 {
            if word >= self.is_end.len() {
                self.is_end.resize(word + 1, 0);
            }
            self.is_end[word] |= 1 << (node % 64);
        }
    }

    fn end_at(&self, node: u32) -> Option<u32> {
        let word = (node / 64) as usize;
        let maybe = word >= 1 << 25 || self.is_end.get(word)? >> (node % 64) & 1 == 1;
        maybe.then(|| self.ends.get(&node).copied())?
    }

    /// The shape, now that all rows were seen.
    pub fn finish(mut self) -> Shape {
        let tokens = |row: &Row, blocks: u32| {
            let tokens = u64::from(blocks).saturating_mul(self.block_size);
            row.tokens.map(|length| tokens.min(length))
        };
        let (mut cached, mut shared) = (Lengths::new(usize::MAX), Lengths::new(usize::MAX));
        for row in &self.rows {
            tokens(row, row.cached)
                .into_iter()
                .for_each(|length| cached.push(length));
            tokens(row, row.shared)
                .into_iter()
                .for_each(|length| shared.push(length));
        }
        let groups = || self.groups.values().filter(|group| group.requests > 1);
        let spread = |values: &mut dyn Iterator<Item = u64>| {
            let mut tally = Tally::new();
            values.for_each(|value| tally.push(value as f64));
            tally.spread()
        };
        let continued = self.rows.len() - self.conversations.len();
        Shape {
            cached_prefix_length: cached.values().spread(),
            shared_prefix_length: shared.values().spread(),
            roots: self.groups.len() as u64,
            group_requests: spread(&mut groups().map(|group| group.requests)),
            group_depth: spread(&mut groups().map(|group| group.shared.into())),
            fan_out: spread(&mut self.forks.values().map(|&children| children.into())),
            continued: continued as u64,
            conversation_turns: spread(&mut self.conversations.iter().map(|&turns| turns.into())),
            turn_gap: self.turn_gap.spread(),
            turn_growth: self.turn_growth.spread(),
        }
    }

    /// Requests of each conversation, in the order of their first requests.
    pub fn conversations(&self) -> &[u32] {
        &self.conversations
    }
}

impl Watch for Tree {
    fn step(&mut self, step: Step) {
        let current = &mut self.current;
        if step.position == 0 {
            current.first = step.node;
        }
        if step.seen {
            current.cached = step.position + 1;
            if let Some(first) = step.first_row {
                // Prefixes of a shared prefix are shared, so the last is deepest.
                self.rows[first as usize].shared = step.position + 1;
            }
            current.last = Some(step);
            if let Some(row) = self.end_at(step.node) {
                self.current.before = Some(row);
            }
            return;
        }
        // Behind a block that is new in this row nothing can have been before.
        let forks = current.last.is_none_or(|last| last.seen) && step.parent != ROOT;
        if forks && !self.tips.remove(&step.parent) {
            *self.forks.entry(step.parent).or_insert(1) += 1;
        }
        if u64::from(step.position) + 1 == current.full_blocks {
            current.end = Some(step.node);
        }
        current.last = Some(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::Prefixes;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn prompt(tokens: u64, ids: &[u64], second: u64) -> Prompt<'_> {
        Prompt {
            input_length: Some(tokens),
            output_length: None,
            arrival: Some(Micros::from_micros(1_000_000 * second)),
            ids,
            name: "t",
            line: 1,
        }
    }

    fn shape(rows: &[(u64, &[u64])]) -> Shape {
        let (mut prefixes, mut tree) = (Prefixes::new(10), Tree::new(10));
        for (second, &(tokens, ids)) in (0..).zip(rows) {
            let prompt = prompt(tokens, ids, second);
            tree.begin(&prompt);
            prefixes.push_watched(Some(tokens), ids, &mut tree).unwrap();
            tree.end(&prompt);
        }
        tree.finish()
    }

    #[test]
    fn cached_is_what_came_before_and_shared_what_comes_too() {
        let shape = shape(&[(28, &[0, 1, 2]), (40, &[0, 1, 3, 4]), (5, &[9])]);
        assert_eq!(shape.cached_prefix_length.mean, Some(20.0 / 3.0));
        assert_eq!(shape.shared_prefix_length.mean, Some(40.0 / 3.0));
    }

    #[test]
    fn a_turn_goes_on_behind_the_full_blocks_of_the_one_before() {
        // The last block of a prompt of 25 tokens is half full: its id changes.
        let rows: [(u64, &[u64]); 4] = [
            (25, &[0, 1, 2]),
            (38, &[0, 1, 3, 4]),
            (50, &[0, 1, 3, 5, 6]),
            (33, &[0, 1, 7, 8]),
        ];
        let shape = shape(&rows);
        assert_eq!(shape.continued, 3);
        assert_eq!(shape.conversation_turns.max, Some(4.0));
        // From 25 to 38, to 50 from that, and from the first to 33.
        assert_eq!(shape.turn_growth.mean, Some((13.0 + 12.0 + 8.0) / 3.0));
        assert_eq!(shape.turn_gap.max, Some(3_000.0));
    }

    #[test]
    fn a_beginning_that_everybody_has_joins_nobody() {
        // The first block is a system prompt; the second row is nothing else.
        let shape = shape(&[
            (20, &[0, 1]),
            (12, &[0, 5]),
            (30, &[0, 2, 3]),
            (20, &[0, 4]),
        ]);
        assert_eq!((shape.continued, shape.conversation_turns.count), (0, 4));
    }

    #[test]
    fn forks_and_groups_worked_out_by_hand() {
        let rows: [(u64, &[u64]); 5] = [
            (30, &[0, 1, 2]),
            (30, &[0, 1, 3]),
            (30, &[0, 1, 4]),
            (20, &[0, 5]),
            (10, &[6]),
        ];
        let shape = shape(&rows);
        assert_eq!((shape.roots, shape.group_requests.count), (2, 1));
        assert_eq!(
            (shape.group_requests.max, shape.group_depth.max),
            (Some(4.0), Some(2.0))
        );
        // Three children behind 1, two behind 0.
        assert_eq!((shape.fan_out.count, shape.fan_out.mean), (2, Some(2.5)));
    }

    proptest! {
        #[test]
        fn the_shape_is_that_of_the_tree(
            rows in prop::collection::vec(prop::collection::vec(0u32..3, 1..6), 1..30),
        ) {
            let mut table = trace_core::BlockTable::new();
            let ids = rows.iter().map(|row| {
                let mut ids = Vec::new();
                table.row(row, &mut ids);
                ids
            });
            let ids: Vec<Vec<u64>> = ids.collect();
            let pairs: Vec<(u64, &[u64])> = ids.iter().map(|ids| (10 * ids.len() as u64, &ids[..])).collect();
            let found = shape(&pairs);
            let mut visits: BTreeMap<&[u32], u64> = BTreeMap::new();
            let mut children: BTreeMap<&[u32], BTreeSet<u32>> = BTreeMap::new();
            let mut cached = Vec::new();
            for row in &rows {
                let seen = (1..=row.len()).take_while(|&end| visits.contains_key(&row[..end]));
                cached.push(10 * seen.count() as u64);
                for end in 1..=row.len() {
                    *visits.entry(&row[..end]).or_default() += 1;
                    children.entry(&row[..end - 1]).or_default().insert(row[end - 1]);
                }
            }
            let shared = rows.iter().map(|row| {
                let both = (1..=row.len()).take_while(|&end| visits[&row[..end]] > 1);
                10 * both.count() as u64
            });
            let sum = |spread: &Spread| (spread.mean.unwrap() * spread.count as f64).round() as u64;
            prop_assert_eq!(sum(&found.cached_prefix_length), cached.iter().sum::<u64>());
            prop_assert_eq!(sum(&found.shared_prefix_length), shared.sum::<u64>());
            let forks = children.iter().filter(|(path, next)| !path.is_empty() && next.len() > 1);
            let forks: Vec<usize> = forks.map(|(_, next)| next.len()).collect();
            prop_assert_eq!(found.fan_out.count as usize, forks.len());
            if !forks.is_empty() {
                prop_assert_eq!(sum(&found.fan_out) as usize, forks.iter().sum::<usize>());
            }
        }
    }
}
