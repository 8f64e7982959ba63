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
//!
//! A text with letters that our font lacks is text in the SVG, held to the room
//! that was measured for it, so that whoever looks at it sees the name in a font
//! that has it. The PNG of such a sheet is drawn anew, with numbers for those
//! letters, which need other room.

use std::{fmt::Write as _, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Indent, Options, Tree, WriteOptions, fontdb},
};

use crate::{
    canvas::UNITS,
    draw::{self, Look, Place, Surroundings},
    figure::Sheet,
    font::{self, Letters},
    markup::escaped,
};

/// Turns figures into pictures; holds the font.
pub struct Press {
    options: Options<'static>,
}

/// A sheet that can be written in any format.
pub struct Picture<'a> {
    press: &'a Press,
    sheet: &'a Sheet,
    look: Look,
    /// For who looks at it with fonts of their own.
    setting: Setting,
}

/// A sheet with its text as outlines.
struct Setting {
    tree: Tree,
    /// Elements of SVG: the text that our font lacks letters of.
    foreign: String,
    size: (u32, u32),
    places: Vec<Place>,
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

    /// Draw `sheet`, panel beside panel and row below row.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn picture<'a>(&'a self, sheet: &'a Sheet, look: &Look) -> Result<Picture<'a>> {
        Ok(Picture {
            press: self,
            sheet,
            look: *look,
            setting: self.set(sheet, look, Letters::Readers)?,
        })
    }

    /// Its words of such letters.
    fn set(&self, sheet: &Sheet, look: &Look, letters: Letters) -> Result<Setting> {
        let columns = sheet.layout.columns.max(1) as usize;
        let share = |pixels: u32, share: f64| (f64::from(pixels) * share).round() as u32;
        let look = Look {
            width: share(look.width, sheet.layout.width),
            height: share(look.height, sheet.layout.height),
            panel: sheet.panels.len() > 1,
            ..*look
        };
        let rows = rows(sheet, columns, &look, letters)?;
        let width = look.width * columns as u32;
        let height = rows.iter().map(|row| row.height).sum();
        let units = |pixels: u32| f64::from(pixels) * UNITS;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {} {}\" stroke-linejoin=\"round\">",
            units(width),
            units(height)
        );
        let mut foreign = String::new();
        let mut places = Vec::with_capacity(sheet.panels.len());
        let mut top = 0;
        for (panels, row) in sheet.panels.chunks(columns).zip(&rows) {
            for (column, figure) in (0..).zip(panels) {
                let (drawn, place) = draw::drawn(figure, row, letters)?;
                let left = row.width * column;
                places.push(place.moved(left, top));
                let body = drawn.svg.split_once('>').map_or("", |(_, body)| body);
                write!(
                    svg,
                    "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{body}",
                    units(left),
                    units(top),
                    units(row.width),
                    units(row.height)
                )
                .expect("writing to a string");
                if !drawn.foreign.is_empty() {
                    let words = drawn.foreign;
                    write!(
                        foreign,
                        "<g transform=\"translate({left} {top})\">{words}</g>"
                    )
                    .expect("writing to a string");
                }
            }
            top += row.height;
        }
        svg.push_str("</svg>");
        let tree = Tree::from_str(&svg, &self.options).context("cannot set the text of a plot")?;
        Ok(Setting {
            tree,
            foreign,
            size: (width, height),
            places,
        })
    }
}

impl Place {
    fn moved(self, right: u32, down: u32) -> Self {
        let (right, down) = (f64::from(right), f64::from(down));
        Self {
            left: self.left + right,
            right: self.right + right,
            top: self.top + down,
            bottom: self.bottom + down,
        }
    }
}

