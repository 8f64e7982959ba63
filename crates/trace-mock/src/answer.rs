//! The body of a response, sent piece by piece as its tokens fall due.
//!
//! All tokens due at one moment leave in one write, each as an event of its own. Stamps are taken
//! as the last thing before a piece is handed to the connection, which writes it to the socket in
//! the same breath.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use trace_core::clock::Sleep;

use crate::fault::Fault;
use crate::record::Record;
use crate::schedule::Schedule;
use crate::wire::{Form, Usage};

/// How much is spelled at a time where more tokens are due than that.
const PORTION_BYTES: usize = 64 << 10;

/// How many bytes at a time [`Fault::Bytes`] sends: less than any word of an event.
const PIECE_BYTES: usize = 7;

/// What is sent after the head of a response.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Something of known length.
    Whole(Whole),
    /// Tokens.
    Stream(Box<Stream>),
}

/// The end of a connection that is to be reset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut on purpose")
    }
}

impl Error for Cut {}

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Cut {
        match never {}
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let piece = match self.get_mut() {
            Answer::Whole(whole) => ready!(whole.poll_piece(cx)),
            Answer::Stream(stream) => ready!(stream.poll_piece(cx)),
        };
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Answer::Whole(whole) => whole.left.is_empty(),
            Answer::Stream(stream) => stream.is_over() && stream.drip.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(whole) => SizeHint::with_exact(whole.left.len() as u64),
            Answer::Stream(_) => SizeHint::default(),
        }
    }
}

type Piece = Option<Result<Bytes, Cut>>;

/// An answer of known length, and the record it completes.
#[derive(Debug)]
pub(crate) struct Whole {
    left: Bytes,
    /// How far it goes under a fault that strikes midway.
    end: usize,
    record: Option<Record>,
    /// What the record says has been sent with it.
    tokens: u64,
    fault: Option<Fault>,
    flush: Flush,
}

impl Whole {
    /// `bytes`, which no record asks for.
    pub(crate) fn new(bytes: Bytes) -> Whole {
        Whole {
            end: 0,
            left: bytes,
            record: None,
            tokens: 0,
            fault: None,
            flush: Flush::default(),
        }
    }

