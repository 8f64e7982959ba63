//! Sends every request in its time and hears every answer to its end.
//!
//! Each thread that sends has one of its own, on a current-thread runtime, so
//! that nothing between its flights needs a lock. [`Engine::pump`] is the heart: it
//! launches what may leave, and is called when a time has come, when a
//! request ended, and when a request was read, each time right there and not
//! by way of another task. With a connection at hand, launching is one clock
//! reading and one write of bytes that lay ready.

mod exchange;
mod land;
mod launch;

use crate::clock::Clock;
use crate::connect::Connector;
use crate::crew::Crew;
use crate::flight::Flight;
use crate::history::Histories;
use crate::limits::Limits;
use crate::pool::Pool;
use crate::prepare::Prepared;
use crate::results::Results;
use crate::schedule::{Schedule, Timing};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
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
    results: Arc<Results>,
    histories: Histories,
    /// The other threads, and which this is.
    crew: Arc<Crew>,
    thread: usize,
    /// How many requests were given to this thread and have not left.
    given: Arc<AtomicUsize>,
    buffer: RefCell<Vec<u8>>,
    /// Scheme and authority, for HTTP/2.
    origin: String,
    /// Held while a connection that many share is opened.
    opening: tokio::sync::Mutex<()>,
    /// When the dispatcher looks again by itself.
    alarm: Cell<Option<Micros>>,
}

impl Engine {
    /// An engine whose run has begun by `clock`, of one thread of a crew to
    /// which so many requests were given.
    pub(crate) fn new(
        clock: Clock,
        limits: Limits,
        (connector, pool): (Rc<Connector>, Pool),
        schedule: Schedule<Box<Prepared>>,
        results: Arc<Results>,
        histories: Histories,
        (crew, thread, given): (Arc<Crew>, usize, Arc<AtomicUsize>),
    ) -> Rc<Self> {
        let origin = connector.origin();
        Rc::new(Self {
            clock,
            connector,
            limits,
            schedule: RefCell::new(schedule),
            pool: RefCell::new(pool),
            flights: RefCell::default(),
            results,
            histories,
            crew,
            thread,
            given,
            buffer: RefCell::new(vec![0; READ_BYTES]),
            origin,
            opening: tokio::sync::Mutex::default(),
            alarm: Cell::new(None),
        })
    }

    /// The run's clock.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The threads of the run.
    pub(crate) fn crew(&self) -> &Crew {
        &self.crew
    }

    /// Rings when the dispatcher should look again.
    pub(crate) async fn bell(&self) {
        self.crew.bell(self.thread).notified().await;
    }

    /// Ring it.
    fn ring(&self) {
        self.crew.bell(self.thread).notify_one();
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
        self.crew.is_stopped()
    }

    /// A request was read.
    pub(crate) fn add(&self, request: Box<Prepared>, timing: Timing) {
        if self.limits.open_loop
            && timing
                .at
                .is_some_and(|at| at + Micros::from_micros(1_000) < self.clock.now())
        {
            self.crew.tally().read_late += 1;
        }
        self.schedule.borrow_mut().add(request, timing);
    }

    /// Drop connections that the server has closed.
    pub(crate) fn sweep(&self) {
        let mut pool = self.pool.borrow_mut();
        pool.sweep(self.clock.now());
        self.crew.tally().died_young += pool.take_died_young();
    }
}

impl Engine {
    /// Requests below which the dispatcher fetches more of those that were
    /// prepared; up to twice as many lie ready here.
    pub(crate) const LOW: usize = 1_024;
}
