//! A request on its way through, and the line it becomes.
//!
//! The prompt is counted on another thread, once the first bytes of the answer have been
//! forwarded: nobody waits for it then.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::task::JoinHandle;
use trace_core::{ErrorKind, Failure, Micros, Outcome, TokenSource};

use super::observe::{Kind, Observer};
use crate::api::Api;
use crate::count::Order;
use crate::line::Said;
use crate::service::Service;

/// A request that is being answered by the server. Becomes its line when dropped, within a runtime.
#[derive(Debug)]
pub(super) struct Passage {
    service: Arc<Service>,
    api: Api,
    seq: u64,
    arrival: Instant,
    /// When it was handed to a connection.
    sent: Instant,
    /// The headers that are kept, as JSON: of the session and of the request.
    names: [Option<Vec<u8>>; 2],
    /// Its body, until it is counted.
    body: Bytes,
    counted: Option<JoinHandle<Result<Order, String>>>,
    report: Report,
}

impl Passage {
    /// A request that came at `arrival` and goes on now.
    pub(super) fn new(
        service: Arc<Service>,
        api: Api,
        arrival: Instant,
        names: [Option<Vec<u8>>; 2],
        body: Bytes,
    ) -> Passage {
        Passage {
            seq: service.books.count(arrival),
            service,
            api,
            arrival,
            sent: Instant::now(),
            names,
            body,
            counted: None,
            report: Report::new(),
        }
    }

    /// Note the head of the answer.
    pub(super) fn head(&mut self, status: u16, media: &str) {
        self.report.head(status, media);
    }

    /// Note bytes of its body, which came at `now`.
    pub(super) fn bytes(&mut self, bytes: &[u8], now: Instant) {
        self.report.observer.pass(bytes, now);
        if self.counted.is_none() {
            self.counted = Some(self.count());
        }
    }

    /// Note that all of it has come.
    pub(super) fn end(&mut self, now: Instant) {
        self.report.ended = Some(now);
        self.report.observer.end();
    }

    /// Note that the server stopped halfway.
    pub(super) fn broken(&mut self, why: &str) {
        let why = format!("the server broke off: {why}");
        self.report.fail(ErrorKind::Stream, why);
    }

    /// Note that there is no answer.
    pub(super) fn unanswered(&mut self, kind: ErrorKind, why: String) {
        self.report.ended = Some(Instant::now());
        self.report.fail(kind, why);
    }

    /// Count the prompt on another thread.
    fn count(&mut self) -> JoinHandle<Result<Order, String>> {
        let counter = Arc::clone(&self.service.counter);
        let (api, body) = (self.api, std::mem::take(&mut self.body));
        tokio::task::spawn_blocking(move || counter.order(api, &body))
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let counted = match self.counted.take() {
            Some(counted) => counted,
            None => self.count(),
        };
        let outcome = self.report.outcome(self);
        let complete = self.report.ended.is_some() && outcome.error.is_none();
        self.service.books.answered(complete);
        let service = Arc::clone(&self.service);
        let (arrival, names) = (self.arrival, std::mem::take(&mut self.names));
        tokio::spawn(async move {
            if let Ok(Ok(order)) = counted.await {
                let names = names.each_ref().map(Option::as_deref);
                service.write(arrival, &order, names, &outcome, complete);
            }
            service.books.close();
        });
    }
}

impl Service {
    /// Write the line of a request that has passed.
    fn write(
        &self,
        arrival: Instant,
        order: &Order,
        [session, request]: [Option<&[u8]>; 2],
        outcome: &Outcome,
        complete: bool,
    ) {
        let found = session.is_none().then(|| self.session(order)).flatten();
        let said = Said {
            input_length: order.input_tokens,
            // What it gave is what to ask for again.
            output_length: outcome
                .output_tokens
                .filter(|_| complete)
                .map(|tokens| tokens / order.choices.max(1))
                .or(order.ask.limit),
            hash_ids: if self.hash_ids { &order.hash_ids } else { &[] },
            session_id: session.or(found.as_deref()),
            model: order.ask.model.as_deref(),
            request_id: request,
            text: &order.text,
        };
        self.books.write(arrival, &said, outcome);
    }
}

