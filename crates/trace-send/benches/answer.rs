//! What reading an answer costs, the socket left out.

use divan::counter::ItemsCount;
use trace_core::Micros;
use trace_core::answer::{Ending, Wanted};
use trace_send::answer::Answer;

fn main() {
    divan::main();
}

/// An answer of 16 tokens, each a chunk and a read of its own.
#[divan::bench]
fn stream_of_16_tokens(bencher: divan::Bencher<'_, '_>) {
    let event = |data: &str| format!("{:x}\r\ndata: {data}\n\n\r\n", data.len() + 8);
    let word = r#"{"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,"text":" word","logprobs":null,"finish_reason":null}]}"#;
    let usage =
        r#"{"choices":[],"usage":{"prompt_tokens":32,"completion_tokens":16,"total_tokens":48}}"#;
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut pieces = vec![head.to_owned()];
    pieces.extend(std::iter::repeat_n(event(word), 16));
    pieces.push(event(usage));
    pieces.push(format!("{}0\r\n\r\n", event("[DONE]")));
    bencher.counter(ItemsCount::new(16_usize)).bench_local(|| {
        let mut answer = Answer::new(Wanted {
            gaps: true,
            ..Wanted::default()
        });
        for (i, piece) in pieces.iter().enumerate() {
            let now = Micros::from_micros(i as u64);
            answer
                .feed(divan::black_box(piece.as_bytes()), now)
                .expect("it is an answer");
        }
        let (outcome, _) = answer.end(Ending::Complete, Micros::ZERO, Micros::from_micros(20));
        assert_eq!((outcome.chunks, outcome.error.as_ref()), (Some(16), None));
        outcome
    });
}
