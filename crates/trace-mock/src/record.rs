//! What is remembered of a request while it is answered, and the line it becomes.

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use trace_core::{Micros, Outcome, push_integers};

use crate::fault::Fault;
use crate::journal::Journal;
use crate::metrics::{Finish, Metrics};
use crate::plan::Reason;

/// What a server counts and dates for all its requests.
#[derive(Debug)]
pub(crate) struct Books {
    start: Instant,
    /// The wall clock at `start`, since 1970: read once, so that the records of one server agree
    /// with each other even when the wall clock is set.
    unix: Duration,
    first_arrival: OnceLock<Instant>,
    requests: AtomicU64,
    open: AtomicU64,
    aborted: AtomicU64,
    refused: AtomicU64,
    journal: Option<Journal>,
    pub(crate) metrics: Metrics,
}

/// How many requests a server has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests that were understood; each has or will have its record.
    pub requests: u64,
    /// Those of them whose answer did not reach its end.
    pub aborted: u64,
    /// Requests that were refused as wrong: no JSON, no prompt, too large. They have no record.
    pub refused: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            requests,
            aborted,
            refused,
        } = self;
        write!(
            f,
            "{requests} requests, {aborted} of them cut short, and {refused} refused"
        )
    }
}

/// What the client said that goes into the record. The strings are JSON, quotes included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said<'a> {
    pub(crate) input_length: u64,
    pub(crate) output_length: Option<u64>,
    /// Not on the line where there are none.
    pub(crate) hash_ids: &'a [u64],
    pub(crate) session_id: Option<&'a [u8]>,
    pub(crate) model: Option<&'a str>,
    pub(crate) request_id: Option<&'a [u8]>,
    /// Members that keep the prompt, each with a comma in front.
    pub(crate) text: &'a [u8],
}

/// A request being answered. Becomes its line when dropped, whatever the reason.
#[derive(Debug)]
pub(crate) struct Record {
    books: Arc<Books>,
    /// The line so far, without what is only known at the end.
    line: Vec<u8>,
    arrival: Instant,
    /// When the first and the latest byte of the answer left.
    sent: Option<(Instant, Instant)>,
    input_tokens: u64,
    asked_tokens: u64,
    sent_tokens: u64,
    /// When the latest token left.
    token: Option<Instant>,
    /// Why the answer ended, once it has.
    end: Option<Reason>,
    fault: Option<Fault>,
}

impl Books {
    pub(crate) fn new(journal: Option<Journal>) -> Books {
        Books {
            start: Instant::now(),
            unix: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            first_arrival: OnceLock::new(),
            requests: AtomicU64::new(0),
            open: AtomicU64::new(0),
            aborted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            journal,
            metrics: Metrics::new(),
        }
    }

    /// Whether lines are written.
    pub(crate) fn records(&self) -> bool {
        self.journal.is_some()
    }

