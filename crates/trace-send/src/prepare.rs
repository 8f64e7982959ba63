//! Requests made ready ahead of their time, on a thread of their own.
//!
//! Reading, decoding, making a prompt of a hundred thousand tokens and
//! serialising it take longer than a deadline allows. So by the time the
//! dispatcher sees a request it is a block of bytes to be written. Only a turn
//! that begins with live answers is put together when it leaves: its bytes
//! have a place for what was said before.

use crate::args::Args;
use crate::bodies::{Bodies, Length, PromptAs, Room};
use crate::endpoint::Turns;
use crate::head::Heads;
use crate::history::{Part, Said};
use crate::leg::Leg;
use crate::order;
use crate::outlook::Outlook;
use crate::pace::Pace;
use crate::schedule::Timing;
use crate::select::Selection;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use trace_core::{Error, Failure, Line, Reader, SessionId};

/// What goes before a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum History {
    /// what the run itself has said and heard
    Live,
    /// nothing: the line has its own whole prompt
    Recorded,
}

/// What the lengths of turns count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TurnLengths {
    /// the whole prompt, history included
    Whole,
    /// what the turn adds
    Delta,
}

/// A request, ready to be written.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Index of its line in the input.
    pub seq: u64,
    /// The request line, which its outcome is added to.
    pub line: Vec<u8>,
    /// Head and body; the body alone if there is a `part`.
    pub wire: Vec<u8>,
    /// What it adds to its session, if history goes before it.
    pub part: Option<Part>,
    /// Why it cannot be sent.
    pub refused: Option<Failure>,
}

impl Prepared {
    /// Bytes it takes while it waits.
    pub(crate) fn cost(&self) -> usize {
        const BOOKKEEPING: usize = 256;
        self.line.len() + self.wire.len() + BOOKKEEPING
    }
}

/// Where lines come from.
pub(crate) enum Source {
    /// As they are read.
    Stream(Box<Reader<'static>>),
    /// From memory, for several runs.
    Held(Arc<Vec<Line>>),
}

/// How lines become requests.
pub(crate) struct Preparer {
    /// Writes their bodies.
    pub bodies: Bodies,
    /// Writes their heads.
    pub heads: Arc<Heads>,
    /// What goes before a turn, if it is said.
    pub history: Option<History>,
    /// What the lengths of turns count.
    pub turns: TurnLengths,
    /// Whether tokens of literal prompts have to be counted.
    pub counting: bool,
    /// Which lines are sent.
    pub selection: Selection,
    /// Turns that would have added less than a token.
    pub repaired: AtomicU64,
    /// What is to come.
    pub outlook: Arc<Outlook>,
}

/// Gives each request to whom it concerns, until that says false.
pub(crate) trait Taker: FnMut(Prepared, Timing) -> bool {}
impl<F: FnMut(Prepared, Timing) -> bool> Taker for F {}

impl Preparer {
    /// As `args` say, with `bodies` and `heads`, for the lines of `selection`.
    pub(crate) fn new(
        args: &Args,
        bodies: Bodies,
        heads: Arc<Heads>,
        selection: Selection,
    ) -> Self {
        Self {
            bodies,
            heads,
            history: args.session.history,
            turns: args.session.turns,
            counting: args.session.max_context_tokens.is_some(),
            selection,
            repaired: AtomicU64::new(0),
            outlook: Arc::default(),
        }
    }

    /// Read `source` to its end and give each request of `leg` to `to`, until
    /// that says false.
    ///
    /// # Errors
    /// As the reader has them; and in open loop, a first line without a
    /// timestamp.
    pub(crate) fn run(&self, source: &mut Source, leg: &Leg, to: impl Taker) -> Result<(), Error> {
        let mut work = Work {
            preparer: self,
            leg,
            pace: Pace::new(leg.clocking),
            place: 0,
            sessions: HashMap::new(),
            room: Room::default(),
            body: Vec::new(),
            to,
        };
        self.outlook.begin();
        let read = match source {
            Source::Held(lines) => work.held(lines),
            Source::Stream(input) => work.stream(input),
        };
        self.outlook.end();
        read
    }
}

/// One run's requests under way.
struct Work<'a, F> {
    preparer: &'a Preparer,
    leg: &'a Leg,
    pace: Pace,
    /// Requests given so far.
    place: u64,
    /// Length and answer of each session's last turn.
    sessions: HashMap<SessionId, (u64, u64)>,
    room: Room,
    body: Vec<u8>,
    to: F,
}

