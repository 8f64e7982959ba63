//! Distributions of several groups as bars that stand on one another, so that
//! their tops show the whole.

use crate::{
    axis::{Axis, Quantity, Scale},
    distribution::{self, Distribution, PerGroup},
    edges::Edges,
    figure::{Bar, Layer, Shape},
    group::Series,
    kinds::Spacing,
    number,
};

/// The bars of a picture and the axes they stand between.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// All groups together.
    pub all: Distribution,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The bars, group upon group.
    pub layers: Vec<Layer>,
    /// What the last bar holds, if it stands for all beyond.
    pub note: Option<String>,
}

impl Histogram {
    /// The bars of `series`, over an axis called `title` of that `quantity`;
    /// nothing if there is no value.
    pub fn of(
        values: &PerGroup,
        series: &[Series],
        spacing: Spacing,
        (title, quantity): (&str, Quantity),
    ) -> Option<Self> {
        let all = values.all();
        let counts = all.counts();
        let (low, high) = distribution::range(&counts)?;
        let (edges, x) = if spacing.is_log(low, high) {
            logarithmic(&counts, title, quantity)
        } else {
            linear(&counts, title, quantity)
        };
        let heights = edges.heights(&counts);
        let mut base = vec![0; heights.len()];
        let mut layers = Vec::new();
        for one in series {
            let heights = edges.heights(&values.together(&one.groups).counts());
            layers.push(Layer::of(
                one.ink,
                Shape::Bars(bars(&edges, &base, &heights)),
            ));
            base.iter_mut()
                .zip(heights)
                .for_each(|(base, height)| *base += height);
        }
        let written = |value: f64| match quantity {
            Quantity::Duration => number::duration(value),
            _ => number::exact(value as u64),
        };
        let beyond = heights.last().filter(|_| edges.beyond);
        let zeros = counts.iter().find(|(value, _)| *value == 0.0);
        let zeros = zeros.filter(|_| x.scale == Scale::Log).map(|(_, zeros)| {
            format!(
                "{} of zero drawn at the left edge",
                number::counted(*zeros, "request")
            )
        });
        let note = beyond.map(|&beyond| {
            format!(
                "the pale bar at the right holds {} of {} or more, up to {}",
                number::counted(beyond, "request"),
                written(ends(&edges).1),
                written(counts[counts.len() - 1].0)
            )
        });
        let tallest = heights.iter().copied().max().unwrap_or(0);
        Some(Self {
            all,
            x,
            y: Axis::from_zero("requests", Quantity::Count, tallest as f64),
            layers,
            note: note.or(zeros),
        })
    }
}

fn logarithmic(counts: &[(f64, u64)], title: &str, quantity: Quantity) -> (Edges, Axis) {
    let mut edges = Edges::log(counts);
    if quantity == Quantity::Count {
        edges = edges.whole();
    }
    let (from, to) = ends(&edges);
    let axis = Axis {
        scale: Scale::Log,
        ..Axis::exact(title, quantity, from, to)
    };
    (edges, axis)
}

fn linear(counts: &[(f64, u64)], title: &str, quantity: Quantity) -> (Edges, Axis) {
    let edges = Edges::linear(counts);
    let (from, to) = ends(&edges);
    let width = edges.edges[1] - edges.edges[0];
    // a lone bar is not stretched over the whole picture
    let margin = if edges.edges.len() < 8 { 4.0 } else { 1.0 } * width;
    let room = if edges.beyond { 2.5 * width } else { margin };
    let mut axis = Axis::exact(title, quantity, (from - margin).max(0.0), to + room);
    if edges.beyond {
        axis.labelled_to = to;
    }
    (edges, axis)
}

fn ends(edges: &Edges) -> (f64, f64) {
    (edges.edges[0], edges.edges[edges.edges.len() - 1])
}

/// Bars of `heights` standing on `base`.
fn bars(edges: &Edges, base: &[u64], heights: &[u64]) -> Vec<Bar> {
    let (_, end) = ends(edges);
    let width = edges.edges[1] - edges.edges[0];
    let bounds = edges.edges.windows(2).map(|pair| (pair[0], pair[1], false));
    let beyond = edges
        .beyond
        .then_some((end + 0.75 * width, end + 1.75 * width, true));
    let each = bounds.chain(beyond).zip(base.iter().zip(heights));
    each.filter(|(_, (_, height))| **height > 0)
        .map(|((left, right, pale), (&base, &height))| Bar {
            x: (left, right),
            y: (base as f64, (base + height) as f64),
            pale,
        })
        .collect()
}
