//! What the prompts of a trace share: the analyzer behind the prefix rows.
//!
//! Rows of block ids go in, in the order of the trace; a [`Reuse`] comes out.
//! The definitions are those of the two analyzers people compare with
//! (Dynamo's `datagen analyze`, AIPerf's `analyze-trace`), to the last digit:
//!
//! - A block is *repeated* if another row has the same id at the same
//!   position, earlier or later. The *context* of a row is its repeated blocks
//!   in tokens, or the whole prompt if all its blocks are repeated; what is
//!   left of the prompt is *unique*. So context looks ahead (it is what could
//!   be shared, not what a cache would have had), and a partial last block
//!   counts as a full one unless the whole row is repeated: unique can come
//!   out negative.
//! - The *hit rate* of a row is the share of its blocks before the first id
//!   that no earlier row had at any position: an infinite cache, filled in
//!   order. Its mean is over rows; the rates over all blocks and all tokens
//!   are given beside it.
//! - A *prefix* is the list of ids up to a position. The reuse ratio is the
//!   share of all blocks whose prefix occurs in two rows or more.
//!
//! Those definitions need the whole trace, yet not all of its ids: whoever
//! sees a pair for the second time tells the row that saw it first. Ids that
//! are new come in runs, the end of one prompt after the other, so the place of
//! an id is that of its run and how far it is into it. What is kept is 4 bytes
//! per distinct id and some 40 per row, however long the rows are.

use crate::flaw::NAMED;
use crate::ids::Ids;
use crate::lengths::Lengths;
use anyhow::ensure;
use hashbrown::HashMap;
use trace_core::quantile::{Sample, Spread, Values};

/// The analyzer: rows go in one after the other.
#[derive(Debug)]
pub struct Prefixes {
    block_size: u64,
    ids: Ids,
    /// Where each id was first seen, by its number: its run, and the two flags
    /// below.
    homes: Vec<u32>,
    runs: Vec<Run>,
    /// Ids at another position than at home, by number and position.
    strays: HashMap<(u32, u32), Pair, foldhash::fast::FixedState>,
    /// Ids behind another prefix than at home, by parent and number.
    branches: HashMap<(u32, u32), Branch, foldhash::fast::FixedState>,
    rows: Vec<Row>,
    hit_rate: Sample,
    reuse: Reuse,
    context_length: Lengths,
    unique_prompt_length: Lengths,
    /// What is unique where context exceeds the prompt.
    negative: Values,
}

/// Ids that were first seen one after the other in the same row.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The number of the first of them; the others follow.
    start: u32,
    /// The position of the first of them in the row.
    position: u32,
    /// The prefix before it, as the node it ends in.
    parent: u32,
    row: u32,
}

impl Run {
    fn position_of(self, number: u32) -> u32 {
        self.position + (number - self.start)
    }

    fn parent_of(self, number: u32) -> u32 {
        if number == self.start {
            self.parent
        } else {
            number - 1
        }
    }
}

/// The pair of id and position was seen in a second row.
const PAIR_REPEATED: u32 = 1 << 31;
/// The prefix that ends here was seen in a second row.
const PATH_REPEATED: u32 = 1 << 30;
const RUN: u32 = PATH_REPEATED - 1;

/// The node before the first block.
pub const ROOT: u32 = u32::MAX;

#[derive(Debug)]
struct Pair {
    row: u32,
    repeated: bool,
}

#[derive(Debug)]
struct Branch {
    node: u32,
    row: u32,
    repeated: bool,
}

/// One block of a row as a step along the tree of prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The position of the block in the row.
    pub position: u32,
    /// The prefix that ends with it: a node of the tree.
    pub node: u32,
    /// The prefix before it; [`ROOT`] for the first block.
    pub parent: u32,
    /// Whether an earlier row has the prefix.
    pub seen: bool,
    /// If this is the second row that has it, the first: counted from 0 among
    /// the rows that have ids.
    pub first_row: Option<u32>,
}

