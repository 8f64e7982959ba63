//! When the tokens of an answer may leave: by a fixed schedule, or as an engine gives them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use trace_core::Random;
use trace_core::clock::Sleep;

use crate::drive::Ticket;
use crate::engine::Jitter;
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
    /// A schedule whose every step is longer or shorter by chance.
    Scattered(Box<Scattered>),
    Engine(Ticket),
}

/// A schedule as it comes out by chance, token after token.
#[derive(Debug)]
pub(crate) struct Scattered {
    schedule: Schedule,
    jitter: Jitter,
    random: Random,
    origin: Instant,
    sleep: Sleep,
    /// Tokens that were due when last looked, and when the next is, since `origin`.
    due: u64,
    next: Duration,
}

impl Scattered {
    pub(crate) fn new(
        schedule: Schedule,
        jitter: Jitter,
        mut random: Random,
        origin: Instant,
        sleep: Sleep,
    ) -> Scattered {
        let factor = jitter.factor(&mut random);
        Scattered {
            next: times(schedule.ttft, factor),
            schedule,
            jitter,
            random,
            origin,
            sleep,
            due: 0,
        }
    }

    fn poll_due(&mut self, cx: &mut Context<'_>, sent: u64) -> Poll<u64> {
        loop {
            let elapsed = self.origin.elapsed();
            // No further than asked: the last answer may have any number of tokens.
            while self.next <= elapsed && self.due <= sent {
                self.due += 1;
                let factor = self.jitter.factor(&mut self.random);
                let gap = times(self.schedule.itl, factor);
                self.next = self.next.saturating_add(gap);
            }
            if self.due > sent {
                return Poll::Ready(self.due);
            }
            let Some(deadline) = self.origin.checked_add(self.next) else {
                return Poll::Pending; // after the end of time
            };
            if self.sleep.deadline() != deadline {
                self.sleep.reset(deadline);
            }
            ready!(Pin::new(&mut self.sleep).poll(cx));
        }
    }
}

/// `factor` times as long; what is beyond all time is its end.
fn times(time: Duration, factor: f64) -> Duration {
    // The cast saturates.
    Duration::from_nanos((time.as_secs_f64() * 1e9 * factor) as u64)
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
            Pace::Scattered(scattered) => scattered.poll_due(cx, sent),
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
            Pace::Fixed { .. } | Pace::Scattered(_) => None,
            Pace::Engine(ticket) => Some(ticket.cached()),
        }
    }

    /// How long the request was in the queue.
    pub(crate) fn waited(&self) -> Duration {
        match self {
            Pace::Fixed { .. } | Pace::Scattered(_) => Duration::ZERO,
            Pace::Engine(ticket) => ticket.waited(),
        }
    }
}
