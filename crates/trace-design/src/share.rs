//! What one model will come to: requests counted as they are made.

use crate::window::Window;
use serde::Serialize;
use trace_synth::{Requests, Row};

/// Requests of each model whose lengths an estimate is made from.
const SAMPLE: u64 = 20_000;

/// Arrivals that are shown of each model.
pub(crate) const MOST_SHOWN: usize = 2_000;

/// How many requests are counted between two looks at whether to go on.
pub(crate) const LOOK: u64 = 1 << 12;

/// What one model will come to, or all.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Share<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    pub requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// Highest rate as it is drawn, requests per second.
    pub peak: f64,
    /// Requests over the whole time, per second.
    pub mean: f64,
    /// Some arrivals in what is looked at, evenly thinned.
    pub arrivals: Vec<f64>,
    /// Every how many an arrival is shown.
    #[serde(skip)]
    pub stride: u64,
    /// Arrivals in each part of what is looked at.
    pub bins: Vec<f64>,
    /// Arrivals in all of them.
    #[serde(skip)]
    pub inside: u64,
}

impl Share<'_> {
    /// Count a request, and when it comes if that is within `window`.
    pub(crate) fn add(&mut self, row: &Row, window: Window) {
        self.count(row);
        let at = row.request.timestamp.unwrap_or_default().as_millis();
        let Some(bin) = window.bin(at, self.bins.len()) else {
            return;
        };
        self.bins[bin] += 1.0;
        if self.inside.is_multiple_of(self.stride) {
            self.arrivals.push(at);
            if self.arrivals.len() > MOST_SHOWN {
                let mut place = 0;
                self.arrivals.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.stride *= 2;
            }
        }
        self.inside += 1;
    }

    fn count(&mut self, row: &Row) {
        self.requests += 1;
        let (input, output) = (row.request.input_length, row.request.output_length);
        self.input_tokens = self.input_tokens.saturating_add(input.unwrap_or_default());
        self.output_tokens = self
            .output_tokens
            .saturating_add(output.unwrap_or_default());
    }

    /// Count the first requests of `trace`. False if it became `stale`.
    pub(crate) fn sample(&mut self, trace: &mut dyn Requests, stale: &dyn Fn() -> bool) -> bool {
        let mut row = Row::default();
        while self.requests < SAMPLE && trace.fill(&mut row) {
            self.count(&row);
            if self.requests.is_multiple_of(LOOK) && stale() {
                return false;
            }
        }
        true
    }

    /// `expected` requests, as long as those that were counted, and `drawn` of
    /// them in each bin.
    pub(crate) fn expect(&mut self, expected: f64, drawn: Vec<f64>) {
        let scale = expected / self.requests.max(1) as f64;
        let scaled = |tokens: u64| (tokens as f64 * scale).round() as u64;
        self.input_tokens = scaled(self.input_tokens);
        self.output_tokens = scaled(self.output_tokens);
        self.requests = expected.round() as u64;
        self.bins = drawn;
    }
}
