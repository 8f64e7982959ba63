//! The values under a pointer: where each point of a plot lies in its picture,
//! and what to say there.

use anyhow::Result;
use serde::Serialize;

use crate::{
    axis::{Axis, Quantity},
    draw::Place,
    figure::{Entry, Figure, Layer, Mark, Shape, Sheet},
    frame::Frame,
    markup::hex,
    number,
    theme::Theme,
};

/// Points of a line are told apart when they are so many pixels apart.
const APART: f64 = 3.0;
/// Points of a scatter plot that answer the pointer.
const DOTS: usize = 1_000;

/// One plot of a picture.
#[derive(Debug, Serialize)]
struct Panel {
    /// Left, top, right and bottom in pixels.
    place: [f64; 4],
    /// Values along the horizontal axis, and single points.
    lines: Vec<Series>,
    dots: Vec<Series>,
}

/// Points of one colour.
#[derive(Debug, Serialize)]
struct Series {
    name: String,
    color: String,
    points: Vec<Point>,
}

/// Pixels across and down, the words for both values, and how many pixels to
/// either side it is about: those of half a bin, or none.
type Point = (f64, f64, String, String, f64);

/// The panels of `sheet` as JSON that can stand inside HTML.
pub(super) fn json(sheet: &Sheet, places: &[Place], theme: &Theme) -> Result<String> {
    let panels = sheet.panels.iter().zip(places);
    let panels: Vec<Panel> = panels
        .map(|(figure, place)| panel(figure, place, theme))
        .collect();
    Ok(serde_json::to_string(&panels)?.replace('<', "\\u003c"))
}

fn panel(figure: &Figure, place: &Place, theme: &Theme) -> Panel {
    let frame = Frame {
        left: place.left,
        right: place.right,
        top: place.top,
        bottom: place.bottom,
        x: &figure.x,
        y: &figure.y,
    };
    let mut panel = Panel {
        place: [place.left, place.top, place.right, place.bottom].map(tenth),
        lines: Vec::new(),
        dots: Vec::new(),
    };
    for layer in &figure.layers {
        let series = |points| Series {
            name: name(figure, layer),
            color: hex(theme.color(layer.ink)),
            points,
        };
        match &layer.shape {
            Shape::Line { points, .. } => {
                let points = match are_steps(points) {
                    true => apart(points.chunks_exact(2).map(|ends| {
                        let (left, right) = (ends[0], ends[1]);
                        bin(&frame, (left.0, right.0), left.1, left.1)
                    })),
                    false => apart(points.iter().map(|&at| point(&frame, at))),
                };
                panel.lines.push(series(points));
            }
            Shape::Bars(bars) => {
                let points = bars
                    .iter()
                    .map(|bar| bin(&frame, bar.x, bar.y.1, bar.y.1 - bar.y.0));
                panel.lines.push(series(apart(points)));
            }
            Shape::Dots(dots) => {
                let points = dots.iter().take(DOTS).map(|dot| {
                    let mut point = point(&frame, dot.at);
                    if dot.count > 1 {
                        point.3 = format!("{} ({} times)", point.3, number::exact(dot.count));
                    }
                    point
                });
                panel.dots.push(series(points.collect()));
            }
            Shape::Knots(points) => {
                let points = points.iter().take(DOTS).map(|&at| point(&frame, at));
                panel.dots.push(series(points.collect()));
            }
            Shape::Star(at) => panel.dots.push(series(vec![point(&frame, *at)])),
            Shape::Area(_) | Shape::Band { .. } | Shape::Words(_) => {}
        }
    }
    panel
}

/// Whether `points` are both ends of one level after the other, without gaps: a
/// value for each bin.
fn are_steps(points: &[(f64, f64)]) -> bool {
    let (mut steps, edges) = (points.chunks_exact(2), points.get(1..).unwrap_or_default());
    let level = |step: &[(f64, f64)]| step[0].1 == step[1].1;
    let joined = |edge: &[(f64, f64)]| edge[0].0 == edge[1].0;
    steps.remainder().is_empty() && steps.all(level) && edges.chunks_exact(2).all(joined)
}

/// What is said anywhere in the bin from one value to another, which reaches up
/// to `top` and tells of `value`.
fn bin(frame: &Frame<'_>, (from, to): (f64, f64), top: f64, value: f64) -> Point {
    let (left, right) = (frame.across(from), frame.across(to));
    let range = format!("{} – {}", words(frame.x, from), words(frame.x, to));
    (
        tenth((left + right) / 2.0),
        tenth(frame.up(top)),
        range,
        words(frame.y, value),
        tenth((right - left).abs() / 2.0),
    )
}

fn point(frame: &Frame<'_>, at: (f64, f64)) -> Point {
    let (across, up) = frame.at(at);
    (
        tenth(across),
        tenth(up),
        words(frame.x, at.0),
        words(frame.y, at.1),
        0.0,
    )
}

/// `points` without those next to one that is kept already.
fn apart(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        match kept.last() {
            Some(last) if (point.0 - last.0).abs() < APART => {}
            _ => kept.push(point),
        }
    }
    kept
}

