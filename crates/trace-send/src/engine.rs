//! Sends every request in its time and hears every answer to its end.
//!
//! Everything here runs on one thread: a current-thread runtime, so that
//! nothing that is shared needs a lock. [`Engine::pump`] is the heart: it
//! launches what may leave, and is called when a time has come, when a
//! request ended, and when a request was read, each time right there and not
//! by way of another task. With a connection at hand, launching is one clock
//! reading and one write of bytes that lay ready.

mod exchange;
mod land;
mod launch;

use crate::budget::Budget;
use crate::clock::Clock;
use crate::connect::Connector;
use crate::flight::Flight;
use crate::history::Histories;
use crate::limits::Limits;
use crate::pool::Pool;
use crate::prepare::Prepared;
use crate::results::Results;
use crate::schedule::{Schedule, Timing};
use crate::tally::Tally;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::thread::Thread;
use tokio::sync::Notify;
use trace_core::time::Micros;

/// The size of a read: as much as a socket holds of a fast stream.
const READ_BYTES: usize = 64 << 10;

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
