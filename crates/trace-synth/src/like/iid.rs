//! Dynamo's model: every request drawn on its own.
//!
//! The walk down the tree by how often each branch was taken ends at a node
//! with exactly the share of rows that end there, so it is drawn as what it
//! comes to: the shared part of a row, all rows equally likely. Unshared
//! tails, responses, requests per instant and gaps between instants are drawn
//! from the source's, each from a stream of its own.
//!
//! Where `datagen synthesize` errs, this does not: all streams depend on the
//! seed and on nothing else, so that no two are locked in step; a prompt
//! that was seen before in full keeps its length instead of being rounded up
//! to whole blocks; prefix factors above 1 act as said (a row's prefix is rounded up or down so
//! that the mean over rows is right); a filter draws again
//! among what it keeps, so that it neither thins the rate nor runs for ever;
//! no response becomes empty; times keep their microseconds. Kept are the
//! formulas: below 1 a chain of blocks with equally many visits shrinks to
//! one block at least, and tails are scaled in whole blocks.

use anyhow::ensure;
use trace_core::seed::below;
use trace_core::{Random, Streams};

use super::ids::Ids;
use super::instant::{Instants, pick};
use super::knobs::{Knobs, tokens};
use super::names::Names;
use super::path::{Owner, Paths, Run};
use super::scale::{Factor, Phase, Stretched};
use super::shrink::shrink;
use super::source::{Entry, Source};
use super::tree::NONE;
use crate::requests::{Requests, Row};

/// Requests drawn one by one from what a source showed.
pub struct Iid {
    knobs: Knobs,
    block_size: u64,
    paths: Paths,
    heads: Vec<Head>,
    /// Sums of how many tails each head allows; empty if all allow all.
    weights: Vec<u64>,
    /// By tokens, fewest first.
    tails: Vec<Tail>,
    outputs: Vec<Option<u64>>,
    instants: Instants,
    left: u64,
    streams: Draws,
    ids: Ids,
    names: Names,
    runs: Vec<Run>,
}

/// The shared part of a row.
struct Head {
    node: u32,
    /// Its length in blocks.
    blocks: u32,
    /// How the prompt goes on.
    end: End,
}

/// How a prompt goes on after its shared part.
enum End {
    /// With a tail.
    Tail,
    /// Not; the tokens of its last block.
    Full(u64),
    /// It has no blocks, but so many tokens.
    Lengths(u64),
}

/// What follows the shared part.
#[derive(Clone, Copy)]
struct Tail {
    tokens: u64,
    blocks: u64,
}

/// A stream for each thing that is drawn.
struct Draws {
    head: Random,
    tail: Random,
    output: Random,
    root: Random,
}

impl Iid {
    /// `requests` requests like those of `source`.
    ///
    /// # Errors
    /// A range of input lengths that nothing falls into.
    pub fn new(
        source: &Source,
        knobs: Knobs,
        requests: u64,
        streams: Streams,
    ) -> anyhow::Result<Self> {
        let (tree, places) = if knobs.prefix.shrinks() {
            shrink(&source.tree, knobs.prefix)
        } else {
            (source.tree.clone(), (0..source.tree.len() as u32).collect())
        };
        let factor = if knobs.prefix.shrinks() {
            Factor::ONE
        } else {
            knobs.prefix
        };
        let stretched = Stretched::of(&tree, factor)?;
        let offset = below(&mut streams.stream("like phase"), 1 << 32);
        let head = |(index, entry): (u64, &Entry)| {
            let node = places.get(entry.core as usize).copied().unwrap_or(NONE);
            let node = stretched.end(node, tree.depth(node), Phase::of(index, offset));
            Head {
                node,
                blocks: stretched.tree.depth(node),
                end: if !entry.blocks {
                    End::Lengths(knobs.prompt.round_up_from_zero(entry.input))
                } else if entry.tail > 0 {
                    End::Tail
                } else {
                    End::Full(source.fill(entry))
                },
            }
        };
        let heads: Vec<Head> = (0..).zip(&source.entries).map(head).collect();
        let tails = tails(source, knobs.prompt);
        let mut iid = Self {
            block_size: source.block_size,
            weights: Vec::new(),
            outputs: source.entries.iter().map(|entry| entry.output).collect(),
            instants: Instants::of(source, streams),
            left: requests,
            streams: Draws::of(streams),
            ids: Ids::default(),
            names: Names::new(stretched.tree.len(), 0, knobs.roots),
            runs: Vec::new(),
            paths: Paths::new(
                stretched.tree.clone(),
                (0..stretched.tree.len() as u32)
                    .map(|node| (Owner::Lasting, node))
                    .collect(),
            ),
            knobs,
            heads,
            tails,
        };
        iid.weigh()?;
        Ok(iid)
    }

