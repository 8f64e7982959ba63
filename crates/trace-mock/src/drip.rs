//! Bytes a few at a time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use trace_core::clock::{Sleep, Timer};

use crate::fault::{Fault, PIECE_BYTES};

/// How a body is cut into writes.
#[derive(Debug)]
pub(crate) enum Drip {
    /// Not at all.
    None,
    /// As fast as they go.
    Pieces { flush: Flush, size: usize },
    /// A piece each time so much time has passed.
    Slow { sleep: Sleep, every: Duration },
}

impl Drip {
    /// What `fault` asks for.
    pub(crate) fn of(fault: Option<Fault>, timer: &Timer) -> Drip {
        match fault {
            Some(Fault::Bytes(size)) => Drip::Pieces {
                flush: Flush::default(),
                size: size as usize,
            },
            Some(Fault::Slow(rate)) => Drip::Slow {
                sleep: timer.sleep_until(Instant::now()),
                every: Duration::from_secs(1) * PIECE_BYTES / rate,
            },
            _ => Drip::None,
        }
    }

    /// Whether it cuts.
    pub(crate) fn cuts(&self) -> bool {
        !matches!(self, Drip::None)
    }

    /// How many bytes may be sent now, at most.
    pub(crate) fn poll_size(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        match self {
            Drip::None => return Poll::Ready(usize::MAX),
            Drip::Pieces { flush, size } => {
                ready!(flush.poll(cx));
                return Poll::Ready(*size);
            }
            Drip::Slow { sleep, every } => {
                ready!(Pin::new(&mut *sleep).poll(cx));
                let next = Instant::now() + *every;
                sleep.reset(next);
            }
        }
        Poll::Ready(PIECE_BYTES as usize)
    }
}

/// A break in which the connection writes out what it has: it does so when a body is not ready.
#[derive(Debug, Default)]
pub(crate) struct Flush {
    asked: bool,
}

impl Flush {
    /// Not ready the first time, ready the second, and so on.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.asked = !self.asked;
        if self.asked {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}
