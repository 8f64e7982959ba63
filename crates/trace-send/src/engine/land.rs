//! Requests that are over become outcomes.

use super::Engine;
use crate::connect::Connection;
use crate::flight::Flight;
use crate::results::Ended;
use crate::uncounted::Uncounted;
use std::cell::RefCell;
use std::rc::Rc;
use trace_core::answer::Ending;
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure, Outcome, SessionId};

impl Engine {
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

    /// A request is over since `ended`.
    pub(super) fn land(
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
        self.crew.arrived();
        // The slot is free once this side knows.
        let known = ended.max(flight.hearing().read());
        if let Some(connection) = connection {
            let keep = flight.keep_for();
            self.pool.borrow_mut().put(connection, known, keep);
        }
        self.crew.tally().hear(flight.hearing());
        let (line, outcome, spoken) = flight.land(ending, ended, &self.clock);
        self.remember(&flight, &outcome, &spoken.text);
        let uncounted = Uncounted::of(&outcome, spoken, flight.request.part.is_none());
        let session = flight.session.take();
        self.record((line, outcome, uncounted), session, (ended, known));
    }

    pub(super) fn record(
        &self,
        (line, mut outcome, uncounted): Ended,
        session: Option<SessionId>,
        (ended, known): (Micros, Micros),
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
        let mut tally = self.crew.tally();
        tally.add(&outcome, ended);
        let (slos, clock) = (&self.limits.slos, self.limits.slo_clock);
        let good = outcome.error.is_none() && slos.iter().all(|slo| slo.is_kept(&outcome, clock));
        tally.good += u64::from(good);
        drop(tally);
        self.results.put((line, outcome, uncounted));
        self.schedule.borrow_mut().ended(session, ended, known);
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
}
