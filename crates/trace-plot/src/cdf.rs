//! The curve of a cumulative distribution.

use crate::{axis::Axis, distribution::Distribution, figure::Layer, theme::Ink};

/// The shares of requests that took up to each value of `x`, as a line.
///
/// Where all failed, the curve never leaves zero; what never arrives keeps it
/// level up to the edge of the picture.
pub fn curve(distribution: &Distribution, x: &Axis, ink: Ink, dashed: bool) -> Layer {
    let mut points = distribution.cumulative();
    if points.is_empty() {
        points.push((x.from, 0.0));
    }
    points.extend(points.last().map(|&(_, share)| (x.to.max(x.from), share)));
    if dashed {
        Layer::dashes(ink, points)
    } else {
        Layer::line(ink, points)
    }
}
