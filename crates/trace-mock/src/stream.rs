//! An answer sent piece by piece as its tokens fall due.
//!
//! All tokens due at one moment leave in one write, each as an event of its own.

use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;

use crate::answer::{Cut, Piece};
use crate::drip::{Drip, Flush};
use crate::fault::Fault;
use crate::pace::Pace;
use crate::plan::Reason;
use crate::record::Record;
use crate::wire::{End, Form, Usage};

/// How much is spelled at a time where more tokens are due than that.
const PORTION_BYTES: usize = 64 << 10;

/// A stream of events or lines.
#[derive(Debug)]
pub(crate) struct Stream {
    form: Form,
    pace: Pace,
    /// What to tell of tokens at the end, but for those that were cached.
    usage: Option<Usage>,
    reason: Reason,
    record: Record,
    fault: Option<Fault>,
    /// The step to send next.
    next: u64,
    /// What was spelled and is sent in pieces.
    left: Bytes,
    drip: Drip,
    flush: Flush,
}

impl Stream {
    /// A stream from its first step.
    pub(crate) fn new(
        form: Form,
        pace: Pace,
        (usage, reason): (Option<Usage>, Reason),
        record: Record,
        fault: Option<Fault>,
        drip: Drip,
    ) -> Stream {
        Stream {
            form,
            pace,
            usage,
            reason,
            record,
            fault,
            next: 0,
            left: Bytes::new(),
            drip,
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

    /// Whether all of it has been handed over.
    pub(crate) fn is_done(&self) -> bool {
        self.is_over() && self.left.is_empty()
    }

    /// The next bytes to send.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Piece> {
        if self.left.is_empty() {
            let portion = match ready!(self.poll_portion(cx)) {
                Some(Ok(portion)) => Bytes::from(portion),
                Some(Err(cut)) => return Poll::Ready(Some(Err(cut))),
                None => return Poll::Ready(None),
            };
            if !self.drip.cuts() {
                return Poll::Ready(Some(Ok(self.stamped(portion))));
            }
            self.left = portion;
        }
        let size = ready!(self.drip.poll_size(cx)).min(self.left.len());
        let piece = self.left.split_to(size);
        Poll::Ready(Some(Ok(self.stamped(piece))))
    }

    fn stamped(&mut self, piece: Bytes) -> Bytes {
        if self.is_done() {
            self.record.complete(self.reason);
        }
        self.record
            .send(self.form.tokens_of(self.next), Instant::now());
        piece
    }

    /// Wait for the next step and spell all that are due, as far as one portion goes.
    fn poll_portion(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, Cut>>> {
        if self.fault == Some(Fault::ResetHead) {
            ready!(self.flush.poll(cx));
            return Poll::Ready(Some(Err(Cut)));
        }
        let half = self.half();
        if half == Some(self.next) {
            // Garbage has been sent by now, with the tokens before it.
            match self.fault {
                Some(Fault::StallMid) => return Poll::Pending,
                Some(Fault::Truncate) => return Poll::Ready(None),
                _ => ready!(self.flush.poll(cx)),
            }
            return Poll::Ready(Some(Err(Cut)));
        }
        if self.is_over() {
            return Poll::Ready(None);
        }
        let end = half.unwrap_or(self.form.steps());
        // The next step needs all of its tokens; an answer without any waits for its end.
        let needs = self.form.tokens_of(self.next + 1).max(1);
        let tokens = ready!(self.pace.poll_due(cx, needs - 1));
        let due = self.form.steps_of(tokens).clamp(self.next + 1, end);
        if self.next == 0 {
            self.record.queued(self.pace.waited());
        }
        Poll::Ready(Some(Ok(self.spell(due, half))))
    }

    /// Spell the steps before `due`, or a portion of them, and what follows the last.
    fn spell(&mut self, due: u64, half: Option<u64>) -> Vec<u8> {
        let step_bytes = self.form.step_bytes();
        let portion = (PORTION_BYTES / step_bytes).max(1) as u64;
        let until = due.min(self.next + portion);
        let steps = usize::try_from(until - self.next).unwrap_or(1);
        let mut out = Vec::with_capacity((steps + 3) * step_bytes);
        match self.fault {
            Some(Fault::Comments) => {
                for step in self.next..until {
                    self.form.push_noise(&mut out);
                    self.form.push_steps(step..step + 1, &mut out);
                }
            }
            Some(Fault::Big(bytes)) if self.next == 0 => {
                self.form.push_comment(bytes as usize, &mut out);
                self.form.push_steps(self.next..until, &mut out);
            }
            _ => self.form.push_steps(self.next..until, &mut out),
        }
        self.next = until;
        if half == Some(until) && self.fault == Some(Fault::Garbage) {
            self.form.push_garbage(&mut out);
            self.fault = None; // done; the rest is as usual
        }
        if self.is_over() {
            self.form.push_end(&self.end(), &mut out);
        }
        out
    }

    fn end(&self) -> End {
        let usage = self.usage.map(|usage| Usage {
            cached: self.pace.cached(),
            ..usage
        });
        End {
            usage,
            first: self.record.first_byte(),
            total: self.record.arrival().elapsed(),
        }
    }
}
