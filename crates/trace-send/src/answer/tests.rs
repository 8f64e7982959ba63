use super::*;
use proptest::prelude::*;

const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

fn outcome(pieces: &[&str]) -> Outcome {
    read(pieces.iter().map(|piece| piece.as_bytes()))
}

/// The outcome of pieces that come 10 ms apart, sent at 5 ms and closed
/// by the server 10 ms after the last unless complete.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut answer = Answer::new(Wanted::default());
    let mut now = Micros::from_micros(5_000);
    let sent = now;
    for piece in pieces {
        now += Micros::from_micros(10_000);
        if let Err(failure) = answer.feed(piece, now) {
            return answer.end(Ending::Failed(failure), sent, now).0;
        }
        if answer.is_complete() {
            return answer.end(Ending::Complete, sent, now).0;
        }
    }
    let ended = now + Micros::from_micros(10_000);
    answer.end(Ending::Closed, sent, ended).0
}

fn error(outcome: &Outcome) -> Option<(ErrorKind, &str)> {
    outcome
        .error
        .as_ref()
        .map(|failure| (failure.kind, failure.message.as_str()))
}

const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[test]
fn a_stream_in_chunks_has_the_times_of_its_pieces() {
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let head = format!("{SSE}transfer-encoding: chunked\r\n\r\n");
    let last = format!("{}0\r\n\r\nHTTP/1.1", chunk(DONE));
    let read = outcome(&[&head, &chunk(WORD), &chunk(WORD), &last]);
    assert_eq!(error(&read), None);
    let ms = |time: Option<Micros>| time.map(Micros::as_millis);
    assert_eq!(
        (
            ms(read.ttft_ms),
            ms(read.last_token_ms),
            ms(read.latency_ms)
        ),
        (Some(20.0), Some(30.0), Some(40.0))
    );
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
fn a_body_that_is_packed_is_said_to_be() {
    let packed = format!("{SSE}content-encoding: gzip\r\n\r\n\u{1f}\u{8b}");
    let packed = outcome(&[&packed]);
    let said = "content-encoding gzip, which was not asked for";
    assert_eq!(error(&packed), Some((ErrorKind::Content, said)));
}

#[test]
fn two_lengths_are_no_http() {
    let whole = [WORD, DONE].concat();
    let twice = |other: u32| {
        let lengths = format!("content-length: {other}\r\ncontent-length: {}", whole.len());
        outcome(&[&format!("{SSE}{lengths}\r\n\r\n{whole}")])
    };
    let length = u32::try_from(whole.len()).unwrap();
    assert_eq!(error(&twice(length)), None);
    let said = "not an HTTP response: it has two lengths";
    assert_eq!(error(&twice(5)), Some((ErrorKind::Stream, said)));
}

#[test]
fn what_is_no_http_is_a_broken_stream() {
    let failure = outcome(&["hello\r\n\r\n"]).error.unwrap();
    assert_eq!(failure.kind, ErrorKind::Stream);
}

#[test]
fn a_long_refusal_is_not_worth_its_connection() {
    let mut answer = Answer::new(Wanted::default());
    let head = b"HTTP/1.1 500 Oops\r\nkeep-alive: timeout=3\r\ncontent-length: 9999999\r\n\r\n";
    answer.feed(head, Micros::ZERO).unwrap();
    assert!(answer.keep_alive() && answer.keep_for().is_some() && !answer.is_tedious());
    let piece = [b'x'; 64 << 10];
    assert!((0..9).any(|_| answer.feed(&piece, Micros::ZERO).is_err() || answer.is_tedious()));
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
        WORD,
        DONE,
        "0\r\n\r\n",
        "\u{0}\u{fffd}",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_have_one_outcome(bytes in pieces(), size in 1..50_usize) {
        let timeless = |size: usize| {
            let mut read = read(bytes.chunks(size));
            (read.ttft_ms, read.last_token_ms, read.latency_ms, read.tpot_ms) = Default::default();
            read
        };
        prop_assert_eq!(timeless(size), timeless(usize::MAX));
    }
}