    /// `bytes`, which hold `tokens`, sent the way of `fault`.
    pub(crate) fn recorded(
        bytes: Bytes,
        record: Record,
        tokens: u64,
        fault: Option<Fault>,
    ) -> Whole {
        let midway = matches!(fault, Some(Fault::StallMid | Fault::Cut));
        Whole {
            end: if midway { bytes.len() / 2 } else { 0 },
            left: bytes,
            record: Some(record),
            tokens,
            fault,
            flush: Flush::default(),
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Piece> {
        if self.left.len() == self.end {
            return match self.fault {
                Some(Fault::StallMid) => Poll::Pending,
                Some(Fault::Cut) => {
                    ready!(self.flush.poll(cx));
                    Poll::Ready(Some(Err(Cut)))
                }
                _ => Poll::Ready(None),
            };
        }
        let mut size = self.left.len() - self.end;
        if self.fault == Some(Fault::Bytes) {
            ready!(self.flush.poll(cx));
            size = size.min(PIECE_BYTES);
        }
        let piece = self.left.split_to(size);
        if let Some(record) = &mut self.record {
            let over = self.left.is_empty();
            if over {
                record.complete();
            }
            record.send(if over { self.tokens } else { 0 }, Instant::now());
        }
        Poll::Ready(Some(Ok(piece)))
    }
}

/// An answer in server-sent events.
#[derive(Debug)]
pub(crate) struct Stream {
    form: Form,
    schedule: Schedule,
    usage: Option<Usage>,
    record: Record,
    fault: Option<Fault>,
    sleep: Sleep,
    /// The step to send next.
    next: u64,
    /// What was spelled and is sent in pieces, under [`Fault::Bytes`].
    drip: Bytes,
    flush: Flush,
}

impl Stream {
    /// A stream from its first step, which wakes by `sleep`.
    pub(crate) fn new(
        form: Form,
        schedule: Schedule,
        usage: Option<Usage>,
        record: Record,
        fault: Option<Fault>,
        sleep: Sleep,
    ) -> Stream {
        Stream {
            form,
            schedule,
            usage,
            record,
            fault,
            sleep,
            next: 0,
            drip: Bytes::new(),
            flush: Flush::default(),
        }
    }

    /// The step before which a fault strikes, if one is to strike midway.
    fn half(&self) -> Option<u64> {
        let midway = self.fault.is_some_and(Fault::is_midway);
        midway.then(|| (self.form.steps() / 2).max(1))
    }

    fn is_over(&self) -> bool {
        self.next == self.form.steps() && self.half().is_none()
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Piece> {
        if self.drip.is_empty() {
            let portion = match ready!(self.poll_portion(cx)) {
                Some(Ok(portion)) => Bytes::from(portion),
                Some(Err(cut)) => return Poll::Ready(Some(Err(cut))),
                None => return Poll::Ready(None),
            };
            if self.fault != Some(Fault::Bytes) {
                return Poll::Ready(Some(Ok(self.stamped(portion))));
            }
            self.drip = portion;
        }
        ready!(self.flush.poll(cx));
        let piece = self.drip.split_to(self.drip.len().min(PIECE_BYTES));
        Poll::Ready(Some(Ok(self.stamped(piece))))
    }

    fn stamped(&mut self, piece: Bytes) -> Bytes {
        if self.is_over() && self.drip.is_empty() {
            self.record.complete();
        }
        self.record
            .send(self.form.tokens_of(self.next), Instant::now());
        piece
    }

    /// Wait for the next step and spell all that are due, as far as one portion goes.
    fn poll_portion(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, Cut>>> {
        let half = self.half();
        if half == Some(self.next) {
            // Garbage has been sent by now, with the tokens before it.
            if self.fault == Some(Fault::StallMid) {
                return Poll::Pending;
            }
            ready!(self.flush.poll(cx));
            return Poll::Ready(Some(Err(Cut)));
        }
        if self.is_over() {
            return Poll::Ready(None);
        }
        let end = half.unwrap_or(self.form.steps());
        let arrival = self.record.arrival();
        let due = loop {
            let due = self.schedule.due(arrival.elapsed()).min(end);
            if due > self.next {
                break due;
            }
            let deadline = self.schedule.deadline(self.next);
            let Some(deadline) = arrival.checked_add(deadline) else {
                return Poll::Pending; // after the end of time
            };
            if self.sleep.deadline() != deadline {
                self.sleep.reset(deadline);
            }
            ready!(Pin::new(&mut self.sleep).poll(cx));
        };
        Poll::Ready(Some(Ok(self.spell(due, half))))
    }

    /// Spell the steps before `due`, or a portion of them, and what follows the last.
    fn spell(&mut self, due: u64, half: Option<u64>) -> Vec<u8> {
        let step_bytes = self.form.step_bytes();
        let portion = (PORTION_BYTES / step_bytes).max(1) as u64;
        let until = due.min(self.next + portion);
        let steps = usize::try_from(until - self.next).unwrap_or(1);
        let mut out = Vec::with_capacity((steps + 3) * step_bytes);
        self.form.push_steps(self.next..until, &mut out);
        self.next = until;
        if half == Some(until) && self.fault == Some(Fault::Garbage) {
            Form::push_garbage(&mut out);
            self.fault = None; // done; the rest is as usual
        }
        if self.is_over() {
            self.form.push_end(self.usage, &mut out);
        }
        out
    }
}

/// A break in which the connection writes out what it has: it does so when a body is not ready.
#[derive(Debug, Default)]
struct Flush {
    asked: bool,
}

impl Flush {
    /// Not ready the first time, ready the second, and so on.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.asked = !self.asked;
        if self.asked {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}
