//! Curves of hit rates on a plot.

use anyhow::{Result, bail};
use trace_stats::cache::{Curve, capacity::ladder};

use crate::{
    axis::{Axis, Quantity},
    figure::{Entry, Figure, Layer, Mark, Shape},
    theme::Ink,
};

/// Capacities of a curve that is drawn, for each factor of ten.
const PER_DECADE: u32 = 40;

/// One curve of a picture.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) ink: Ink,
    pub(super) label: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) dashed: bool,
}

impl Drawn {
    /// Of a curve, by block or by token, which is dashed.
    pub(super) fn of(curve: &Curve, ink: Ink, label: &str, by_token: bool) -> Self {
        let capacities = ladder(curve.saturation(), PER_DECADE);
        let points = capacities.into_iter().filter_map(|blocks| {
            let rate = curve.at(blocks);
            let rate = if by_token {
                rate.token_hit_rate
            } else {
                rate.hit_rate
            };
            Some((blocks as f64, rate?))
        });
        Self {
            ink,
            label: label.to_owned(),
            points: points.collect(),
            dashed: by_token,
        }
    }
}

/// The figure of these curves.
pub(super) fn assemble(
    title: String,
    facts: String,
    notes: Vec<String>,
    mut curves: Vec<Drawn>,
) -> Result<Figure> {
    curves.retain(|curve| !curve.points.is_empty());
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let ends = points().fold((f64::INFINITY, 0.0), |(least, most), &(x, _)| {
        (x.min(least), x.max(most))
    });
    let highest = points().map(|&(_, rate)| rate).fold(0.0, f64::max);
    if curves.is_empty() {
        bail!("nothing to draw: no curve has a point");
    }
    let x = Axis::log("capacity in blocks", Quantity::Count, ends, 1.0);
    let entry = |curve: &Drawn| Entry {
        label: curve.label.clone(),
        ink: curve.ink,
        mark: if curve.dashed {
            Mark::Dashed
        } else {
            Mark::Line
        },
    };
    let legend = match curves.as_slice() {
        [_] => Vec::new(),
        several => several.iter().map(entry).collect(),
    };
    let layer = |curve: Drawn| {
        let mut points = curve.points;
        // Nothing more is found, up to the edge of the picture.
        points.extend(points.last().map(|&(_, rate)| (x.to, rate)));
        Layer {
            ink: curve.ink,
            shape: Shape::Line {
                points,
                dashed: curve.dashed,
            },
        }
    };
    Ok(Figure {
        title,
        facts,
        notes,
        layers: curves.into_iter().rev().map(layer).collect(),
        legend,
        y: Axis::from_zero("hit rate", Quantity::Share, highest),
        x,
    })
}

/// The lines of a figure, the first curve first.
#[cfg(test)]
pub(super) fn lines(figure: &Figure) -> Vec<Vec<(f64, f64)>> {
    let lines = figure
        .layers
        .iter()
        .rev()
        .filter_map(|layer| match &layer.shape {
            Shape::Line { points, .. } => Some(points.clone()),
            _ => None,
        });
    lines.collect()
}
