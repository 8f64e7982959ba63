//! Lines, boxes and text at pixels, written as SVG by plotters.
//!
//! plotters counts in whole pixels. Drawing at ten units a pixel keeps curves
//! smooth and lets a line be 1.5 pixels wide; the picture is scaled back by
//! the view box. Text that our font lacks letters of is not drawn: it is for
//! the fonts of whoever looks at it, and stands apart.

use std::{cell::RefCell, fmt::Write as _};

use anyhow::Result;
use plotters::{
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{PathElement, Polygon, Rectangle, Text},
    prelude::SVGBackend,
    style::{
        Color, FontDesc, FontFamily, FontStyle, RGBAColor, RGBColor, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use crate::{
    font::{self, Letters},
    markup::{escaped, hex},
};

/// Units plotters counts in, for each pixel of the picture.
pub const UNITS: f64 = 10.0;

/// The opacity that marks a dashed line. plotters cannot dash a line in SVG
/// but by hundreds of short ones, so [`svg`] puts dashes in its place.
const DASHED: f64 = 0.999;

/// The opacity that marks the place of what plotters cannot draw at all:
/// thousands of dots in one element.
const PLACE: f64 = 0.998;

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Begins there.
    Start,
    /// Has its middle there.
    Middle,
    /// Ends there.
    End,
}

/// A surface to draw on, in pixels from the upper left corner.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    letters: Letters,
    /// What goes to the marked places, in their order.
    pieces: RefCell<Vec<String>>,
    foreign: RefCell<String>,
}

/// What was drawn.
#[derive(Debug)]
pub struct Drawn {
    /// A document of SVG, in units of a tenth of a pixel.
    pub svg: String,
    /// Elements of SVG, in pixels: text with letters that our font lacks.
    pub foreign: String,
}