impl Picture<'_> {
    /// Where the plot of each panel is in the SVG.
    pub fn places(&self) -> &[Place] {
        &self.setting.places
    }

    /// A self-contained SVG file, all text as outlines but for what our font
    /// lacks letters of.
    pub fn svg(&self) -> String {
        self.svg_among("")
    }

    /// The same for a document with others in it: what it names for itself
    /// begins with `prefix`.
    pub fn svg_among(&self, prefix: &str) -> String {
        let options = WriteOptions {
            id_prefix: (!prefix.is_empty()).then(|| format!("{prefix}-")),
            coordinates_precision: 1,
            transforms_precision: 5,
            indent: Indent::None,
            ..WriteOptions::default()
        };
        let svg = self.setting.tree.to_string(&options);
        let body = svg.split_once('>').map_or("", |(_, body)| body);
        let (width, height) = self.setting.size;
        let (title, description) = (escaped(&self.sheet.title), escaped(&self.description()));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\"><title>{title}</title>\
             <desc>{description}</desc>{body}"
        );
        if !self.setting.foreign.is_empty() {
            let end = svg.rfind("</svg>").unwrap_or(svg.len());
            let words = format!(
                "<g font-family=\"'{}', sans-serif\">{}</g>",
                font::FAMILY,
                self.setting.foreign
            );
            svg.insert_str(end, &words);
        }
        svg
    }

    /// A PNG file, `scale` pixels for each of the picture's.
    ///
    /// # Errors
    /// If it would have more pixels than can be held, or there is no room for the
    /// numbers of letters that our font lacks.
    pub fn png(&self, scale: f32) -> Result<Vec<u8>> {
        let ours;
        let setting = if self.setting.foreign.is_empty() {
            &self.setting
        } else {
            ours = self.press.set(self.sheet, &self.look, Letters::Ours)?;
            &ours
        };
        check_size(setting.size, scale)?;
        let pixels = |length: u32| (f64::from(length) * f64::from(scale)).round() as u32;
        let (width, height) = (pixels(setting.size.0), pixels(setting.size.1));
        let mut pixmap = Pixmap::new(width, height)
            .with_context(|| format!("cannot hold a picture of {width} × {height} pixels"))?;
        resvg::render(
            &setting.tree,
            Transform::from_scale(scale, scale),
            &mut pixmap.as_mut(),
        );
        pixmap.encode_png().context("cannot encode a PNG")
    }

    /// The words of its panels, with their titles if there are several.
    fn description(&self) -> String {
        let panels = &self.sheet.panels;
        let words = panels.iter().flat_map(|figure| {
            let title = (panels.len() > 1).then_some(&figure.title);
            let words = title.into_iter().chain([&figure.facts]);
            words.chain(&figure.notes)
        });
        let some = words.filter(|words| !words.is_empty());
        let sentences: Vec<String> = some.map(|words| format!("{words}.")).collect();
        sentences.join(" ")
    }
}

/// Refuse a picture whose pixels would take gigabytes.
pub(crate) fn check_size((width, height): (u32, u32), scale: f32) -> Result<()> {
    let pixels = f64::from(width) * f64::from(height) * f64::from(scale * scale);
    ensure!(
        pixels <= 2e8,
        "a PNG of {pixels:.0} pixels is too large; a smaller --scale, --width or --height helps"
    );
    Ok(())
}

/// How the panels of each row of `sheet` look: as high as their words need, so
/// that the plots of a stack are all of one height, with axes that line up.
fn rows(sheet: &Sheet, columns: usize, look: &Look, letters: Letters) -> Result<Vec<Look>> {
    if !look.panel {
        return Ok(vec![*look]);
    }
    let mut rows = Vec::new();
    let mut labels: f64 = 0.0;
    for panels in sheet.panels.chunks(columns) {
        let mut highest: f64 = 0.0;
        for figure in panels {
            let around = Surroundings::of(figure, look, letters)?;
            highest = highest.max(around.height);
            labels = labels.max(around.labels);
        }
        // half of the share is for the plot
        let height = (f64::from(look.height) * 0.5).max(70.0) + highest;
        rows.push(Look {
            height: height.ceil() as u32,
            ..*look
        });
    }
    if columns == 1 {
        for row in &mut rows {
            row.labels = labels.ceil() as u32;
        }
    }
    Ok(rows)
}
