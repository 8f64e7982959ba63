//! Requests that belong together: sessions of several turns, and requests that
//! share what they begin with.

use std::iter::Peekable;
use std::vec;

use trace_core::{Micros, Request, SessionId, blocks_of};

use crate::agenda::Agenda;
use crate::arrival::{Arrival, Arrivals};
use crate::beginning::{Beginning, Beginnings};
use crate::length::{Lengths, MAX_TOKENS};
use crate::requests::{Requests, Row};
use crate::runs::Runs;
use crate::script::{Phase, Script, Step, alone};
use crate::words::Words;

/// What an arrival is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Pace {
    /// The start of a session; its later turns come on top, when they are due
    #[default]
    Sessions,
    /// Any request: of the session whose next turn is due longest, or the
    /// first of a new one if none is due
    Requests,
}

/// What prompts are.
#[derive(Debug)]
pub enum Content {
    /// Blocks with ids, of so many tokens.
    Blocks(u64),
    /// A length, and nothing else.
    Lengths,
    /// Text; the lengths of prompts don't count.
    Words {
        /// What makes it.
        words: Box<Words>,
        /// Whether lines say how long a response to ask for.
        output: bool,
    },
}

/// How long a turn is expected to take: what sets the time of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Before the first token.
    pub base: Micros,
    /// For each token of the response.
    pub per_token: Micros,
}

impl Service {
    /// The time to answer with `output` tokens.
    pub fn time(self, output: u64) -> Micros {
        let tokens = self.per_token.as_micros().saturating_mul(output);
        self.base + Micros::from_micros(tokens)
    }
}

/// Conversations in the making, in time order.
///
/// The state of each conversation that has a turn to come is held: some
/// hundred bytes, and 40 for each of its turns.
pub struct Conversations {
    /// When they begin, or when anything is asked; see [`Pace`].
    pub arrivals: Peekable<Arrivals>,
    /// What an arrival is.
    pub pace: Pace,
    /// How much each turn asks and gets.
    pub lengths: Box<dyn Lengths + Send>,
    /// What first prompts begin with.
    pub beginnings: Beginnings,
    /// How they go on; nothing for single requests without a session.
    pub script: Option<Script>,
    /// How long turns take.
    pub service: Service,
    /// Most tokens of a prompt and its response together.
    pub max_context: u64,
    /// What prompts are.
    pub content: Content,
    /// The model every request asks for.
    pub model: Option<String>,
    /// See [`Row::members`].
    pub members: Vec<u8>,
    /// State.
    pub open: Open,
}

/// The conversations that have a turn to come.
#[derive(Debug, Default)]
pub struct Open {
    /// Places in `waiting` by when their next turn is due.
    agenda: Agenda,
    waiting: Vec<Option<Conversation>>,
    /// Places in `waiting` where there is none.
    free: Vec<u32>,
    /// Of the next conversation.
    number: i64,
    /// Of the next block.
    id: u64,
}

#[derive(Debug)]
struct Conversation {
    number: i64,
    steps: vec::IntoIter<Step>,
    beginning: Beginning,
    /// Tokens so far, the last response included.
    context: u64,
    /// Ids of the blocks behind the shared ones.
    own: Runs,
}

impl Open {
    fn push(&mut self, due: Micros, conversation: Conversation) {
        let place = match self.free.pop() {
            Some(place) => {
                self.waiting[place as usize] = Some(conversation);
                place
            }
            None => {
                self.waiting.push(Some(conversation));
                u32::try_from(self.waiting.len() - 1).expect("memory ends before 2³² sessions do")
            }
        };
        self.agenda.push(due, place);
    }

    /// The conversation whose turn is due first, and when it is.
    fn pop(&mut self) -> Option<(Micros, Conversation)> {
        let (due, place) = self.agenda.pop()?;
        self.free.push(place);
        Some((due, self.waiting[place as usize].take()?))
    }
}

impl Requests for Conversations {
    fn fill(&mut self, row: &mut Row) -> bool {
        let Some((time, mut conversation)) = self.next() else {
            return false;
        };
        let step = conversation
            .steps
            .next()
            .expect("a conversation without a step is not kept");
        self.write(time, &step, &mut conversation, row);
        conversation.context += step.new + step.output;
        if let Some(next) = conversation.steps.as_slice().first() {
            let due = time + self.service.time(step.output) + next.delay;
            self.open.push(due, conversation);
        }
        true
    }
}