    /// Requests that are being answered.
    pub(crate) fn open_requests(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            requests: self.requests.load(Ordering::Relaxed),
            aborted: self.aborted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Note that a request arrives, before its body is read: a later one may have read its own first.
    pub(crate) fn arrive(&self, arrival: Instant) {
        self.first_arrival.get_or_init(|| arrival);
    }

    /// Count a request that gets no record.
    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// The wall clock at `moment`, since 1970.
    pub(crate) fn unix(&self, moment: Instant) -> Duration {
        self.unix + moment.saturating_duration_since(self.start)
    }

    /// When `moment` was, since the first arrival.
    pub(crate) fn timestamp(&self, moment: Instant) -> Micros {
        since(*self.first_arrival.get_or_init(|| moment), moment)
    }

    /// Count a request that arrived and is passed on. Returns its number, from 0.
    pub(crate) fn count(&self, arrival: Instant) -> u64 {
        self.first_arrival.get_or_init(|| arrival);
        self.open.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// Note whether a request that was passed on got its whole answer.
    pub(crate) fn answered(&self, whole: bool) {
        if !whole {
            self.aborted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Note that nothing more is done for a request that was passed on.
    pub(crate) fn close(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Write the line of a request that was passed on.
    pub(crate) fn write(&self, arrival: Instant, said: &Said<'_>, outcome: &Outcome) {
        if let Some(journal) = &self.journal {
            let mut line = head(said, self.timestamp(arrival), self.unix(arrival).into());
            line.push(b'}');
            outcome.append_to(&mut line);
            line.push(b'\n');
            journal.push(&line);
        }
    }

    /// Count a request and begin its record. Returns its number too, from 0.
    pub(crate) fn open(self: &Arc<Books>, arrival: Instant, said: &Said<'_>) -> (u64, Record) {
        let first = *self.first_arrival.get_or_init(|| arrival);
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        let line = match self.journal {
            Some(_) => head(said, since(first, arrival), self.unix(arrival).into()),
            None => Vec::new(),
        };
        let record = Record {
            books: Arc::clone(self),
            line,
            arrival,
            sent: None,
            input_tokens: said.input_length,
            asked_tokens: said.output_length.unwrap_or(0),
            sent_tokens: 0,
            token: None,
            end: None,
            fault: None,
        };
        (number, record)
    }
}

impl Record {
    /// When the request arrived.
    pub(crate) fn arrival(&self) -> Instant {
        self.arrival
    }

    /// Note the fault that is to befall it.
    pub(crate) fn suffer(&mut self, fault: Option<Fault>) {
        self.fault = fault;
    }

    /// Note how long it was in the queue.
    pub(crate) fn queued(&self, waited: Duration) {
        self.books.metrics.queued(waited);
    }

    /// Note that bytes leave at `now`, with which `tokens` in all have been sent.
    pub(crate) fn send(&mut self, tokens: u64, now: Instant) {
        let (first, _) = self.sent.unwrap_or((now, now));
        self.sent = Some((first, now));
        let more = tokens.saturating_sub(self.sent_tokens);
        if more > 0 {
            match self.token.replace(now) {
                None => self.books.metrics.first_token(now - self.arrival),
                Some(before) => self.books.metrics.more_tokens(more, now - before),
            }
        }
        self.sent_tokens = tokens;
    }

    /// Arrival to the first byte; to now if none has left.
    pub(crate) fn first_byte(&self) -> Duration {
        match self.sent {
            Some((first, _)) => first - self.arrival,
            None => self.arrival.elapsed(),
        }
    }

    /// Note that the answer has reached its end, and why.
    pub(crate) fn complete(&mut self, reason: Reason) {
        self.end = Some(reason);
    }

    fn finish(&mut self) {
        let line = &mut self.line;
        if let Some((first, last)) = self.sent {
            line.extend_from_slice(b",\"first_byte_ms\":");
            since(self.arrival, first).push_millis(line);
            line.extend_from_slice(b",\"last_byte_ms\":");
            since(self.arrival, last).push_millis(line);
        }
        if self.sent_tokens != self.asked_tokens {
            push_number(line, ",\"sent_tokens\":", self.sent_tokens);
        }
        if self.end.is_none() {
            line.extend_from_slice(b",\"aborted\":true");
        }
        if let Some(fault) = self.fault {
            write!(line, ",\"fault\":\"{fault}\"").expect("memory takes all");
        }
        line.extend_from_slice(b"}\n");
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.books.open.fetch_sub(1, Ordering::Relaxed);
        let how = match self.end {
            Some(Reason::Stop) => Finish::Stop,
            Some(Reason::Length) => Finish::Length,
            None => {
                self.books.aborted.fetch_add(1, Ordering::Relaxed);
                Finish::Abort
            }
        };
        let total = self.arrival.elapsed();
        self.books
            .metrics
            .finished(how, total, self.input_tokens, self.sent_tokens);
        if self.books.journal.is_some() {
            self.finish();
        }
        if let Some(journal) = &self.books.journal {
            journal.push(&self.line);
        }
    }
}

/// The beginning of a line: all that is known on arrival.
fn head(said: &Said<'_>, timestamp: Micros, unix: Micros) -> Vec<u8> {
    let mut line = Vec::with_capacity(256);
    line.extend_from_slice(b"{\"timestamp\":");
    timestamp.push_millis(&mut line);
    push_number(&mut line, ",\"input_length\":", said.input_length);
    if let Some(tokens) = said.output_length {
        push_number(&mut line, ",\"output_length\":", tokens);
    }
    if !said.hash_ids.is_empty() {
        line.extend_from_slice(b",\"hash_ids\":");
        push_integers(&mut line, said.hash_ids);
    }
    let strings = [
        (",\"session_id\":", said.session_id),
        (",\"model\":", said.model.map(str::as_bytes)),
        (",\"request_id\":", said.request_id),
    ];
    for (name, json) in strings {
        if let Some(json) = json {
            line.extend_from_slice(name.as_bytes());
            line.extend_from_slice(json);
        }
    }
    line.extend_from_slice(said.text);
    line.extend_from_slice(b",\"arrival_unix_ms\":");
    unix.push_millis(&mut line);
    line
}

fn push_number(line: &mut Vec<u8>, name: &str, number: u64) {
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn since(earlier: Instant, later: Instant) -> Micros {
    later.saturating_duration_since(earlier).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: Said<'_> = Said {
        input_length: 12,
        output_length: Some(3),
        hash_ids: &[5, 7],
        text: b"",
        session_id: Some(b"\"s-1\""),
        model: Some("\"m\""),
        request_id: Some(b"\"run/7\""),
    };

    fn line(said: &Said<'_>, fault: Option<Fault>, answer: impl FnOnce(&mut Record)) -> String {
        let books = Arc::new(Books::new(None));
        let (_, mut record) = books.open(books.start, said);
        record.suffer(fault);
        record.line = head(
            said,
            Micros::from_micros(1_500),
            Micros::from_micros(2_000_250),
        );
        answer(&mut record);
        record.finish();
        String::from_utf8(record.line.clone()).unwrap()
    }

    fn micros(record: &Record, micros: u64) -> Instant {
        record.arrival() + Duration::from_micros(micros)
    }

    #[test]
    fn a_record_is_a_request_line_and_what_the_server_saw() {
        let line = line(&SAID, None, |record| {
            record.send(1, micros(record, 50_007));
            record.send(3, micros(record, 70_000));
            record.complete(Reason::Length);
        });
        assert_eq!(
            line,
            "{\"timestamp\":1.5,\"input_length\":12,\"output_length\":3,\"hash_ids\":[5,7],\"session_id\":\"s-1\",\
             \"model\":\"m\",\"request_id\":\"run/7\",\"arrival_unix_ms\":2000.25,\
             \"first_byte_ms\":50.007,\"last_byte_ms\":70}\n"
        );
    }

    #[test]
    fn an_answer_cut_short_says_how_far_it_came() {
        let said = Said {
            output_length: Some(3),
            ..Said::default()
        };
        let line = line(&said, Some(Fault::Cut), |record| {
            record.send(1, micros(record, 9));
        });
        assert_eq!(
            line,
            "{\"timestamp\":1.5,\"input_length\":0,\"output_length\":3,\"arrival_unix_ms\":2000.25,\
             \"first_byte_ms\":0.009,\"last_byte_ms\":0.009,\"sent_tokens\":1,\"aborted\":true,\
             \"fault\":\"cut\"}\n"
        );
    }

    #[test]
    fn a_request_that_was_never_answered_has_no_times() {
        let line = line(&SAID, Some(Fault::Stall), |_| ());
        assert!(
            line.ends_with(",\"sent_tokens\":0,\"aborted\":true,\"fault\":\"stall\"}\n"),
            "{line}"
        );
        assert!(!line.contains("byte_ms"));
    }

    #[test]
    fn requests_are_counted_by_how_they_ended() {
        let books = Arc::new(Books::new(None));
        let (number, mut record) = books.open(Instant::now(), &SAID);
        assert_eq!(number, 0);
        record.complete(Reason::Length);
        drop(record);
        let (number, record) = books.open(Instant::now(), &SAID);
        assert_eq!(number, 1);
        drop(record);
        books.refuse();
        assert_eq!(books.open_requests(), 0);
        let tally = Tally {
            requests: 2,
            aborted: 1,
            refused: 1,
        };
        assert_eq!(books.tally(), tally);
    }
}
