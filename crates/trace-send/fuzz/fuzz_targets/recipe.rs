//! Any text is a recipe, or is refused with a reason; and what one comes to
//! is arguments, good or not.
//!
//! `cd crates/trace-send && cargo +nightly fuzz run recipe -- -close_fd_mask=2`
#![no_main]

use clap::Parser;
use libfuzzer_sys::fuzz_target;
use trace_send::Args;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match trace_send::stages(text) {
        Ok(stages) => {
            for arguments in stages {
                let words = ["trace-send".to_owned()].into_iter().chain(arguments);
                if let Err(error) = Args::try_parse_from(words) {
                    assert!(!error.to_string().is_empty());
                }
            }
        }
        Err(error) => assert!(!format!("{error:#}").is_empty()),
    }
});
