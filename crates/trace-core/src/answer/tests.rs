use super::content::UNFINISHED;
use super::*;
use crate::outcome::{ErrorKind, Outcome, TokenSource};
use crate::time::Micros;
use proptest::prelude::*;

const EVENTS: &str = "text/event-stream";
const LINES: &str = "application/x-ndjson";
const JSON: &str = "application/json";

fn after(ms: u64) -> Micros {
    Micros::from_micros(1_000 * ms)
}

/// What `pieces` of an answer of type `media` come to, which come 10 ms apart
/// from when it was sent, and end 10 ms behind the last.
fn read(media: &str, pieces: &[&str], ending: Ending) -> (Outcome, Spoken) {
    let mut answer = Content::new(Wanted {
        gaps: true,
        text: Text::Counting,
        ..Wanted::default()
    });
    answer.begin(&Head {
        status: 200,
        media,
        ..Head::default()
    });
    let mut now = after(5);
    for piece in pieces {
        now += after(10);
        answer.read(piece.as_bytes(), now);
    }
    answer.end(ending, after(5), now + after(10))
}

/// That of a stream which HTTP knows to be complete.
fn streamed(pieces: &[&str]) -> Outcome {
    read(EVENTS, pieces, Ending::Complete).0
}

/// That of a stream which is closed.
fn closed(pieces: &[&str]) -> Outcome {
    read(EVENTS, pieces, Ending::Closed).0
}

/// That of a whole answer.
fn whole(body: &str, ending: Ending) -> Outcome {
    read(JSON, &[body], ending).0
}

fn broken(kind: ErrorKind) -> Ending {
    Ending::Failed(Failure {
        kind,
        message: "it broke".to_owned(),
    })
}

fn ms(micros: Option<Micros>) -> Option<f64> {
    micros.map(Micros::as_millis)
}

fn error(outcome: &Outcome) -> Option<(ErrorKind, &str)> {
    let error = outcome.error.as_ref();
    error.map(|failure| (failure.kind, failure.message.as_str()))
}

fn kind(outcome: &Outcome) -> Option<ErrorKind> {
    error(outcome).map(|(kind, _)| kind)
}