    /// The share of draws that the range of input lengths keeps, 0 to 1.
    pub fn kept(&self) -> f64 {
        let all = self.heads.len() as u64 * self.tails.len().max(1) as u64;
        self.weights
            .last()
            .map_or(1.0, |&sum| sum as f64 / all as f64)
    }

    fn weigh(&mut self) -> anyhow::Result<()> {
        if self.knobs.keeps_all() {
            return Ok(());
        }
        let mut sum = 0;
        for head in &self.heads {
            sum += match head.end {
                End::Tail => {
                    let (from, to) = self.fitting(head);
                    (to - from) as u64
                }
                End::Full(_) | End::Lengths(_) => {
                    let fits = self.knobs.input_range.contains(&self.length(head, 0));
                    u64::from(fits) * self.tails.len().max(1) as u64
                }
            };
            self.weights.push(sum);
        }
        ensure!(sum > 0, self.knobs.nothing_passes());
        Ok(())
    }

    /// Prompt length of `head` with a tail of `tail` tokens.
    fn length(&self, head: &Head, tail: u64) -> u64 {
        let shared = tokens(head.blocks.into(), self.block_size);
        match head.end {
            End::Tail => shared.saturating_add(tail),
            End::Full(fill) => shared.saturating_sub(self.block_size).saturating_add(fill),
            End::Lengths(tokens) => tokens,
        }
    }

    /// The tails that give `head` a length in range, as indices from and to.
    fn fitting(&self, head: &Head) -> (usize, usize) {
        if self.knobs.keeps_all() {
            return (0, self.tails.len());
        }
        let shared = tokens(head.blocks.into(), self.block_size);
        let (min, max) = (
            *self.knobs.input_range.start(),
            *self.knobs.input_range.end(),
        );
        let from = self
            .tails
            .partition_point(|tail| shared.saturating_add(tail.tokens) < min);
        let to = self
            .tails
            .partition_point(|tail| shared.saturating_add(tail.tokens) <= max);
        (from, to.max(from))
    }

    /// Draw a prompt: its length, and its ids if it has blocks.
    fn prompt(&mut self, ids: &mut Option<Vec<u64>>) -> u64 {
        let end = self.weights.last().copied();
        let at = below(
            &mut self.streams.head,
            end.unwrap_or(self.heads.len() as u64),
        );
        let index = match end {
            Some(_) => self.weights.partition_point(|&sum| sum <= at),
            None => at as usize,
        };
        let head = &self.heads[index];
        let mut tail = Tail {
            tokens: 0,
            blocks: 0,
        };
        if matches!(head.end, End::Tail) {
            let (from, to) = self.fitting(head);
            let pick = below(&mut self.streams.tail, (to - from) as u64) as usize;
            tail = self.tails[from + pick];
        }
        let length = self.length(head, tail.tokens);
        if matches!(head.end, End::Lengths(_)) {
            *ids = None;
            return length;
        }
        let node = head.node;
        let root = below(&mut self.streams.root, self.knobs.roots.into()) as u32;
        let ids = ids.get_or_insert_default();
        ids.clear();
        self.paths.runs(node, &mut self.runs);
        let table = self.names.lasting(root);
        for run in &self.runs {
            let places = &mut table[run.begin as usize..run.end as usize];
            self.ids.append(places, ids);
        }
        self.ids.append_fresh(tail.blocks, ids);
        length
    }
}

impl Requests for Iid {
    fn fill(&mut self, row: &mut Row) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        *row = Row {
            request: trace_core::Request {
                hash_ids: row.request.hash_ids.take(),
                ..Default::default()
            },
            members: Vec::new(),
        };
        let request = &mut row.request;
        let time = self.instants.arrival();
        request.timestamp = time.map(|time| self.knobs.time(time));
        request.input_length = Some(self.prompt(&mut request.hash_ids));
        let output = pick(&mut self.streams.output, &self.outputs);
        request.output_length = output.map(|length| self.knobs.output(length));
        true
    }
}

impl Draws {
    fn of(streams: Streams) -> Self {
        Self {
            head: streams.stream("like prefix"),
            tail: streams.stream("like tail"),
            output: streams.stream("like output"),
            root: streams.stream("like root"),
        }
    }
}

/// What follows the shared parts, scaled in whole blocks, fewest tokens first.
fn tails(source: &Source, factor: Factor) -> Vec<Tail> {
    let scaled = |entry: &Entry| {
        let blocks = factor.round(entry.tail.into()).max(1);
        Tail {
            tokens: tokens(blocks - 1, source.block_size).saturating_add(source.fill(entry)),
            blocks,
        }
    };
    let unshared = source
        .entries
        .iter()
        .filter(|entry| entry.blocks && entry.tail > 0);
    let mut tails: Vec<Tail> = unshared.map(scaled).collect();
    tails.sort_unstable_by_key(|tail| (tail.tokens, tail.blocks));
    tails
}
