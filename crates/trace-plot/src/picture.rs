//! From one drawing to the two kinds of file.
//!
//! plotters writes the SVG, usvg turns its text into outlines of our own font,
//! and both files come from that result: the SVG written out again, the PNG
//! drawn from it by resvg, which places and smooths glyphs better than
//! plotters' own bitmaps do. Nothing is ever looked up on the system.
//!
//! The SVG holds outlines because one with text looks different on every
//! machine, as labels were measured in a font the reader may not have; it
//! costs about as many bytes as the curves. A title and a description make
//! up for the lost text where a screen reader or a search needs it.

use std::{fmt::Write as _, sync::Arc};

use anyhow::{Context as _, Result};
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Indent, Options, Tree, WriteOptions, fontdb},
};

use crate::{
    canvas::UNITS,
    draw::{self, Look},
    figure::Figure,
    font,
};

/// Turns figures into pictures; holds the font.
pub struct Press {
    options: Options<'static>,
}

/// A figure with its text as outlines, ready to be written in any format.
pub struct Picture {
    tree: Tree,
    title: String,
    description: String,
    size: (u32, u32),
}

impl Default for Press {
    fn default() -> Self {
        Self::new()
    }
}

impl Press {
    /// A press with our font in it, and no other.
    pub fn new() -> Self {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(font::bytes())));
        let options = Options {
            font_family: font::FAMILY.to_owned(),
            fontdb: Arc::new(fonts),
            ..Options::default()
        };
        Self { options }
    }

    /// Draw `figure`.
    pub fn picture(&self, figure: &Figure, look: &Look) -> Result<Picture> {
        self.sheet(&figure.title, std::slice::from_ref(figure), 1, look)
    }

    /// Draw `figures` side by side in so many `columns`, row below row, each as
    /// `look` says; the whole is called `title`.
    pub fn sheet(
        &self,
        title: &str,
        figures: &[Figure],
        columns: u32,
        look: &Look,
    ) -> Result<Picture> {
        let rows = (figures.len() as u32).div_ceil(columns.max(1));
        let (width, height) = (look.width * columns, look.height * rows);
        let units = |pixels: u32| f64::from(pixels) * UNITS;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {} {}\" stroke-linejoin=\"round\">",
            units(width),
            units(height)
        );
        let mut description = String::new();
        for (place, figure) in (0..).zip(figures) {
            let drawn = draw::svg(figure, look)?;
            let body = drawn.split_once('>').map_or("", |(_, body)| body);
            write!(
                svg,
                "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{body}",
                units(look.width * (place % columns)),
                units(look.height * (place / columns)),
                units(look.width),
                units(look.height)
            )
            .expect("writing to a string");
            if figures.len() > 1 {
                write!(description, "{}: ", figure.title).expect("writing to a string");
            }
            write!(description, "{}. ", figure.facts).expect("writing to a string");
            for note in &figure.notes {
                write!(description, "{note}. ").expect("writing to a string");
            }
        }
        svg.push_str("</svg>");
        let tree = Tree::from_str(&svg, &self.options).context("cannot set the text of a plot")?;
        Ok(Picture {
            tree,
            title: title.to_owned(),
            description: description.trim_end().to_owned(),
            size: (width, height),
        })
    }
}

impl Picture {
    /// A self-contained SVG file, all text as outlines.
    pub fn svg(&self) -> String {
        let options = WriteOptions {
            coordinates_precision: 1,
            transforms_precision: 5,
            indent: Indent::None,
            ..WriteOptions::default()
        };
        let svg = self.tree.to_string(&options);
        let body = svg.split_once('>').map_or("", |(_, body)| body);
        let (width, height) = self.size;
        let (title, description) = (escaped(&self.title), escaped(&self.description));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\"><title>{title}</title>\
             <desc>{description}</desc>{body}"
        )
    }

    /// A PNG file, `scale` pixels for each of the picture's.
    pub fn png(&self, scale: f32) -> Result<Vec<u8>> {
        let pixels = |length: u32| (f64::from(length) * f64::from(scale)).round() as u32;
        let (width, height) = (pixels(self.size.0), pixels(self.size.1));
        let mut pixmap = Pixmap::new(width, height)
            .with_context(|| format!("cannot hold a picture of {width} × {height} pixels"))?;
        resvg::render(
            &self.tree,
            Transform::from_scale(scale, scale),
            &mut pixmap.as_mut(),
        );
        pixmap.encode_png().context("cannot encode a PNG")
    }
}

fn escaped(text: &str) -> String {
    font::printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
