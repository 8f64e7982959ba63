//! The layers of a figure, drawn into its frame.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::{
    canvas::{Anchor, Canvas},
    figure::{Bar, Dot, Layer, Shape},
    font,
    frame::Frame,
    theme::Theme,
};

/// Pixels across of a dot where there are few, and where there are many.
const DOTS: [(usize, f64); 3] = [(300, 6.0), (5_000, 4.0), (usize::MAX, 2.4)];
/// Dots are drawn at multiples of this many pixels, so that there are no more
/// of them than can be told apart.
const DOT_GRID: f64 = 1.2;
/// How dark dots are that stand for up to so many points more than others.
const SHADES: [(u64, f64); 4] = [(1, 0.45), (4, 0.6), (16, 0.78), (u64::MAX, 1.0)];
const WORDS: f64 = 12.0;

/// Draws layers.
pub(crate) struct Shapes<'a, 'b> {
    pub(crate) frame: Frame<'a>,
    pub(crate) theme: &'a Theme,
    pub(crate) canvas: &'a Canvas<'b>,
}

impl Shapes<'_, '_> {
    pub(crate) fn layer(&self, layer: &Layer) -> Result<()> {
        let (frame, canvas) = (&self.frame, self.canvas);
        let color = self.theme.color(layer.ink);
        match &layer.shape {
            Shape::Line { points, dashed } => {
                let points = frame.seen(points);
                match (points.as_slice(), dashed) {
                    // a line of one point could not be seen
                    ([only], _) => canvas.dots(&[*only], color, 5.0, 1.0),
                    (points, true) => canvas.dashes(points, color, 1.5),
                    (points, false) => canvas.line(points, color, 2.0),
                }
            }
            Shape::Area(points) => {
                let mut points = frame.seen(points);
                if let (Some(&first), Some(&last)) = (points.first(), points.last()) {
                    points.push(frame.below(last));
                    points.push(frame.below(first));
                }
                canvas.polygon(&points, color, 0.18)
            }
            Shape::Band { lower, upper } => {
                let mut points = frame.seen(upper);
                points.extend(frame.seen(lower).into_iter().rev());
                canvas.polygon(&points, color, 0.2)
            }
            Shape::Bars(bars) => bars.iter().try_for_each(|bar| self.bar(bar, layer)),
            Shape::Dots(dots) => self.dots(dots, layer),
            Shape::Knots(points) => {
                let points: Vec<_> = points.iter().map(|&point| frame.at(point)).collect();
                canvas.dots(&points, color, 7.0, 1.0)
            }
            Shape::Star(at) => {
                let at = frame.at(*at);
                canvas.polygon(&star(at, 13.0), self.theme.background, 1.0)?;
                canvas.polygon(&star(at, 11.0), color, 1.0)
            }
            Shape::Words(words) => self.words(words),
        }
    }

    fn bar(&self, bar: &Bar, layer: &Layer) -> Result<()> {
        let (left, right) = (self.frame.across(bar.x.0), self.frame.across(bar.x.1));
        // a slit of background tells neighbours apart, where there is room for one
        let slit = if right - left > 4.0 { 0.5 } else { 0.0 };
        let corners = [
            (left + slit, self.frame.up(bar.y.1)),
            // a bar that is there can be seen
            (
                (right - slit).max(left + slit + 1.2),
                self.frame.up(bar.y.0),
            ),
        ];
        let opacity = if bar.pale { 0.45 } else { 1.0 };
        let color = self.theme.color(layer.ink);
        self.canvas.rectangle(corners, color, opacity)
    }

    /// Dots on a grid of pixels, darker where many points lie.
    fn dots(&self, dots: &[Dot], layer: &Layer) -> Result<()> {
        let color = self.theme.color(layer.ink);
        let few = dots.len() <= DOTS[0].0;
        let mut places: BTreeMap<(i64, i64), u64> = BTreeMap::new();
        for dot in dots {
            let (x, y) = self.frame.at(dot.at);
            let cell = |at: f64| (at / DOT_GRID).round() as i64;
            *places.entry((cell(x), cell(y))).or_default() += dot.count;
        }
        let found = DOTS.iter().find(|(most, _)| places.len() <= *most);
        let width = found.map_or(2.4, |(_, width)| *width);
        let mut usual: Vec<u64> = places.values().copied().collect();
        usual.sort_unstable();
        let usual = usual.get(usual.len() / 2).copied().unwrap_or(1).max(1);
        let mut least = 0;
        for (most, opacity) in SHADES {
            let most = most.saturating_mul(usual);
            let points: Vec<(f64, f64)> = places
                .iter()
                .filter(|(_, count)| (least + 1..=most).contains(count))
                .map(|(&(x, y), _)| (x as f64 * DOT_GRID, y as f64 * DOT_GRID))
                .collect();
            let opacity = if few { 0.75 } else { opacity };
            self.canvas.dots(&points, color, width, opacity)?;
            least = most;
        }
        Ok(())
    }

    /// Words above or below their points, inside the frame, as far as they
    /// have room.
    fn words(&self, words: &[((f64, f64), String)]) -> Result<()> {
        let mut taken: Vec<[f64; 4]> = Vec::new();
        for &(at, _) in words {
            let (x, y) = self.frame.at(at);
            taken.push([x - 4.0, x + 4.0, y - 4.0, y + 4.0]);
        }
        for (at, text) in words {
            let (x, y) = self.frame.at(*at);
            let text = self.canvas.written(text);
            let width = font::width(&text, WORDS);
            let places = [
                (x + 7.0, y - 7.0),
                (x + 7.0, y + 15.0),
                (x - 7.0 - width, y - 7.0),
                (x - 7.0 - width, y + 15.0),
            ];
            let fits = |&(left, baseline): &(f64, f64)| {
                let room = [
                    left - 2.0,
                    left + width + 2.0,
                    baseline - 11.0,
                    baseline + 3.0,
                ];
                let inside = room[0] >= self.frame.left
                    && room[1] <= self.frame.right
                    && room[2] >= self.frame.top
                    && room[3] <= self.frame.bottom;
                inside.then_some(room).filter(|room| {
                    !taken.iter().any(|other| {
                        room[0] < other[1]
                            && other[0] < room[1]
                            && room[2] < other[3]
                            && other[2] < room[3]
                    })
                })
            };
            let found = places.iter().find_map(|place| Some((*place, fits(place)?)));
            if let Some((place, room)) = found {
                taken.push(room);
                self.canvas
                    .text(&text, place, Anchor::Start, WORDS, self.theme.text)?;
            }
        }
        Ok(())
    }
}

/// The ten corners of a star around `at`.
pub(crate) fn star((x, y): (f64, f64), radius: f64) -> Vec<(f64, f64)> {
    let corner = |index: u32| {
        let radius = if index.is_multiple_of(2) {
            radius
        } else {
            radius * 0.42
        };
        let angle = std::f64::consts::PI * (f64::from(index) / 5.0 - 0.5);
        (x + radius * libm::cos(angle), y + radius * libm::sin(angle))
    };
    (0..10).map(corner).collect()
}