const ROLE: &str =
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n\n";
const THINK: &str = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const FINISH: &str = "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[test]
fn times_are_those_of_the_chunks_with_output() {
    let outcome = streamed(&[ROLE, THINK, WORD, WORD, USAGE, DONE]);
    assert_eq!(error(&outcome), None);
    assert_eq!(ms(outcome.ttft_ms), Some(20.0));
    assert_eq!(ms(outcome.first_content_ms), Some(30.0));
    assert_eq!(ms(outcome.last_token_ms), Some(40.0));
    assert_eq!(ms(outcome.latency_ms), Some(70.0));
    assert_eq!(outcome.itl_ms, Some(vec![after(10); 2]));
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
fn a_stream_ends_with_a_word_of_it_behind_its_last_output() {
    let counting = "data: {\"choices\":[{\"text\":\"a\"}],\"usage\":{\"completion_tokens\":1}}\n\n";
    let started = "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n";
    let stopped = "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n";
    let words: [&[&str]; 6] = [
        &[WORD, FINISH],
        &[WORD, FINISH.trim_end()],
        &[WORD, USAGE],
        &[WORD, FINISH, USAGE],
        &[WORD, FINISH, WORD, FINISH],
        &[started, WORD, stopped],
    ];
    for pieces in words {
        assert_eq!(error(&streamed(pieces)), None, "{pieces:?}");
        assert_eq!(error(&closed(pieces)), None, "{pieces:?}");
    }
    // What a proxy makes of a server that died behind it.
    let words: [&[&str]; 5] = [
        &[WORD, WORD],
        &[counting, counting],
        &[WORD, FINISH, WORD],
        &[started],
        &[started, WORD],
    ];
    for pieces in words {
        let (cut, closed) = (streamed(pieces), closed(pieces));
        assert_eq!(error(&cut), Some((ErrorKind::Stream, UNFINISHED)));
        assert_eq!(error(&closed), Some((ErrorKind::Stream, UNFINISHED)));
        assert_eq!(cut.chunks, closed.chunks);
    }
}

#[test]
fn what_fails_after_done_had_come_does_not_matter() {
    for kind in [ErrorKind::Stream, ErrorKind::Timeout, ErrorKind::Cancelled] {
        let cut = read(EVENTS, &[WORD, "data: {\"cho"], broken(kind)).0;
        assert_eq!(error(&cut), Some((kind, "it broke")));
        assert_eq!(cut.chunks, Some(1));
        let done = read(EVENTS, &[WORD, DONE], broken(kind)).0;
        assert_eq!(error(&done), None);
    }
}

#[test]
fn a_status_decides_before_anything_else() {
    let refused = |status, body: &str| {
        let mut answer = Content::default();
        answer.begin(&Head {
            status,
            media: JSON,
            location: Some("/there"),
            ..Head::default()
        });
        answer.read(body.as_bytes(), Micros::ZERO);
        let outcome = answer.end(Ending::Complete, Micros::ZERO, Micros::ZERO).0;
        assert_eq!(outcome.status, Some(status));
        let failure = outcome.error.unwrap();
        assert_eq!(failure.kind, ErrorKind::Http);
        failure.message
    };
    let json = "{\"error\":{\"message\":\"no way\"}}";
    assert_eq!(refused(400, json), "status 400: no way");
    assert_eq!(refused(503, ""), "status 503");
    assert_eq!(refused(304, ""), "status 304", "it need not be a redirect");
    assert_eq!(
        refused(307, json),
        "status 307: a redirect to \"/there\", which is not followed"
    );
}

#[test]
fn what_is_no_answer_by_its_head_is_not_read() {
    let outcome = |media, encoding, silent| {
        let mut answer = Content::new(Wanted {
            silent,
            ..Wanted::default()
        });
        answer.begin(&Head {
            status: 200,
            media,
            encoding,
            location: None,
        });
        answer.read(b"\x1f\x8b", Micros::ZERO);
        answer.end(Ending::Complete, Micros::ZERO, Micros::ZERO).0
    };
    for (media, encoding, said) in [
        (
            "text/html",
            None,
            "content type text/html, expected text/event-stream or JSON",
        ),
        (
            "",
            None,
            "no content type, expected text/event-stream or JSON",
        ),
        (
            EVENTS,
            Some("gzip"),
            "content-encoding gzip, which was not asked for",
        ),
    ] {
        let read = outcome(media, encoding, false);
        assert_eq!(error(&read), Some((ErrorKind::Content, said)));
    }
    assert_eq!(error(&outcome("text/html", None, true)), None);
}

#[test]
fn media_types_may_have_capitals_and_parameters() {
    let spelled = read(
        "Text/Event-Stream; charset=utf-8",
        &[WORD, DONE],
        Ending::Complete,
    )
    .0;
    assert_eq!((error(&spelled), spelled.chunks), (None, Some(1)));
}

#[test]
fn a_stream_without_output_is_empty() {
    assert_eq!(kind(&streamed(&[ROLE, DONE])), Some(ErrorKind::Empty));
    assert_eq!(kind(&streamed(&[])), Some(ErrorKind::Empty));
    let counted = streamed(&[USAGE, DONE]);
    assert_eq!(
        error(&counted),
        None,
        "five tokens without text are no silence"
    );
    let silent = streamed(&[": nothing\nid: 1\nretry: 2\n\n"]);
    assert_eq!(kind(&silent), Some(ErrorKind::Empty));
}

#[test]
fn an_error_half_way_keeps_what_was_measured() {
    let broken = streamed(&[
        WORD,
        "data: {\"error\":{\"message\":\"out of memory\"}}\n\n",
    ]);
    assert_eq!(error(&broken), Some((ErrorKind::Stream, "out of memory")));
    assert_eq!(ms(broken.ttft_ms), Some(10.0));
    for (data, said) in [("{\"message\":\"boom\"}", "boom"), ("gone", "gone")] {
        let named = streamed(&[WORD, "event: error\ndata: ", data, "\n\n"]);
        assert_eq!(error(&named), Some((ErrorKind::Stream, said)));
    }
    for bad in ["{", "7", "{\"choices\":[{\"te"] {
        let bad = streamed(&[WORD, "data: ", bad]);
        assert_eq!(kind(&bad), Some(ErrorKind::Stream));
    }
}

#[test]
fn a_whole_answer_has_a_latency_only() {
    let body = r#"{"choices":[{"text":"a b","finish_reason":"stop"}],"usage":{"completion_tokens":2,"prompt_tokens":1}}"#;
    for ending in [Ending::Complete, Ending::Closed] {
        let whole = whole(body, ending);
        assert_eq!(error(&whole), None);
        assert_eq!(
            (whole.ttft_ms, whole.chunks, whole.itl_ms),
            (None, None, None)
        );
        assert_eq!(
            (ms(whole.latency_ms), whole.output_tokens),
            (Some(20.0), Some(2))
        );
    }
}

#[test]
fn half_a_whole_answer_was_cut_unless_http_says_that_it_is_all() {
    let half = |ending| kind(&whole("{\"choices\":[{", ending));
    assert_eq!(half(Ending::Complete), Some(ErrorKind::Content));
    assert_eq!(half(Ending::Closed), Some(ErrorKind::Stream));
    let late = half(broken(ErrorKind::Timeout));
    assert_eq!(late, Some(ErrorKind::Timeout));
    let oops = |ending| kind(&whole("oops", ending));
    assert_eq!(oops(Ending::Complete), Some(ErrorKind::Content));
    assert_eq!(oops(Ending::Closed), Some(ErrorKind::Content));
    assert_eq!(oops(broken(ErrorKind::Stream)), Some(ErrorKind::Stream));
}

#[test]
fn nothing_counts_after_done_wherever_packets_end() {
    let after = format!("{DONE}{WORD}data: {{\"error\":\"late\"}}\n\ndata: {{");
    for pieces in [vec![WORD, &after], vec![WORD, DONE, WORD, WORD]] {
        let outcome = streamed(&pieces);
        assert_eq!((outcome.chunks, error(&outcome)), (Some(1), None));
    }
}

#[test]
fn what_is_no_stream_at_all_is_said_to_be() {
    let foreign = streamed(&["<html>\n<p>wel", "come"]);
    let said = "called text/event-stream, without an event in it";
    assert_eq!(error(&foreign), Some((ErrorKind::Content, said)));
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
    let mut answer = Content::new(Wanted {
        gaps: true,
        ..Wanted::default()
    });
    answer.begin(&Head {
        status: 200,
        media: EVENTS,
        ..Head::default()
    });
    let refused = (0..2 << 10).any(|_| {
        answer.read(words.as_bytes(), Micros::ZERO);
        answer.refused().is_some()
    });
    assert!(refused, "nobody reads on");
    let outcome = answer.end(Ending::Complete, Micros::ZERO, Micros::ZERO).0;
    let said = "a stream of more than 1048576 chunks";
    assert_eq!(error(&outcome), Some((ErrorKind::Content, said)));
    assert!(outcome.itl_ms.unwrap().len() < (1 << 20) + (1 << 10));
}

#[test]
fn lines_of_json_are_a_stream_too() {
    let pieces = [
        "{\"response\":\"a\"}\n{\"respo",
        "nse\":\"b\"}\n",
        "{\"done\":true,\"eval_count\":2}",
    ];
    let lines = read(LINES, &pieces, Ending::Closed).0;
    assert_eq!(error(&lines), None);
    assert_eq!(
        (ms(lines.ttft_ms), lines.chunks, lines.output_tokens),
        (Some(10.0), Some(2), Some(2))
    );
    let done = read(LINES, &["{\"response\":\"a\"}\n[DONE]\n"], Ending::Closed).0;
    assert_eq!((error(&done), done.chunks), (None, Some(1)));
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

#[test]
fn what_is_said_is_kept_apart_by_who_hears_it() {
    let call = "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}\n\n";
    let (outcome, spoken) = read(EVENTS, &[THINK, WORD, call, DONE], Ending::Complete);
    let parts = (&*spoken.thought, &*spoken.text, &*spoken.call);
    assert_eq!((outcome.chunks, parts), (Some(3), ("hm", "a", "f")));
    let (_, nothing) = read(
        JSON,
        &["{\"data\":[{\"embedding\":[1]}]}"],
        Ending::Complete,
    );
    assert!(nothing.more && nothing.bytes() == 0);
}

/// Every piece an answer is made of, whoever sends it, and some that do not
/// belong.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "\u{feff}",
        "\n",
        "\r\n",
        "\r",
        "data: ",
        "event: error\n",
        ": ping\n\n",
        "{\"error\":{\"message\":\"boom\"}}\n",
        "{\"response\":\"\u{e4}\",\"done\":false}\n",
        "{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]}}\n",
        "{\"response\":\"\",\"done\":true,\"prompt_eval_count\":5,\"eval_count\":7}\n",
        "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"\\ud83d\"}}\n",
        "{\"type\":\"response.output_text.delta\",\"delta\":\"ab\"}\n",
        "{\"token\":{\"text\":\" b\"},\"generated_text\":\" a b\",\"details\":{\"generated_tokens\":2}}\n",
        ROLE,
        THINK,
        WORD,
        FINISH,
        USAGE,
        DONE,
        "[DONE]\n",
        "\u{0}\u{fffd}",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_are_one_answer(
        bytes in prop_oneof![pieces(), prop::collection::vec(any::<u8>(), 0..200)],
        media in prop::sample::select(vec![EVENTS, LINES, JSON, "text/html"]),
        status in prop::sample::select(vec![200, 200, 200, 500]),
        way in 0..3,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let read = |parts: &mut dyn Iterator<Item = &[u8]>| {
            let mut answer = Content::new(Wanted { gaps: true, text: Text::History, silent: false });
            answer.begin(&Head { status, media, ..Head::default() });
            parts.for_each(|part| answer.read(part, Micros::ZERO));
            let ending = match way {
                0 => Ending::Complete,
                1 => Ending::Closed,
                _ => broken(ErrorKind::Stream),
            };
            answer.end(ending, Micros::ZERO, Micros::ZERO)
        };
        let whole = read(&mut [&bytes[..]].into_iter());
        let parts = read(&mut cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]));
        prop_assert_eq!(&parts, &whole);
        prop_assert_eq!(&read(&mut bytes.chunks(1)), &whole);
    }
}
