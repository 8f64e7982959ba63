//! What an answer was and when its parts came: bytes and times in, an
//! [`Outcome`] out.
//!
//! No sockets and no clock here: each piece comes with the time it was
//! received, taken before any of it was looked at. The status decides first,
//! then the content type, and only then does anything count as output.
//!
//! - `text/event-stream` and newline-delimited JSON are streams. The first
//!   chunk with output, reasoning included, makes `ttft_ms`; chunks that
//!   bring a role, an empty text, progress or usage are no output.
//! - `application/json` is one whole answer. It has a latency but no time to
//!   first token, since nobody saw one.
//! - A stream is complete when HTTP says so, or after `[DONE]`. Where HTTP
//!   cannot tell (no length, no chunks), `[DONE]` or a finish reason must.

use crate::content::{Body, Chunks, Content};
use crate::http::{self, End, Part};
use trace_core::time::Micros;
use trace_core::{ErrorKind, Failure, Outcome, TokenSource};

/// The most bytes of a refusal that are read to save the connection.
const MAX_SKIPPED: u64 = 256 << 10;

/// Reads the answer to one request.
#[derive(Debug)]
pub struct Answer {
    http: http::Decoder,
    content: Content,
}
/// How an answer came to its end.
#[derive(Debug)]
pub enum Ending {
    /// The answer is complete.
    Complete,
    /// The connection was closed by the server.
    Closed,
    /// It could not go on.
    Failed(Failure),
}

impl Answer {
    /// Nothing yet. `keep_gaps` says whether `itl_ms` is wanted.
    pub fn new(keep_gaps: bool) -> Self {
        let chunks = Chunks {
            gaps: keep_gaps.then(Vec::new),
            ..Chunks::default()
        };
        Self {
            http: http::Decoder::default(),
            content: Content {
                chunks,
                ..Content::default()
            },
        }
    }

    /// Read `bytes`, which came at `now`. Returns how many of them were of
    /// this answer.
    ///
    /// # Errors
    /// When they are no HTTP; then the answer has ended.
    pub fn feed(&mut self, bytes: &[u8], now: Micros) -> Result<usize, Failure> {
        let content = &mut self.content;
        let fed = self.http.feed(bytes, |part| match part {
            Part::Head(head) => content.begin(head),
            Part::Body(body) => content.read(body, now),
        });
        fed.map_err(|malformed| Failure {
            kind: ErrorKind::Stream,
            message: malformed.to_string(),
        })
    }

    /// Whether HTTP says that the answer is complete.
    pub fn is_complete(&self) -> bool {
        self.http.is_done()
    }

    /// Whether `[DONE]` has come, which nothing follows.
    pub fn is_done(&self) -> bool {
        self.content.done
    }

    /// Whether the rest of a refusal is longer than its connection is worth.
    pub fn is_tedious(&self) -> bool {
        matches!(self.content.body, Body::Refusal(_)) && self.http.body_bytes() > MAX_SKIPPED
    }

    /// Whether nothing at all has come.
    pub fn is_untouched(&self) -> bool {
        self.content.status.is_none() && self.http.end() == End::BeforeHead
    }

    /// Whether the connection may carry another request, once this is complete.
    pub fn keep_alive(&self) -> bool {
        self.content.keep_alive
    }