/// Somebody who wants to see the steps of each row.
pub trait Watch {
    /// The next block of the current row.
    fn step(&mut self, step: Step);
}

impl Watch for () {
    fn step(&mut self, _: Step) {}
}

#[derive(Debug)]
struct Row {
    /// Tokens of the prompt; none if the line does not say.
    input_length: Option<u64>,
    blocks: u32,
    repeated: u32,
}

/// What the rows of a trace share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reuse {
    /// Rows that have ids.
    pub rows: u64,
    /// Ids of all rows together.
    pub blocks: u64,
    /// Prompt tokens of the rows that have ids.
    pub tokens: u64,
    /// Leading blocks that an infinite cache would have had.
    pub hit_blocks: u64,
    /// Tokens in them, a partial last block counted as what it is.
    pub hit_tokens: u64,
    /// Distinct ids.
    pub distinct_ids: u64,
    /// Distinct pairs of position and id.
    pub distinct_pairs: u64,
    /// Of those, the ones that two rows or more have.
    pub repeated_pairs: u64,
    /// Distinct prefixes.
    pub distinct_prefixes: u64,
    /// Blocks whose prefix two rows or more have.
    pub shared_blocks: u64,
    /// First blocks that two rows or more have.
    pub groups: u64,
    /// Rows of which every block is repeated.
    pub repeated_rows: u64,
    /// Rows, counted from 0 among those with ids, whose context is longer than
    /// their prompt: how many, and the first few.
    pub context_exceeds_input: u64,
    /// The first few of them.
    pub first_exceeding: Vec<u32>,
    /// Repeated part of each prompt, in tokens.
    pub context_length: Spread,
    /// Rest of each prompt, in tokens.
    pub unique_prompt_length: Spread,
    /// Hit rate of each row, between 0 and 1.
    pub prefix_hit_rate: Spread,
}

impl Reuse {
    /// Share of all blocks that an infinite cache would have had.
    pub fn block_hit_rate(&self) -> Option<f64> {
        ratio(self.hit_blocks, self.blocks)
    }

    /// Share of all prompt tokens that an infinite cache would have had.
    pub fn token_hit_rate(&self) -> Option<f64> {
        ratio(self.hit_tokens, self.tokens)
    }

    /// Share of all blocks whose prefix occurs in two rows or more.
    pub fn prefix_reuse_ratio(&self) -> Option<f64> {
        ratio(self.shared_blocks, self.blocks)
    }
}

