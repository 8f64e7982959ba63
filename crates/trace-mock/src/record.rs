//! What is remembered of a request while it is answered.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::books::Books;
use crate::fault::Fault;
use crate::line::{Said, push_number, since};
use crate::metrics::{Finish, Finished, Metrics};
use crate::plan::Reason;

/// A request being answered. Becomes its line when dropped, whatever the reason.
#[derive(Debug)]
pub(crate) struct Record {
    books: Arc<Books>,
    /// The counts of its model.
    metrics: Arc<Metrics>,
    /// The line so far, without its timestamp and what is only known at the end.
    line: Vec<u8>,
    arrival: Instant,
    /// When the first and the latest byte of the answer left.
    sent: Option<(Instant, Instant)>,
    input_tokens: u64,
    asked_tokens: u64,
    sent_tokens: u64,
    /// When the first and the latest token left.
    tokens: Option<(Instant, Instant)>,
    /// In the queue.
    waited: Duration,
    /// Answers that are given, each with as many tokens.
    choices: u64,
    /// Why the answer ended, once it has.
    end: Option<Reason>,
    fault: Option<Fault>,
}

impl Record {
    /// Count a request and begin its record. Returns its number too, from 0.
    pub(crate) fn open(books: &Arc<Books>, arrival: Instant, said: &Said<'_>) -> (u64, Record) {
        let number = books.count(arrival);
        let metrics = books.metrics.of(said.model);
        metrics.opened();
        let record = Record {
            books: Arc::clone(books),
            metrics,
            line: books.head(arrival, said).unwrap_or_default(),
            arrival,
            sent: None,
            input_tokens: said.input_length,
            asked_tokens: said.output_length.unwrap_or(0),
            sent_tokens: 0,
            tokens: None,
            waited: Duration::ZERO,
            choices: 1,
            end: None,
            fault: None,
        };
        (number, record)
    }

    /// When the request arrived.
    pub(crate) fn arrival(&self) -> Instant {
        self.arrival
    }

    /// Note the fault that is to befall it.
    pub(crate) fn suffer(&mut self, fault: Option<Fault>) {
        self.fault = fault;
    }

    /// Note how long it was in the queue.
    pub(crate) fn queued(&mut self, waited: Duration) {
        self.waited = waited;
    }

    /// Note how many answers it gets.
    pub(crate) fn widen(&mut self, choices: u64) {
        self.choices = choices;
    }

    /// Note that bytes leave at `now`, with which `tokens` in all have been sent.
    pub(crate) fn send(&mut self, tokens: u64, now: Instant) {
        let before = self.tokens.map(|(_, latest)| latest);
        let more = self.send_whole(tokens, now);
        // Those that leave with the first follow it at once.
        let (more, before) = match before {
            None => (more.saturating_sub(1), now),
            Some(before) => (more, before),
        };
        if more > 0 {
            self.metrics.more_tokens(more, now - before);
        }
    }

    /// The same for tokens of an answer in one piece, between which nobody sees gaps. How many more
    /// tokens than before have been sent.
    pub(crate) fn send_whole(&mut self, tokens: u64, now: Instant) -> u64 {
        let (first, _) = self.sent.unwrap_or((now, now));
        self.sent = Some((first, now));
        let more = tokens.saturating_sub(self.sent_tokens);
        if more > 0 {
            let (first, _) = *self.tokens.get_or_insert_with(|| {
                let after = now - self.arrival;
                self.metrics.first_token(after, self.input_tokens);
                (now, now)
            });
            self.tokens = Some((first, now));
        }
        self.sent_tokens = tokens;
        more
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

    /// Count it as over.
    fn count(&self, how: Finish) {
        let after = |moment: Instant| moment - self.arrival;
        if self.tokens.is_none() && self.end.is_some() {
            self.metrics.read(self.input_tokens); // an embedding
        }
        self.metrics.finished(&Finished {
            how,
            waited: self.waited,
            tokens: self.tokens.map(|(first, last)| (after(first), after(last))),
            total: self.arrival.elapsed(),
            prompt: self.input_tokens,
            asked: self.asked_tokens,
            generated: self.sent_tokens,
            choices: self.choices,
        });
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
        self.books.close();
        self.books.answered(self.end.is_some());
        let how = match self.end {
            Some(Reason::Stop) => Finish::Stop,
            Some(Reason::Length) => Finish::Length,
            None => Finish::Abort,
        };
        if let Some(Fault::Status { .. } | Fault::Html) = self.fault {
            self.metrics.refused();
        } else {
            self.count(how);
        }
        if self.books.records() {
            self.finish();
            self.books.push(self.arrival, &self.line);
        }
    }
}

#[cfg(test)]
mod tests {
    use trace_core::Micros;

    use super::*;
    use crate::books::Tally;
    use crate::engine::Gauges;
    use crate::line::head;

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
        let books = Arc::new(Books::new(None, Arc::default(), &["m".to_owned()]));
        let (_, mut record) = Record::open(&books, Instant::now(), said);
        record.suffer(fault);
        record.line = head(said, Micros::from_micros(2_000_250));
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
            ",\"input_length\":12,\"output_length\":3,\"hash_ids\":[5,7],\"session_id\":\"s-1\",\
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
            ",\"input_length\":0,\"output_length\":3,\"arrival_unix_ms\":2000.25,\
             \"first_byte_ms\":0.009,\"last_byte_ms\":0.009,\"sent_tokens\":1,\"aborted\":true,\
             \"fault\":\"cut\"}\n"
        );
    }

    #[test]
    fn gaps_are_one_fewer_than_tokens_however_they_leave() {
        let books = Arc::new(Books::new(None, Arc::default(), &["m".to_owned()]));
        let gaps = |sent: &[u64], whole: bool, fault| {
            let (_, mut record) = Record::open(&books, Instant::now(), &SAID);
            record.suffer(fault);
            for tokens in sent {
                if whole {
                    record.send_whole(*tokens, Instant::now());
                } else {
                    record.send(*tokens, Instant::now());
                }
            }
            drop(record);
            let text = books.metrics.text(|_| Gauges::default());
            let number = |name: &str| -> u64 {
                let line = text.lines().find(|line| line.starts_with(name)).unwrap();
                line.rsplit_once(' ').unwrap().1.parse().unwrap()
            };
            (
                number("vllm:inter_token_latency_seconds_count"),
                number("vllm:prompt_tokens_total"),
            )
        };
        assert_eq!(gaps(&[3, 4, 4], false, None), (3, 12));
        assert_eq!(gaps(&[0, 5], true, None), (3, 24), "nobody sees them");
        let refused = Some(Fault::Status {
            code: 500,
            retry_after: None,
        });
        assert_eq!(gaps(&[0], true, refused), (3, 24), "nothing was read");
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
        let books = Arc::new(Books::new(None, Arc::default(), &["m".to_owned()]));
        let (number, mut record) = Record::open(&books, Instant::now(), &SAID);
        assert_eq!(number, 0);
        record.complete(Reason::Length);
        drop(record);
        let (number, record) = Record::open(&books, Instant::now(), &SAID);
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
