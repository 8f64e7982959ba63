//! A figure in characters: title, facts, legend, the plot between its axes,
//! notes.

use unicode_width::UnicodeWidthStr as _;

use super::{
    Look,
    legend::{legend, letter},
    screen::{ACROSS, DOWN, Screen},
};
use crate::{
    figure::{Figure, Layer, Shape},
    font,
    ticks::Ticks,
};

/// Rows of characters of a plot.
const ROWS: usize = 16;

/// `figure` as lines of text.
pub(super) fn text(figure: &Figure, look: &Look) -> String {
    let mut page = String::new();
    let mut push = |line: &str| {
        page.push_str(line.trim_end());
        page.push('\n');
    };
    push(&look.strong(&font::printable(&figure.title)));
    for line in wrap(&figure.facts, look.columns) {
        push(&line);
    }
    for line in legend(figure, look) {
        push(&line);
    }
    for line in plot(figure, look) {
        push(&line);
    }
    for note in &figure.notes {
        for line in wrap(note, look.columns) {
            push(&look.faint(&line));
        }
    }
    page
}

/// The plot with its axes.
fn plot(figure: &Figure, look: &Look) -> Vec<String> {
    let y_ticks = figure.y.ticks(ROWS / 3);
    let gutter = y_ticks.major.iter().map(|(_, label)| label.width());
    let gutter = gutter.max().unwrap_or(0);
    let columns = look.columns.saturating_sub(gutter + 2).max(10);
    let mut screen = Screen::new(columns, ROWS);
    for layer in &figure.layers {
        draw(&mut screen, figure, layer, letter(figure, layer, look));
    }
    let mut lines = vec![named(&figure.y.title, &y_ticks)];
    for (row, cells) in screen.rows().enumerate() {
        let on_row = |&&(value, _): &&(f64, String)| {
            let down = (1.0 - figure.y.position(value)) * (ROWS - 1) as f64;
            down.round() as usize == row
        };
        let tick = y_ticks.major.iter().find(on_row);
        let label = tick.map_or("", |(_, label)| label);
        let edge = if tick.is_some() { '┤' } else { '│' };
        let mut line = format!("{}{label} {edge}", " ".repeat(gutter - label.width()));
        // one change of colour for each run of cells
        for run in cells.chunk_by(|a, b| a.ink == b.ink) {
            let signs: String = run.iter().map(|cell| cell.sign()).collect();
            line.push_str(&look.colored(&signs, run[0].ink));
        }
        lines.push(line);
    }
    lines.extend(below(figure, gutter, columns));
    lines
}

/// The horizontal axis, its labels and its name.
fn below(figure: &Figure, gutter: usize, columns: usize) -> [String; 3] {
    let ticks = figure.x.ticks((columns / 9).max(2));
    let mut axis: Vec<char> = vec!['─'; columns];
    let mut labels = String::new();
    let mut end = 0;
    for (value, label) in &ticks.major {
        let at = (figure.x.position(*value) * (columns - 1) as f64).round() as usize;
        let width = label.width();
        // the row of labels begins where that of the vertical axis does
        let begin = (gutter + 2 + at).saturating_sub(width / 2);
        let begin = begin.min((gutter + 2 + columns).saturating_sub(width));
        if end > 0 && begin < end + 2 {
            continue;
        }
        axis[at] = '┴';
        labels.push_str(&" ".repeat(begin - end));
        labels.push_str(label);
        end = begin + width;
    }
    let name = named(&figure.x.title, &ticks);
    let room = (gutter + 2 + columns / 2).saturating_sub(name.width() / 2);
    [
        format!(
            "{} └{}",
            " ".repeat(gutter),
            axis.iter().collect::<String>()
        ),
        labels,
        format!("{}{name}", " ".repeat(room)),
    ]
}

fn named(title: &str, ticks: &Ticks) -> String {
    match ticks.unit {
        Some(unit) => format!("{title} ({unit})"),
        None => title.to_owned(),
    }
}

/// Where a point of `figure` lies on a screen of that size.
fn places(
    figure: &Figure,
    (width, height): (usize, usize),
) -> impl Fn((f64, f64)) -> (usize, usize) {
    move |(x, y)| {
        let across = figure.x.position(x) * (width - 1) as f64;
        let down = (1.0 - figure.y.position(y)) * (height - 1) as f64;
        (across.round() as usize, down.round() as usize)
    }
}

