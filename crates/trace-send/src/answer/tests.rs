use super::*;
use proptest::prelude::*;

const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

/// The outcome of pieces that come 10 ms apart, sent at 5 ms and closed
/// by the server 10 ms after the last unless complete.
fn outcome(pieces: &[&str]) -> Outcome {
    let mut answer = Answer::new(Wanted {
        gaps: true,
        ..Wanted::default()
    });
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
fn a_missing_done_is_no_error_when_http_is_complete_and_the_answer_too() {
    let finish = "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\n";
    assert_eq!(error(&streamed(&[WORD, finish])), None);
    assert_eq!(error(&streamed(&[WORD, finish.trim_end()])), None);
    assert_eq!(error(&streamed(&[WORD, USAGE])), None);
    // What a proxy makes of a server that died behind it.
    let cut = streamed(&[WORD, WORD]);
    assert_eq!(error(&cut), Some((ErrorKind::Stream, UNFINISHED)));
    assert_eq!(cut.chunks, Some(2));
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
    let page =
        outcome(&["HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"]);
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
    let short = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n{";
    assert_eq!(outcome(&[short]).error.unwrap().kind, ErrorKind::Content);
    let open = "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n";
    assert_eq!(error(&outcome(&[open, body])), None);
    assert_eq!(
        outcome(&[open, "oops"]).error.unwrap().kind,
        ErrorKind::Content
    );
}

#[test]
fn nothing_counts_after_done_wherever_packets_end() {
    let after = format!("{DONE}{WORD}data: {{\"error\":\"late\"}}\n\n");
    for pieces in [vec![WORD, &after], vec![WORD, DONE, WORD, WORD]] {
        let outcome = streamed(&pieces);
        assert_eq!((outcome.chunks, error(&outcome)), (Some(1), None));
    }
}

#[test]
fn a_body_that_is_packed_or_no_stream_at_all_is_said_to_be() {
    let packed = format!("{SSE}content-encoding: gzip\r\n\r\n\u{1f}\u{8b}");
    let packed = outcome(&[&packed]);
    let said = "content-encoding gzip, which was not asked for";
    assert_eq!(error(&packed), Some((ErrorKind::Content, said)));
    let foreign = streamed(&["<html>\n<p>wel", "come"]);
    let said = "called text/event-stream, without an event in it";
    assert_eq!(error(&foreign), Some((ErrorKind::Content, said)));
    let silent = streamed(&[": nothing\nid: 1\nretry: 2\n\n"]);
    assert_eq!(error(&silent).unwrap().0, ErrorKind::Empty);
}

#[test]
fn half_a_character_is_output() {
    let half = |escape| format!("data: {{\"choices\":[{{\"text\":\"{escape}\"}}]}}\n\n");
    let outcome = streamed(&[&half("\\ud83d"), &half("\\ude00"), DONE]);
    assert_eq!((outcome.chunks, error(&outcome)), (Some(2), None));
}

#[test]
fn an_endless_stream_is_not_held() {
    let words = WORD.repeat(1 << 10);
    let mut answer = Answer::new(Wanted {
        gaps: true,
        ..Wanted::default()
    });
    let head = format!("{SSE}\r\n");
    answer.feed(head.as_bytes(), Micros::ZERO).unwrap();
    for _ in 0..2 << 10 {
        answer.feed(words.as_bytes(), Micros::ZERO).unwrap();
        if answer.is_tedious() {
            break;
        }
    }
    assert!(answer.is_tedious(), "its connection is not worth keeping");
    let outcome = answer.outcome(Ending::Complete, Micros::ZERO, Micros::ZERO);
    let said = "a stream of more than 1048576 chunks";
    assert_eq!(error(&outcome), Some((ErrorKind::Content, said)));
    assert!(outcome.itl_ms.unwrap().len() < (1 << 20) + (1 << 10));
}

#[test]
fn a_status_of_three_hundred_need_not_be_a_redirect() {
    let outcome = outcome(&["HTTP/1.1 304 Not Modified\r\n\r\n"]);
    assert_eq!(error(&outcome), Some((ErrorKind::Http, "status 304")));
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
            let mut answer = Answer::new(Wanted::default());
            let ending = bytes.chunks(size).find_map(|piece| match answer.feed(piece, Micros::ZERO) {
                Ok(_) => answer.is_complete().then_some(Ending::Complete),
                Err(failure) => Some(Ending::Failed(failure)),
            });
            answer.outcome(ending.unwrap_or(Ending::Closed), Micros::ZERO, Micros::ZERO)
        };
        prop_assert_eq!(outcome(size), outcome(usize::MAX));
    }
}

#[test]
fn reasoning_is_counted_apart_where_the_server_does() {
    let told = |reasoning: u32| {
        let usage = format!(
            "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":7,\"completion_tokens\":5,\"completion_tokens_details\":{{\"reasoning_tokens\":{reasoning}}}}}}}\n\n"
        );
        streamed(&[THINK, WORD, &usage, DONE]).reasoning_tokens
    };
    assert_eq!((told(3), told(0)), (Some(3), None));
}
