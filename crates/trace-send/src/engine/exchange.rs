//! One request from launch to outcome, on a task of its own.

use super::Engine;
use crate::arrival::Arrival;
use crate::channel::{self, Lease};
use crate::connect::{Connection, Opened};
use crate::flight::{Exchange, Flight, broken};
use crate::hearing::Known;
use crate::socket::Socket;
use bytes::Bytes;
use http_body_util::BodyExt;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;
use trace_core::answer::Ending;
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure};

/// Before the first time that a request is tried again; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause, be it the server that wants a longer one.
const LAST_PAUSE: Duration = Duration::from_secs(30);

/// How long the end of the response may follow `[DONE]`.
const AFTER_DONE: Duration = Duration::from_secs(1);

/// See `flight` to its end, and tell the engine.
pub(super) async fn fly(
    engine: Rc<Engine>,
    flight: Rc<RefCell<Flight>>,
    connection: Option<Connection>,
) {
    let mut connection = connection;
    let (ending, ended, connection) = loop {
        let (ending, ended, free) = engine.attempt(&flight, connection.take()).await;
        let tried = flight.borrow().attempts();
        let again = tried <= engine.limits.retries
            && !engine.is_stopped()
            && flight.borrow().may_try_again(&ending);
        if !again {
            break (ending, ended, free);
        }
        let wait = flight.borrow().retry_after();
        let wait = wait.unwrap_or(FIRST_PAUSE * (1 << (tried - 1).min(10)));
        tokio::time::sleep(wait.min(LAST_PAUSE)).await;
        engine.crew.tally().retried += 1;
        flight.borrow_mut().again();
        connection = free;
    };
    engine.land(&flight, ending, ended, connection);
    engine.pump();
    engine.bell_if_low();
}

impl Engine {
    /// One exchange within the time allowed.
    async fn attempt(
        &self,
        flight: &RefCell<Flight>,
        connection: Option<Connection>,
    ) -> (Ending, Micros, Option<Connection>) {
        let deadline = Instant::now() + self.limits.timeout;
        let exchange = pin!(self.exchange(flight, connection));
        if let Ok(result) = tokio::time::timeout_at(deadline, exchange).await {
            return result;
        }
        let seconds = self.limits.timeout.as_secs_f64();
        let failure = Failure {
            kind: ErrorKind::Timeout,
            message: format!("no complete answer within {seconds} s"),
        };
        (Ending::Failed(failure), self.clock.now(), None)
    }

    /// Send `flight` and hear it to its end: how and when that came, and the
    /// connection if it is of further use.
    async fn exchange(
        &self,
        flight: &RefCell<Flight>,
        connection: Option<Connection>,
    ) -> (Ending, Micros, Option<Connection>) {
        let mut fresh = connection.is_none();
        let mut connection = match connection {
            Some(connection) => connection,
            None => match self.open_for(flight).await {
                Ok(connection) => connection,
                Err(failure) => return (Ending::Failed(failure), self.clock.now(), None),
            },
        };
        loop {
            let exchange = match &mut connection {
                Connection::Own(socket) => self.hear(flight, socket).await,
                Connection::Leased(lease) => self.converse(flight, lease).await,
            };
            let (ending, ended) = match exchange {
                Exchange::Complete { reusable } => {
                    let ended = flight.borrow().hearing().last();
                    let keep = reusable && !self.limits.new_connections;
                    return (Ending::Complete, ended, keep.then_some(connection));
                }
                Exchange::Closed(error) => (broken(error), self.clock.now()),
                Exchange::Failed(failure) => (Ending::Failed(failure), self.clock.now()),
            };
            // It lay idle for too long: the server closed it as we wrote. What
            // that cost is in the request's own times, and `attempts` says why.
            if fresh || !flight.borrow().is_unanswered() {
                return (ending, ended, None);
            }
            fresh = true;
            flight.borrow_mut().lost();
            self.pool.borrow_mut().doubt();
            self.crew.tally().resent += 1;
            connection = match self.open_for(flight).await {
                Ok(connection) => connection,
                Err(failure) => return (Ending::Failed(failure), self.clock.now(), None),
            };
        }
    }

