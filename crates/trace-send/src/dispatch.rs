//! The run: what makes it ready, the threads that make it, and what it came to.
//!
//! A run is divided over threads that have nothing to do with one another but
//! for some counters ([`crate::crew`]): each has its own runtime, schedule,
//! connections and sessions. The first is the one this is called on, which
//! watches over all of them beside.

mod hand;
mod helm;
mod ready;

use crate::connect::Connector;
use crate::crew::Crew;
use crate::feed::{Feed, Item};
use crate::history::Histories;
use crate::limits::Limits;
use crate::results::Results;
use crate::schedule::Share;
use crate::setup;
use crate::signals::Signals;
use crate::tally::Tally;
use hand::{Hand, Part, Report};
use helm::{Course, Helm};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use trace_core::Error;
use trace_core::clock::Timer;
use trace_core::time::Micros;

/// How requests are paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// By their times, with at most so many in flight.
    Open(Option<usize>),
    /// So many in flight at all times.
    Closed(usize),
}

/// How a run ended.
pub(crate) struct Ended {
    /// What was counted.
    pub tally: Tally,
    /// Requests that were prepared and not sent.
    pub never_sent: u64,
    /// Whether ^C or a TERM signal ended it.
    pub interrupted: bool,
    /// How the input ended.
    pub input: Result<(), Error>,
    /// Why a condition ended it.
    pub stopped: Option<String>,
    /// When it began.
    pub began: Instant,
}

/// What a run is, beside its requests.
#[derive(Clone)]
pub(crate) struct Plan {
    /// What it is held to.
    pub limits: Limits,
    /// How its requests are paced.
    pub pace: Pace,
    /// How long a closed loop takes to reach its level.
    pub ramp: Micros,
    /// Sessions under way at most.
    pub max_sessions: Option<usize>,
    /// How long an interrupted run waits for what is in flight.
    pub drain: Duration,
    /// The moment it begins at.
    pub start_at: Option<SystemTime>,
}

impl Pace {
    /// How many of `threads` have something to do, when that many sessions may
    /// be under way: each needs a place of its own.
    pub(crate) fn threads(self, threads: usize, max_sessions: Option<usize>) -> usize {
        let places = match self {
            Self::Open(most) => most.unwrap_or(usize::MAX),
            Self::Closed(concurrency) => concurrency,
        };
        let sessions = max_sessions.unwrap_or(usize::MAX);
        threads.min(places).min(sessions).max(1)
    }
}

/// Send what `feed` brings to where `connector` leads, with a thread for each
/// of its lanes. `histories` makes room for the conversations of each.
///
/// # Errors
/// When the system has no timers, signals or threads to give.
pub(crate) async fn run(
    plan: Plan,
    connector: &Connector,
    mut feed: Feed,
    results: &Arc<Results>,
    histories: impl Fn() -> Histories,
) -> io::Result<Ended> {
    let mut signals = Signals::new()?.held_by(plan.limits.reins.clone());
    let timer = Timer::new()?;
    let threads = feed.lanes.len();
    let mut first: Vec<Vec<Item>> = (0..threads).map(|_| Vec::new()).collect();
    let gathered = ready::gather(&mut feed.lanes, &mut first);
    if signals.unless_stopped(gathered).await.is_none() {
        let waiting = first.iter().map(|items| hand::requests(items)).sum();
        return Ok(Ended::before_it_began(waiting));
    }
    ready::warn_of_waiting(plan.pace, &first[0]);
    let waiting = first.iter().map(|items| hand::requests(items)).sum();
    let crew = Crew::new(threads, feed.budget, feed.maker);
    let (report, reports) = unbounded_channel();
    let mut starts = Vec::new();
    let lanes = feed.lanes.into_iter().zip(first).enumerate();
    let hand = |(index, (lane, first))| {
        let (begin, start) = oneshot::channel();
        starts.push(begin);
        Hand {
            share: Share { index, of: threads },
            plan: plan.clone(),
            connector: connector.clone(),
            results: Arc::clone(results),
            histories: histories(),
            crew: Arc::clone(&crew),
            lane,
            first,
            report: report.clone(),
            start,
        }
    };
    let mut hands: Vec<_> = lanes.map(hand).collect();
    drop(report);
    let own = hands.remove(0);
    hands.into_iter().try_for_each(employ)?;
    let helm = Helm::new(Arc::clone(&crew), plan, reports);
    // What sends is polled before the tasks of its flights, and so is not a
    // task itself; the helm can wait.
    let course = spawn_local(helm.steer(signals, timer, starts));
    own.work().await;
    Ok(match course.await?? {
        Some(course) => Ended::after(course, std::mem::take(&mut *crew.tally()), threads),
        None => Ended::before_it_began(waiting),
    })
}

impl Ended {
    /// What `threads` threads counted in `tally` on their `course`.
    fn after(course: Course, mut tally: Tally, threads: usize) -> Self {
        let parts = course.parts;
        tally.threads = threads;
        tally.overload = course.overload;
        tally.wall_step = course.clock.step(SystemTime::now());
        tally.busy = parts.iter().filter_map(|part| part.busy).reduce(f64::max);
        Self {
            tally,
            never_sent: parts.iter().map(|part| part.never_sent).sum(),
            interrupted: course.interrupted,
            input: parts.into_iter().try_for_each(|part: Part| part.input),
            stopped: course.stopped,
            began: course.clock.began(),
        }
    }

    /// It was interrupted while `waiting` requests were ready.
    fn before_it_began(waiting: u64) -> Self {
        Self {
            tally: Tally::default(),
            never_sent: waiting,
            interrupted: true,
            input: Ok(()),
            stopped: None,
            began: Instant::now(),
        }
    }
}

/// Let `hand` work on a thread of its own.
fn employ(hand: Hand) -> io::Result<()> {
    let work = move || match setup::runtime() {
        Ok(runtime) => runtime.block_on(hand.work()),
        Err(error) => {
            let error = io::Error::other(format!("{error:#}"));
            // Nobody listens once another has failed.
            let _ = hand.report.send(Report::Ended(Err(error)));
        }
    };
    thread::Builder::new().name("send".into()).spawn(work)?;
    Ok(())
}
