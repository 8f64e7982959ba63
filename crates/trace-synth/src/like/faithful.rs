//! The method that keeps reuse over time: whole conversations dealt anew.
//!
//! What comes after the end of the trace comes at its beginning instead, as
//! if conversations had been under way when it began. Order is decided by the
//! source's own clock; arrival times are then given to the requests in that
//! order, see [`tempo`](super::tempo).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use anyhow::ensure;
use trace_core::seed::below;
use trace_core::{SessionId, Streams};

use super::conversation::Conversations;
use super::deal::{Deal, Start};
use super::ids::{Ids, UNNAMED};
use super::knobs::Knobs;
use super::names::Names;
use super::path::{Owner, Run};
use super::source::Source;
use super::tempo::Tempo;
use super::tree::NONE;
use crate::requests::{Requests, Row};

/// Conversations of a source, dealt anew.
pub struct Faithful {
    all: Conversations,
    models: Vec<String>,
    knobs: Knobs,
    streams: Streams,
    tempo: Tempo,
    /// The share of the source's requests that passed the filter.
    kept: f64,

    deal: Deal,
    end: u64,
    pass: u64,
    /// Conversations of this pass that are to start, the last first.
    starts: Vec<Start>,
    started: u64,

    /// When each conversation under way goes on, and its index in `live`.
    next: BinaryHeap<Reverse<(u64, u64, u32)>>,
    live: Vec<Live>,
    free: Vec<u32>,

    ids: Ids,
    sessions: Ids,
    names: Names,
    runs: Vec<Run>,
}

/// A conversation under way.
#[derive(Debug)]
struct Live {
    start: Start,
    number: u64,
    root: u32,
    /// Turns that were written.
    done: u32,
    /// The order of the turns if it is not their own: when each comes, and
    /// its index.
    order: Vec<(u64, u32)>,
    /// Ids of its blocks, then of its sessions.
    names: Vec<u64>,
}

