//! What can be drawn of the levels of a sweep.

use super::levels::Level;
use crate::axis::Quantity;

/// A measure of a level, if it has one.
pub(super) type Measure = fn(&Level) -> Option<f64>;

/// One figure: a measure over concurrency or rate.
pub(super) struct View {
    /// What is shown.
    pub(super) title: &'static str,
    /// The vertical axis.
    pub(super) axis: &'static str,
    /// What its values are.
    pub(super) quantity: Quantity,
    /// What is drawn, and what it is called where there are two.
    pub(super) solid: (&'static str, Measure),
    /// What is drawn dashed.
    pub(super) dashed: Option<(&'static str, Measure)>,
    /// Whether it means nothing without limits to keep.
    pub(super) needs_slo: bool,
}

pub(super) const TTFT: View = View {
    title: "Time to first token",
    axis: "TTFT",
    quantity: Quantity::Duration,
    solid: ("p50", |level| level.ttft.spread().p50),
    dashed: Some(("p99", |level| level.ttft.spread().p99)),
    needs_slo: false,
};

pub(super) const TTFT_MEAN: View = View {
    title: "Mean time to first token",
    axis: "mean TTFT",
    solid: ("mean", |level| level.ttft.spread().mean),
    dashed: None,
    ..TTFT
};

pub(super) const ITL: View = View {
    title: "Inter-token latency (TPOT)",
    axis: "inter-token latency",
    solid: ("p50", |level| level.tpot.spread().p50),
    dashed: Some(("p99", |level| level.tpot.spread().p99)),
    ..TTFT
};

pub(super) const ITL_P50: View = View {
    title: "Median inter-token latency (TPOT)",
    axis: "p50 inter-token latency",
    dashed: None,
    ..ITL
};

pub(super) const ITL_MEAN: View = View {
    title: "Mean inter-token latency (TPOT)",
    axis: "mean inter-token latency",
    solid: ("mean", |level| level.tpot.spread().mean),
    dashed: None,
    ..ITL
};

pub(super) const LATENCY: View = View {
    title: "Latency",
    axis: "latency, from the send",
    solid: ("p50", |level| level.latency.spread().p50),
    dashed: Some(("p99", |level| level.latency.spread().p99)),
    ..TTFT
};

pub(super) const THROUGHPUT: View = View {
    title: "Throughput",
    axis: "requests answered/s",
    quantity: Quantity::Number,
    solid: ("answered", |level| level.per_second(level.succeeded)),
    dashed: None,
    needs_slo: false,
};

pub(super) const GOODPUT: View = View {
    title: "Goodput",
    axis: "requests/s",
    solid: ("good", |level| level.per_second(level.good)),
    dashed: Some(("answered", |level| level.per_second(level.succeeded))),
    needs_slo: true,
    ..THROUGHPUT
};

pub(super) const OUTPUT: View = View {
    title: "Output tokens a second",
    axis: "output tokens/s",
    solid: ("output", |level| {
        level
            .per_second(level.output_tokens)
            .filter(|rate| *rate > 0.0)
    }),
    ..THROUGHPUT
};
