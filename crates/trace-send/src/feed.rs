//! Requests on their way from the thread that prepares them to those that send.
//!
//! A request without a session goes where the fewest wait: that divides a
//! burst evenly, and a closed loop by what each thread gets done. The turns of
//! a session all go to one thread, which keeps their order and their history.

use crate::budget::Budget;
use crate::leg::Leg;
use crate::prepare::{Prepared, Preparer, Source};
use crate::schedule::Timing;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use trace_core::{Error, SessionId, cli};

/// Bytes of requests that are made ready ahead.
const AHEAD: usize = 16 << 20;

/// Sessions whose thread was chosen and is remembered, some 100 bytes each;
/// the thread of others follows from their name.
const MOST_REMEMBERED: usize = 65_536;

/// What comes from the thread that prepares requests.
pub(crate) enum Item {
    /// A request.
    Request(Box<Prepared>, Timing),
    /// The input has ended, and so.
    End(Result<(), Error>),
}

/// Requests as they are prepared.
pub(crate) struct Feed {
    /// Where they come from, for each thread that sends.
    pub lanes: Vec<Lane>,
    /// What they cost while they wait.
    pub budget: Budget,
    /// Who prepares them.
    pub maker: Thread,
}

/// The requests of one thread that sends.
pub(crate) struct Lane {
    /// Where they come from.
    pub items: UnboundedReceiver<Item>,
    /// How many of them have not left.
    pub waiting: Arc<AtomicUsize>,
}

impl Feed {
    /// Prepare the requests of `source` for `threads` threads, on a thread of
    /// their own, which gives the source back.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub(crate) fn start(
        preparer: Arc<Preparer>,
        mut source: Source,
        leg: Leg,
        threads: usize,
    ) -> io::Result<(Self, JoinHandle<Source>)> {
        let (mut fork, lanes) = Fork::new(threads);
        let budget = Budget::new(AHEAD);
        let paying = budget.clone();
        let thread = thread::Builder::new()
            .name("prepare".into())
            .spawn(move || {
                let ended = preparer.run(&mut source, &leg, |request, timing| {
                    paying.pay(request.cost()) && fork.give(request, timing)
                });
                if let Source::Stream(input) = &source {
                    cli::report_skipped("trace-send", input);
                }
                fork.end(ended);
                source
            })?;
        let feed = Self {
            lanes,
            budget,
            maker: thread.thread().clone(),
        };
        Ok((feed, thread))
    }
}

/// Where the way to several threads divides.
struct Fork {
    ways: Vec<(UnboundedSender<Item>, Arc<AtomicUsize>)>,
    sessions: HashMap<SessionId, usize>,
    /// Where the last request went.
    last: usize,
}

impl Fork {
    fn new(threads: usize) -> (Self, Vec<Lane>) {
        let (ways, lanes) = (0..threads)
            .map(|_| {
                let (sender, items) = unbounded_channel();
                let waiting = Arc::new(AtomicUsize::new(0));
                let lane = Lane {
                    items,
                    waiting: Arc::clone(&waiting),
                };
                ((sender, waiting), lane)
            })
            .unzip();
        let fork = Self {
            ways,
            sessions: HashMap::new(),
            // The first goes to the first.
            last: threads - 1,
        };
        (fork, lanes)
    }

    /// Hand `request` over. False if nobody listens any more.
    fn give(&mut self, request: Prepared, timing: Timing) -> bool {
        let way = self.choose(timing.session.as_ref());
        let (sender, waiting) = &self.ways[way];
        waiting.fetch_add(1, Ordering::Relaxed);
        sender
            .send(Item::Request(Box::new(request), timing))
            .is_ok()
    }

    /// Tell everyone that there is no more; one is told how it ended.
    fn end(self, how: Result<(), Error>) {
        let endings = std::iter::once(how).chain(std::iter::repeat_with(|| Ok(())));
        for ((sender, _), how) in self.ways.iter().zip(endings) {
            // Nobody listens after an interrupt.
            let _ = sender.send(Item::End(how));
        }
    }

    /// The thread of a request of `session`.
    fn choose(&mut self, session: Option<&SessionId>) -> usize {
        if self.ways.len() == 1 {
            return 0;
        }
        let Some(session) = session else {
            return self.idlest();
        };
        if let Some(&way) = self.sessions.get(session) {
            return way;
        }
        if self.sessions.len() >= MOST_REMEMBERED {
            let mut hasher = DefaultHasher::new();
            session.hash(&mut hasher);
            return (hasher.finish() % self.ways.len() as u64) as usize;
        }
        let way = self.idlest();
        self.sessions.insert(session.clone(), way);
        way
    }

    /// Where the fewest wait; among equals, the next after the last.
    fn idlest(&mut self) -> usize {
        let count = self.ways.len();
        let waiting = |way: usize| self.ways[way].1.load(Ordering::Relaxed);
        let next = (1..=count).map(|step| (self.last + step) % count);
        self.last = next.min_by_key(|&way| waiting(way)).unwrap_or(0);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_divided_evenly_and_the_first_goes_to_the_first() {
        let (mut fork, _lanes) = Fork::new(3);
        let ways: Vec<_> = (0..6)
            .map(|_| {
                let way = fork.choose(None);
                fork.ways[way].1.fetch_add(1, Ordering::Relaxed);
                way
            })
            .collect();
        assert_eq!(ways, [0, 1, 2, 0, 1, 2]);
        fork.ways[1].1.store(0, Ordering::Relaxed);
        assert_eq!(fork.choose(None), 1, "where nobody waits");
    }

    #[test]
    fn a_session_stays_on_its_thread_however_many_there_are() {
        let (mut fork, _lanes) = Fork::new(4);
        let sessions = 0..MOST_REMEMBERED as i64 + 500;
        let first: Vec<_> = sessions
            .clone()
            .map(|id| fork.choose(Some(&SessionId::Number(id))))
            .collect();
        let again: Vec<_> = sessions
            .map(|id| fork.choose(Some(&SessionId::Number(id))))
            .collect();
        assert_eq!(first, again);
        for way in 0..4 {
            assert!(first[MOST_REMEMBERED..].contains(&way), "{way}");
        }
        assert_eq!(fork.sessions.len(), MOST_REMEMBERED);
    }
}
