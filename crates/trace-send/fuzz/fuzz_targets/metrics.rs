//! Any text is a page of metrics, be it an empty one, and a quantile of any
//! buckets is one of their bounds' making.
//!
//! `cd crates/trace-send && cargo +nightly fuzz run metrics`

#![no_main]

use libfuzzer_sys::fuzz_target;
use trace_send::exposition::{Page, quantile};

fuzz_target!(|bytes: &[u8]| {
    let page = Page::parse(&String::from_utf8_lossy(bytes));
    let mut buckets: Vec<_> = page
        .samples
        .iter()
        .map(|sample| {
            let (family, _) = page.family(&sample.name);
            assert!(sample.name.starts_with(family));
            (sample.value, sample.value.abs())
        })
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    for q in [0.0, 0.5, 0.99, 1.0] {
        let _ = quantile(&buckets, q);
    }
});
