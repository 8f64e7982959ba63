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

mod home;
#[cfg(test)]
mod laws;
mod reuse;
mod step;

pub use reuse::Reuse;
pub(crate) use reuse::ratio;
pub use step::{ROOT, Step, Watch};

use crate::flaw::NAMED;
use crate::ids::Ids;
use crate::lengths::Lengths;
use anyhow::ensure;
use hashbrown::HashMap;
use home::{Branch, PAIR_REPEATED, PATH_REPEATED, Pair, RUN, Run};
use trace_core::quantile::{Sample, Values};

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

#[derive(Debug)]
struct Row {
    /// Tokens of the prompt; none if the line does not say.
    input_length: Option<u64>,
    blocks: u32,
    repeated: u32,
}

/// What a row has met of earlier ones.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    /// Leading blocks that an earlier row had.
    hits: u32,
    /// Blocks that another row has at the same place.
    repeated: u32,
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
        let mut met = Met::default();
        let mut parent = ROOT;
        let mut run_goes_on = false;
        for (position, &id) in (0u32..).zip(ids) {
            let number = self.ids.number(id)?;
            let new = number as usize == self.homes.len();
            let step = if new {
                if !run_goes_on {
                    self.runs.push(Run {
                        start: number,
                        position,
                        parent,
                        row,
                    });
                }
                self.see_first(number, parent, position)
            } else {
                self.see_again(number, parent, (position, row), &mut met)?
            };
            run_goes_on = new;
            watch.step(step);
            parent = step.node;
        }
        self.end_row(input_length, ids.len() as u32, met);
        Ok(())
    }

    /// A new id, in the run that goes on.
    fn see_first(&mut self, number: u32, parent: u32, position: u32) -> Step {
        self.homes.push(self.runs.len() as u32 - 1);
        self.reuse.distinct_pairs += 1;
        self.reuse.distinct_prefixes += 1;
        Step {
            position,
            node: number,
            parent,
            seen: false,
            first_row: None,
        }
    }

    /// An id that is known, at whatever place.
    fn see_again(
        &mut self,
        number: u32,
        parent: u32,
        (position, row): (u32, u32),
        met: &mut Met,
    ) -> anyhow::Result<Step> {
        let home = self.homes[number as usize];
        let run = self.runs[(home & RUN) as usize];
        if met.hits == position && run.row < row {
            met.hits += 1;
        }
        if run.position_of(number) == position {
            met.repeated += 1;
            if home & PAIR_REPEATED == 0 {
                self.homes[number as usize] |= PAIR_REPEATED;
                self.reuse.repeated_pairs += 1;
                self.rows[run.row as usize].repeated += 1;
            }
        } else {
            met.repeated += self.stray(number, position, row);
        }
        if run.parent_of(number) != parent {
            return self.branch(number, parent, position, row);
        }
        let first = home & PATH_REPEATED == 0;
        self.homes[number as usize] |= PATH_REPEATED;
        self.share(first, parent);
        Ok(Step {
            position,
            node: number,
            parent,
            seen: true,
            first_row: first.then_some(run.row),
        })
    }

    /// Keep a row of so many `blocks`.
    fn end_row(&mut self, input_length: Option<u64>, blocks: u32, met: Met) {
        self.reuse.blocks += u64::from(blocks);
        self.reuse.hit_blocks += u64::from(met.hits);
        if let Some(tokens) = input_length {
            let hit_tokens = self.tokens(met.hits).min(tokens);
            self.reuse.tokens = self.reuse.tokens.saturating_add(tokens);
            self.reuse.hit_tokens = self.reuse.hit_tokens.saturating_add(hit_tokens);
        }
        self.hit_rate.push(f64::from(met.hits) / f64::from(blocks));
        self.rows.push(Row {
            input_length,
            blocks,
            repeated: met.repeated,
        });
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