    /// A connection opened for `flight`.
    async fn open_for(&self, flight: &RefCell<Flight>) -> Result<Connection, Failure> {
        let begun = self.clock.now();
        flight.borrow_mut().depart(begun);
        let connection = if self.connector.streams() > 1 {
            self.share().await?
        } else {
            match self.connector.connect().await? {
                Opened::Own(socket) => Connection::Own(socket),
                Opened::Shared(channel) => self.settle(channel),
            }
        };
        let time = self.clock.now().saturating_sub(begun);
        self.pool.borrow_mut().learn(time);
        flight.borrow_mut().connected(time);
        Ok(connection)
    }

    /// A place on a connection that is shared: those who wait for one wait
    /// for the same.
    async fn share(&self) -> Result<Connection, Failure> {
        let _alone = self.opening.lock().await;
        if let Some(connection) = self.pool.borrow_mut().take(self.clock.now()) {
            return Ok(connection);
        }
        match self.connector.connect().await? {
            Opened::Own(socket) => Ok(Connection::Own(socket)),
            Opened::Shared(channel) => Ok(self.settle(channel)),
        }
    }

    /// Keep `channel` for others, and take a place on it.
    fn settle(&self, channel: channel::Channel) -> Connection {
        let lease = channel.lease();
        if !self.limits.new_connections {
            self.pool.borrow_mut().admit(Opened::Shared(channel));
        }
        Connection::Leased(lease)
    }

    /// Write and read until the exchange is over, or until long after `[DONE]`.
    async fn hear(&self, flight: &RefCell<Flight>, socket: &mut Socket) -> Exchange {
        let mut grace = None;
        let mut bell: Option<(Arc<Arrival>, Waker)> = None;
        poll_fn(|cx| {
            let (arrival, waker) = match &mut bell {
                Some(bell) if bell.0.wakes(cx.waker()) => bell,
                bell => {
                    let arrival = Arrival::new(self.clock, cx.waker().clone());
                    let waker = Waker::from(Arc::clone(&arrival));
                    bell.insert((arrival, waker))
                }
            };
            let mut flight = flight.borrow_mut();
            let mut buffer = self.buffer.borrow_mut();
            let (wakers, noted) = ((cx.waker(), &*waker), arrival.take());
            let polled = flight.poll(wakers, noted, socket, &self.clock, &mut buffer);
            if polled.is_ready() {
                return polled;
            }
            if !flight.is_done() {
                return Poll::Pending;
            }
            let grace = grace.get_or_insert_with(|| Box::pin(tokio::time::sleep(AFTER_DONE)));
            grace
                .as_mut()
                .poll(cx)
                .map(|()| Exchange::Complete { reusable: false })
        })
        .await
    }

    /// The same by way of hyper, which frames.
    async fn converse(&self, flight: &RefCell<Flight>, lease: &mut Lease) -> Exchange {
        let wire = flight.borrow_mut().bytes();
        let origin = lease.is_shared().then_some(self.origin.as_str());
        let Some(request) = channel::request(&wire, origin) else {
            return Exchange::Failed(Failure {
                kind: ErrorKind::Request,
                message: "its head is none that HTTP/2 can carry".to_owned(),
            });
        };
        drop(wire);
        flight.borrow_mut().depart(self.clock.now());
        let response = match lease.send(request).await {
            Ok(response) => response,
            Err(error) => {
                return Exchange::Closed(Some(std::io::Error::other(channel::words(&error))));
            }
        };
        let known = |lease: &Lease| Known {
            told: lease.came().map(|came| self.clock.at(came)),
            noted: None,
            read: self.clock.at(lease.heard()),
        };
        flight
            .borrow_mut()
            .head(&channel::head(&response), known(lease));
        let mut body = response.into_body();
        loop {
            let next = body.frame();
            let frame = if flight.borrow().is_done() {
                match tokio::time::timeout(AFTER_DONE, next).await {
                    Ok(frame) => frame,
                    Err(_) => return Exchange::Complete { reusable: false },
                }
            } else {
                next.await
            };
            match frame {
                None => return Exchange::Complete { reusable: true },
                Some(Ok(frame)) => {
                    let more = |data: &Bytes| flight.borrow_mut().piece(data, known(lease));
                    if !frame.data_ref().is_none_or(more) {
                        return Exchange::Complete { reusable: false };
                    }
                }
                Some(Err(error)) => {
                    return Exchange::Closed(Some(std::io::Error::other(channel::words(&error))));
                }
            }
        }
    }

    /// Wake the dispatcher if it has something to do: fetch requests, or end.
    fn bell_if_low(&self) {
        if self.ready() < Self::LOW || self.in_flight() == 0 {
            self.ring();
        }
    }
}