fn draw(screen: &mut Screen, figure: &Figure, layer: &Layer, letter: Option<char>) {
    let at = places(figure, screen.size());
    let ink = layer.ink;
    let mut line = |points: &[(f64, f64)], gaps| {
        for pair in points.windows(2) {
            screen.line(at(pair[0]), at(pair[1]), ink, (letter, gaps));
        }
        if let [point] = points {
            screen.dot(at(*point), ink, letter);
        }
    };
    match &layer.shape {
        Shape::Line { points, dashed } => line(points, *dashed),
        // its upper edge is what it tells; a line mostly lies there
        Shape::Area(points) => line(points, false),
        Shape::Band { lower, upper } => {
            line(lower, true);
            line(upper, true);
        }
        Shape::Bars(bars) => {
            for bar in bars.iter().filter(|bar| bar.y.1 > bar.y.0) {
                let (left, top) = at((bar.x.0, bar.y.1));
                let (right, bottom) = at((bar.x.1, bar.y.0));
                for x in left..right.max(left + 1) {
                    screen.line((x, top), (x, bottom), ink, (letter, bar.pale));
                }
            }
        }
        Shape::Dots(dots) => {
            for dot in dots {
                screen.dot(at(dot.at), ink, letter);
            }
        }
        Shape::Knots(points) => {
            for &point in points {
                let (x, y) = at(point);
                for (x, y) in [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)] {
                    screen.dot((x, y), ink, letter);
                }
            }
        }
        Shape::Star(point) => screen.words(at(*point), "★", ink),
        Shape::Words(words) => {
            for (point, text) in words {
                let (x, y) = at(*point);
                screen.words(
                    (x + ACROSS, y.saturating_sub(DOWN)),
                    &font::printable(text),
                    ink,
                );
            }
        }
    }
}

/// `text` in lines of at most `columns`, broken at spaces.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in font::printable(text).split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        axis::{Axis, Quantity},
        figure::{Bar, Entry, Mark},
        theme::{Ink, Theme},
    };

    fn figure(layers: Vec<Layer>) -> Figure {
        Figure {
            title: "Ramp".to_owned(),
            facts: String::new(),
            notes: vec!["a note".to_owned()],
            x: Axis::exact("time", Quantity::Duration, 0.0, 1e7),
            y: Axis::from_zero("requests/s", Quantity::Number, 10.0),
            layers,
            legend: vec![
                Entry::new("up", Ink::Series(0), Mark::Line),
                Entry::new("down", Ink::Series(1), Mark::Line),
            ],
        }
    }

    fn ramps() -> Figure {
        figure(vec![
            Layer::line(Ink::Series(0), vec![(0.0, 0.0), (1e7, 10.0)]),
            Layer::line(Ink::Series(1), vec![(0.0, 10.0), (1e7, 0.0)]),
        ])
    }

    const PLAIN: Look = Look {
        columns: 60,
        theme: None,
    };

    #[test]
    fn without_colour_series_have_letters() {
        let text = text(&ramps(), &PLAIN);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(&lines[..3], ["Ramp", "a up   b down", "requests/s"]);
        assert!(
            lines[3].starts_with("10 ┤b") && lines[3].ends_with('a'),
            "{text}"
        );
        assert!(lines[3 + ROWS - 1].starts_with(" 0 ┤a"), "{text}");
        assert!(lines.iter().all(|line| line.width() <= 60), "{text}");
        assert!(!text.contains('\x1b'));
        assert!(text.ends_with("time (s)\na note\n"), "{text}");
    }

    #[test]
    fn with_colour_they_have_dots() {
        let look = Look {
            theme: Some(Theme::DARK),
            ..PLAIN
        };
        let text = text(&ramps(), &look);
        assert!(text.contains("\x1b[38;2;86;180;233m━\x1b[0m up"), "{text}");
        assert!(
            text.contains('⠁') || text.contains('⠈') || text.contains('⠉'),
            "{text}"
        );
    }

    #[test]
    fn a_bar_is_as_high_as_it_says() {
        let bar = Bar {
            x: (0.0, 5e6),
            y: (0.0, 5.0),
            pale: false,
        };
        let mut figure = figure(vec![Layer::of(Ink::Series(0), Shape::Bars(vec![bar]))]);
        figure.legend.clear();
        let lines = plot(&figure, &PLAIN);
        let filled = lines.iter().filter(|line| line.contains('⣿')).count();
        assert!((ROWS / 2 - 1..=ROWS / 2).contains(&filled), "{lines:#?}");
    }

    #[test]
    fn labels_do_not_touch() {
        for columns in [20, 31, 47, 200] {
            let look = Look { columns, ..PLAIN };
            let lines = plot(&ramps(), &look);
            // seconds of the axis: two that touch would make a larger number
            let labels = lines[ROWS + 2].split_whitespace();
            let labels: Vec<f64> = labels.map(|label| label.parse().unwrap()).collect();
            assert!(labels.len() > 1 && labels.is_sorted(), "{labels:?}");
            assert!(labels.iter().all(|&label| label <= 10.0), "{labels:?}");
        }
    }
}
