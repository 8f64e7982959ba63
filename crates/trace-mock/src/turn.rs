//! The turns of a connection: its requests, one after another, and how long it is kept between
//! them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONNECTION, HeaderValue};
use trace_core::Micros;
use trace_core::clock::{Sleep, Timer};

use crate::answer::{Answer, Cut};

/// How long connections are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// How long one may be idle behind an answer; as long as the client likes if not said.
    pub idle: Option<Micros>,
    /// How many requests it may carry; any number if not said.
    pub requests: Option<u64>,
}

/// The turns of one connection.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    begun: AtomicU64,
    open: AtomicU64,
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Turn(Arc<Turns>);

impl Turn {
    /// The next turn.
    pub(crate) fn begin(turns: &Arc<Turns>) -> Turn {
        turns.begun.fetch_add(1, Ordering::Relaxed);
        turns.open.fetch_add(1, Ordering::Relaxed);
        Turn(Arc::clone(turns))
    }

    /// The answer of this turn, which is over when that is; the last one says so.
    pub(crate) fn give(self, response: Response<Answer>, keep: KeepAlive) -> Response<Given> {
        let begun = self.0.begun.load(Ordering::Relaxed);
        let mut response = response.map(|answer| Given {
            answer,
            _turn: self,
        });
        if keep.requests.is_some_and(|most| begun >= most) {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer within its turn.
#[derive(Debug)]
pub(crate) struct Given {
    answer: Answer,
    _turn: Turn,
}

impl Body for Given {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        Pin::new(&mut self.answer).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

/// Watches for a connection that has been idle for too long.
#[derive(Debug)]
pub(crate) struct Idle {
    turns: Arc<Turns>,
    timer: Timer,
    span: Option<Duration>,
    sleep: Option<Box<Sleep>>,
}

impl Idle {
    pub(crate) fn new(turns: Arc<Turns>, timer: Timer, keep: KeepAlive) -> Idle {
        Idle {
            turns,
            timer,
            span: keep.idle.map(Duration::from),
            sleep: None,
        }
    }

    /// Ready once no turn has been open for as long as that may be, since the last. To be asked after
    /// each look at the connection.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(span) = self.span else {
            return Poll::Pending;
        };
        let count = |turns: &AtomicU64| turns.load(Ordering::Relaxed);
        // Who has not asked yet is awaited.
        if count(&self.turns.open) > 0 || count(&self.turns.begun) == 0 {
            self.sleep = None;
            return Poll::Pending;
        }
        let timer = &self.timer;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::new(timer.sleep(span)));
        Pin::new(sleep.as_mut()).poll(cx)
    }
}
