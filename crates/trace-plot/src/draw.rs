//! A figure on a canvas: where each part goes, and what it looks like.
//!
//! From top to bottom: title, facts, legend, the name of the vertical axis,
//! the plot, its labels, the name of the horizontal axis, notes. All room is
//! measured before anything is drawn, so no label is cut off and none covers
//! another. The legend stands above the plot because nothing inside one is
//! sure to be empty.

use anyhow::{Result, ensure};

use crate::{
    canvas::{self, Anchor, Canvas, Drawn},
    figure::Figure,
    font::{self, Letters},
    frame::{Frame, crisp},
    shapes::Shapes,
    theme::Theme,
    ticks::Ticks,
};

pub(crate) const TEXT: f64 = 13.5;
pub(crate) const MARGIN: f64 = 20.0;
/// Line height over font size.
pub(crate) const LEADING: f64 = 1.45;

/// How a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Width in pixels, before any enlargement.
    pub width: u32,
    /// Height in pixels, before any enlargement.
    pub height: u32,
    /// The colours.
    pub theme: Theme,
    /// One figure among others: a smaller title.
    pub panel: bool,
    /// Pixels that labels of the vertical axis take at least, so that the axes
    /// of figures over one another line up.
    pub labels: u32,
}

/// What a figure takes beside the plot itself, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// Above and below it.
    pub height: f64,
    /// The labels of the vertical axis.
    pub labels: f64,
}

impl Surroundings {
    /// Those of `figure`, with words of such letters.
    ///
    /// # Errors
    /// If it cannot be drawn.
    pub fn of(figure: &Figure, look: &Look, letters: Letters) -> Result<Self> {
        let mut surroundings = Self::default();
        // words are measured by setting them
        canvas::drawn((look.width, look.height), letters, |canvas| {
            let drawing = Drawing {
                figure,
                look,
                canvas,
                size: look.size(),
            };
            let (top, bottom) = (drawing.head()?, drawing.foot(drawing.notes()?));
            surroundings.height = drawing.size.1 - (bottom - top);
            surroundings.labels = drawing.y_ticks(top, bottom).1;
            Ok(())
        })?;
        Ok(surroundings)
    }
}

/// What `figure` looks like with words of such letters, its text as text, and
/// where in it the plot is.
///
/// # Errors
/// If there is no room for it.
pub fn drawn(figure: &Figure, look: &Look, letters: Letters) -> Result<(Drawn, Place)> {
    let mut place = None;
    let drawn = canvas::drawn((look.width, look.height), letters, |canvas| {
        let drawing = Drawing {
            figure,
            look,
            canvas,
            size: look.size(),
        };
        place = Some(drawing.all()?);
        Ok(())
    })?;
    Ok((drawn, place.unwrap_or_default()))
}

/// Where the axes of a plot span, in pixels of its picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// The least of the horizontal axis.
    pub left: f64,
    /// Its greatest.
    pub right: f64,
    /// The greatest of the vertical axis.
    pub top: f64,
    /// Its least.
    pub bottom: f64,
}

impl Look {
    fn size(&self) -> (f64, f64) {
        (f64::from(self.width), f64::from(self.height))
    }
}

/// A figure being drawn.
pub(crate) struct Drawing<'a, 'b> {
    pub(crate) figure: &'a Figure,
    pub(crate) look: &'a Look,
    pub(crate) canvas: &'a Canvas<'b>,
    pub(crate) size: (f64, f64),
}

impl Drawing<'_, '_> {
    /// Draws everything; gives the place of the plot.
    fn all(&self) -> Result<Place> {
        self.canvas.fill(self.look.theme.background)?;
        let top = self.head()?;
        let x_name_baseline = self.notes()? - 4.0;
        let bottom = self.foot(x_name_baseline + 4.0);
        ensure!(
            bottom - top >= 60.0,
            "no room for the plot in {} × {} pixels; a larger --height or --width helps, with a smaller --scale if need be",
            self.size.0,
            self.size.1
        );
        let (y_ticks, widest) = self.y_ticks(top, bottom);
        let left = MARGIN + widest.max(f64::from(self.look.labels)) + 8.0;
        let right = self.size.0 - MARGIN - 8.0;
        ensure!(
            right - left >= 100.0,
            "no room for the plot in a width of {} pixels; a larger --width helps, with a smaller --scale if need be",
            self.size.0
        );
        let (x_ticks, right) = self.across_ticks(left, right);
        let figure = self.figure;
        let frame = Frame {
            left,
            right,
            top,
            bottom,
            x: &figure.x,
            y: &figure.y,
        };
        self.grid(&frame, &x_ticks, &y_ticks)?;
        let shapes = Shapes {
            frame,
            theme: &self.look.theme,
            canvas: self.canvas,
        };
        for layer in &figure.layers {
            shapes.layer(layer)?;
        }
        self.baseline(&frame)?;
        let name = named(&figure.y.title, y_ticks.unit);
        self.text(&name, (MARGIN, top - 14.0), Anchor::Start, TEXT, false)?;
        let name = named(&figure.x.title, x_ticks.unit);
        let middle = (left + right) / 2.0;
        self.text(
            &name,
            (middle, x_name_baseline),
            Anchor::Middle,
            TEXT,
            false,
        )?;
        Ok(Place {
            left,
            right,
            top,
            bottom,
        })
    }