impl Faithful {
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
        let all = Conversations::of(source, &knobs, streams)?;
        ensure!(!all.turns.is_empty(), knobs.nothing_passes());
        let of = source.entries.len() as u64;
        let deal = Deal::new(&all, of, requests, streams);
        let mut faithful = Self {
            models: source.models.clone(),
            tempo: Tempo::new(source, streams),
            kept: all.turns.len() as f64 / of as f64,
            end: deal.end(),
            pass: 0,
            starts: Vec::new(),
            started: 0,
            next: BinaryHeap::new(),
            live: Vec::new(),
            free: Vec::new(),
            ids: Ids::default(),
            sessions: Ids::default(),
            names: Names::new(all.lasting as usize, all.passing as usize, knobs.roots),
            runs: Vec::new(),
            streams,
            all,
            knobs,
            deal,
        };
        faithful.begin_wrapped();
        Ok(faithful)
    }

    /// The share of the source's requests that passed the filter, 0 to 1.
    pub fn kept(&self) -> f64 {
        self.kept
    }

    /// What should be known about a source that this method does not suit.
    pub fn note(&self) -> Option<String> {
        /// Above, one conversation shows in every figure.
        const LARGE: f64 = 0.1;
        let largest = self.all.largest;
        (largest > LARGE).then(|| {
            format!(
                "one conversation has {:.0} % of the source's requests, which keep their order",
                100.0 * largest
            )
        })
    }

    /// When the last turn of a conversation comes.
    fn last(&self, start: &Start) -> u64 {
        let conversation = &self.all.list[start.conversation as usize];
        let turns = self.all.turns_of(conversation);
        let last = &turns[start.turns as usize - 1];
        start.at.saturating_add(last.offset)
    }

    /// Begin with what will not be over at the end.
    fn begin_wrapped(&mut self) {
        let spans = self.all.list.iter().map(|one| {
            let turns = self.all.turns_of(one);
            turns.last().map_or(0, |turn| turn.offset)
        });
        let longest = spans.max().unwrap_or_default();
        let first = self.end.saturating_sub(longest) / self.deal.length();
        let deal = self.deal.clone();
        for pass in first.saturating_sub(1)..deal.passes() {
            let late = |start: &Start| self.last(start) >= self.end;
            let late: Vec<Start> = deal.pass(pass).filter(late).collect();
            for start in late {
                let order = self.wrapped(&start);
                self.begin(start, order);
            }
        }
        self.deal_pass();
    }

    /// The turns of a conversation in the order in which they come when the
    /// late ones come at the beginning.
    fn wrapped(&self, start: &Start) -> Vec<(u64, u32)> {
        let conversation = &self.all.list[start.conversation as usize];
        let turns = &self.all.turns_of(conversation)[..start.turns as usize];
        let times = turns
            .iter()
            .map(|turn| start.at.saturating_add(turn.offset) % self.end);
        let mut order: Vec<(u64, u32)> = times.zip(0..).collect();
        order.sort_unstable();
        order
    }

    /// Deal the next pass that has conversations to start.
    fn deal_pass(&mut self) {
        while self.starts.is_empty() && self.pass < self.deal.passes() {
            let in_time = |start: &Start| self.last(start) < self.end;
            let starts: Vec<Start> = self.deal.pass(self.pass).filter(in_time).collect();
            self.starts = starts.into_iter().rev().collect();
            self.pass += 1;
            let oldest = self.live.iter().filter(|live| !live.is_over());
            let oldest = oldest
                .map(|live| live.start.pass)
                .min()
                .unwrap_or(self.pass);
            self.names.forget_before(oldest.min(self.pass - 1));
        }
    }

    fn begin(&mut self, start: Start, order: Vec<(u64, u32)>) {
        let conversation = &self.all.list[start.conversation as usize];
        let places = conversation.nodes as usize + conversation.sessions as usize;
        let root = if self.knobs.roots > 1 {
            let mut random = self.streams.stream_of("like root", self.started);
            below(&mut random, self.knobs.roots.into()) as u32
        } else {
            0
        };
        let index = self.free.pop().unwrap_or_else(|| {
            self.live.push(Live::nothing());
            self.live.len() as u32 - 1
        });
        let live = &mut self.live[index as usize];
        live.names.clear();
        live.names.resize(places, UNNAMED);
        live.root = root;
        live.number = self.started;
        live.done = 0;
        let first = order.first().map_or(start.at, |&(at, _)| at);
        live.order = order;
        live.start = start;
        self.started += 1;
        self.next.push(Reverse((first, live.number, index)));
    }

    /// The conversation that goes on next, the first of `next`.
    fn advance(&mut self) -> Option<u32> {
        loop {
            let now = self.next.peek().map(|Reverse((at, ..))| *at);
            match self.starts.last() {
                Some(start) if now.is_none_or(|now| start.at <= now) => {
                    let start = *start;
                    self.starts.pop();
                    self.begin(start, Vec::new());
                    if self.starts.is_empty() {
                        self.deal_pass();
                    }
                }
                _ => return self.next.peek().map(|Reverse((.., index))| *index),
            }
        }
    }

    /// Put the next turn of `index` into `row`.
    fn write(&mut self, index: u32, row: &mut Row) {
        let live = &mut self.live[index as usize];
        let turn = live.order.get(live.done as usize);
        let turn = turn.map_or(live.done, |&(_, turn)| turn);
        let conversation = &self.all.list[live.start.conversation as usize];
        let turn = &self.all.turns[(conversation.begin + turn) as usize];
        let request = &mut row.request;
        request.timestamp = turn.timed.then(|| self.knobs.time(self.tempo.arrival()));
        request.input_length = Some(turn.input);
        request.output_length = turn.output;
        request.delay = turn.delay;
        if let Some(model) = self.models.get(turn.model as usize) {
            request.model = Some(model.clone());
        }
        if turn.session != NONE {
            let first = live.names.len() - conversation.sessions as usize;
            let place = &mut live.names[first + turn.session as usize];
            request.session_id = Some(SessionId::Number(self.sessions.name(place) as i64));
        }
        if !turn.blocks {
            request.hash_ids = None;
            return;
        }
        let ids = request.hash_ids.get_or_insert_default();
        ids.clear();
        self.all.paths.runs(turn.node, &mut self.runs);
        for run in &self.runs {
            let table = match run.owner {
                Owner::Private => &mut live.names,
                Owner::Passing => self.names.passing(live.start.pass, live.root),
                Owner::Lasting => self.names.lasting(live.root),
            };
            let places = &mut table[run.begin as usize..run.end as usize];
            self.ids.append(places, ids);
        }
        self.ids.append_fresh(turn.tail.into(), ids);
    }

    /// Let the first of `next` wait for the turn after, or let it go.
    fn go_on(&mut self) {
        let Some(mut first) = self.next.peek_mut() else {
            return;
        };
        let Reverse((at, _, index)) = &mut *first;
        let live = &mut self.live[*index as usize];
        live.done += 1;
        if live.is_over() {
            self.free.push(*index);
            PeekMut::pop(first);
            return;
        }
        // Changed in place, it sinks to where it belongs.
        *at = match live.order.get(live.done as usize) {
            Some(&(at, _)) => at,
            None => {
                let conversation = &self.all.list[live.start.conversation as usize];
                let turn = &self.all.turns[(conversation.begin + live.done) as usize];
                live.start.at.saturating_add(turn.offset)
            }
        };
    }
}

impl Live {
    /// A place for one.
    fn nothing() -> Self {
        let start = Start {
            at: 0,
            conversation: 0,
            turns: 0,
            pass: 0,
        };
        Self {
            start,
            number: 0,
            root: 0,
            done: 0,
            order: Vec::new(),
            names: Vec::new(),
        }
    }

    fn is_over(&self) -> bool {
        self.done >= self.start.turns
    }
}

impl Requests for Faithful {
    fn fill(&mut self, row: &mut Row) -> bool {
        let Some(index) = self.advance() else {
            return false;
        };
        let ids = row.request.hash_ids.take();
        *row = Row::default();
        row.request.hash_ids = ids;
        self.write(index, row);
        self.go_on();
        true
    }
}
