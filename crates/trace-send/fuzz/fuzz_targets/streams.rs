//! Server-sent events and lines of JSON are the same however they are cut.
//!
//! `cd crates/trace-send && cargo +nightly fuzz run streams`

#![no_main]

use libfuzzer_sys::fuzz_target;
use trace_send::{event, ndjson, sse};

/// The name and the data of every event in `bytes`, `size` at a time.
fn events(bytes: &[u8], size: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut decoder = sse::Decoder::default();
    let mut all = Vec::new();
    let mut keep = |event: sse::Event<'_>| all.push((event.name.to_vec(), event.data.to_vec()));
    for piece in bytes.chunks(size) {
        decoder.feed(piece, &mut keep).expect("it is short");
    }
    decoder.finish(&mut keep).expect("it is short");
    all
}

/// Every line in `bytes`, `size` at a time.
fn lines(bytes: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut decoder = ndjson::Decoder::default();
    let mut all = Vec::new();
    let mut keep = |line: &[u8]| all.push(line.to_vec());
    for piece in bytes.chunks(size) {
        decoder.feed(piece, &mut keep).expect("it is short");
    }
    decoder.finish(&mut keep);
    all
}

fuzz_target!(|bytes: &[u8]| {
    let (whole_events, whole_lines) = (events(bytes, usize::MAX), lines(bytes, usize::MAX));
    for size in [1, 2, 7] {
        assert_eq!(events(bytes, size), whole_events, "in pieces of {size}");
        assert_eq!(lines(bytes, size), whole_lines, "in pieces of {size}");
    }
    for json in whole_events
        .iter()
        .map(|(_, data)| data)
        .chain(&whole_lines)
    {
        let kept = event::Event::parse(json, true);
        assert_eq!(kept.is_ok(), event::Event::parse(json, false).is_ok());
        let said = event::error_message(json);
        assert!(!said.contains(['\n', '\r']), "{said:?}");
    }
});
