//! Any line is a part of a count, or is refused with a reason and a column;
//! one that was taken reads back as it was written, adds up with itself, and
//! has a report.
//!
//! `cd crates/trace-stats && cargo +nightly fuzz run combine`
//!
//! What `trace-stats --partial` writes makes a good corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trace_core::Source;
use trace_stats::partial;

fuzz_target!(|bytes: &[u8]| {
    let collection = match partial::read(bytes) {
        Ok(collection) => collection,
        Err((column, reason)) => {
            assert!(column > 0 && !reason.is_empty());
            return;
        }
    };
    let mut written = Vec::new();
    partial::write(&collection, &mut written).expect("memory takes all");
    let again = partial::read(written.trim_ascii_end()).expect("what was written reads back");
    let mut twice = Vec::new();
    partial::write(&again, &mut twice).expect("memory takes all");
    assert_eq!(twice, written);
    let sources = [&written[..]; 2].map(|line| Source::stream("part", line));
    let sum = partial::combine(sources.into()).map(trace_stats::collection::Collection::report);
    if let Ok(Err(error)) | Err(error) = sum {
        assert!(!format!("{error:#}").is_empty());
    }
});
