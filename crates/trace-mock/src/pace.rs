//! When the tokens of an answer may leave: by a fixed schedule, or as an engine gives them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use trace_core::clock::Sleep;

use crate::drive::Ticket;
use crate::schedule::Schedule;

/// What paces an answer.
#[derive(Debug)]
pub(crate) enum Pace {
    Fixed {
        schedule: Schedule,
        /// What the schedule counts from.
        origin: Instant,
        sleep: Sleep,
    },
    Engine(Ticket),
}

impl Pace {
    /// How many tokens may leave, once they are more than `sent`, or there are no more to come.
    /// The number may be greater than the answer has.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>, sent: u64) -> Poll<u64> {
        match self {
            Pace::Fixed {
                schedule,
                origin,
                sleep,
            } => loop {
                let due = schedule.due(origin.elapsed());
                if due > sent {
                    return Poll::Ready(due);
                }
                let Some(deadline) = origin.checked_add(schedule.deadline(sent)) else {
                    return Poll::Pending; // after the end of time
                };
                if sleep.deadline() != deadline {
                    sleep.reset(deadline);
                }
                ready!(Pin::new(&mut *sleep).poll(cx));
            },
            Pace::Engine(ticket) => ticket
                .poll(cx, sent)
                .map(|event| if event.done { u64::MAX } else { event.tokens }),
        }
    }

    /// Wait until `tokens` may leave.
    pub(crate) async fn reach(&mut self, tokens: u64) {
        poll_fn(|cx| self.poll_due(cx, tokens - 1)).await;
    }

    /// Prompt tokens from the prefix cache, where there is one.
    pub(crate) fn cached(&self) -> Option<u64> {
        match self {
            Pace::Fixed { .. } => None,
            Pace::Engine(ticket) => Some(ticket.cached()),
        }
    }

    /// How long the request was in the queue.
    pub(crate) fn waited(&self) -> Duration {
        match self {
            Pace::Fixed { .. } => Duration::ZERO,
            Pace::Engine(ticket) => ticket.waited(),
        }
    }
}
