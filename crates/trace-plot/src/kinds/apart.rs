//! Small multiples: many lines over time hide one another, so each gets a panel
//! of its own, all of one scale.

use crate::{
    figure::{Figure, Layer, Layout, Mark, Shape, Sheet},
    group::Series,
};

/// Lines that one panel can hold: five cross so often that none can be
/// followed.
const LINES: usize = 4;

/// Three panels beside one another, of half the width that was asked for.
const THREE: Layout = Layout {
    columns: 3,
    width: 0.5,
    height: 0.5,
};

/// `figure`, whose layers are lines of `series`, or a panel for each of them if
/// there are many.
pub(super) fn sheet(figure: Figure, series: &[Series]) -> Sheet {
    if series.len() <= LINES {
        return Sheet::from(figure);
    }
    let title = figure.title.clone();
    Sheet::new(&title, panels(figure, series), THREE)
}

/// The same of a figure among others.
pub(super) fn panels(figure: Figure, series: &[Series]) -> Vec<Figure> {
    if series.len() <= LINES {
        return vec![figure];
    }
    let mut panels: Vec<Figure> = series
        .iter()
        .map(|one| Figure {
            title: format!("{}: {}", figure.title, one.label),
            facts: String::new(),
            notes: Vec::new(),
            x: figure.x.clone(),
            y: figure.y.clone(),
            layers: layers(&figure, one),
            legend: Vec::new(),
        })
        .collect();
    if let Some(first) = panels.first_mut() {
        first.facts = figure.facts;
        let dashed = figure.legend.into_iter();
        first.legend = dashed.filter(|entry| entry.mark == Mark::Dashed).collect();
    }
    if let Some(last) = panels.last_mut() {
        last.notes = figure.notes;
    }
    panels
}

/// The layers of `one`, its line over its area.
fn layers(figure: &Figure, one: &Series) -> Vec<Layer> {
    let own = figure.layers.iter().filter(|layer| layer.ink == one.ink);
    let area = own.clone().find_map(|layer| match &layer.shape {
        Shape::Line {
            points,
            dashed: false,
        } => Some(Layer::of(one.ink, Shape::Area(points.clone()))),
        _ => None,
    });
    area.into_iter().chain(own.cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        axis::{Axis, Quantity},
        figure::Entry,
        theme::Ink,
    };

    fn figure(count: usize) -> (Figure, Vec<Series>) {
        let series: Vec<Series> = (0..count)
            .map(|rank| Series {
                label: format!("m{rank}"),
                ink: Ink::Series(rank),
                groups: vec![rank],
            })
            .collect();
        let lines = series
            .iter()
            .map(|one| Layer::line(one.ink, vec![(0.0, 1.0)]));
        let figure = Figure {
            title: "Rate".to_owned(),
            facts: "facts".to_owned(),
            notes: vec!["note".to_owned()],
            x: Axis::from_zero("x", Quantity::Number, 1.0),
            y: Axis::from_zero("y", Quantity::Number, 1.0),
            layers: lines.collect(),
            legend: vec![
                Entry::new("m0", Ink::Series(0), Mark::Line),
                Entry::new("as sent", Ink::Other, Mark::Dashed),
            ],
        };
        (figure, series)
    }

    #[test]
    fn many_lines_stand_apart() {
        let (figure, series) = figure(5);
        let sheet = sheet(figure, &series);
        assert_eq!(sheet.panels.len(), 5);
        let first = &sheet.panels[0];
        assert_eq!(
            (first.title.as_str(), first.facts.as_str()),
            ("Rate: m0", "facts")
        );
        assert_eq!(first.legend.len(), 1, "colours need no legend any more");
        assert_eq!(first.layers.len(), 2, "its area and its line");
        assert_eq!(sheet.panels[4].notes, ["note"]);
    }

    #[test]
    fn few_lines_share_a_plot() {
        let (figure, series) = figure(4);
        assert_eq!(sheet(figure, &series).panels.len(), 1);
    }
}