    /// What happened, for a request sent at `sent` whose end came at `ended`:
    /// everything that an answer can tell.
    ///
    /// `latency_ms` of a failed request is the time until it was known to have
    /// failed.
    pub fn outcome(self, ending: Ending, sent: Micros, ended: Micros) -> Outcome {
        let end = self.http.end();
        let mut content = self.content;
        let intact = match &ending {
            Ending::Complete => true,
            Ending::Closed => end == End::ToEnd,
            Ending::Failed(_) => false,
        };
        content.finish(ended, intact);
        let failure = content.failure.take().or(match ending {
            Ending::Complete => content.half.take().map(|half| Failure {
                kind: ErrorKind::Content,
                message: half,
            }),
            _ if content.done => None,
            Ending::Failed(failure) => Some(failure),
            Ending::Closed => match end {
                End::ToEnd if content.finished => None,
                End::BeforeHead if content.status.is_none() => {
                    Some(stream("the connection was closed before an answer"))
                }
                End::ToEnd => Some(stream(
                    "the connection ended, and neither [DONE] nor a finish reason had come",
                )),
                _ => Some(stream(&format!(
                    "the connection was cut after {} chunks",
                    content.chunks.count
                ))),
            },
        });
        let silent = !content.has_output && content.usage.output.unwrap_or_default() == 0;
        let empty = || Failure {
            kind: ErrorKind::Empty,
            message: "a complete answer without any output".to_owned(),
        };
        let error = failure.or_else(|| silent.then(empty));

        let Chunks {
            count,
            first,
            first_content,
            last,
            gaps,
        } = content.chunks;
        let since_sent = |time: Option<Micros>| time.map(|time| time.saturating_sub(sent));
        let usage = content.usage;
        let streamed = count > 0;
        let (output_tokens, token_source) = match usage.output {
            Some(tokens) => (Some(tokens), Some(TokenSource::Usage)),
            None if streamed => (Some(count), Some(TokenSource::Chunks)),
            None => (None, usage.input.map(|_| TokenSource::Usage)),
        };
        let per_token = || {
            let gaps = output_tokens?.checked_sub(1).filter(|&gaps| gaps > 0)?;
            let span = last?.saturating_sub(first?).as_micros();
            Some(Micros::from_micros((span + gaps / 2) / gaps))
        };
        Outcome {
            ttft_ms: since_sent(first),
            first_content_ms: since_sent(first_content.filter(|_| first_content != first)),
            last_token_ms: since_sent(last),
            latency_ms: Some(ended.saturating_sub(sent)),
            tpot_ms: per_token(),
            itl_ms: gaps.filter(|_| streamed),
            input_tokens: usage.input,
            cached_tokens: usage.cached,
            output_tokens,
            token_source,
            chunks: streamed.then_some(count),
            status: content.status,
            error,
            ..Outcome::default()
        }
    }
}
fn stream(message: &str) -> Failure {
    Failure {
        kind: ErrorKind::Stream,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

    /// The outcome of pieces that come 10 ms apart, sent at 5 ms and closed
    /// by the server 10 ms after the last unless complete.
    fn outcome(pieces: &[&str]) -> Outcome {
        let mut answer = Answer::new(true);
        let mut now = Micros::from_micros(5_000);
        let sent = now;
        for piece in pieces {
            now += Micros::from_micros(10_000);
            if let Err(failure) = answer.feed(piece.as_bytes(), now) {
                return answer.outcome(Ending::Failed(failure), sent, now);
            }
            if answer.is_complete() {
                return answer.outcome(Ending::Complete, sent, now);
            }
        }
        answer.outcome(Ending::Closed, sent, now + Micros::from_micros(10_000))
    }

    /// `pieces` as chunks of one stream, the last of which ends it.
    fn streamed(pieces: &[&str]) -> Outcome {
        let head = format!("{SSE}transfer-encoding: chunked\r\n\r\n");
        let mut parts = vec![head];
        parts.extend(
            pieces
                .iter()
                .map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())),
        );
        parts.push("0\r\n\r\n".to_owned());
        outcome(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn ms(micros: Option<Micros>) -> Option<f64> {
        micros.map(Micros::as_millis)
    }

    fn error(outcome: &Outcome) -> Option<(ErrorKind, &str)> {
        outcome
            .error
            .as_ref()
            .map(|failure| (failure.kind, failure.message.as_str()))
    }

    const ROLE: &str =
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n\n";
    const THINK: &str = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
    const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
    const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n";
    const DONE: &str = "data: [DONE]\n\n";

    #[test]
    fn times_are_those_of_the_chunks_with_output() {
        let outcome = streamed(&[ROLE, THINK, WORD, WORD, USAGE, DONE]);
        assert_eq!(error(&outcome), None);
        assert_eq!(ms(outcome.ttft_ms), Some(30.0));
        assert_eq!(ms(outcome.first_content_ms), Some(40.0));
        assert_eq!(ms(outcome.last_token_ms), Some(50.0));
        assert_eq!(ms(outcome.latency_ms), Some(80.0));
        assert_eq!(outcome.itl_ms, Some(vec![Micros::from_micros(10_000); 2]));
        assert_eq!(ms(outcome.tpot_ms), Some(5.0), "20 ms over five tokens");
        assert_eq!(
            (
                outcome.input_tokens,
                outcome.cached_tokens,
                outcome.output_tokens
            ),
            (Some(7), Some(4), Some(5))
        );
        assert_eq!(
            (outcome.chunks, outcome.token_source, outcome.status),
            (Some(3), Some(TokenSource::Usage), Some(200))
        );
    }

    #[test]
    fn without_usage_chunks_are_the_tokens() {
        let outcome = streamed(&[WORD, WORD, WORD, DONE]);
        assert_eq!(
            (outcome.output_tokens, outcome.token_source),
            (Some(3), Some(TokenSource::Chunks))
        );
        assert_eq!(outcome.first_content_ms, None, "it does not differ");
        assert_eq!(ms(outcome.tpot_ms), Some(10.0));
    }

    #[test]
    fn chunks_in_one_read_are_zero_apart() {
        let outcome = streamed(&[&[WORD, WORD].concat(), DONE]);
        assert_eq!(outcome.itl_ms, Some(vec![Micros::ZERO]));
        assert_eq!(ms(outcome.tpot_ms), Some(0.0));
    }

    #[test]
    fn a_single_token_has_no_time_per_token() {
        let outcome = streamed(&[WORD, DONE]);
        assert_eq!((outcome.tpot_ms, outcome.itl_ms), (None, Some(vec![])));
    }

    #[test]
    fn a_missing_done_is_no_error_when_http_is_complete() {
        assert_eq!(error(&streamed(&[WORD])), None);
        assert_eq!(error(&streamed(&[WORD.trim_end()])), None);
    }

    #[test]
    fn a_cut_is_an_error_unless_done_had_come() {
        let head = format!("{SSE}content-length: 1000\r\n\r\n");
        assert_eq!(
            error(&outcome(&[&head, WORD])),
            Some((ErrorKind::Stream, "the connection was cut after 1 chunks"))
        );
        assert_eq!(error(&outcome(&[&head, WORD, DONE])), None);
        assert_eq!(
            error(&outcome(&["HTTP/1."])),
            Some((ErrorKind::Stream, "the connection was cut after 0 chunks"))
        );
        let message = "the connection was closed before an answer";
        assert_eq!(error(&outcome(&[])), Some((ErrorKind::Stream, message)));
    }

    #[test]
    fn without_a_length_the_stream_itself_must_tell_its_end() {
        let head = format!("{SSE}connection: close\r\n\r\n");
        let finish = "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\n";
        assert_eq!(
            outcome(&[&head, WORD]).error.unwrap().kind,
            ErrorKind::Stream
        );
        assert_eq!(error(&outcome(&[&head, WORD, finish])), None);
        assert_eq!(error(&outcome(&[&head, WORD, DONE])), None);
    }

    #[test]
    fn a_status_decides_before_anything_else() {
        let refused = outcome(&[
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 30\r\n\r\n{\"error\":{\"message\":\"no way\"}}",
        ]);
        assert_eq!(
            error(&refused),
            Some((ErrorKind::Http, "status 400: no way"))
        );
        assert_eq!(refused.status, Some(400));
        let bare = outcome(&["HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n"]);
        assert_eq!(error(&bare), Some((ErrorKind::Http, "status 503")));
    }

    #[test]
    fn html_is_no_answer() {
        let page = outcome(&[
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
        ]);
        assert_eq!(
            error(&page),
            Some((
                ErrorKind::Content,
                "content type text/html, expected text/event-stream or JSON"
            ))
        );
    }

    #[test]
    fn a_stream_without_output_is_empty() {
        assert_eq!(
            streamed(&[ROLE, DONE]).error.unwrap().kind,
            ErrorKind::Empty
        );
        assert_eq!(streamed(&[]).error.unwrap().kind, ErrorKind::Empty);
        assert_eq!(
            error(&streamed(&[USAGE, DONE])),
            None,
            "five tokens without text are no silence"
        );
    }

    #[test]
    fn an_error_half_way_keeps_what_was_measured() {
        let broken = streamed(&[
            WORD,
            "data: {\"error\":{\"message\":\"out of memory\"}}\n\n",
        ]);
        assert_eq!(error(&broken), Some((ErrorKind::Stream, "out of memory")));
        assert_eq!(ms(broken.ttft_ms), Some(20.0));
        let named = streamed(&["event: error\ndata: {\"message\":\"boom\"}\n\n"]);
        assert_eq!(error(&named), Some((ErrorKind::Stream, "boom")));
        assert_eq!(
            streamed(&["data: {\n\n"]).error.unwrap().kind,
            ErrorKind::Stream
        );
    }

    #[test]
    fn a_whole_answer_has_a_latency_only() {
        let body = r#"{"choices":[{"text":"a b","finish_reason":"stop"}],"usage":{"completion_tokens":2,"prompt_tokens":1}}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let whole = outcome(&[&head, body]);
        assert_eq!(error(&whole), None);
        assert_eq!(
            (whole.ttft_ms, whole.chunks, whole.itl_ms),
            (None, None, None)
        );
        assert_eq!(
            (ms(whole.latency_ms), whole.output_tokens),
            (Some(20.0), Some(2))
        );
        let cut = outcome(&[&head, &body[..40]]);
        assert_eq!(cut.error.unwrap().kind, ErrorKind::Stream);
        let short =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n{";
        assert_eq!(outcome(&[short]).error.unwrap().kind, ErrorKind::Content);
        let open = "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n";
        assert_eq!(error(&outcome(&[open, body])), None);
        assert_eq!(
            outcome(&[open, "oops"]).error.unwrap().kind,
            ErrorKind::Content
        );
    }

    #[test]
    fn lines_of_json_are_a_stream_too() {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n";
        let lines = outcome(&[
            head,
            "{\"response\":\"a\"}\n{\"respo",
            "nse\":\"b\"}\n",
            "{\"done\":true,\"eval_count\":2}",
        ]);
        assert_eq!(error(&lines), None);
        assert_eq!(
            (ms(lines.ttft_ms), lines.chunks, lines.output_tokens),
            (Some(20.0), Some(2), Some(2))
        );
    }

    #[test]
    fn what_is_no_http_is_a_broken_stream() {
        assert_eq!(
            outcome(&["hello\r\n\r\n"]).error.unwrap().kind,
            ErrorKind::Stream
        );
    }

    /// Every piece an answer is made of, and some that do not belong.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            SSE,
            "\r\n",
            "transfer-encoding: chunked\r\n",
            "content-length: 300\r\n",
            "HTTP/1.1 500 Oops\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n",
            "50\r\n",
            ROLE,
            THINK,
            WORD,
            USAGE,
            DONE,
            "0\r\n\r\n",
            "\u{0}\u{fffd}",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_have_one_outcome(bytes in pieces(), size in 1..50_usize) {
            let outcome = |size: usize| {
                let mut answer = Answer::new(false);
                let ending = bytes.chunks(size).find_map(|piece| match answer.feed(piece, Micros::ZERO) {
                    Ok(_) => answer.is_complete().then_some(Ending::Complete),
                    Err(failure) => Some(Ending::Failed(failure)),
                });
                answer.outcome(ending.unwrap_or(Ending::Closed), Micros::ZERO, Micros::ZERO)
            };
            prop_assert_eq!(outcome(size), outcome(usize::MAX));
        }
    }
}
