//! Any bytes are read, or refused with a place; never a panic, and nothing
//! that was read changes when it is written and read again.
//!
//! `cd crates/trace-core && cargo +nightly fuzz run reader`
#![no_main]

use libfuzzer_sys::fuzz_target;
use trace_core::{Error, Field, Line, Reader, Writer};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new("fuzz", bytes);
    let mut line = Line::default();
    loop {
        match reader.read(&mut line) {
            Ok(false) | Err(Error::Read { .. } | Error::Open { .. }) => break,
            Err(Error::Line(error)) => assert!(error.line > 0 && error.column > 0),
            Ok(true) => look_into(&line),
        }
    }
});

fn look_into(line: &Line) {
    let _ = line.outcome();
    let mut written = Vec::new();
    Writer::new(&mut written)
        .write(&line.request)
        .expect("memory takes all");
    let again = Reader::new("again", &written[..])
        .next()
        .expect("a line")
        .expect("what was written reads back");
    assert_eq!(
        format!("{:?}", again.request),
        format!("{:?}", line.request)
    );

    let kept = line.request_bytes();
    let kept = Line::parse(
        "kept",
        std::str::from_utf8(&kept).expect("UTF-8 in, UTF-8 out"),
    )
    .expect("still a request");
    assert!(!kept.is_outcome());
    assert_eq!(format!("{:?}", kept.request), format!("{:?}", line.request));

    let mut changed = line.clone();
    changed.set(Field::Timestamp, b"1.5").expect("a timestamp");
    changed.set(Field::HashIds, b"[1,2,3]").expect("ids");
    let text = std::str::from_utf8(changed.bytes()).expect("UTF-8 in, UTF-8 out");
    let changed_again = Line::parse("changed", text).expect("still a request");
    assert_eq!(
        format!("{:?}", changed_again.request),
        format!("{:?}", changed.request)
    );
}