/// What `draw` draws on a canvas of `width` × `height` pixels.
///
/// # Errors
/// What `draw` returns.
pub fn drawn(
    (width, height): (u32, u32),
    letters: Letters,
    draw: impl FnOnce(&Canvas<'_>) -> Result<()>,
) -> Result<Drawn> {
    font::register();
    let mut svg = String::new();
    let size = (width * UNITS as u32, height * UNITS as u32);
    let canvas = Canvas {
        area: SVGBackend::with_string(&mut svg, size).into_drawing_area(),
        letters,
        pieces: RefCell::default(),
        foreign: RefCell::default(),
    };
    draw(&canvas)?;
    canvas.area.present()?;
    let (pieces, foreign) = (canvas.pieces.take(), canvas.foreign.take());
    drop(canvas);
    let svg = placed(&svg, &pieces);
    let (dash, gap) = (5.0 * UNITS, 3.5 * UNITS);
    // to blend a whole element takes a picture of its own, to blend a fill none
    let svg = svg.replace("<polygon opacity", "<polygon fill-opacity");
    let marked = format!("opacity=\"{DASHED}\"");
    Ok(Drawn {
        svg: svg.replace(&marked, &format!("stroke-dasharray=\"{dash} {gap}\"")),
        foreign,
    })
}

/// `svg` with `pieces` instead of the elements that mark their places.
fn placed(svg: &str, pieces: &[String]) -> String {
    let mark = format!("opacity=\"{PLACE}\"");
    let mut parts = svg.split(&mark);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for (piece, part) in pieces.iter().zip(parts) {
        // the element that is marked begins before the mark and ends after it
        whole.truncate(whole.rfind('<').unwrap_or(whole.len()));
        whole.push_str(piece);
        whole.push_str(part.split_once("/>").map_or("", |(_, after)| after));
    }
    whole
}

impl Canvas<'_> {
    /// Cover everything with `color`.
    pub fn fill(&self, color: RGBColor) -> Result<()> {
        Ok(self.area.fill(&color)?)
    }

    /// A line through `points`.
    pub fn line(&self, points: &[(f64, f64)], color: RGBColor, width: f64) -> Result<()> {
        let points: Vec<_> = points.iter().map(|&point| units(point)).collect();
        Ok(self
            .area
            .draw(&PathElement::new(points, stroke(color, width)))?)
    }

    /// A dashed line through `points`.
    pub fn dashes(&self, points: &[(f64, f64)], color: RGBColor, width: f64) -> Result<()> {
        let points: Vec<_> = points.iter().map(|&point| units(point)).collect();
        let style = color
            .mix(DASHED)
            .stroke_width((width * UNITS).round() as u32);
        Ok(self.area.draw(&PathElement::new(points, style))?)
    }

    /// Round dots at `points`, of `width` across; where they overlap they are
    /// no darker.
    pub fn dots(
        &self,
        points: &[(f64, f64)],
        color: RGBColor,
        width: f64,
        opacity: f64,
    ) -> Result<()> {
        if points.is_empty() {
            return Ok(());
        }
        let mut piece = format!(
            "<path fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linecap=\"round\" \
             stroke-opacity=\"{opacity}\" d=\"",
            hex(color),
            (width * UNITS).round()
        );
        for &point in points {
            let (x, y) = units(point);
            // a line too short to be seen, but for its round ends
            write!(piece, "M{x} {y}h1").expect("writing to a string");
        }
        piece.push_str("\"/>");
        self.pieces.borrow_mut().push(piece);
        let style = color.mix(PLACE).stroke_width(1);
        let place = PathElement::new(vec![(0, 0), (0, 0)], style);
        Ok(self.area.draw(&place)?)
    }

    /// A filled polygon, seen through by `1 - opacity`.
    pub fn polygon(&self, points: &[(f64, f64)], color: RGBColor, opacity: f64) -> Result<()> {
        let points: Vec<_> = points.iter().map(|&point| units(point)).collect();
        Ok(self
            .area
            .draw(&Polygon::new(points, color.mix(opacity).filled()))?)
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(&self, corners: [(f64, f64); 2], color: RGBColor, opacity: f64) -> Result<()> {
        let style: ShapeStyle = color.mix(opacity).filled();
        Ok(self.area.draw(&Rectangle::new(corners.map(units), style))?)
    }

    /// `text` as it is written here: what is measured must be what is drawn.
    pub fn written(&self, text: &str) -> String {
        self.letters.write(text)
    }

    /// One line of `text`, standing with its baseline on `at`.
    pub fn text(
        &self,
        text: &str,
        at: (f64, f64),
        anchor: Anchor,
        size: f64,
        color: RGBColor,
    ) -> Result<()> {
        let text = self.written(text);
        if !font::is_ours(&text) {
            self.leave(&text, at, anchor, size, color);
            return Ok(());
        }
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        // plotters divides the size by 1.24 and lifts a text that is anchored
        // at its bottom by half an ex, which is a quarter of its size.
        let font = FontDesc::new(
            FontFamily::Name(font::FAMILY),
            size * UNITS * 1.24,
            FontStyle::Normal,
        );
        let color = RGBAColor::from(color);
        let style = TextStyle::from(font)
            .color(&color)
            .pos(Pos::new(horizontal, VPos::Bottom));
        let at = units((at.0, at.1 + size / 4.0));
        Ok(self.area.draw(&Text::new(text, at, style))?)
    }

    /// Leave `text` to the fonts of whoever looks at it, in the room that was
    /// measured for it.
    fn leave(&self, text: &str, at: (f64, f64), anchor: Anchor, size: f64, color: RGBColor) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let mut foreign = self.foreign.borrow_mut();
        write!(
            foreign,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" \
             fill=\"{}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
            at.0,
            at.1,
            hex(color),
            font::width(text, size),
            escaped(text)
        )
        .expect("writing to a string");
    }
}

fn units((x, y): (f64, f64)) -> (i32, i32) {
    ((x * UNITS).round() as i32, (y * UNITS).round() as i32)
}

fn stroke(color: RGBColor, width: f64) -> ShapeStyle {
    color.stroke_width((width * UNITS).round() as u32)
}
