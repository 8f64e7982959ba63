use crate::harness::{Mock, number, requests, send};
use trace_core::{Micros, TokenSource};

/// What cannot be otherwise, whatever the machine does meanwhile: an answer
/// is not received before it was sent.
#[test]
fn outcomes_agree_with_what_the_server_saw() {
    for (endpoint, path) in [
        ("completions", "/v1/completions"),
        ("chat", "/v1/chat/completions"),
    ] {
        let mock = Mock::start(20, 2);
        let input: String = (0..20)
            .map(|i| format!("{{\"timestamp\":{},\"input_length\":{},\"output_length\":{},\"tag\":[{i} ]}}\n", i * 7, 10 + i, 2 + i % 5))
            .collect();
        let ran = send(
            &["--url", &format!("{}{path}", mock.url()), "--model", "q"],
            &input,
        );
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let (lines, records) = (ran.lines(), mock.finish());
        assert_eq!((lines.len(), records.len()), (20, 20), "{endpoint}");
        for (i, (line, (seq, record))) in lines.iter().zip(&records).enumerate() {
            let outcome = line.outcome().unwrap().unwrap();
            assert_eq!((outcome.seq, *seq), (Some(i as u64), i as u64));
            assert_eq!(outcome.error, None);
            assert_eq!(
                line.raw("tag"),
                Some(format!("[{i} ]").as_bytes()),
                "unknown fields pass through"
            );
            assert_eq!(outcome.scheduled_ms, line.request.timestamp);
            assert_eq!(record.request.model.as_deref(), Some("q"));
            assert_eq!(record.request.output_length, line.request.output_length);
            assert_eq!(
                (outcome.output_tokens, outcome.chunks),
                (record.request.output_length, record.request.output_length)
            );
            assert_eq!(
                (outcome.input_tokens, line.request.input_length),
                (record.request.input_length, record.request.input_length)
            );
            assert_eq!(
                (outcome.token_source, outcome.status),
                (Some(TokenSource::Usage), Some(200))
            );
            let ms = |time: Option<Micros>| time.unwrap().as_millis();
            // A microsecond for the rounding of either side.
            assert!(
                ms(outcome.ttft_ms) + 0.001 >= number(record, "first_byte_ms"),
                "{i}"
            );
            assert!(
                ms(outcome.latency_ms) + 0.001 >= number(record, "last_byte_ms"),
                "{i}"
            );
            assert!(
                outcome.ttft_ms <= outcome.last_token_ms
                    && outcome.last_token_ms <= outcome.latency_ms
            );
            assert!(outcome.sent_ms >= outcome.due_ms && outcome.due_ms == outcome.scheduled_ms);
            let gaps = outcome.itl_ms.unwrap();
            let span: u64 = gaps.iter().map(|gap| gap.as_micros()).sum();
            assert_eq!(
                span,
                outcome.last_token_ms.unwrap().as_micros() - outcome.ttft_ms.unwrap().as_micros()
            );
            assert_eq!(gaps.len() as u64 + 1, outcome.chunks.unwrap());
        }
    }
}

#[test]
fn whole_answers_have_a_latency_and_no_first_token() {
    let mock = Mock::start(5, 1);
    let ran = send(&["--url", &mock.url(), "--no-stream"], &requests(3));
    for outcome in ran.outcomes() {
        assert_eq!(
            (outcome.error, outcome.ttft_ms, outcome.chunks),
            (None, None, None)
        );
        assert_eq!(outcome.output_tokens, Some(4));
        assert!(outcome.latency_ms.is_some());
    }
    assert_eq!(mock.finish().len(), 3);
}

#[test]
fn closed_loop_keeps_its_concurrency_and_ignores_times() {
    let mock = Mock::start(5, 1);
    let input =
        "{\"timestamp\":99999999,\"input_length\":3,\"output_length\":2}\n{\"input_length\":3}\n"
            .repeat(20);
    let ran = send(
        &["--url", &mock.url(), "--concurrency", "4", "--no-itl"],
        &input,
    );
    assert_eq!(ran.kinds(), ["ok"; 40], "{}", ran.stderr);
    assert!(
        ran.outcomes()
            .iter()
            .all(|outcome| outcome.itl_ms.is_none() && outcome.queue_ms == Some(Micros::ZERO))
    );
    assert_eq!(most_at_once(mock), 4);
}

#[test]
fn a_cap_queues_and_says_so() {
    let mock = Mock::start(10, 0);
    let ran = send(
        &["--url", &mock.url(), "--max-concurrency", "2"],
        &requests(8),
    );
    let outcomes = ran.outcomes();
    assert_eq!(outcomes.len(), 8);
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.scheduled_ms == Some(Micros::ZERO))
    );
    let queued = outcomes
        .iter()
        .filter(|outcome| outcome.queue_ms > Some(Micros::ZERO))
        .count();
    assert_eq!(queued, 6);
    assert_eq!(most_at_once(mock), 2);
}

