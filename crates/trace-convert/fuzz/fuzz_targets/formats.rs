//! Any bytes are converted, or refused with a reason; never a panic, and what
//! was written is a trace that reads back.
//!
//! `cd crates/trace-convert && cargo +nightly fuzz run formats`
//!
//! The first byte chooses the flags, the rest is the file. Files of the tests
//! and of a folder of excerpts make a good corpus, with a byte put before.
#![no_main]

use clap::Parser;
use libfuzzer_sys::fuzz_target;
use trace_convert::{Args, Input, Report};
use trace_core::{Line, Reader};

/// Words are counted fastest; a row of a table may ask for eight million.
const FLAGS: [&str; 12] = [
    "",
    "--skip-invalid",
    "--skip-invalid --repair=order,lengths,units --failed tag",
    "--skip-invalid --block-size 16 --relabel --speed 3 --zero",
    "--skip-invalid --count --repeat 2 --scale-input 0.3",
    "--skip-invalid --clip --max-input-length 40 --sample 0.5 --render",
    "--skip-invalid --ungroup-interval 3s --group-interval 1s --from-time 1s",
    "--skip-invalid --to aiperf",
    "--skip-invalid --to aibrix",
    "--skip-invalid --to sharegpt",
    "--skip-invalid --to prompts",
    "--skip-invalid --to csv",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, file)) = bytes.split_first() else {
        return;
    };
    let flags = FLAGS[usize::from(*choice) % FLAGS.len()];
    let words = ["trace-convert", "--tokenizer", "words"].into_iter();
    let args = Args::parse_from(words.chain(flags.split_whitespace()));
    let (mut out, mut report) = (Vec::new(), Report::default());
    let done = trace_convert::run(&args, vec![Input::text("fuzz", file)], &mut out, &mut report);
    assert!(done.is_ok() || !format!("{:#}", done.unwrap_err()).is_empty());
    if args.to != "mooncake" {
        return;
    }
    let mut reader = Reader::new("out", &out[..]);
    let mut line = Line::default();
    let mut lines = 0;
    while reader.read(&mut line).expect("what was written reads back") {
        lines += 1;
    }
    assert_eq!(lines, report.written);
});
