//! Conversations dealt to starting times, pass after pass over the source.

use trace_core::Streams;

use super::conversation::{Conversation, Conversations};
use super::deck::{Hand, Sizes, shuffle_near};

/// Conversations move by up to this part of all.
const REACH_SHARE: u64 = 16;

/// Among few, they move by up to this many places.
const LEAST_REACH: u64 = 16;

/// A conversation that was given a time to start.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// When, in the time of the source, summed over passes.
    pub at: u64,
    /// Index of the conversation.
    pub conversation: u32,
    /// Turns that it has here, from its first.
    pub turns: u32,
    /// The pass it belongs to.
    pub pass: u64,
}

/// Which conversations start, and when.
///
/// Each pass gives every conversation a starting time of the source; the last
/// pass those that are still needed, standing for all, and the earliest times.
/// If a filter left requests out, starting times come closer by their share,
/// so that conversations start as often as is needed for the source's rate;
/// pauses inside a conversation stay.
#[derive(Clone, Debug)]
pub struct Deal {
    streams: Streams,
    /// The source's starting times, closed up.
    starts: Vec<u64>,
    /// Turns of each conversation.
    turns: Vec<u32>,
    sizes: Sizes,
    /// How long a pass is.
    length: u64,
    /// Complete passes.
    passes: u64,
    /// Requests after them.
    rest: u64,
}

impl Deal {
    /// `requests` requests of `all`, which has some of the `of` requests of
    /// the source.
    pub fn new(all: &Conversations, of: u64, requests: u64, streams: Streams) -> Self {
        let kept = all.turns.len() as u64;
        let close_up = |time: u64| (u128::from(time) * u128::from(kept) / u128::from(of)) as u64;
        let turns: Vec<u32> = all.list.iter().map(|one| one.end - one.begin).collect();
        let blocks = |one: &Conversation| -> u64 {
            let turns = all.turns_of(one).iter();
            let depth = |node| u64::from(all.paths.tree().depth(node));
            turns
                .map(|turn| depth(turn.node) + u64::from(turn.tail))
                .sum()
        };
        let blocks: Vec<u64> = all.list.iter().map(blocks).collect();
        Self {
            streams,
            starts: all.list.iter().map(|one| close_up(one.start)).collect(),
            sizes: Sizes::new(turns.clone(), &blocks),
            turns,
            length: close_up(all.length).max(1),
            passes: requests / kept,
            rest: requests % kept,
        }
    }

    /// Number of passes, the incomplete one included.
    pub fn passes(&self) -> u64 {
        self.passes + u64::from(self.rest > 0)
    }

    /// How long a pass is.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// When the trace is over: what would come later comes at its beginning.
    pub fn end(&self) -> u64 {
        let mut end = self.passes.saturating_mul(self.length);
        if self.rest > 0 {
            let used = self.hand(self.passes).members.len();
            end = end.saturating_add(self.starts.get(used).copied().unwrap_or(self.length));
        }
        end.max(1)
    }

    /// The conversations of a pass, in order of their starts.
    pub fn pass(&self, pass: u64) -> impl Iterator<Item = Start> + use<'_> {
        let hand = self.hand(pass);
        let mut random = self.streams.stream_of("like order", pass);
        let count = hand.members.len();
        let reach = (count as u64 / REACH_SHARE).max(LEAST_REACH);
        let order = shuffle_near(count, reach, &mut random);
        let begin = pass.saturating_mul(self.length);
        order
            .into_iter()
            .zip(&self.starts)
            .map(move |(place, &start)| {
                let conversation = hand.members[place as usize];
                let cut = hand.cut.filter(|&(cut, _)| cut == conversation);
                Start {
                    at: begin.saturating_add(start),
                    conversation,
                    turns: cut.map_or(self.turns[conversation as usize], |(_, turns)| turns),
                    pass,
                }
            })
    }

    fn hand(&self, pass: u64) -> Hand {
        if pass < self.passes {
            let members = (0..self.starts.len() as u32).collect();
            return Hand { members, cut: None };
        }
        let mut random = self.streams.stream_of("like hand", pass);
        self.sizes.hand(self.rest, &mut random)
    }
}
