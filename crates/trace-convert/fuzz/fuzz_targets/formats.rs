//! Any bytes are converted, or refused with a reason; never a panic, and what
//! was written is a trace that reads back.
//!
//! `cd crates/trace-convert && cargo +nightly fuzz run formats`
//!
//! The first byte chooses the flags, the second the format, if it is not left
//! to be found out; the rest is the file. Files of the tests and of a folder of
//! excerpts make a good corpus, with two bytes put before.
#![no_main]

use clap::{CommandFactory, Parser};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
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

/// The values of `--from`.
static FORMATS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let command = Args::command();
    let mut flags = command.get_arguments();
    let from = flags.find(|flag| flag.get_id() == "from").expect("--from");
    let values = from.get_possible_values();
    values
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect()
});

fuzz_target!(|bytes: &[u8]| {
    let [choice, format, file @ ..] = bytes else {
        return;
    };
    let flags = FLAGS[usize::from(*choice) % FLAGS.len()];
    let format = &FORMATS[usize::from(*format) % FORMATS.len()];
    let words = ["trace-convert", "--tokenizer", "words", "--from", format].into_iter();
    let args = Args::parse_from(words.chain(flags.split_whitespace()));
    let (mut out, mut report) = (Vec::new(), Report::default());
    let done = trace_convert::run(
        &args,
        vec![Input::text("fuzz", file)],
        &mut out,
        &mut report,
    );
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
