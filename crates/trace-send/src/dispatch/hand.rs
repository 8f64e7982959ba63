//! One thread that sends: wakes its engine in time, feeds it, and ends it well.

use super::{Pace, Plan, ready};
use crate::clock::Clock;
use crate::connect::Connector;
use crate::crew::Crew;
use crate::engine::Engine;
use crate::feed::{Item, Lane};
use crate::history::Histories;
use crate::pool::Pool;
use crate::results::Results;
use crate::schedule::{Schedule, Share};
use crate::wake::Wake;
use crate::work::Work;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use trace_core::Error;
use trace_core::clock::Timer;

/// How often connections are looked at that nobody uses.
const SWEEP: Duration = Duration::from_millis(200);

/// What a thread needs to begin.
pub(super) struct Hand {
    /// Which part of the run is its own.
    pub share: Share,
    /// What the run is.
    pub plan: Plan,
    /// Leads to the server.
    pub connector: Connector,
    /// Takes its outcomes.
    pub results: Arc<Results>,
    /// The conversations of its sessions.
    pub histories: Histories,
    /// The others.
    pub crew: Arc<Crew>,
    /// Its requests.
    pub lane: Lane,
    /// Those of them that are there already.
    pub first: Vec<Item>,
    /// Where it tells how far it is.
    pub report: UnboundedSender<Report>,
    /// Tells when the run begins; never, if it does not.
    pub start: oneshot::Receiver<Clock>,
}

/// What a thread tells.
pub(super) enum Report {
    /// It can begin.
    Ready,
    /// It is done.
    Ended(io::Result<Part>),
}

/// What one thread has to say of a run that ended.
#[derive(Debug)]
pub(super) struct Part {
    /// Requests that were prepared for it and not sent.
    pub never_sent: u64,
    /// How the input ended.
    pub input: Result<(), Error>,
    /// The share of the run in which it was at work.
    pub busy: Option<f64>,
}

impl Hand {
    /// Send what comes, from the beginning of the run to its end.
    pub(super) async fn work(self) {
        let report = self.report.clone();
        let part = self.send().await;
        // Nobody listens once another has failed.
        let _ = report.send(Report::Ended(part));
    }

    async fn send(self) -> io::Result<Part> {
        let timer = Timer::new()?;
        let connector = Rc::new(self.connector);
        let pool = if self.plan.limits.new_connections {
            Pool::default()
        } else {
            ready::warm_up(&connector, self.plan.pace, self.share, &self.first).await
        };
        let _ = self.report.send(Report::Ready);
        let Ok(clock) = self.start.await else {
            return Ok(Part {
                never_sent: requests(&self.first),
                input: Ok(()),
                busy: None,
            });
        };
        let engine = Engine::new(
            clock,
            self.plan.limits.clone(),
            (connector, pool),
            self.plan.schedule(self.share),
            Arc::clone(&self.results),
            self.histories,
            (self.crew, self.share.index, self.lane.waiting),
        );
        let mut shift = Shift {
            engine,
            items: self.lane.items,
            input: None,
        };
        self.first.into_iter().for_each(|item| shift.take(item));
        let work = Work::begin();
        shift.go(&timer, &self.results).await;
        Ok(shift.end(work.share()))
    }
}

impl Plan {
    /// When the requests of `share` leave.
    fn schedule<T>(&self, share: Share) -> Schedule<T> {
        let schedule = match self.pace {
            Pace::Open(None) => Schedule::open(),
            Pace::Open(Some(most)) => Schedule::capped(share.of(most)),
            Pace::Closed(concurrency) => Schedule::closed(concurrency, self.ramp, share),
        };
        schedule.sessions(self.max_sessions.map_or(usize::MAX, |most| share.of(most)))
    }
}

/// How many of `items` are requests.
pub(super) fn requests(items: &[Item]) -> u64 {
    let is_request = |item: &&Item| matches!(item, Item::Request(..));
    items.iter().filter(is_request).count() as u64
}

/// A thread at work.
struct Shift {
    engine: Rc<Engine>,
    items: UnboundedReceiver<Item>,
    /// How the input ended, if it has.
    input: Option<Result<(), Error>>,
}

impl Shift {
    fn take(&mut self, item: Item) {
        match item {
            Item::Request(request, timing) => self.engine.add(request, timing),
            Item::End(how) => self.input = Some(how),
        }
    }

    /// Fetch what is prepared, so that there is enough at hand.
    fn fill(&mut self) {
        if !self.wants_more() {
            return;
        }
        while self.engine.ready() < 2 * Engine::LOW {
            match self.items.try_recv() {
                Ok(item) => self.take(item),
                Err(_) => return,
            }
        }
    }

    fn wants_more(&self) -> bool {
        let engine = &self.engine;
        self.input.is_none() && !engine.is_stopped() && engine.ready() < Engine::LOW
    }

    fn is_over(&self) -> bool {
        let nothing_comes =
            self.engine.is_stopped() || self.input.is_some() && self.engine.waiting() == 0;
        nothing_comes && self.engine.in_flight() == 0
    }

    /// Until everything that is to be sent has ended, or is given up.
    async fn go(&mut self, timer: &Timer, results: &Results) {
        let engine = Rc::clone(&self.engine);
        let mut alarm = timer.sleep_until(Instant::now());
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut written = results.changes();
        let mut wake = Wake::default();
        loop {
            self.fill();
            engine.pump();
            if let Some(why) = engine.crew().cancelled() {
                engine.cancel(why);
                return;
            }
            if self.is_over() {
                return;
            }
            let wants_more = self.wants_more();
            let due = engine.alarm().map(|time| engine.clock().instant(time));
            if let Some(due) = due {
                let rise = wake.rise_for(due);
                if alarm.deadline() != rise {
                    alarm.reset(rise);
                }
            }
            tokio::select! {
                biased;
                () = &mut alarm, if due.is_some() => wake.finish(alarm.deadline(), due),
                () = engine.bell() => {}
                item = self.items.recv(), if wants_more => match item {
                    Some(item) => self.take(item),
                    None => self.input = Some(Ok(())),
                },
                Ok(()) = written.changed() => {
                    if results.has_failed() {
                        engine.crew().cancel("nobody reads the outcomes");
                    }
                }
                _ = sweep.tick() => engine.sweep(),
            }
        }
    }

    fn end(mut self, busy: Option<f64>) -> Part {
        self.engine.sweep(); // and count what died since
        self.items.close();
        let mut never_sent = self.engine.waiting() as u64;
        while let Ok(item) = self.items.try_recv() {
            never_sent += u64::from(matches!(item, Item::Request(..)));
        }
        Part {
            never_sent,
            input: self.input.unwrap_or(Ok(())),
            busy,
        }
    }
}