/// The most requests that were being answered at any time.
fn most_at_once(mock: Mock) -> i32 {
    let records = mock.finish();
    let mut events: Vec<(u64, i32)> = records
        .iter()
        .flat_map(|(_, record)| {
            let begin = record.request.timestamp.unwrap().as_micros();
            let length = (number(record, "last_byte_ms") * 1_000.0) as u64;
            [(begin, 1), (begin + length, -1)]
        })
        .collect();
    events.sort_unstable();
    let mut now = 0;
    events
        .iter()
        .map(|&(_, change)| {
            now += change;
            now
        })
        .max()
        .unwrap()
}

#[test]
fn turns_of_a_session_wait_for_each_other_and_their_delay() {
    let mock = Mock::start(10, 0);
    let turn = |session: &str, at: &str| {
        format!(
            "{{{at}\"input_length\":3,\"output_length\":1,\"session_id\":{session},\"delay\":5}}\n"
        )
    };
    let first = "\"timestamp\":0,";
    let input = [
        turn("1", first),
        turn("\"a\"", first),
        turn("1", ""),
        turn("1", first),
        turn("\"a\"", ""),
    ]
    .concat();
    let ran = send(&["--url", &mock.url()], &input);
    assert_eq!(ran.kinds(), ["ok"; 5], "{}", ran.stderr);
    let outcomes = ran.outcomes();
    for (before, after) in [(0, 2), (2, 3), (1, 4)] {
        let (before, after) = (&outcomes[before], &outcomes[after]);
        let end = before.sent_ms.unwrap() + before.latency_ms.unwrap();
        assert_eq!(
            after.scheduled_ms,
            Some(end + Micros::from_micros(5_000)),
            "end of the turn before plus delay"
        );
    }
    assert_eq!(mock.finish().len(), 5);
}

#[test]
fn speed_divides_times_and_the_schedule_says_so() {
    let mock = Mock::start(0, 0);
    let input = "{\"timestamp\":1000,\"input_length\":3}\n{\"input_length\":4}\n{\"timestamp\":1500,\"input_length\":3}\n";
    let ran = send(
        &["--url", &mock.url(), "--speed", "100", "--align-first"],
        input,
    );
    let times: Vec<_> = ran
        .outcomes()
        .iter()
        .map(|outcome| outcome.scheduled_ms.unwrap().as_micros())
        .collect();
    assert_eq!(times, [0, 0, 5_000]);
}

#[test]
fn equal_ids_share_their_text_and_others_do_not() {
    let prompts = prompts(
        &["--block-size", "4"],
        "{\"input_length\":6,\"hash_ids\":[1,2]}\n{\"input_length\":7,\"hash_ids\":[1,3]}\n{\"input_length\":7}\n",
    );
    let words = |i: usize| prompts[i].split_ascii_whitespace().collect::<Vec<_>>();
    assert_eq!((words(0).len(), words(1).len(), words(2).len()), (6, 7, 7));
    assert_eq!(words(0)[..4], words(1)[..4]);
    assert_ne!(words(0)[4..], words(1)[4..6]);
    assert_ne!(words(1), words(2));
}

/// The prompts a server is sent for `input`, in its order.
fn prompts(flags: &[&str], input: &str) -> Vec<String> {
    use crate::harness::{read_request, response, server};
    use std::io::Write;
    use std::sync::mpsc;
    #[derive(serde::Deserialize)]
    struct Body {
        prompt: String,
    }
    let (seen, prompts) = mpsc::channel();
    let address = server(move |_, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            let (_, body) = request.split_once("\r\n\r\n").unwrap();
            let Body { prompt } = serde_json::from_str(body).unwrap();
            seen.send(prompt).unwrap();
            stream
                .write_all(
                    response(
                        "200 OK",
                        "application/json",
                        "{\"choices\":[{\"text\":\"a\"}]}",
                    )
                    .as_bytes(),
                )
                .unwrap();
        }
    });
    let url = format!("http://{address}");
    let ran = send(
        &[
            &["--url", &url, "--model", "m", "--concurrency", "1"],
            flags,
        ]
        .concat(),
        input,
    );
    assert!(
        ran.kinds().iter().all(|&kind| kind == "ok"),
        "{}",
        ran.stdout
    );
    prompts.try_iter().collect()
}

#[test]
fn outcomes_can_be_sent_again() {
    let mock = Mock::start(0, 0);
    let first = send(
        &["--url", &mock.url(), "--concurrency", "3"],
        &requests(9).replace("}", ",\"x\":1}"),
    );
    let again = send(&["--url", &mock.url(), "--concurrency", "3"], &first.stdout);
    assert_eq!(again.kinds(), ["ok"; 9], "{}", again.stderr);
    let line = String::from_utf8(again.lines()[0].request_bytes()).unwrap();
    assert_eq!(
        line,
        "{\"timestamp\":0,\"input_length\":3,\"output_length\":4,\"x\":1}"
    );
    assert_eq!(
        again.stdout.lines().next().unwrap().matches("seq").count(),
        1
    );
}

#[test]
fn the_mock_inside_needs_no_server() {
    let ran = send(
        &[
            "--url",
            "mock:?ttft=2ms&tokens=3",
            "--endpoint-type",
            "chat",
        ],
        "{\"timestamp\":0,\"input_length\":3}\n",
    );
    assert_eq!(ran.outcomes()[0].output_tokens, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("the mock inside"), "{}", ran.stderr);
}