/// What has been seen of an answer so far.
#[derive(Debug)]
struct Report {
    observer: Observer,
    status: Option<u16>,
    ended: Option<Instant>,
    failure: Option<Failure>,
}

impl Report {
    fn new() -> Report {
        Report {
            observer: Observer::new(Kind::Other),
            status: None,
            ended: None,
            failure: None,
        }
    }

    fn head(&mut self, status: u16, media: &str) {
        self.status = Some(status);
        let kind = Kind::of(media);
        self.observer = Observer::new(kind);
        if !(200..300).contains(&status) {
            self.fail(ErrorKind::Http, format!("status {status}"));
        } else if kind == Kind::Other && !media.is_empty() {
            self.fail(ErrorKind::Content, format!("an answer of type {media:?}"));
        }
    }

    /// Note why it failed, unless something went wrong before.
    fn fail(&mut self, kind: ErrorKind, message: String) {
        self.failure.get_or_insert(Failure { kind, message });
    }

    /// Why it failed, if it did.
    fn error(&self) -> Option<Failure> {
        let failure = |kind, message: &str| {
            let message = message.to_owned();
            Some(Failure { kind, message })
        };
        match (&self.failure, &self.observer.error) {
            (Some(failure), _) => Some(failure.clone()),
            (None, Some(told)) => failure(ErrorKind::Stream, told),
            _ if self.ended.is_none() => failure(ErrorKind::Cancelled, "the client hung up"),
            _ if self.observer.is_empty() => failure(ErrorKind::Empty, "the answer has no output"),
            _ => None,
        }
    }

    /// What happened to `passage`. The server counts tokens, else those of its text are counted.
    fn outcome(&self, passage: &Passage) -> Outcome {
        let since = |moment: Instant| Micros::from(moment.saturating_duration_since(passage.sent));
        let books = &passage.service.books;
        let Observer { chunks, text, .. } = &self.observer;
        let untold = self.observer.output_tokens.is_none() && !text.is_empty();
        let tokenizer = &passage.service.counter.tokenizer;
        let counted = untold.then(|| tokenizer.count(text).ok()).flatten();
        let output_tokens = self.observer.output_tokens.or(counted);
        let (first, last) = (chunks.first().copied(), chunks.last().copied());
        let arrived = books.timestamp(passage.arrival);
        Outcome {
            seq: Some(passage.seq),
            scheduled_ms: Some(arrived),
            due_ms: Some(arrived),
            sent_ms: Some(books.timestamp(passage.sent)),
            sent_unix_ms: Some(books.unix(passage.sent).into()),
            ttft_ms: first.map(since),
            last_token_ms: last.map(since),
            latency_ms: self.ended.map(since),
            tpot_ms: tpot(first, last, output_tokens),
            itl_ms: (chunks.len() > 1).then(|| self.observer.gaps()),
            input_tokens: self.observer.input_tokens,
            cached_tokens: self.observer.cached_tokens,
            output_tokens,
            token_source: output_tokens.map(|_| match self.observer.output_tokens {
                Some(_) => TokenSource::Usage,
                None => TokenSource::Tokenizer,
            }),
            chunks: Some(chunks.len() as u64),
            status: self.status,
            error: self.error(),
            ..Outcome::default()
        }
    }
}

/// From the first token to the last, for each after the first.
fn tpot(first: Option<Instant>, last: Option<Instant>, tokens: Option<u64>) -> Option<Micros> {
    let steps = tokens?.checked_sub(1).filter(|steps| *steps > 0)?;
    let span = u64::try_from((last? - first?).as_micros()).ok()?;
    Some(Micros::from_micros(span / steps))
}
