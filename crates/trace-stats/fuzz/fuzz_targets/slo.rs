//! Any file is one of objectives, or is refused by name, line and column.
//!
//! `cd crates/trace-stats && cargo +nightly fuzz run slo`
#![no_main]

use clap::Parser;
use libfuzzer_sys::fuzz_target;
use trace_stats::Args;

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("fuzz-slo-{}.yaml", std::process::id()));
    std::fs::write(&path, bytes).expect("there is room");
    let name = path.to_str().expect("UTF-8");
    let args = Args::parse_from(["trace-stats", "--slo-file", name]);
    if let Err(error) = args.slo.slo() {
        let words = format!("{error:#}");
        let place = words
            .strip_prefix(name)
            .unwrap_or_else(|| panic!("no name: {words}"));
        assert!(place.starts_with(':') && !words.contains('\n'), "{words}");
    }
});
