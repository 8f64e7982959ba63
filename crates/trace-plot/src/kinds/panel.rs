//! Panels over an axis of time, one above the other in several kinds.

use crate::{
    axis::{Axis, Quantity},
    figure::{Figure, Layer, Shape},
    grid::{Grid, Step, corners},
    group::Series,
    per::Per,
};

/// A panel of these layers over the time of `grid`, which says no more than its
/// title.
pub(super) fn panel(title: &str, grid: &Grid, y: Axis, layers: Vec<Layer>) -> Figure {
    Figure {
        title: title.to_owned(),
        facts: String::new(),
        notes: Vec::new(),
        x: grid.axis(),
        y,
        layers,
        legend: Vec::new(),
    }
}

/// The line of each of `series`, over its area if it is alone, the first on top;
/// and the highest value of any.
pub(super) fn courses(series: &[Series], lines: Vec<Vec<(f64, f64)>>) -> (Vec<Layer>, f64) {
    let heights = lines.iter().flatten().map(|point| point.1);
    let peak = heights.fold(0.0, f64::max);
    let mut layers = Vec::new();
    for (one, points) in series.iter().zip(lines).rev() {
        if series.len() == 1 {
            layers.push(Layer::of(one.ink, Shape::Area(points.clone())));
        }
        layers.push(Layer::line(one.ink, points));
    }
    (layers, peak)
}

/// How many of `what` there are in a time, as `amount` counts them, of each of
/// `series`; the first lies on top.
pub(super) fn rates<C>(
    (title, what): (&str, &str),
    grid: &Grid,
    series: &[Series],
    steps: &[Vec<Step<C>>],
    amount: impl Fn(&C) -> u64,
) -> Figure {
    let rate = |step: &Step<C>| amount(&step.cell) as f64 / (step.to - step.from) as f64;
    let peak = steps.iter().flatten().map(rate).fold(0.0, f64::max);
    let per = Per::fitting(peak);
    let lines = steps.iter();
    let lines = lines.map(|steps| corners(steps, |step| rate(step) * per.us));
    let (layers, _) = courses(series, lines.collect());
    let name = format!("{what}/{}", per.name);
    let y = Axis::from_zero(name, Quantity::Number, peak * per.us);
    panel(title, grid, y, layers)
}