/// What the legend calls the layer, or else what the vertical axis shows.
fn name(figure: &Figure, layer: &Layer) -> String {
    let dashed = matches!(layer.shape, Shape::Line { dashed: true, .. });
    let is_dashed = |entry: &&Entry| entry.mark == Mark::Dashed;
    let of_ink = || figure.legend.iter().filter(|entry| entry.ink == layer.ink);
    let label = of_ink()
        .find(|entry| is_dashed(entry) == dashed)
        .or_else(|| of_ink().next())
        .map_or(&figure.y.title, |entry| &entry.label);
    // what dashes mean may be told once for all colours
    match figure.legend.iter().find(is_dashed) {
        Some(dashes) if dashed && dashes.label != *label => format!("{label}, {}", dashes.label),
        _ => label.clone(),
    }
}

/// A value as its axis would say it.
fn words(axis: &Axis, value: f64) -> String {
    match axis.quantity {
        Quantity::Duration => number::duration(value),
        Quantity::Share => format!("{} %", number::significant(value * 100.0)),
        Quantity::Count => number::exact(value.max(0.0).round() as u64),
        Quantity::Number => number::significant(value),
    }
}

fn tenth(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{figure::Bar, theme::Ink};

    fn figure(layers: Vec<Layer>, legend: Vec<Entry>) -> Figure {
        Figure {
            title: String::new(),
            facts: String::new(),
            notes: Vec::new(),
            x: Axis::exact("time", Quantity::Duration, 0.0, 1e6),
            y: Axis::exact("share", Quantity::Share, 0.0, 1.0),
            layers,
            legend,
        }
    }

    const PLACE: Place = Place {
        left: 100.0,
        right: 200.0,
        top: 0.0,
        bottom: 50.0,
    };

    #[test]
    fn a_point_is_told_where_it_is_drawn() {
        let line = Layer::line(Ink::All, vec![(0.0, 0.0), (500_000.0, 0.5), (1e6, 1.0)]);
        let panel = panel(&figure(vec![line], Vec::new()), &PLACE, &Theme::LIGHT);
        let points = &panel.lines[0].points;
        assert_eq!(
            points[1],
            (150.0, 25.0, "500 ms".to_owned(), "50 %".to_owned(), 0.0)
        );
        assert_eq!((points.len(), panel.lines[0].name.as_str()), (3, "share"));
    }

    #[test]
    fn a_dense_line_is_thinned_to_what_a_pointer_can_tell_apart() {
        let points = (0..10_000).map(|i| (f64::from(i) * 100.0, 0.5)).collect();
        let layers = vec![Layer::line(Ink::All, points)];
        let panel = panel(&figure(layers, Vec::new()), &PLACE, &Theme::LIGHT);
        assert!((30..=34).contains(&panel.lines[0].points.len()));
    }

    #[test]
    fn a_bar_tells_its_own_height() {
        let bar = Bar {
            x: (0.0, 1e5),
            y: (0.25, 0.75),
            pale: false,
        };
        let layers = vec![Layer::of(Ink::Series(0), Shape::Bars(vec![bar]))];
        let panel = panel(&figure(layers, Vec::new()), &PLACE, &Theme::LIGHT);
        let (x, y, range, value, half) = &panel.lines[0].points[0];
        assert_eq!((*x, *y, value.as_str()), (105.0, 12.5, "50 %"));
        assert_eq!(*half, 5.0);
        assert_eq!(range, "0 µs – 100 ms");
    }

    #[test]
    fn a_step_tells_of_its_bin_all_over_its_width() {
        let points = vec![(0.0, 0.5), (4e5, 0.5), (4e5, 0.25), (1e6, 0.25)];
        let layers = vec![Layer::line(Ink::All, points)];
        let panel = panel(&figure(layers, Vec::new()), &PLACE, &Theme::LIGHT);
        let words = |range: &str, value: &str| (range.to_owned(), value.to_owned());
        let told: Vec<_> = panel.lines[0]
            .points
            .iter()
            .map(|(x, _, range, value, half)| (*x, *half, words(range, value)))
            .collect();
        assert_eq!(
            told,
            [
                (120.0, 20.0, words("0 µs – 400 ms", "50 %")),
                (170.0, 30.0, words("400 ms – 1 s", "25 %")),
            ]
        );
    }

    #[test]
    fn dashes_are_told_with_their_colour() {
        let (blue, grey) = (Ink::Series(0), Ink::Other);
        let figure = figure(
            vec![
                Layer::line(blue, Vec::new()),
                Layer::dashes(blue, Vec::new()),
            ],
            vec![
                Entry::new("gpt", blue, Mark::Line),
                Entry::new("from the send", grey, Mark::Dashed),
            ],
        );
        let names = figure.layers.iter().map(|layer| name(&figure, layer));
        assert_eq!(names.collect::<Vec<_>>(), ["gpt", "gpt, from the send"]);
    }

    #[test]
    fn a_legend_cannot_end_the_script() {
        let ink = Ink::Series(0);
        let sheet = Sheet::from(figure(
            vec![Layer::line(ink, vec![(0.0, 0.0)])],
            vec![Entry::new("</script><script>alert(1)", ink, Mark::Line)],
        ));
        let json = json(&sheet, &[PLACE], &Theme::LIGHT).unwrap();
        assert!(!json.contains('<'), "{json}");
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }
}
