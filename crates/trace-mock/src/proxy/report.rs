//! What became of a request: its end, and what was seen of its answer → its line.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use trace_core::{ErrorKind, Failure, Micros, Outcome, TokenSource};

use super::observe::{Kind, Observer};
use crate::count::Order;
use crate::line::Said;
use crate::service::Service;

/// A request whose answer is over.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) service: Arc<Service>,
    pub(super) seq: u64,
    pub(super) arrival: Instant,
    /// When it was handed to a connection.
    pub(super) sent: Instant,
    /// The headers that are kept, as JSON: of the session and of the request.
    pub(super) names: [Option<Vec<u8>>; 2],
    /// Its prompt, once it is counted, if its body came.
    pub(super) counted: Option<Receiver<Result<Order, String>>>,
    pub(super) status: Option<u16>,
    /// How its answer is read.
    pub(super) kind: Kind,
    /// When the answer was over.
    pub(super) ended: Option<Instant>,
    pub(super) failure: Option<Failure>,
}

impl Report {
    /// Note why it failed, unless something went wrong before.
    pub(super) fn fail(&mut self, kind: ErrorKind, message: String) {
        self.failure.get_or_insert(Failure { kind, message });
    }

    /// Count it, and write its line, if it was one that can be read.
    pub(super) fn close(mut self, observer: &Observer) {
        let outcome = self.outcome(observer);
        let complete = outcome.error.is_none();
        self.service.books.answered(complete);
        let counted = self.counted.take();
        if let Some(Ok(order)) = counted.and_then(|counted| counted.recv().ok()) {
            self.write(&order, &outcome, complete);
        }
        self.service.books.close();
    }

    fn write(&self, order: &Order, outcome: &Outcome, complete: bool) {
        let service = &self.service;
        let [session, request] = self.names.each_ref().map(Option::as_deref);
        let found = session.is_none().then(|| service.session(order)).flatten();
        let said = Said {
            input_length: order.input_tokens,
            // What it gave is what to ask for again.
            output_length: outcome
                .output_tokens
                .filter(|_| complete)
                .map(|tokens| tokens / order.choices.max(1))
                .or(order.ask.limit),
            hash_ids: if service.hash_ids {
                &order.hash_ids
            } else {
                &[]
            },
            session_id: session.or(found.as_deref()),
            model: order.ask.model.as_deref(),
            request_id: request,
            text: &order.text,
        };
        service.books.write(self.arrival, &said, outcome);
    }

    /// Why it failed, if it did.
    fn error(&self, observer: &Observer) -> Option<Failure> {
        let failure = |kind, message: &str| {
            let message = message.to_owned();
            Some(Failure { kind, message })
        };
        // Who said that it is over may go.
        let failed = self.failure.as_ref();
        let failed = failed.filter(|failure| !observer.done || failure.kind != ErrorKind::Stream);
        match (failed, &observer.error) {
            (Some(failure), _) => Some(failure.clone()),
            (None, Some(told)) => failure(ErrorKind::Stream, told),
            _ if self.ended.is_none() && !observer.done => {
                failure(ErrorKind::Cancelled, "the client hung up")
            }
            _ if observer.is_empty() => failure(ErrorKind::Empty, "the answer has no output"),
            _ => None,
        }
    }

    /// What happened. The server counts tokens, else those of its text are counted.
    fn outcome(&self, observer: &Observer) -> Outcome {
        let since = |moment: Instant| Micros::from(moment.saturating_duration_since(self.sent));
        let books = &self.service.books;
        let Observer { chunks, text, .. } = observer;
        let untold = observer.output_tokens.is_none() && !text.is_empty();
        let tokenizer = &self.service.counter.tokenizer;
        let counted = untold.then(|| tokenizer.count(text).ok()).flatten();
        let output_tokens = observer.output_tokens.or(counted);
        let (first, last) = (chunks.first().copied(), chunks.last().copied());
        let arrived = books.timestamp(self.arrival);
        Outcome {
            seq: Some(self.seq),
            scheduled_ms: Some(arrived),
            due_ms: Some(arrived),
            sent_ms: Some(books.timestamp(self.sent)),
            sent_unix_ms: Some(books.unix(self.sent).into()),
            ttft_ms: first.map(since),
            last_token_ms: last.map(since),
            latency_ms: self.ended.or(last.filter(|_| observer.done)).map(since),
            tpot_ms: tpot(first, last, output_tokens),
            itl_ms: (chunks.len() > 1).then(|| observer.gaps()),
            input_tokens: observer.input_tokens,
            cached_tokens: observer.cached_tokens,
            output_tokens,
            token_source: output_tokens.map(|_| match observer.output_tokens {
                Some(_) => TokenSource::Usage,
                None => TokenSource::Tokenizer,
            }),
            chunks: observer.streams().then_some(chunks.len() as u64),
            status: self.status,
            error: self.error(observer),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn time_per_token_is_over_the_tokens_after_the_first() {
        let first = Instant::now();
        let last = Some(first + Duration::from_millis(30));
        assert_eq!(
            tpot(Some(first), last, Some(4)),
            Some(Micros::from_micros(10_000))
        );
        assert_eq!(tpot(Some(first), last, Some(1)), None);
        assert_eq!(tpot(None, None, Some(4)), None);
    }
}
