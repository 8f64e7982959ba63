//! A request under way.
//!
//! Writing and reading go on at once, so that a server may refuse a long
//! prompt before it has read it. Each piece of the answer gets the time at
//! which it came ([`crate::hearing`]), before it is looked at. Bytes are read into
//! one buffer that all flights share, for none keeps them: ten thousand streams
//! cost their bookkeeping only.

use crate::answer::Answer;
use crate::clock::Clock;
use crate::connect::plain;
use crate::hearing::{Hearing, Known};
use crate::http::Head;
use crate::prepare::Prepared;
use crate::schedule::Launch;
use crate::socket::Socket;
use bytes::Bytes;
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use trace_core::answer::{Ending, Spoken, Wanted};
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure, Outcome, SessionId};

/// A request under way, and what is known of its answer.
#[derive(Debug)]
pub(crate) struct Flight {
    /// The request.
    pub request: Prepared,
    /// Whose turn it is.
    pub session: Option<SessionId>,
    /// Its body before history was put into it.
    pub body: Vec<u8>,
    /// How often it was tried.
    attempts: u64,
    /// How often it was written to a connection that was dead.
    lost: u64,
    scheduled: Micros,
    due: Micros,
    /// When it was sent; `due` until then.
    sent: Option<Micros>,
    connect: Option<Micros>,
    answer: Answer,
    wanted: Wanted,
    /// The request's bytes, once somebody else writes them.
    shared: Bytes,
    /// How much of the request is written.
    written: usize,
    flushed: bool,
    write_error: Option<io::Error>,
    hearing: Hearing,
}

/// How an exchange on one connection ended.
#[derive(Debug)]
pub(crate) enum Exchange {
    /// The answer is complete, and the connection may be used again or not.
    Complete {
        /// Whether it may.
        reusable: bool,
    },
    /// The server closed the connection, or it broke.
    Closed(Option<io::Error>),
    /// What came was no answer.
    Failed(Failure),
}

/// Statuses that another try may change.
const PASSING: [u16; 5] = [429, 500, 502, 503, 504];

impl Flight {
    /// A request about to be sent, of whose answer so much is `wanted`.
    pub(crate) fn new(launch: Launch<Box<Prepared>>, wanted: Wanted) -> Self {
        Self {
            request: *launch.job,
            session: launch.session,
            body: Vec::new(),
            attempts: 1,
            lost: 0,
            wanted,
            scheduled: launch.scheduled,
            due: launch.due,
            sent: None,
            connect: None,
            answer: Answer::new(wanted),
            shared: Bytes::new(),
            written: 0,
            flushed: false,
            write_error: None,
            hearing: Hearing::default(),
        }
    }

    /// It is sent at `now`, unless it was before on a connection that was dead.
    pub(crate) fn depart(&mut self, now: Micros) {
        self.sent.get_or_insert(now);
    }

    /// It is tried again, as if nothing had come.
    pub(crate) fn again(&mut self) {
        self.attempts += 1;
        self.answer = Answer::new(self.wanted);
        self.written = 0;
        self.flushed = false;
        self.write_error = None;
    }

    /// How often it was tried.
    pub(crate) fn attempts(&self) -> u64 {
        self.attempts
    }

    /// Whether `ending` is one that another try may change: no connection, no
    /// answer, or a status that says so. A timeout is not: it was long enough.
    pub(crate) fn may_try_again(&self, ending: &Ending) -> bool {
        match (self.answer.status(), ending) {
            (Some(status), _) => PASSING.contains(&status),
            (None, Ending::Complete) => false,
            (None, Ending::Closed) => self.answer.is_untouched(),
            (None, Ending::Failed(failure)) => {
                failure.kind == ErrorKind::Connect
                    || failure.kind == ErrorKind::Stream && self.answer.is_untouched()
            }
        }
    }