impl<F: Taker> Work<'_, F> {
    fn stream(&mut self, input: &mut Reader<'static>) -> Result<(), Error> {
        let most = self.leg.requests.unwrap_or(u64::MAX);
        let mut line = Line::default();
        let mut seq = 0;
        while seq < most && input.read(&mut line)? {
            if seq == 0 && line.is_outcome() {
                let lines = order::restored(std::mem::take(&mut line), input)?;
                return self.held(&lines);
            }
            if !self.give(&line, seq)? {
                break;
            }
            seq += 1;
        }
        Ok(())
    }

    fn held(&mut self, lines: &[Line]) -> Result<(), Error> {
        let most = self.leg.requests.unwrap_or(u64::MAX);
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(lines.len());
        let mut order: Vec<usize> = (0..most).collect();
        if let Some(seed) = self.leg.shuffle {
            shuffle(&mut order, lines, seed);
        }
        for at in order {
            if !self.give(&lines[at], at as u64)? {
                break;
            }
        }
        Ok(())
    }

    fn give(&mut self, line: &Line, seq: u64) -> Result<bool, Error> {
        let preparer = self.preparer;
        if !preparer
            .selection
            .has(line, &self.leg.label.place(seq), seq)
        {
            return Ok(true);
        }
        let timing = self.pace.timing(line, self.place)?;
        self.place += 1;
        preparer.outlook.add(timing.at.unwrap_or(timing.after));
        let session = line.request.session_id.as_ref();
        let live = self.is_live(line);
        let length = match session {
            Some(session) if live => self.length(line, session),
            _ => Length {
                tokens: line.request.input_length.unwrap_or_default(),
                by_ids: true,
            },
        };
        self.body.clear();
        let written =
            preparer
                .bodies
                .write(&line.request, seq, length, &mut self.room, &mut self.body);
        let mut prepared = Prepared {
            seq,
            line: line.request_bytes(),
            wire: Vec::new(),
            part: None,
            refused: None,
        };
        match written {
            Err(failure) => prepared.refused = Some(failure),
            Ok(Some(place)) if live => {
                prepared.wire.clone_from(&self.body);
                prepared.part = Some(Part {
                    place,
                    tokens: self.tokens(line, length),
                    answer: self.recorded_answer(line, seq),
                });
            }
            Ok(_) => prepared.wire = preparer.heads.request(seq, session, &self.body),
        }
        Ok((self.to)(prepared, timing))
    }

    /// Whether history goes before the line when it leaves.
    fn is_live(&self, line: &Line) -> bool {
        let Preparer {
            bodies,
            history,
            turns,
            ..
        } = self.preparer;
        let can = line.request.session_id.is_some()
            && line.request.payload.is_none()
            && bodies.prompt_as == PromptAs::Text
            && bodies.endpoint.dialect().turns() != Turns::None;
        let literal = line.request.text_input.is_some();
        can && match history {
            Some(History::Live) => true,
            // What was said before is not on the line.
            Some(History::Recorded) => *turns == TurnLengths::Delta,
            None => literal || *turns == TurnLengths::Delta,
        }
    }

    /// The length of what a turn of `session` adds.
    fn length(&mut self, line: &Line, session: &SessionId) -> Length {
        let whole = line.request.input_length.unwrap_or_default();
        if self.preparer.turns == TurnLengths::Delta || line.request.input_length.is_none() {
            return Length {
                tokens: whole,
                by_ids: true,
            };
        }
        let answer = line.request.output_length.unwrap_or_default();
        let before = self.sessions.insert(session.clone(), (whole, answer));
        let Some((before, answered)) = before else {
            return Length {
                tokens: whole,
                by_ids: true,
            };
        };
        let added = whole.saturating_sub(before.saturating_add(answered));
        if added == 0 {
            self.preparer.repaired.fetch_add(1, Ordering::Relaxed);
        }
        Length {
            tokens: added.max(1),
            by_ids: false,
        }
    }

    /// Tokens of what a turn adds, as far as anyone asks.
    fn tokens(&self, line: &Line, length: Length) -> u64 {
        let literal = match (&line.request.text_input, &line.request.messages) {
            (Some(text), _) => text,
            (None, Some(messages)) => messages.get(),
            (None, None) => return length.tokens,
        };
        if !self.preparer.counting {
            return 0;
        }
        let tokenizer = self.preparer.bodies.prompts.tokenizer();
        // Four bytes make a token where the tokenizer cannot tell.
        tokenizer.count(literal).unwrap_or(literal.len() as u64 / 4)
    }

    /// What stands for the answer of a recorded turn that counts only what it
    /// adds: text of the recorded length.
    fn recorded_answer(&mut self, line: &Line, seq: u64) -> Option<Said> {
        if self.preparer.history != Some(History::Recorded) {
            return None;
        }
        let tokens = line.request.output_length.unwrap_or_default();
        let mut text = String::new();
        // Another text than the prompt's own.
        let own = seq | 1 << 63;
        let bodies = &self.preparer.bodies;
        bodies.prompts.render(&[], tokens, own, &mut text);
        Some(Said::answer(
            bodies.endpoint.dialect().turns(),
            &text,
            tokens,
        ))
    }
}

/// Another order, in which the turns of a session keep theirs.
fn shuffle(order: &mut [usize], lines: &[Line], seed: u64) {
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut places: HashMap<&SessionId, Vec<usize>> = HashMap::new();
    for (place, &at) in order.iter().enumerate() {
        if let Some(session) = &lines[at].request.session_id {
            places.entry(session).or_default().push(place);
        }
    }
    for places in places.into_values() {
        let mut turns: Vec<_> = places.iter().map(|&place| order[place]).collect();
        turns.sort_unstable();
        for (place, turn) in places.into_iter().zip(turns) {
            order[place] = turn;
        }
    }
}

#[cfg(test)]
mod tests;
