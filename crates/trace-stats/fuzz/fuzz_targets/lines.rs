//! Any lines have statistics, or are refused with a reason; and those of the
//! whole are those of two parts of it, added up.
//!
//! `cd crates/trace-stats && cargo +nightly fuzz run lines`
//!
//! The first byte chooses the flags, the rest is the trace.
#![no_main]

use clap::Parser;
use libfuzzer_sys::fuzz_target;
use trace_core::{Reader, Source};
use trace_stats::Args;

const FLAGS: [&str; 9] = [
    "--format json",
    "--format json --successes-only --block-size 16",
    "--format json --by model,session_id --slo ttft_ms=500",
    "--format json --by turn,input_length-bucket --max-groups 3",
    "--format csv --by status",
    "--format prometheus",
    "--format json --window 1s..5s --slo-clock scheduled --slo latency_ms=1000",
    "--assert latency_ms.p99<5000 --assert error_rate<1%",
    "--format markdown --quantiles 25,99.9",
];

fn counted(flags: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let args = Args::parse_from(["trace-stats"].into_iter().chain(flags.split_whitespace()));
    let mut reader = Reader::new("fuzz", bytes).skip_invalid(true);
    let mut out = Vec::new();
    let done = trace_stats::run(&args, &mut reader, &mut out, std::io::sink());
    if let Err(error) = &done {
        assert!(!format!("{error:#}").is_empty());
    }
    done.ok().map(|_| out)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, trace)) = bytes.split_first() else {
        return;
    };
    let _ = counted(FLAGS[usize::from(*choice) % FLAGS.len()], trace);
    // A part read back is the part.
    let Some(part) = counted("--partial", trace) else {
        return;
    };
    let args = Args::parse_from(["trace-stats", "--partial"]);
    let mut again = Vec::new();
    let sources = vec![Source::stream("part", &part[..])];
    trace_stats::combine(&args, sources, &mut again, std::io::sink())
        .expect("what was written adds up");
    assert_eq!(
        String::from_utf8_lossy(&again),
        String::from_utf8_lossy(&part)
    );
});
