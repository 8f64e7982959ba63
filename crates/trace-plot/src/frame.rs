//! The plot itself: a rectangle in pixels, and the axes that span it.

use crate::{axis::Axis, thin::thin};

/// Where values lie on a canvas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    pub(crate) x: &'a Axis,
    pub(crate) y: &'a Axis,
}

impl Frame<'_> {
    pub(crate) fn across(&self, value: f64) -> f64 {
        self.left + self.x.position(value) * (self.right - self.left)
    }

    pub(crate) fn up(&self, value: f64) -> f64 {
        self.bottom - self.y.position(value) * (self.bottom - self.top)
    }

    pub(crate) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.across(x), self.up(y))
    }

    /// The points of a line in pixels, without those nobody can see.
    pub(crate) fn seen(&self, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let points: Vec<(f64, f64)> = points.iter().map(|&point| self.at(point)).collect();
        thin(&points, 1.0)
    }

    /// The point where the lower edge is below `at`.
    pub(crate) fn below(&self, at: (f64, f64)) -> (f64, f64) {
        (at.0, self.bottom)
    }
}

/// The middle of the pixel at `at`, where a line one pixel wide is sharp.
pub(crate) fn crisp(at: f64) -> f64 {
    at.floor() + 0.5
}