impl Conversations {
    /// Whose turn it is, and when.
    fn next(&mut self) -> Option<(Micros, Conversation)> {
        let due = self.open.agenda.due();
        let arrival = self.arrivals.peek().map(|arrival| arrival.timestamp);
        let goes_on = match (due, arrival) {
            (Some(due), Some(arrival)) => due <= arrival,
            (Some(_), None) => self.pace == Pace::Sessions,
            (None, _) => false,
        };
        if !goes_on {
            let arrival = self.arrivals.next()?;
            return Some((arrival.timestamp, self.begin(arrival)));
        }
        let (due, conversation) = self.open.pop()?;
        let time = match self.pace {
            Pace::Sessions => due,
            Pace::Requests => self.arrivals.next()?.timestamp,
        };
        Some((time, conversation))
    }

    fn begin(&mut self, Arrival { seconds, .. }: Arrival) -> Conversation {
        let (input, output) = self.lengths.draw(seconds);
        let output = output.min(self.max_context - 1);
        let mut beginning = self.beginnings.choose(seconds, input);
        beginning.length = beginning.length.min(self.max_context - output);
        beginning.shared = beginning.shared.min(beginning.length);
        let first = (beginning.length, output);
        let steps = match &mut self.script {
            None => alone(first),
            Some(script) => script.steps(first, self.max_context.min(MAX_TOKENS), || {
                self.lengths.draw(seconds)
            }),
        };
        let number = self.open.number;
        self.open.number += 1;
        Conversation {
            number,
            steps: steps.into_iter(),
            beginning,
            context: 0,
            own: Runs::default(),
        }
    }

    fn write(&mut self, time: Micros, step: &Step, talk: &mut Conversation, row: &mut Row) {
        let Row { request, members } = row;
        let follows = talk.context > 0;
        request.timestamp = Some(time);
        request.output_length = Some(step.output);
        self.write_content(talk.context + step.new, talk, request);
        let in_session = self.script.is_some();
        request.session_id = in_session.then_some(SessionId::Number(talk.number));
        request.delay = (in_session && follows).then_some(step.delay);
        if request.model != self.model {
            request.model.clone_from(&self.model);
        }
        members.clear();
        members.extend_from_slice(&self.members);
        if in_session {
            describe(step, members);
        }
    }

    fn write_content(&mut self, tokens: u64, talk: &mut Conversation, request: &mut Request) {
        match &mut self.content {
            Content::Words { words, output } => {
                words.write(request.text_input.get_or_insert_default());
                request.input_length = None;
                request.hash_ids = None;
                if !*output {
                    request.output_length = None;
                }
                return;
            }
            Content::Lengths => request.hash_ids = None,
            Content::Blocks(size) => {
                let ids = request.hash_ids.get_or_insert_default();
                let shared = talk.beginning.shared / *size;
                let next = &mut self.open.id;
                self.beginnings
                    .put(talk.beginning, shared, *size, next, ids);
                talk.own.put(blocks_of(tokens, *size) - shared, next, ids);
            }
        }
        request.input_length = Some(tokens);
        request.text_input = None;
    }
}

/// Append what a line of a session says about its place in it.
fn describe(step: &Step, members: &mut Vec<u8>) {
    if !members.is_empty() {
        members.push(b',');
    }
    push_member(members, b"\"turn\":", step.turn);
    match step.phase {
        Phase::Turn => {}
        Phase::Plan => members.extend_from_slice(b",\"phase\":\"plan\""),
        Phase::FollowUp { tools, retries } => {
            members.extend_from_slice(b",\"phase\":\"follow_up\"");
            push_member(members, b",\"tool_calls\":", tools);
            push_member(members, b",\"tool_retries\":", retries);
        }
    }
}

/// Append a member with a whole number: what formatting does, without its
/// machinery.
fn push_member(out: &mut Vec<u8>, name: &[u8], number: u32) {
    out.extend_from_slice(name);
    let start = out.len();
    let mut left = number;
    loop {
        out.push(b'0' + (left % 10) as u8);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out[start..].reverse();
}
