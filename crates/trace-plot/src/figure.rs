//! What a picture shows, before anybody decides on pixels.
//!
//! A kind of plot makes a [`Figure`] out of what it counted; drawing needs
//! nothing else. So the numbers in a picture can be tested without looking at
//! one, and other ways to show it need not know how they were counted.

use crate::{axis::Axis, theme::Ink};

/// One plot with its axes and words.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What is shown, in a few words.
    pub title: String,
    /// The numbers a reader wants first, in one sentence below the title.
    pub facts: String,
    /// What the picture leaves out, or how to read it, below it.
    pub notes: Vec<String>,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, from back to front.
    pub layers: Vec<Layer>,
    /// What the colours and dashes mean; empty when there is one series.
    pub legend: Vec<Entry>,
}

/// One thing drawn in one colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its colour.
    pub ink: Ink,
    /// Its form.
    pub shape: Shape,
}

/// The form of a layer, in the values of the axes.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Points in the order of x, joined by straight lines.
    Line {
        /// The points.
        points: Vec<(f64, f64)>,
        /// Dashed, for the lesser of two lines of one colour.
        dashed: bool,
    },
    /// The area between points, in the order of x, and zero.
    Area(Vec<(f64, f64)>),
    /// Rectangles.
    Bars(Vec<Bar>),
}

/// A rectangle of a bar chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Its left and right ends.
    pub x: (f64, f64),
    /// Its lower and upper ends.
    pub y: (f64, f64),
    /// Paler than others: it does not show what the axis says at its place.
    pub pale: bool,
}

/// A line of the legend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it stands for.
    pub label: String,
    /// The colour.
    pub ink: Ink,
    /// How the colour is shown.
    pub mark: Mark,
}

/// The sample in front of a legend's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A piece of line.
    Line,
    /// A piece of dashed line.
    Dashed,
    /// A filled square.
    Block,
}
