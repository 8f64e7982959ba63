//! The run: wakes the engine in time, feeds it, and ends it well.

mod ready;
mod run;

use crate::connect::Connector;
use crate::engine::Engine;
use crate::feed::Feed;
use crate::history::Histories;
use crate::limits::Limits;
use crate::pool::Pool;
use crate::results::Results;
use crate::schedule::Schedule;
use crate::signals::Signals;
use crate::tally::Tally;
use crate::work::Work;
use run::Run;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};
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

/// Send what `feed` brings to where `connector` leads.
///
/// # Errors
/// When the system has no timers or signals to give.
pub(crate) async fn run(
    plan: Plan,
    connector: Rc<Connector>,
    mut feed: Feed,
    results: Rc<Results>,
    histories: Histories,
) -> io::Result<Ended> {
    let mut signals = Signals::new()?;
    let timer = Timer::new()?;
    let mut first = Vec::new();
    let ready = async {
        ready::gather(&mut feed, &mut first).await;
        ready::warn_of_waiting(plan.pace, &first);
        let pool = if plan.limits.new_connections {
            Pool::default()
        } else {
            ready::warm_up(&connector, plan.pace, &first).await
        };
        ready::until(plan.start_at, &timer).await;
        pool
    };
    let Some(pool) = signals.unless_stopped(ready).await else {
        return Ok(Ended {
            tally: Tally::default(),
            never_sent: first.len() as u64,
            interrupted: true,
            input: Ok(()),
            stopped: None,
            began: Instant::now(),
        });
    };
    let schedule = match plan.pace {
        Pace::Open(None) => Schedule::open(),
        Pace::Open(Some(most)) => Schedule::capped(most),
        Pace::Closed(concurrency) => Schedule::closed(concurrency, plan.ramp),
    };
    let engine = Engine::new(
        plan.limits,
        connector,
        schedule.sessions(plan.max_sessions.unwrap_or(usize::MAX)),
        pool,
        results,
        histories,
        (feed.budget, feed.maker),
    );
    let mut run = Run::new(engine, feed.items, plan.drain);
    first.into_iter().for_each(|item| run.take(item));
    let work = Work::begin();
    let interrupted = run.go(&timer, &mut signals).await;
    Ok(run.end(interrupted, work.share()))
}
