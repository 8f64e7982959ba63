//! Any two inputs are merged, or refused with a reason; nothing of a merge of
//! all is lost, and it is in order.
//!
//! `cd crates/trace-merge && cargo +nightly fuzz run inputs`
//!
//! The first byte chooses the flags; the inputs are parted by a line of `%`.
#![no_main]

use clap::Parser;
use libfuzzer_sys::fuzz_target;
use trace_core::{Line, Reader};
use trace_merge::{Args, Input};

const FLAGS: [&str; 8] = [
    "--sort",
    "--sort --shared-ids",
    "",
    "--concat --gap 10s",
    "--sort --speed 2 --offset 1=5s",
    "--sort --tag tenant=a --model m",
    "--outcomes",
    "--sort --sort-memory 1K",
];

fn trace(bytes: &[u8]) -> Option<Vec<Line>> {
    Reader::new("fuzz", bytes).collect::<Result<_, _>>().ok()
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let parts = bytes.windows(3).position(|part| part == b"\n%\n");
    let (first, second) = parts.map_or((bytes, &b""[..]), |at| (&bytes[..=at], &bytes[at + 3..]));
    let choice = usize::from(*choice) % FLAGS.len();
    let args = Args::parse_from(
        ["trace-merge"]
            .into_iter()
            .chain(FLAGS[choice].split_whitespace()),
    );
    let inputs = [("a", first), ("b", second)];
    let mut out = Vec::new();
    let done = trace_merge::run(
        &args,
        inputs
            .map(|(name, bytes)| Input::stream(name, bytes))
            .into(),
        &mut out,
        false,
    );
    assert!(done.is_ok() || !format!("{:#}", done.as_ref().unwrap_err()).is_empty());
    let whole = inputs.map(|(_, bytes)| trace(bytes));
    let (Ok(_), [Some(first), Some(second)], 0..=1) = (done, whole, choice) else {
        return;
    };
    let merged = trace(&out).expect("what was written reads back");
    assert_eq!(merged.len(), first.len() + second.len());
    assert!(
        merged
            .iter()
            .filter_map(|line| line.request.timestamp)
            .is_sorted()
    );
});