/// `part / whole`, undefined for nothing.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Prefixes {
    /// An analyzer of blocks of `block_size` tokens.
    pub fn new(block_size: u64) -> Self {
        Self {
            block_size,
            ids: Ids::default(),
            homes: Vec::new(),
            runs: Vec::new(),
            strays: HashMap::default(),
            branches: HashMap::default(),
            rows: Vec::new(),
            hit_rate: Sample::new(),
            reuse: Reuse::default(),
            context_length: Lengths::new(usize::MAX),
            unique_prompt_length: Lengths::new(usize::MAX),
            negative: Values::new(usize::MAX),
        }
    }

    /// Take the next row: its prompt in tokens, if known, and its ids.
    ///
    /// A row without ids has no context and no hit rate.
    ///
    /// # Errors
    ///
    /// If there are more rows or ids than can be numbered.
    pub fn push(&mut self, input_length: Option<u64>, ids: &[u64]) -> anyhow::Result<()> {
        self.push_watched(input_length, ids, &mut ())
    }

    /// The same, telling `watch` every step.
    ///
    /// # Errors
    ///
    /// As [`Prefixes::push`].
    pub fn push_watched(
        &mut self,
        input_length: Option<u64>,
        ids: &[u64],
        watch: &mut impl Watch,
    ) -> anyhow::Result<()> {
        if ids.is_empty() {
            if let Some(tokens) = input_length {
                self.place(tokens, 0);
            }
            return Ok(());
        }
        let row = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        ensure!(
            row < u32::MAX
                && ids.len() <= RUN as usize
                && self.runs.len() + ids.len() <= RUN as usize,
            "more rows or blocks than prefixes are told apart for; go on with --no-prefix"
        );
        let mut repeated = 0;
        let mut hits = 0u32;
        let mut parent = ROOT;
        let mut run_goes_on = false;
        for (position, &id) in (0u32..).zip(ids) {
            let number = self.ids.number(id)?;
            if number as usize == self.homes.len() {
                if !run_goes_on {
                    self.runs.push(Run {
                        start: number,
                        position,
                        parent,
                        row,
                    });
                    run_goes_on = true;
                }
                self.homes.push(self.runs.len() as u32 - 1);
                self.reuse.distinct_pairs += 1;
                self.reuse.distinct_prefixes += 1;
                watch.step(Step {
                    position,
                    node: number,
                    parent,
                    seen: false,
                    first_row: None,
                });
                parent = number;
                continue;
            }
            run_goes_on = false;
            let home = self.homes[number as usize];
            let run = self.runs[(home & RUN) as usize];
            if hits == position && run.row < row {
                hits += 1;
            }
            if run.position_of(number) == position {
                repeated += 1;
                if home & PAIR_REPEATED == 0 {
                    self.homes[number as usize] |= PAIR_REPEATED;
                    self.reuse.repeated_pairs += 1;
                    self.rows[run.row as usize].repeated += 1;
                }
            } else {
                repeated += self.stray(number, position, row);
            }
            if run.parent_of(number) == parent {
                let first = home & PATH_REPEATED == 0;
                self.homes[number as usize] |= PATH_REPEATED;
                self.share(first, parent);
                watch.step(Step {
                    position,
                    node: number,
                    parent,
                    seen: true,
                    first_row: first.then_some(run.row),
                });
                parent = number;
            } else {
                let step = self.branch(number, parent, position, row)?;
                watch.step(step);
                parent = step.node;
            }
        }
        let blocks = ids.len() as u32;
        self.reuse.blocks += u64::from(blocks);
        self.reuse.hit_blocks += u64::from(hits);
        if let Some(tokens) = input_length {
            let hit_tokens = self.tokens(hits).min(tokens);
            self.reuse.tokens = self.reuse.tokens.saturating_add(tokens);
            self.reuse.hit_tokens = self.reuse.hit_tokens.saturating_add(hit_tokens);
        }
        self.hit_rate.push(f64::from(hits) / f64::from(blocks));
        self.rows.push(Row {
            input_length,
            blocks,
            repeated,
        });
        Ok(())
    }

    /// Count an id away from the position it was first seen at; 1 if another
    /// row has it there too.
    fn stray(&mut self, number: u32, position: u32, row: u32) -> u32 {
        let mut new = false;
        let pair = self.strays.entry((number, position)).or_insert_with(|| {
            new = true;
            Pair {
                row,
                repeated: false,
            }
        });
        if new {
            self.reuse.distinct_pairs += 1;
            return 0;
        }
        if !pair.repeated {
            pair.repeated = true;
            self.reuse.repeated_pairs += 1;
            self.rows[pair.row as usize].repeated += 1;
        }
        1
    }

    /// The step to an id behind a prefix that is not the one at home.
    fn branch(
        &mut self,
        number: u32,
        parent: u32,
        position: u32,
        row: u32,
    ) -> anyhow::Result<Step> {
        let next = self.branches.len() as u64 + u64::from(Ids::MOST);
        let next = u32::try_from(next).unwrap_or(ROOT);
        ensure!(
            next != ROOT,
            "more prefixes than can be told apart; go on with --no-prefix"
        );
        let mut new = false;
        let branch = self.branches.entry((parent, number)).or_insert_with(|| {
            new = true;
            Branch {
                node: next,
                row,
                repeated: false,
            }
        });
        let node = branch.node;
        let mut first_row = None;
        if new {
            self.reuse.distinct_prefixes += 1;
        } else {
            let first = !branch.repeated;
            branch.repeated = true;
            first_row = first.then_some(branch.row);
            self.share(first, parent);
        }
        Ok(Step {
            position,
            node,
            parent,
            seen: !new,
            first_row,
        })
    }

    /// Count a prefix that was seen before; with it, the first time, the row
    /// that had it before.
    fn share(&mut self, first: bool, parent: u32) {
        self.reuse.shared_blocks += if first { 2 } else { 1 };
        if first && parent == ROOT {
            self.reuse.groups += 1;
        }
    }

    fn tokens(&self, blocks: u32) -> u64 {
        u64::from(blocks).saturating_mul(self.block_size)
    }

    /// Divide a prompt into context and rest.
    fn place(&mut self, tokens: u64, context: u64) {
        self.context_length.push(context);
        match tokens.checked_sub(context) {
            Some(unique) => self.unique_prompt_length.push(unique),
            None => self.negative.push(tokens as f64 - context as f64),
        }
    }

    /// Context of each row with ids so far, in tokens and in their order; of a
    /// row without a length, its repeated blocks in full.
    pub fn contexts(&self) -> impl Iterator<Item = u64> + '_ {
        self.rows.iter().map(|row| self.context(row))
    }

    /// Hit rate of each row with ids so far.
    pub fn hit_rates(&self) -> &Sample {
        &self.hit_rate
    }

    fn context(&self, row: &Row) -> u64 {
        let context = self.tokens(row.repeated);
        match row.input_length {
            // Tokens beyond the last id, where ids are missing, are shared
            // with nobody.
            Some(tokens) if row.repeated == row.blocks => context.min(tokens),
            _ => context,
        }
    }

    /// What the rows share, now that all were seen.
    pub fn finish(mut self) -> Reuse {
        for (index, row) in (0..).zip(std::mem::take(&mut self.rows)) {
            self.reuse.rows += 1;
            let whole = row.repeated == row.blocks;
            self.reuse.repeated_rows += u64::from(whole);
            let Some(tokens) = row.input_length else {
                continue;
            };
            let context = self.context(&row);
            if context > tokens {
                self.reuse.context_exceeds_input += 1;
                if self.reuse.first_exceeding.len() < NAMED {
                    self.reuse.first_exceeding.push(index);
                }
            }
            self.place(tokens, context);
        }
        self.reuse.distinct_ids = u64::from(self.ids.len());
        self.reuse.context_length = self.context_length.values().spread();
        let mut unique = self.unique_prompt_length.values();
        unique.append(self.negative);
        self.reuse.unique_prompt_length = unique.spread();
        self.reuse.prefix_hit_rate = self.hit_rate.spread();
        self.reuse
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};
    use trace_core::quantile::Tally;

    fn reuse_of(rows: &[(u64, &[u64])]) -> Reuse {
        let mut prefixes = Prefixes::new(10);
        for &(tokens, ids) in rows {
            prefixes.push(Some(tokens), ids).unwrap();
        }
        prefixes.finish()
    }

    #[test]
    fn a_shared_prefix_is_context_in_both_rows_and_a_hit_in_the_second() {
        let reuse = reuse_of(&[(28, &[0, 1, 2]), (25, &[0, 1, 3])]);
        // context 20 and 20, rest 8 and 5, hits 0/3 and 2/3
        assert_eq!(reuse.context_length.mean, Some(20.0));
        assert_eq!(reuse.unique_prompt_length.mean, Some(6.5));
        assert_eq!(reuse.prefix_hit_rate.max, Some(2.0 / 3.0));
        assert_eq!(reuse.block_hit_rate(), Some(2.0 / 6.0));
        assert_eq!(reuse.token_hit_rate(), Some(20.0 / 53.0));
        assert_eq!((reuse.distinct_pairs, reuse.repeated_pairs), (4, 2));
        assert_eq!(reuse.prefix_reuse_ratio(), Some(4.0 / 6.0));
        assert_eq!((reuse.groups, reuse.repeated_rows), (1, 0));
    }

    #[test]
    fn a_fully_repeated_row_counts_its_true_length() {
        let reuse = reuse_of(&[(12, &[7, 8]), (12, &[7, 8])]);
        assert_eq!(reuse.context_length.min, Some(12.0));
        assert_eq!(reuse.unique_prompt_length.max, Some(0.0));
        assert_eq!(reuse.repeated_rows, 2);
        assert_eq!((reuse.hit_blocks, reuse.hit_tokens), (2, 12));
    }

    #[test]
    fn a_repeated_partial_block_can_make_unique_negative() {
        // The first row ends in a partial block that the second row has too,
        // but its first block is nobody else's.
        let reuse = reuse_of(&[(11, &[1, 9]), (25, &[2, 9, 3])]);
        assert_eq!(reuse.context_exceeds_input, 0);
        let reuse = reuse_of(&[(21, &[1, 8, 9]), (21, &[2, 8, 9]), (5, &[4])]);
        assert_eq!(reuse.context_exceeds_input, 0);
        let reuse = reuse_of(&[(8, &[1, 9]), (25, &[2, 9, 3])]);
        assert_eq!(reuse.context_exceeds_input, 1);
        assert_eq!(reuse.first_exceeding, [0]);
        assert_eq!(reuse.unique_prompt_length.min, Some(-2.0));
    }

    #[test]
    fn an_id_repeated_within_a_row_is_no_hit() {
        let reuse = reuse_of(&[(20, &[5, 5]), (20, &[5, 5])]);
        assert_eq!(reuse.prefix_hit_rate.min, Some(0.0));
        assert_eq!(reuse.prefix_hit_rate.max, Some(1.0));
        assert_eq!((reuse.distinct_ids, reuse.distinct_pairs), (1, 2));
        assert_eq!(reuse.repeated_rows, 2);
    }

    #[test]
    fn hits_ignore_the_position_and_context_does_not() {
        let reuse = reuse_of(&[(20, &[1, 2]), (20, &[2, 1])]);
        assert_eq!(reuse.prefix_hit_rate.max, Some(1.0));
        assert_eq!(reuse.context_length.max, Some(0.0));
        assert_eq!(reuse.shared_blocks, 0);
        assert_eq!(reuse.distinct_prefixes, 4);
    }

    #[test]
    fn rows_without_ids_have_no_context() {
        let reuse = reuse_of(&[(100, &[]), (10, &[1])]);
        assert_eq!(reuse.rows, 1);
        assert_eq!(reuse.context_length.count, 2);
        assert_eq!(reuse.unique_prompt_length.max, Some(100.0));
        assert_eq!(reuse.prefix_hit_rate.count, 1);
    }

    #[test]
    fn rows_without_a_length_have_a_hit_rate_only() {
        let mut prefixes = Prefixes::new(10);
        prefixes.push(None, &[1, 2]).unwrap();
        prefixes.push(None, &[1, 2]).unwrap();
        let reuse = prefixes.finish();
        assert_eq!(reuse.context_length.count, 0);
        assert_eq!(reuse.prefix_hit_rate.mean, Some(0.5));
        assert_eq!(reuse.token_hit_rate(), None);
    }

    #[test]
    fn missing_ids_do_not_count_as_context() {
        let reuse = reuse_of(&[(35, &[1, 2]), (35, &[1, 2])]);
        assert_eq!(reuse.context_length.max, Some(20.0));
        assert_eq!(reuse.unique_prompt_length.max, Some(15.0));
    }

    #[test]
    fn nothing_is_undefined() {
        let reuse = Prefixes::new(512).finish();
        assert_eq!(reuse, Reuse::default());
        assert_eq!(reuse.block_hit_rate(), None);
    }

    /// The definitions, word for word, over a trace held in memory.
    fn naive(rows: &[(u64, Vec<u64>)], block_size: u64) -> Reuse {
        let mut pairs: BTreeMap<(usize, u64), u64> = BTreeMap::new();
        let mut prefixes: BTreeMap<&[u64], u64> = BTreeMap::new();
        for (_, ids) in rows {
            for (position, &id) in ids.iter().enumerate() {
                *pairs.entry((position, id)).or_default() += 1;
                *prefixes.entry(&ids[..=position]).or_default() += 1;
            }
        }
        let mut reuse = Reuse::default();
        let [mut context, mut unique, mut rate] = [const { Vec::new() }; 3];
        let mut seen = BTreeSet::new();
        for (tokens, ids) in rows {
            let n = ids.len();
            let repeated = ids
                .iter()
                .enumerate()
                .filter(|&(position, &id)| pairs[&(position, id)] > 1)
                .count();
            let mut shared = repeated as u64 * block_size;
            if n > 0 && repeated == n {
                shared = shared.min(*tokens);
                reuse.repeated_rows += 1;
            }
            if shared > *tokens {
                if reuse.first_exceeding.len() < NAMED {
                    reuse.first_exceeding.push(reuse.rows as u32);
                }
                reuse.context_exceeds_input += 1;
            }
            context.push(shared as f64);
            unique.push(*tokens as f64 - shared as f64);
            if n == 0 {
                continue;
            }
            let hits = ids.iter().take_while(|id| seen.contains(*id)).count();
            rate.push(hits as f64 / n as f64);
            seen.extend(ids.iter().copied());
            reuse.rows += 1;
            reuse.blocks += n as u64;
            reuse.tokens += tokens;
            reuse.hit_blocks += hits as u64;
            reuse.hit_tokens += (hits as u64 * block_size).min(*tokens);
        }
        reuse.distinct_ids = seen.len() as u64;
        reuse.distinct_pairs = pairs.len() as u64;
        reuse.repeated_pairs = pairs.values().filter(|&&count| count > 1).count() as u64;
        reuse.distinct_prefixes = prefixes.len() as u64;
        reuse.shared_blocks = prefixes.values().filter(|&&count| count > 1).sum();
        reuse.groups = prefixes
            .iter()
            .filter(|(prefix, count)| prefix.len() == 1 && **count > 1)
            .count() as u64;
        let tally = |values: Vec<f64>| {
            let mut tally = Tally::new();
            values.into_iter().for_each(|value| tally.push(value));
            tally.spread()
        };
        reuse.context_length = tally(context);
        reuse.unique_prompt_length = tally(unique);
        reuse.prefix_hit_rate = rate.into_iter().collect::<Sample>().spread();
        reuse
    }

    proptest! {
        #[test]
        fn the_analyzer_follows_the_definitions(
            rows in prop::collection::vec(
                (0u64..60, prop::collection::vec(prop_oneof![0u64..6, 1_000_000u64..1_000_004], 0..6)),
                0..40,
            ),
        ) {
            let mut prefixes = Prefixes::new(10);
            for (tokens, ids) in &rows {
                prefixes.push(Some(*tokens), ids).unwrap();
            }
            prop_assert_eq!(prefixes.finish(), naive(&rows, 10));
        }

        #[test]
        fn other_names_for_the_ids_change_nothing(
            rows in prop::collection::vec((0u64..60, prop::collection::vec(0u64..6, 0..6)), 0..30),
            factor in 1u64..1_000_000_000,
        ) {
            let mut one = Prefixes::new(10);
            let mut other = Prefixes::new(10);
            for (tokens, ids) in &rows {
                one.push(Some(*tokens), ids).unwrap();
                let renamed: Vec<u64> = ids.iter().map(|id| (7 - id) * factor).collect();
                other.push(Some(*tokens), &renamed).unwrap();
            }
            prop_assert_eq!(one.finish(), other.finish());
        }
    }
}