    /// After how long the server wants to be asked again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.answer.retry_after()
    }

    /// The connection it was written to was dead; it is sent again.
    pub(crate) fn lost(&mut self) {
        self.lost += 1;
    }

    /// A connection was opened for it, in `time`.
    pub(crate) fn connected(&mut self, time: Micros) {
        self.connect = Some(time);
        self.written = 0;
        self.flushed = false;
        self.write_error = None;
    }

    /// The bytes of the request, for others to write.
    pub(crate) fn bytes(&mut self) -> Bytes {
        if self.shared.is_empty() {
            self.shared = std::mem::take(&mut self.request.wire).into();
        }
        self.shared.clone()
    }

    /// Write at once as much as the connection takes; the exchange goes on
    /// from there.
    pub(crate) fn begin(&mut self, socket: &mut Socket) {
        match socket.try_write(&self.request.wire) {
            Ok(written) => self.written = written,
            Err(error) => self.write_error = Some(error),
        }
    }

    /// Write the rest and read the answer. `wakers` are to be woken when the
    /// socket takes more and when it has more; that it has was `noted`.
    pub(crate) fn poll(
        &mut self,
        wakers: (&Waker, &Waker),
        mut noted: Option<Micros>,
        socket: &mut Socket,
        clock: &Clock,
        buffer: &mut [u8],
    ) -> Poll<Exchange> {
        if !self.flushed && self.write_error.is_none() {
            self.poll_write(&mut Context::from_waker(wakers.0), socket);
        }
        let mut cx = Context::from_waker(wakers.1);
        loop {
            let read = match socket.read(&mut cx, buffer) {
                Poll::Ready(read) => read,
                Poll::Pending => return Poll::Pending,
            };
            let bytes = match read {
                Ok(0) => return Poll::Ready(Exchange::Closed(self.write_error.take())),
                Ok(length) => &buffer[..length],
                Err(error) => {
                    return Poll::Ready(Exchange::Closed(Some(
                        self.write_error.take().unwrap_or(error),
                    )));
                }
            };
            let came = self.note(Known {
                told: socket.came().map(|came| clock.at(came)),
                // What follows in the same go came while this was read.
                noted: noted.take(),
                read: clock.now(),
            });
            let taken = match self.answer.feed(bytes, came) {
                Ok(taken) => taken,
                Err(failure) => return Poll::Ready(Exchange::Failed(failure)),
            };
            if self.answer.is_complete() {
                let reusable = taken == bytes.len() && self.flushed && self.answer.keep_alive();
                return Poll::Ready(Exchange::Complete { reusable });
            }
            if self.answer.is_tedious() {
                return Poll::Ready(Exchange::Complete { reusable: false });
            }
            if self.flushed {
                self.release();
            }
        }
    }

    /// Let go of the bytes that were sent, if its status says that they are
    /// never sent again: long answers to long prompts would hold them all.
    fn release(&mut self) {
        let status = self.answer.status();
        if status.is_some_and(|status| !PASSING.contains(&status)) {
            self.request.wire = Vec::new();
            self.shared = Bytes::new();
        }
    }

    /// An error while writing is kept: the answer that was sent before the
    /// server stopped reading says more.
    fn poll_write(&mut self, cx: &mut Context<'_>, socket: &mut Socket) {
        while self.written < self.request.wire.len() {
            match socket.write(cx, &self.request.wire[self.written..]) {
                Poll::Ready(Ok(0)) => self.write_error = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => self.written += written,
                Poll::Ready(Err(error)) => self.write_error = Some(error),
                Poll::Pending => return,
            }
            if self.write_error.is_some() {
                return;
            }
        }
        match socket.flush(cx) {
            Poll::Ready(Ok(())) => self.flushed = true,
            Poll::Ready(Err(error)) => self.write_error = Some(error),
            Poll::Pending => {}
        }
    }

    /// When a piece of the answer came of which so much is `known`.
    fn note(&mut self, known: Known) -> Micros {
        self.hearing.note(known, self.sent.unwrap_or_default())
    }

    /// The head of the answer came, read by somebody else.
    pub(crate) fn head(&mut self, head: &Head, known: Known) {
        self.note(known);
        self.answer.head(head);
        self.release();
    }

    /// A piece of the answer came, framed by somebody else. Whether more is
    /// wanted.
    pub(crate) fn piece(&mut self, bytes: &[u8], known: Known) -> bool {
        let came = self.note(known);
        self.answer.body(bytes, came);
        !self.answer.is_tedious()
    }

    /// How long the server keeps the connection open, if it said so.
    pub(crate) fn keep_for(&self) -> Option<Duration> {
        self.answer.keep_for()
    }

    /// Whether nothing of an answer has come.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.answer.is_untouched()
    }

    /// Whether `[DONE]` has come, and with it all there is to measure.
    pub(crate) fn is_done(&self) -> bool {
        self.answer.is_done()
    }

    /// What was heard, and when.
    pub(crate) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    /// It cannot be sent: its line and its outcome.
    pub(crate) fn refuse(&mut self, failure: Failure, clock: &Clock) -> (Vec<u8>, Outcome) {
        let outcome = Outcome {
            seq: Some(self.request.seq),
            scheduled_ms: Some(clock.since_first(self.scheduled)),
            due_ms: Some(clock.since_first(self.due)),
            error: Some(failure),
            ..Outcome::default()
        };
        (std::mem::take(&mut self.request.line), outcome)
    }

    /// It is over: its line, its outcome, and what its answer says, if that was
    /// wanted.
    pub(crate) fn land(
        &mut self,
        ending: Ending,
        ended: Micros,
        clock: &Clock,
    ) -> (Vec<u8>, Outcome, Spoken) {
        let answer = std::mem::replace(&mut self.answer, Answer::new(Wanted::default()));
        let sent = self.sent.unwrap_or(ended);
        let (told, spoken) = answer.end(ending, sent, ended);
        let outcome = Outcome {
            seq: Some(self.request.seq),
            scheduled_ms: Some(clock.since_first(self.scheduled)),
            due_ms: Some(clock.since_first(self.due)),
            sent_ms: Some(clock.since_first(sent)),
            attempts: Some(self.attempts + self.lost).filter(|&attempts| attempts > 1),
            lateness_ms: Some(sent.saturating_sub(self.due)),
            queue_ms: Some(self.due.saturating_sub(self.scheduled)),
            sent_unix_ms: Some(clock.unix(sent)),
            connect_ms: self.connect,
            ..told
        };
        (std::mem::take(&mut self.request.line), outcome, spoken)
    }
}

/// A connection that broke, as the end of an answer.
pub(crate) fn broken(error: Option<io::Error>) -> Ending {
    match error {
        None => Ending::Closed,
        Some(error) => {
            let message = format!("the connection broke: {}", plain(&error));
            Ending::Failed(Failure {
                kind: ErrorKind::Stream,
                message,
            })
        }
    }
}