    /// Where the plot ends, above its labels and the name of its axis, which
    /// end at `bottom`.
    fn foot(&self, bottom: f64) -> f64 {
        bottom - 4.0 - TEXT * LEADING - 4.0 - TEXT * LEADING
    }

    /// The ticks of the vertical axis, and how wide their labels are.
    fn y_ticks(&self, top: f64, bottom: f64) -> (Ticks, f64) {
        let ticks = self
            .figure
            .y
            .ticks((((bottom - top) / if self.look.panel { 30.0 } else { 42.0 }) as usize).max(2));
        let widths = ticks
            .major
            .iter()
            .map(|(_, label)| font::width(label, TEXT));
        let widest = widths.fold(0.0, f64::max);
        (ticks, widest)
    }

    /// As many ticks as have room for their labels, and the right edge that
    /// leaves room for the last one.
    fn across_ticks(&self, left: f64, right: f64) -> (Ticks, f64) {
        let axis = &self.figure.x;
        let mut limit = ((right - left) / 64.0).max(2.0) as usize;
        loop {
            let mut ticks = axis.ticks(limit);
            let mut edge = right;
            if let Some((value, label)) = ticks.major.last() {
                let beyond =
                    left + axis.position(*value) * (right - left) + font::width(label, TEXT) / 2.0
                        - (self.size.0 - 8.0);
                edge -= beyond.max(0.0);
            }
            let mut end = f64::NEG_INFINITY;
            let fits = |&(value, ref label): &(f64, String)| {
                let middle = left + axis.position(value) * (edge - left);
                let half = font::width(label, TEXT) / 2.0;
                let apart = middle - half - end >= 12.0;
                end = middle + half;
                apart
            };
            if ticks.major.iter().all(fits) {
                return (ticks, edge);
            }
            if limit <= 1 {
                ticks.major.truncate(1);
                return (ticks, edge);
            }
            limit -= 1;
        }
    }

    fn grid(&self, frame: &Frame<'_>, x_ticks: &Ticks, y_ticks: &Ticks) -> Result<()> {
        let upright = |x: f64, color| {
            let x = crisp(frame.across(x));
            self.canvas
                .line(&[(x, frame.top), (x, frame.bottom)], color, 1.0)
        };
        for &value in &x_ticks.minor {
            upright(value, self.look.theme.minor)?;
        }
        for (value, label) in &x_ticks.major {
            upright(*value, self.look.theme.grid)?;
            let at = (frame.across(*value), frame.bottom + TEXT * LEADING);
            self.text(label, at, Anchor::Middle, TEXT, false)?;
        }
        for (value, label) in &y_ticks.major {
            let y = crisp(frame.up(*value));
            self.canvas.line(
                &[(frame.left, y), (frame.right, y)],
                self.look.theme.grid,
                1.0,
            )?;
            // digits are 0.73 of the size high, so this centres them on the line
            let at = (frame.left - 8.0, y + TEXT * 0.365);
            self.text(label, at, Anchor::End, TEXT, false)?;
        }
        Ok(())
    }

    /// The lower edge, a little stronger than the grid, over bars and areas.
    fn baseline(&self, frame: &Frame<'_>) -> Result<()> {
        let y = crisp(frame.bottom);
        self.canvas.line(
            &[(frame.left, y), (frame.right, y)],
            self.look.theme.faint,
            1.0,
        )
    }

    pub(crate) fn text(
        &self,
        text: &str,
        at: (f64, f64),
        anchor: Anchor,
        size: f64,
        strong: bool,
    ) -> Result<()> {
        let color = if strong {
            self.look.theme.text
        } else {
            self.look.theme.faint
        };
        self.canvas.text(text, at, anchor, size, color)
    }
}

fn named(title: &str, unit: Option<&str>) -> String {
    match unit {
        Some(unit) => format!("{title} ({unit})"),
        None => title.to_owned(),
    }
}
