//! The samples of one metric, and their panel.

use std::collections::BTreeMap;

use crate::{
    axis::{Axis, Quantity},
    bins::Bins,
    cell::Range,
    extent::Extent,
    figure::{Entry, Figure, Layer, Mark},
    theme::{Ink, SERIES},
};

/// The lines of one metric.
#[derive(Default)]
pub(super) struct Metric {
    pub(super) unit: String,
    /// By source and labels.
    pub(super) lines: BTreeMap<Labels, Bins<Range>>,
}

/// A source and its labels.
pub(super) type Labels = (String, BTreeMap<String, String>);

impl Metric {
    pub(super) fn changes(&self) -> bool {
        self.lines.values().any(|bins| {
            let values = values(bins);
            values.windows(2).any(|pair| pair[0].1 != pair[1].1)
        })
    }

    pub(super) fn panel(&self, name: &str, extent: &Extent) -> Figure {
        let start = if extent.first > (extent.last - extent.first) / 4 {
            extent.first
        } else {
            0
        };
        let (layers, (low, high)) = self.layers(start);
        let axis = match self.unit.as_str() {
            "" => "value".to_owned(),
            unit => unit.to_owned(),
        };
        let y = if low < 0.0 {
            Axis::exact(axis, Quantity::Number, low, high)
        } else {
            Axis::from_zero(axis, Quantity::Number, high)
        };
        let end = (extent.last - start).max(1);
        Figure {
            title: name.to_owned(),
            facts: String::new(),
            notes: Vec::new(),
            x: Axis::exact(
                "time since the run began",
                Quantity::Duration,
                0.0,
                end as f64,
            ),
            y,
            layers,
            legend: self.legend(),
        }
    }

    /// A line for each set of labels, the first on top, from `start` on; and
    /// the range of their values, zero in it.
    fn layers(&self, start: u64) -> (Vec<Layer>, (f64, f64)) {
        let (mut low, mut high): (f64, f64) = (0.0, 0.0);
        let mut layers = Vec::new();
        for (rank, bins) in self.lines.values().enumerate() {
            let points: Vec<(f64, f64)> = values(bins)
                .into_iter()
                .map(|(at, value)| ((at.saturating_sub(start)) as f64, value))
                .collect();
            for (_, value) in &points {
                (low, high) = (low.min(*value), high.max(*value));
            }
            layers.push(Layer::line(ink(rank), points));
        }
        layers.reverse();
        (layers, (low, high))
    }

    /// What the colours mean; nothing if there is one line.
    fn legend(&self) -> Vec<Entry> {
        if self.lines.len() < 2 {
            return Vec::new();
        }
        let own = self.lines.keys().take(SERIES).enumerate();
        let own = own.map(|(rank, labels)| (self.label(labels), ink(rank)));
        let others = self.lines.len().saturating_sub(SERIES);
        let others = (others > 0).then(|| (format!("other ({others})"), Ink::Other));
        own.chain(others)
            .map(|(label, ink)| Entry::new(label, ink, Mark::Line))
            .collect()
    }

    /// What tells a line from the others: the source, or the labels that differ.
    fn label(&self, (source, labels): &Labels) -> String {
        let differs = |key: &str| {
            let value = labels.get(key);
            self.lines.keys().any(|(_, other)| other.get(key) != value)
        };
        let mut words: Vec<String> = labels
            .iter()
            .filter(|(key, _)| differs(key))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        if self.lines.keys().any(|(other, _)| other != source) {
            words.insert(0, source.clone());
        }
        if words.is_empty() {
            words.push("(no labels)".to_owned());
        }
        words.join(" ")
    }
}

/// The colour of the line of that rank.
fn ink(rank: usize) -> Ink {
    match rank {
        ..SERIES => Ink::Series(rank),
        _ => Ink::Other,
    }
}

/// The mean of each bin that has a value, at its moment.
fn values(bins: &Bins<Range>) -> Vec<(u64, f64)> {
    let Some(extent) = bins.extent() else {
        return Vec::new();
    };
    let width = extent.width;
    let start = extent.first / width * width;
    let number = ((extent.last - start) / width) as usize + 1;
    let cells = bins.cells(&[0], width, start, number);
    let means = (0_u64..).zip(cells);
    means
        .filter_map(|(index, cell)| Some((start + index * width, cell.mean()?)))
        .collect()
}
