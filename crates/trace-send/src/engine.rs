//! Sends every request in its time and hears every answer to its end.
//!
//! Everything here runs on one thread: a current-thread runtime, so that
//! nothing that is shared needs a lock. [`Engine::pump`] is the heart: it
//! launches what may leave, and is called when a time has come, when a
//! request ended, and when a request was read, each time right there and not
//! by way of another task. With a connection at hand, launching is one clock
//! reading and one write of bytes that lay ready.

mod exchange;

use crate::answer::{Ending, Wanted};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::connect::{Connection, Connector};
use crate::flight::Flight;
use crate::head::Heads;
use crate::history::Histories;
use crate::leg::Label;
use crate::pool::Pool;
use crate::prepare::Prepared;
use crate::results::Results;
use crate::schedule::{Launch, Schedule, Timing};
use crate::secret::Secrets;
use crate::slo::{Slo, Stop};
use crate::tally::Tally;
use crate::telemetry::Gpus;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::spawn_local;
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure, Outcome, SessionId};

/// Launches at one go. More would keep answers that have come from being
/// stamped.
const BURST: usize = 64;

/// Connections that are opened ahead at the same time.
const MOST_OPENING: usize = 256;

/// The size of a read: as much as a socket holds of a fast stream.
const READ_BYTES: usize = 64 << 10;

/// How long the end of the response may follow `[DONE]`.
const AFTER_DONE: Duration = Duration::from_secs(1);

/// What a run is held to.
#[derive(Clone)]
pub(crate) struct Limits {
    /// The longest a request may take, connecting included.
    pub timeout: Duration,
    /// What is wanted of answers.
    pub wanted: Wanted,
    /// Nothing leaves at or after this.
    pub until: Option<Micros>,
    /// Connections are opened ahead of the schedule.
    pub open_loop: bool,
    /// Each request has a connection of its own, opened when it is sent.
    pub new_connections: bool,
    /// What error messages must not repeat.
    pub secrets: Secrets,
    /// How often a request may be tried again.
    pub retries: u64,
    /// What every answer has to keep to be counted as good.
    pub slos: Vec<Slo>,
    /// What ends the run.
    pub stops: Vec<Stop>,
    /// What the run's outcomes are marked with.
    pub label: Label,
    /// When the first of several runs began.
    pub first: Option<Instant>,
    /// Set when the first of several runs has begun.
    pub began: Arc<OnceLock<Instant>>,
    /// The GPUs that are watched.
    pub gpus: Option<Arc<Gpus>>,
    /// Writes the heads of requests that are put together when they leave.
    pub heads: Arc<Heads>,
}

/// What is shared by the flights of a run.
pub(crate) struct Engine {
    clock: Clock,
    connector: Rc<Connector>,
    limits: Limits,
    schedule: RefCell<Schedule<Box<Prepared>>>,
    pool: RefCell<Pool>,
    flights: RefCell<HashMap<u64, Rc<RefCell<Flight>>>>,
    results: Rc<Results>,
    histories: Histories,
    tally: RefCell<Tally>,
    /// Nothing leaves any more.
    stopped: Cell<bool>,
    /// What the requests that wait have cost, and who makes them.
    budget: Budget,
    maker: Thread,
    buffer: RefCell<Vec<u8>>,
    /// Scheme and authority, for HTTP/2.
    origin: String,
    /// Held while a connection that many share is opened.
    opening: tokio::sync::Mutex<()>,
    /// Rung when the dispatcher should look at things again.
    bell: Notify,
    /// When the dispatcher looks again by itself.
    alarm: Cell<Option<Micros>>,
}

impl Engine {
    /// An engine whose run begins now.
    pub(crate) fn new(
        limits: Limits,
        connector: Rc<Connector>,
        schedule: Schedule<Box<Prepared>>,
        pool: Pool,
        results: Rc<Results>,
        histories: Histories,
        (budget, maker): (Budget, Thread),
    ) -> Rc<Self> {
        let origin = connector.origin();
        let clock = Clock::start(limits.first);
        limits.began.get_or_init(|| clock.began());
        Rc::new(Self {
            clock,
            connector,
            limits,
            schedule: RefCell::new(schedule),
            pool: RefCell::new(pool),
            flights: RefCell::default(),
            results,
            histories,
            tally: RefCell::default(),
            stopped: Cell::new(false),
            budget,
            maker,
            buffer: RefCell::new(vec![0; READ_BYTES]),
            origin,
            opening: tokio::sync::Mutex::default(),
            bell: Notify::new(),
            alarm: Cell::new(None),
        })
    }

