//! The body of a response.
//!
//! Stamps are taken as the last thing before a piece is handed to the connection, which writes it
//! to the socket in the same breath.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::drip::{Drip, Flush};
use crate::fault::Fault;
use crate::plan::Reason;
use crate::record::Record;
use crate::stream::Stream;

/// What is sent after the head of a response.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Something of known length.
    Whole(Box<Whole>),
    /// Tokens.
    Stream(Box<Stream>),
    /// Nothing but the end of the connection.
    Cut,
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
            Answer::Cut => Some(Err(Cut)),
        };
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Answer::Whole(whole) => whole.left.is_empty(),
            Answer::Stream(stream) => stream.is_done(),
            Answer::Cut => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(whole) => SizeHint::with_exact(whole.left.len() as u64),
            Answer::Stream(_) | Answer::Cut => SizeHint::default(),
        }
    }
}

/// A piece of a body, its end, or the end of all.
pub(crate) type Piece = Option<Result<Bytes, Cut>>;

/// An answer of known length, and the record it completes.
#[derive(Debug)]
pub(crate) struct Whole {
    left: Bytes,
    /// How far it goes under a fault that strikes midway.
    end: usize,
    record: Option<Record>,
    /// What the record says has been sent with it, and why it ended.
    tokens: u64,
    reason: Reason,
    fault: Option<Fault>,
    drip: Drip,
    flush: Flush,
}

impl Whole {
    /// `bytes`, which no record asks for.
    pub(crate) fn new(bytes: Bytes) -> Box<Whole> {
        Box::new(Whole {
            end: 0,
            left: bytes,
            record: None,
            tokens: 0,
            reason: Reason::Stop,
            fault: None,
            drip: Drip::None,
            flush: Flush::default(),
        })
    }

    /// `bytes`, which hold `tokens` and end for a reason, sent the way of `fault` and `drip`.
    pub(crate) fn recorded(
        bytes: Bytes,
        record: Record,
        (tokens, reason): (u64, Reason),
        fault: Option<Fault>,
        drip: Drip,
    ) -> Box<Whole> {
        let midway = matches!(fault, Some(Fault::StallMid | Fault::Cut));
        Box::new(Whole {
            end: if midway { bytes.len() / 2 } else { 0 },
            left: bytes,
            record: Some(record),
            tokens,
            reason,
            fault,
            drip,
            flush: Flush::default(),
        })
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
        let size = ready!(self.drip.poll_size(cx)).min(self.left.len() - self.end);
        let piece = self.left.split_to(size);
        if let Some(record) = &mut self.record {
            let over = self.left.is_empty();
            if over {
                record.complete(self.reason);
            }
            record.send_whole(if over { self.tokens } else { 0 }, Instant::now());
        }
        Poll::Ready(Some(Ok(piece)))
    }
}
