//! A request on its way through, and the line it becomes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Incoming, SizeHint};
use tokio::task::JoinHandle;
use trace_core::{ErrorKind, Failure, Micros, Outcome, TokenSource};

use super::observe::{Kind, Observer};
use super::upstream::{Connection, Upstream};
use crate::count::Order;
use crate::service::Service;

/// A body that comes from the server and goes to the client.
#[derive(Debug)]
pub(crate) struct Passing {
    body: Incoming,
    passage: Option<Passage>,
    upstream: Arc<Upstream>,
    connection: Option<Connection>,
}

impl Passing {
    pub(crate) fn new(
        body: Incoming,
        passage: Option<Passage>,
        upstream: Arc<Upstream>,
        connection: Connection,
    ) -> Passing {
        Passing {
            body,
            passage,
            upstream,
            connection: Some(connection),
        }
    }

    /// The next bytes, as soon as they are there.
    ///
    /// An error is the server's: the client's connection is cut like the server's was.
    pub(crate) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ()>>> {
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(bytes) = frame.into_data() else {
                        continue; // trailers, which no client of these APIs reads
                    };
                    if let Some(passage) = &mut self.passage {
                        passage.observer.pass(&bytes, Instant::now());
                    }
                    if self.body.is_end_stream() {
                        self.end();
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Some(Err(err)) => {
                    if let Some(passage) = &mut self.passage {
                        let message = format!("the server broke off: {err}");
                        passage.fail(ErrorKind::Stream, message);
                    }
                    return Poll::Ready(Some(Err(())));
                }
                None => {
                    self.end();
                    return Poll::Ready(None);
                }
            }
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn end(&mut self) {
        if let Some(mut passage) = self.passage.take() {
            passage.ended = Some(Instant::now());
            passage.observer.end();
        }
        if let Some(connection) = self.connection.take() {
            self.upstream.put_back(connection);
        }
    }
}

/// A request that is being answered by the server. Becomes its line when dropped.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) service: Arc<Service>,
    pub(crate) seq: u64,
    pub(crate) arrival: Instant,
    /// When it was handed to a connection.
    pub(crate) sent: Instant,
    pub(crate) session: Option<Vec<u8>>,
    pub(crate) request: Option<Vec<u8>>,
    pub(crate) status: Option<u16>,
    pub(crate) observer: Observer,
    pub(crate) ended: Option<Instant>,
    pub(crate) failure: Option<Failure>,
    /// Its prompt, being counted on another thread.
    pub(crate) counted: Option<JoinHandle<Result<Order, String>>>,
}

impl Passage {
    /// Note the head of the answer.
    pub(crate) fn head(&mut self, status: u16, media: &str) {
        self.status = Some(status);
        self.observer = Observer::new(Kind::of(media));
        if !(200..300).contains(&status) {
            self.fail(ErrorKind::Http, format!("status {status}"));
        }
    }

    /// Note why it failed, unless something went wrong before.
    pub(crate) fn fail(&mut self, kind: ErrorKind, message: String) {
        self.failure.get_or_insert(Failure { kind, message });
    }

    /// What happened. The server counts tokens, else `tokens` of the text were counted.
    fn outcome(&self, tokens: Option<u64>) -> Outcome {
        let since = |moment: Instant| Micros::from(moment.saturating_duration_since(self.sent));
        let Observer { chunks, .. } = &self.observer;
        let output_tokens = self.observer.output_tokens.or(tokens);
        let (first, last) = (chunks.first().copied(), chunks.last().copied());
        let tpot = first
            .zip(last)
            .zip(output_tokens.filter(|tokens| *tokens > 1));
        let tpot = tpot.and_then(|((first, last), tokens)| {
            let span = u64::try_from((last - first).as_micros()).ok()?;
            Some(Micros::from_micros(span / (tokens - 1)))
        });
        let error = self.failure.clone().or_else(|| {
            let message = self.observer.error.clone()?;
            let kind = ErrorKind::Stream;
            Some(Failure { kind, message })
        });
        let arrived = self.service.books.timestamp(self.arrival);
        Outcome {
            seq: Some(self.seq),
            scheduled_ms: Some(arrived),
            due_ms: Some(arrived),
            sent_ms: Some(self.service.books.timestamp(self.sent)),
            sent_unix_ms: Some(self.service.books.unix(self.sent).into()),
            ttft_ms: first.map(since),
            last_token_ms: last.map(since),
            latency_ms: self.ended.map(since),
            tpot_ms: tpot,
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
            error,
            ..Outcome::default()
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.fail(ErrorKind::Cancelled, "the client hung up".to_owned());
        }
        let Some(counted) = self.counted.take() else {
            return;
        };
        let service = Arc::clone(&self.service);
        let text = &self.observer.text;
        let untold = self.observer.output_tokens.is_none() && !text.is_empty();
        let tokens = untold.then(|| service.counter.tokenizer.count(text).ok());
        let tokens = tokens.flatten();
        let outcome = self.outcome(tokens);
        let complete = self.ended.is_some() && outcome.error.is_none();
        let arrival = self.arrival;
        let (session, request) = (self.session.take(), self.request.take());
        service.books.answered(complete);
        tokio::spawn(async move {
            if let Ok(Ok(order)) = counted.await {
                let names = [session.as_deref(), request.as_deref()];
                service.write(arrival, &order, names, &outcome, complete);
            }
            service.books.close();
        });
    }
}