    /// The run's clock.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What has been counted.
    pub(crate) fn tally(&self) -> std::cell::Ref<'_, Tally> {
        self.tally.borrow()
    }

    /// What has been counted, for good.
    pub(crate) fn take_tally(&self) -> Tally {
        self.tally.take()
    }

    /// Where outcomes go.
    pub(crate) fn results(&self) -> &Results {
        &self.results
    }

    /// Rings when the dispatcher should look again.
    pub(crate) async fn bell(&self) {
        self.bell.notified().await;
    }

    /// Requests that were sent and have not ended.
    pub(crate) fn in_flight(&self) -> usize {
        self.flights.borrow().len()
    }

    /// Requests that have not been sent.
    pub(crate) fn waiting(&self) -> usize {
        self.schedule.borrow().len()
    }

    /// Requests that need nothing but their time and a slot.
    pub(crate) fn ready(&self) -> usize {
        self.schedule.borrow().ready()
    }

    /// Whether nothing more will be sent.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    /// Send nothing more.
    pub(crate) fn stop(&self) {
        self.stopped.set(true);
        self.budget.close(&self.maker);
        self.bell.notify_one();
    }

    /// A request was read.
    pub(crate) fn add(&self, request: Box<Prepared>, timing: Timing) {
        if self.limits.open_loop
            && timing
                .at
                .is_some_and(|at| at + Micros::from_micros(1_000) < self.clock.now())
        {
            self.tally.borrow_mut().read_late += 1;
        }
        self.schedule.borrow_mut().add(request, timing);
    }

    /// Launch what may leave, open connections for what will leave soon, and
    /// set the alarm.
    pub(crate) fn pump(self: &Rc<Self>) {
        for _ in 0..BURST {
            if self.stopped.get() || self.results.is_full() {
                self.alarm.set(None);
                return;
            }
            let now = self.clock.now();
            if self.limits.until.is_some_and(|until| now >= until) {
                self.stop();
                return;
            }
            let launch = self.schedule.borrow_mut().launch(now);
            let Some(launch) = launch else {
                self.look_ahead(now);
                return;
            };
            self.budget.refund(launch.job.cost(), &self.maker);
            self.launch(launch);
        }
        self.bell.notify_one();
    }

    fn look_ahead(self: &Rc<Self>, now: Micros) {
        let schedule = self.schedule.borrow();
        let mut alarm = schedule.next();
        if self.limits.open_loop && !self.limits.new_connections {
            let lead = self.pool.borrow().lead();
            let horizon = now + lead;
            let needed = schedule.count_by(horizon, MOST_OPENING);
            let missing = self.pool.borrow_mut().missing(needed);
            let connections = missing.div_ceil(self.connector.streams());
            (0..connections).for_each(|_| self.open_ahead());
            // Half the lead before what lies beyond the horizon comes near.
            let half = Micros::from_micros(lead.as_micros() / 2);
            if let Some(beyond) = schedule.next_after(horizon) {
                let look = beyond.saturating_sub(half);
                alarm = alarm.map(|alarm| alarm.min(look));
            }
        }
        if let Some(until) = self.limits.until {
            alarm = Some(alarm.map_or(until, |alarm| alarm.min(until)));
        }
        let sooner = alarm.is_some_and(|alarm| self.alarm.get().is_none_or(|known| alarm < known));
        self.alarm.set(alarm);
        if sooner {
            self.bell.notify_one();
        }
    }

    /// When the dispatcher is to call [`pump`](Self::pump) by itself.
    pub(crate) fn alarm(&self) -> Option<Micros> {
        self.alarm.get()
    }

    fn open_ahead(self: &Rc<Self>) {
        let streams = self.connector.streams();
        self.pool.borrow_mut().opening(streams);
        let engine = Rc::clone(self);
        spawn_local(async move {
            let begun = engine.clock.now();
            let opened =
                tokio::time::timeout(engine.limits.timeout, engine.connector.connect()).await;
            let mut pool = engine.pool.borrow_mut();
            match opened {
                Ok(Ok(opened)) => {
                    pool.learn(engine.clock.now().saturating_sub(begun));
                    pool.opened(Some(opened), streams);
                }
                // The request that wants it will try itself, and tell.
                _ => pool.opened(None, streams),
            }
        });
    }

    fn launch(self: &Rc<Self>, launch: Launch<Box<Prepared>>) {
        let live = launch
            .job
            .part
            .as_ref()
            .is_some_and(|part| part.answer.is_none());
        let wanted = Wanted {
            text: live,
            ..self.limits.wanted
        };
        let mut flight = Flight::new(launch, wanted);
        if let Some(failure) = self.refusal(&mut flight) {
            let (line, outcome) = flight.refuse(failure, &self.clock);
            self.record(line, outcome, flight.session, self.clock.now());
            return;
        }
        if let (Some(session), Some(part)) = (&flight.session, &flight.request.part) {
            let body = std::mem::take(&mut flight.request.wire);
            let whole = self.histories.complete(session, part, &body);
            let seq = flight.request.seq;
            flight.request.wire = self.limits.heads.request(seq, Some(session), &whole);
            flight.body = body;
        }
        let mut connection = self.pool.borrow_mut().take();
        if let Some(Connection::Own(socket)) = &mut connection {
            flight.depart(self.clock.now());
            flight.begin(socket);
        }
        let seq = flight.request.seq;
        let flight = Rc::new(RefCell::new(flight));
        self.flights.borrow_mut().insert(seq, Rc::clone(&flight));
        spawn_local(exchange::fly(Rc::clone(self), flight, connection));
    }

    /// Why `flight` is not sent, if it is not.
    fn refusal(&self, flight: &mut Flight) -> Option<Failure> {
        let skipped = |session: &SessionId| {
            self.histories.is_over(session).then(|| Failure {
                kind: ErrorKind::Skipped,
                message: "an earlier turn of its session failed".to_owned(),
            })
        };
        let session = flight.session.as_ref();
        match flight.request.refused.take() {
            Some(failure) => {
                if let Some(session) = session {
                    self.histories.failed(session, None);
                }
                Some(failure)
            }
            None => session.and_then(skipped),
        }
    }

    /// Keep what a turn adds to its session.
    fn remember(&self, flight: &Flight, outcome: &Outcome, text: &str) {
        let Some(session) = &flight.session else {
            return;
        };
        let part = flight.request.part.as_ref();
        let part = part.map(|part| (part, flight.body.as_slice()));
        match part {
            _ if outcome.error.is_some() => self.histories.failed(session, part),
            Some((part, body)) => {
                let tokens = outcome.output_tokens.unwrap_or_default();
                self.histories.ended(session, part, body, (text, tokens));
            }
            None => {}
        }
    }

    /// A request is over.
    fn land(
        self: &Rc<Self>,
        flight: &RefCell<Flight>,
        ending: Ending,
        ended: Micros,
        connection: Option<Connection>,
    ) {
        let mut flight = flight.borrow_mut();
        if self
            .flights
            .borrow_mut()
            .remove(&flight.request.seq)
            .is_none()
        {
            return; // it was cancelled
        }
        if let Some(connection) = connection {
            self.pool.borrow_mut().put(connection);
        }
        let text = flight.take_text();
        let (line, outcome) = flight.land(ending, ended, &self.clock);
        self.remember(&flight, &outcome, &text);
        self.record(line, outcome, flight.session.take(), ended);
    }

    fn record(
        &self,
        line: Vec<u8>,
        mut outcome: Outcome,
        session: Option<SessionId>,
        ended: Micros,
    ) {
        if let Some(failure) = &mut outcome.error {
            failure.message = self
                .limits
                .secrets
                .redact(std::mem::take(&mut failure.message));
        }
        if let (Some(gpus), Some(sent)) = (&self.limits.gpus, outcome.sent_ms) {
            outcome.gpu_memory_mb = gpus.peak(sent, self.clock.since_first(ended));
        }
        self.limits.label.put_on(&mut outcome);
        let mut tally = self.tally.borrow_mut();
        tally.add(&outcome, ended);
        let good =
            outcome.error.is_none() && self.limits.slos.iter().all(|slo| slo.is_kept(&outcome));
        tally.good += u64::from(good);
        drop(tally);
        self.results.put(line, outcome);
        self.schedule.borrow_mut().ended(session, ended);
    }

    /// Give up everything that is in flight.
    pub(crate) fn cancel(self: &Rc<Self>, why: &str) {
        let flights: Vec<_> = self.flights.borrow().values().cloned().collect();
        for flight in flights {
            let failure = Failure {
                kind: ErrorKind::Cancelled,
                message: why.to_owned(),
            };
            self.land(&flight, Ending::Failed(failure), self.clock.now(), None);
        }
    }

    /// Why the run is to end here, if it is.
    pub(crate) fn stop_reason(&self) -> Option<String> {
        let (tally, flying) = (self.tally.borrow(), self.in_flight());
        self.limits
            .stops
            .iter()
            .find_map(|stop| stop.fires(&tally, flying))
    }

    /// Drop connections that the server has closed.
    pub(crate) fn sweep(&self) {
        self.pool.borrow_mut().sweep();
    }
}

impl Engine {
    /// Requests below which the dispatcher fetches more of those that were
    /// prepared; up to twice as many lie ready here.
    pub(crate) const LOW: usize = 1_024;
}
