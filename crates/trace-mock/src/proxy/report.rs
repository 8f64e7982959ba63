//! What became of a request: its end, and what was seen of its answer → its line.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use trace_core::answer::{Content, Ending};
use trace_core::{ErrorKind, Failure, Micros, Outcome, TokenSource};

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
    /// Whether its answer ends with its connection.
    pub(super) endless: bool,
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
    pub(super) fn close(mut self, answer: Content) {
        let mut outcome = self.outcome(answer);
        let complete = outcome.error.is_none();
        self.service.books.answered(complete);
        let counted = self.counted.take();
        if let Some(Ok(order)) = counted.and_then(|counted| counted.recv().ok()) {
            if outcome.token_source == Some(TokenSource::Tokenizer) {
                outcome.input_tokens.get_or_insert(order.input_tokens);
            }
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

    /// How the answer ended, as far as the connections tell.
    fn ending(&mut self) -> Ending {
        match (self.failure.take(), self.ended) {
            (Some(failure), _) => Ending::Failed(failure),
            (None, Some(_)) if self.endless => Ending::Closed,
            (None, Some(_)) => Ending::Complete,
            (None, None) => Ending::Failed(Failure {
                kind: ErrorKind::Cancelled,
                message: "the client hung up".to_owned(),
            }),
        }
    }

    /// What happened. The server counts tokens, else those of its text are counted.
    fn outcome(&mut self, answer: Content) -> Outcome {
        let ending = self.ending();
        let ended = self.ended.map(|ended| self.since(ended));
        let ended = ended.or(answer.last().filter(|_| answer.is_done()));
        let (mut told, said) = answer.end(ending, Micros::ZERO, ended.unwrap_or_default());
        if said.is_uncounted(&told) {
            let tokenizer = &self.service.counter.tokenizer;
            said.count(&mut told, |text| tokenizer.count(text).ok());
        }
        let books = &self.service.books;
        let arrived = books.timestamp(self.arrival);
        Outcome {
            seq: Some(self.seq),
            scheduled_ms: Some(arrived),
            due_ms: Some(arrived),
            sent_ms: Some(books.timestamp(self.sent)),
            sent_unix_ms: Some(books.unix(self.sent).into()),
            latency_ms: ended,
            ..told
        }
    }

    /// From when it went on to `moment`.
    fn since(&self, moment: Instant) -> Micros {
        moment.saturating_duration_since(self.sent).into()
    }
}
