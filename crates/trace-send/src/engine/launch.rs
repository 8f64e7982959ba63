//! Requests leave: what may, and the connections that it needs.

use super::{Engine, exchange};
use crate::connect::Connection;
use crate::flight::Flight;
use crate::prepare::Prepared;
use crate::schedule::Launch;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use tokio::task::spawn_local;
use trace_core::answer::Text;
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure, SessionId};

/// Launches at one go. More would keep answers that have come from being
/// stamped.
const BURST: usize = 64;

/// Connections that are opened ahead at the same time.
const MOST_OPENING: usize = 256;

impl Engine {
    /// Launch what may leave, open connections for what will leave soon, and
    /// set the alarm.
    pub(crate) fn pump(self: &Rc<Self>) {
        for _ in 0..BURST {
            if self.is_stopped() || self.results.is_full() {
                self.alarm.set(None);
                return;
            }
            let now = self.clock.now();
            if self.limits.until.is_some_and(|until| now >= until) {
                self.crew.stop();
                return;
            }
            let launch = self.schedule.borrow_mut().launch(now);
            let Some(launch) = launch else {
                self.look_ahead(now);
                return;
            };
            self.given.fetch_sub(1, Ordering::Relaxed);
            self.crew.refund(launch.job.cost());
            self.launch(launch);
        }
        self.ring();
    }

    fn look_ahead(self: &Rc<Self>, now: Micros) {
        let schedule = self.schedule.borrow();
        let mut alarm = schedule.next();
        if self.limits.open_loop && !self.limits.new_connections {
            let lead = self.pool.borrow().lead();
            let horizon = now + lead;
            let needed = schedule.count_by(horizon, MOST_OPENING);
            let missing = self.pool.borrow_mut().missing(needed, now);
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
            self.ring();
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
        let part = launch.job.part.as_ref();
        let mut wanted = self.limits.wanted;
        if part.is_some_and(|part| part.answer.is_none()) {
            wanted.text = Text::History;
        }
        let mut flight = Flight::new(launch, wanted);
        if let Some(failure) = self.refusal(&mut flight) {
            let (line, outcome) = flight.refuse(failure, &self.clock);
            let now = self.clock.now();
            self.record((line, outcome, None), flight.session, (now, now));
            return;
        }
        if let (Some(session), Some(part)) = (&flight.session, &flight.request.part) {
            let body = std::mem::take(&mut flight.request.wire);
            let whole = self.histories.complete(session, part, &body);
            let seq = flight.request.seq;
            flight.request.wire = self.limits.heads.request(seq, Some(session), &whole);
            flight.body = body;
        }
        let mut connection = self.pool.borrow_mut().take(self.clock.now());
        if let Some(Connection::Own(socket)) = &mut connection {
            flight.depart(self.clock.now());
            flight.begin(socket);
        }
        let seq = flight.request.seq;
        if let Some(reins) = &self.limits.reins {
            reins.watch().leaves(seq, self.clock.now());
        }
        let flight = Rc::new(RefCell::new(flight));
        self.flights.borrow_mut().insert(seq, Rc::clone(&flight));
        self.crew.departed();
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
}
