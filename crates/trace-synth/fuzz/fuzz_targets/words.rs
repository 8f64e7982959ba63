//! Any word after a flag makes a trace, or is refused in one line; curves,
//! distributions, times, prefixes alike.
//!
//! `cd crates/trace-synth && cargo +nightly fuzz run words`
//!
//! The first byte chooses the flag, the rest is its value.
#![no_main]

use clap::Parser;
use libfuzzer_sys::fuzz_target;
use trace_synth::{Args, Row};

const FLAGS: [&str; 16] = [
    "rate --duration 1h --rate",
    "rate --requests 20 --rate",
    "rate --rate 5 --duration",
    "rate --rate 5 --requests 20 --arrival",
    "rate --rate 5 --requests 20 --input-length",
    "rate --rate 5 --requests 20 --output-length",
    "rate --rate 5 --requests 20 --prefixes",
    "rate --rate 5 --requests 20 --prompt-words",
    "rate --rate 5 --requests 20 --sessions",
    "rate --rate 5 --requests 20 --sessions geometric:4 --think-time",
    "rate --rate 5 --requests 20 --sessions geometric:4 --service-time",
    "rate --rate 5 --requests 20 --tools 3 --tool-latency",
    "sine --duration 10 --rate",
    "pattern --traffic",
    "pattern --prompt-len",
    "pattern --noise",
];

/// More rows than this show nothing new.
const ROWS: usize = 50;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, value)) = bytes.split_first() else {
        return;
    };
    let Ok(value) = std::str::from_utf8(value) else {
        return;
    };
    // Files are another matter, and /dev has some that never end; what errors
    // show of control characters is decided where they are printed.
    if value.contains(|c: char| c == '/' || c.is_control()) {
        return;
    }
    let flags = FLAGS[usize::from(*choice) % FLAGS.len()].split_whitespace();
    let words = ["trace-synth"].into_iter().chain(flags).chain([value]);
    let args = match Args::try_parse_from(words) {
        Ok(args) => args,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    match args.command.requests() {
        Ok(mut requests) => {
            let mut row = Row::default();
            let mut last = None;
            for _ in 0..ROWS {
                if !requests.fill(&mut row) {
                    break;
                }
                assert!(row.request.timestamp >= last, "{value}: out of order");
                last = row.request.timestamp;
            }
        }
        Err(error) => assert!(!format!("{error:#}").contains('\n'), "{error:#}"),
    }
});
