//! Any bytes in any pieces are an answer with one outcome: how they are cut
//! must not matter, and nothing may panic or grow without bound.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trace_core::answer::{Ending, Spoken, Text, Wanted};
use trace_core::{Micros, Outcome};
use trace_send::answer::Answer;
use trace_send::exposition::Page;

/// The outcome of `bytes`, `size` at a time.
fn outcome(bytes: &[u8], size: usize) -> (Outcome, Spoken) {
    let mut answer = Answer::new(Wanted {
        text: Text::History,
        ..Wanted::default()
    });
    let ending = bytes
        .chunks(size)
        .find_map(|piece| match answer.feed(piece, Micros::ZERO) {
            Ok(_) => answer.is_complete().then_some(Ending::Complete),
            Err(failure) => Some(Ending::Failed(failure)),
        });
    answer.end(ending.unwrap_or(Ending::Closed), Micros::ZERO, Micros::ZERO)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = outcome(bytes, usize::MAX);
    for size in [1, 2, 7] {
        assert_eq!(outcome(bytes, size), whole);
    }
    let streamed = [
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n",
        bytes,
    ]
    .concat();
    assert_eq!(outcome(&streamed, 3), outcome(&streamed, usize::MAX));
    let _ = Page::parse(&String::from_utf8_lossy(bytes));
});
