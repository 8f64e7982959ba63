//! How often values fell into each bucket.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Upper ends of vLLM's buckets, in seconds: of first tokens, of gaps, of whole answers.
pub(super) const FIRST: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
];
pub(super) const NEXT: &[f64] = &[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0,
    40.0, 80.0,
];
pub(super) const WHOLE: &[f64] = &[
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
    480.0, 960.0, 1920.0, 7680.0,
];

/// Of tokens: vLLM's 1, 2, 5 and so on, which it ends at the length of the context.
pub(super) const TOKENS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5,
    5e5, 1e6,
];

/// Of answers to one prompt.
pub(super) const CHOICES: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0];

/// How often values fell into each bucket.
#[derive(Debug)]
pub(super) struct Histogram {
    ends: &'static [f64],
    /// One per bucket, and one for what is beyond them all.
    counts: Vec<AtomicU64>,
    /// In millionths.
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn new(ends: &'static [f64]) -> Histogram {
        Histogram {
            ends,
            counts: (0..=ends.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    pub(super) fn observe(&self, value: f64, times: u64) {
        let bucket = self.ends.partition_point(|end| *end < value);
        self.counts[bucket].fetch_add(times, Ordering::Relaxed);
        // The cast saturates.
        let millionths = (value * 1e6) as u64;
        self.sum
            .fetch_add(millionths.saturating_mul(times), Ordering::Relaxed);
    }

    pub(super) fn push(&self, name: &str, labels: &str, out: &mut String) {
        let mut count = 0;
        for (at, bucket) in self.counts.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            let _ = match self.ends.get(at) {
                Some(end) => writeln!(out, "{name}_bucket{{{labels},le=\"{end:?}\"}} {count}"),
                None => writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}"),
            };
        }
        let sum = self.sum.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(
            out,
            "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}"
        );
    }
}
