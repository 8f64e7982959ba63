//! A request on its way through, as far as the thread that forwards it takes note.
//!
//! All that takes time happens on other threads: the prompt is counted once the first bytes of
//! the answer have been forwarded, since nobody waits for it then, and the clerk reads the answer.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::runtime::Handle;
use trace_core::ErrorKind;

use super::clerk::Uncounted;
use super::framing::Body;
use super::head::{Told, field};
use super::letter::Letter;
use super::report::Report;
use super::unread::Unread;
use super::upstream::Upstream;
use crate::api::Api;
use crate::reply::quoted_bytes;
use crate::service::{REQUEST, Service};

/// Bytes of an answer that gather before they are read.
const PORTION_BYTES: usize = 32 << 10;

/// A request that is being answered by the server. Becomes its line when dropped.
#[derive(Debug)]
pub(super) struct Passage {
    upstream: Arc<Upstream>,
    api: Api,
    /// The body of the request, until it is counted.
    body: Option<Bytes>,
    /// Whether the clerk has it.
    handed: bool,
    unread: Unread,
    /// `None` only when dropped.
    report: Option<Box<Report>>,
}

impl Passage {
    /// A request with this head and body, which came at `arrival` and went on at `sent`.
    pub(super) fn new(
        service: &Arc<Service>,
        upstream: &Arc<Upstream>,
        api: Api,
        (head, body): (&[u8], Option<Bytes>),
        (arrival, sent): (Instant, Instant),
    ) -> Passage {
        let names = [&service.session_header, &REQUEST];
        let names = names.map(|name| quoted_bytes(field(head, name.as_str())?));
        service.books.arrive(arrival);
        Passage {
            upstream: Arc::clone(upstream),
            api,
            body,
            handed: false,
            unread: Unread::default(),
            report: Some(Box::new(Report {
                service: Arc::clone(service),
                seq: service.books.count(arrival),
                arrival,
                sent,
                names,
                counted: None,
                endless: false,
                ended: None,
                failure: None,
            })),
        }
    }

    fn report(&mut self) -> &mut Report {
        self.report.as_mut().expect("it is there until the drop")
    }

    /// Take the body, if it was not there before: the answer may begin while it comes.
    pub(super) fn take(&mut self, letter: &Letter) {
        if self.body.is_none() && !self.handed {
            self.body = letter.body();
        }
    }

    /// Count the prompt, within a runtime, if nobody has.
    fn count(&mut self) {
        let Some(body) = self.body.take() else {
            return;
        };
        self.handed = true;
        let (api, report) = (self.api, self.report());
        let (seq, counter) = (report.seq, Arc::clone(&report.service.counter));
        let prompt = Uncounted {
            api,
            body,
            counter,
            runtime: Handle::current(),
        };
        self.upstream.clerk.asked(seq, prompt);
    }

    /// Note the head of the answer.
    pub(super) fn head(&mut self, told: Told) {
        self.report().endless = told.body == Body::Rest;
        self.unread.begin(told);
    }

    /// Note bytes of its body, which came at `now`.
    pub(super) fn bytes(&mut self, bytes: &[u8], now: Instant) {
        self.count();
        let (seq, sent) = (self.report().seq, self.report().sent);
        self.unread.push(bytes, now);
        if self.unread.len() >= PORTION_BYTES {
            let unread = std::mem::take(&mut self.unread);
            self.upstream.clerk.more(seq, sent, unread);
        }
    }

    /// Note that all of it has come.
    pub(super) fn end(&mut self, now: Instant) {
        self.report().ended = Some(now);
    }

    /// Note that the server stopped halfway.
    pub(super) fn broken(&mut self, why: &str) {
        let why = format!("the server broke off: {why}");
        self.report().fail(ErrorKind::Stream, why);
    }

    /// Note that there is no answer.
    pub(super) fn unanswered(&mut self, kind: ErrorKind, why: String) {
        let report = self.report();
        report.ended = Some(Instant::now());
        report.fail(kind, why);
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.count();
        if let Some(report) = self.report.take() {
            let unread = std::mem::take(&mut self.unread);
            self.upstream.clerk.last(unread, report);
        }
    }
}
