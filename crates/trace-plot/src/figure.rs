//! What a picture shows, before anybody decides on pixels.
//!
//! A kind of plot makes a [`Figure`] out of what it counted; drawing needs
//! nothing else. So the numbers in a picture can be tested without looking at
//! one, and other ways to show it need not know how they were counted. Figures
//! that belong together are the panels of one [`Sheet`].

use crate::{axis::Axis, theme::Ink};

/// One picture: a figure, or several that belong together.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// What is shown, in a few words.
    pub title: String,
    /// The figures, row by row.
    pub panels: Vec<Figure>,
    /// How they share the picture.
    pub layout: Layout,
}

/// How the figures of a sheet share it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Figures beside one another.
    pub columns: u32,
    /// The width of each, as a share of the width that was asked for.
    pub width: f64,
    /// The height of each, as a share of the height that was asked for; of one
    /// among others half of it is the plot, and what its words need is added.
    pub height: f64,
}

impl Layout {
    /// One figure.
    pub const ONE: Self = Self {
        columns: 1,
        width: 1.0,
        height: 1.0,
    };
    /// Figures over one another, that share an axis of time.
    pub const STACK: Self = Self {
        columns: 1,
        width: 1.0,
        height: 0.56,
    };
    /// Two figures beside one another in each row.
    pub const PAIRS: Self = Self {
        columns: 2,
        width: 0.75,
        height: 0.75,
    };
}

impl From<Figure> for Sheet {
    fn from(figure: Figure) -> Self {
        Self {
            title: figure.title.clone(),
            panels: vec![figure],
            layout: Layout::ONE,
        }
    }
}

impl Sheet {
    /// Several figures; one alone is as large as a picture can be.
    pub fn new(title: &str, panels: Vec<Figure>, layout: Layout) -> Self {
        Self {
            title: title.to_owned(),
            layout: if panels.len() > 1 {
                layout
            } else {
                Layout::ONE
            },
            panels,
        }
    }
}

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
    /// The area between two lines with the same x, pale.
    Band {
        /// The lower edge.
        lower: Vec<(f64, f64)>,
        /// The upper edge.
        upper: Vec<(f64, f64)>,
    },
    /// Rectangles.
    Bars(Vec<Bar>),
    /// Single points, each with how many it stands for.
    Dots(Vec<Dot>),
    /// Points that stand out, joined by nothing.
    Knots(Vec<(f64, f64)>),
    /// A point nobody reached.
    Star((f64, f64)),
    /// Words at points, left out where they would cover one another.
    Words(Vec<((f64, f64), String)>),
}

/// A point of a scatter plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Where it is.
    pub at: (f64, f64),
    /// How many points lie there.
    pub count: u64,
}

impl Layer {
    /// A line in the order of x.
    pub fn line(ink: Ink, points: Vec<(f64, f64)>) -> Self {
        let dashed = false;
        Self {
            ink,
            shape: Shape::Line { points, dashed },
        }
    }

    /// The same, dashed.
    pub fn dashes(ink: Ink, points: Vec<(f64, f64)>) -> Self {
        let dashed = true;
        Self {
            ink,
            shape: Shape::Line { points, dashed },
        }
    }

    /// Any other form.
    pub fn of(ink: Ink, shape: Shape) -> Self {
        Self { ink, shape }
    }
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

impl Entry {
    /// `label` with a sample of `ink` in the form of `mark`.
    pub fn new(label: impl Into<String>, ink: Ink, mark: Mark) -> Self {
        Self {
            label: label.into(),
            ink,
            mark,
        }
    }
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
    /// A pale square.
    Pale,
    /// A point.
    Dot,
    /// A star.
    Star,
}
