//! How many requests waited how long for their first token.
//!
//! Time counts from the send. Bars of several models stand on one another, so
//! that their tops show the whole.

use anyhow::Result;

use super::{Kind, Nothing, Plot, Sample, Settings, Spacing, only, quantiles};
use crate::{
    axis::{Axis, Quantity, Scale},
    distribution::{self, Distribution},
    ending::{Ending, Endings},
    figure::{Bar, Entry, Figure, Layer, Mark, Shape},
    group::Groups,
    histogram::Edges,
    number,
};

pub(super) const KIND: Kind = Kind {
    name: "ttft-histogram",
    about: "how many requests had their first token after how long, from the send",
    new: |settings| Box::new(TtftHistogram::new(settings)),
};

struct TtftHistogram {
    spacing: Spacing,
    groups: Vec<Distribution>,
    endings: Endings,
}

impl TtftHistogram {
    fn new(settings: &Settings) -> Self {
        Self {
            spacing: settings.x_axis,
            groups: Vec::new(),
            endings: Endings::default(),
        }
    }

    fn together(&self, groups: impl IntoIterator<Item = usize>) -> Distribution {
        let mut all = Distribution::default();
        for one in groups
            .into_iter()
            .filter_map(|group| self.groups.get(group))
        {
            all.append(one.clone());
        }
        all
    }
}

impl Plot for TtftHistogram {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let ttft = sample.outcome.and_then(|outcome| outcome.ttft_ms);
        let ending = self.endings.count(sample, ttft.is_some());
        if self.groups.len() <= sample.group {
            self.groups
                .resize_with(sample.group + 1, Distribution::default);
        }
        match (ending, ttft) {
            (Ending::Failed, _) => self.groups[sample.group].fail(),
            (Ending::Succeeded, Some(ttft)) => self.groups[sample.group].add(ttft),
            _ => {}
        }
        Ok(())
    }

    fn figure(&self, groups: &Groups) -> Result<Figure, Nothing> {
        let all = self.together(0..self.groups.len());
        let counts = all.counts();
        let Some((low, high)) = distribution::range(&counts) else {
            return Err(self.endings.nothing("ttft_ms"));
        };
        let (edges, x) = self.spread(&counts, low, high);
        let heights = edges.heights(&counts);
        let series = groups.series();
        let mut base = vec![0; heights.len()];
        let mut layers = Vec::new();
        for one in &series {
            let counts = self.together(one.groups.iter().copied()).counts();
            let heights = edges.heights(&counts);
            layers.push(Layer {
                ink: one.ink,
                shape: Shape::Bars(bars(&edges, &base, &heights)),
            });
            base.iter_mut()
                .zip(heights)
                .for_each(|(base, height)| *base += height);
        }
        let several = series.len() > 1;
        let entries = series.iter().filter(|_| several);
        let legend = entries.map(|one| Entry {
            label: one.label.clone(),
            ink: one.ink,
            mark: Mark::Block,
        });
        let requests = number::counted(all.succeeded() + all.failed(), "request");
        let tallest = heights.iter().copied().max().unwrap_or(0);
        Ok(Figure {
            title: "Time to first token".to_owned(),
            facts: format!(
                "{requests} · {}{}",
                quantiles(&all.spread()),
                only(groups, &series)
            ),
            notes: self.notes(&edges, &heights, counts[counts.len() - 1].0),
            x,
            y: Axis::from_zero("requests", Quantity::Count, tallest as f64),
            layers,
            legend: legend.collect(),
        })
    }
}

impl TtftHistogram {
    /// The edges of the bars, and the axis they lie on.
    fn spread(&self, counts: &[(f64, u64)], low: f64, high: f64) -> (Edges, Axis) {
        const TITLE: &str = "time to first token";
        if self.spacing.is_log(low, high) {
            let edges = Edges::log(counts);
            let (from, to) = ends(&edges);
            let axis = Axis {
                scale: Scale::Log,
                ..Axis::exact(TITLE, Quantity::Duration, from, to)
            };
            return (edges, axis);
        }
        let edges = Edges::linear(counts);
        let (from, to) = ends(&edges);
        let width = edges.edges[1] - edges.edges[0];
        // a lone bar is not stretched over the whole picture
        let margin = if edges.edges.len() < 8 { 4.0 } else { 1.0 } * width;
        let room = if edges.beyond { 2.5 * width } else { margin };
        let mut axis = Axis::exact(
            TITLE,
            Quantity::Duration,
            (from - margin).max(0.0),
            to + room,
        );
        if edges.beyond {
            axis.labelled_to = to;
        }
        (edges, axis)
    }

    fn notes(&self, edges: &Edges, heights: &[u64], max: f64) -> Vec<String> {
        let mut notes = Vec::new();
        if let (true, Some(&beyond)) = (edges.beyond, heights.last()) {
            notes.push(format!(
                "the pale bar at the right holds {} of more than {}, up to {}",
                number::counted(beyond, "request"),
                number::duration(ends(edges).1),
                number::duration(max)
            ));
        }
        let failed = self.endings.failed();
        if failed > 0 {
            notes.push(format!(
                "{} failed ({}) and are not drawn; in the quantiles they count as infinite",
                number::counted(failed, "request"),
                self.endings.kinds()
            ));
        }
        notes.extend(self.endings.notes("ttft_ms"));
        notes
    }
}

fn ends(edges: &Edges) -> (f64, f64) {
    (edges.edges[0], edges.edges[edges.edges.len() - 1])
}

/// Bars of `heights` standing on `base`.
fn bars(edges: &Edges, base: &[u64], heights: &[u64]) -> Vec<Bar> {
    let (_, end) = ends(edges);
    let width = edges.edges[1] - edges.edges[0];
    let bounds = edges.edges.windows(2).map(|pair| (pair[0], pair[1], false));
    let beyond = edges
        .beyond
        .then_some((end + 0.75 * width, end + 1.75 * width, true));
    let each = bounds.chain(beyond).zip(base.iter().zip(heights));
    each.filter(|(_, (_, height))| **height > 0)
        .map(|((left, right, pale), (&base, &height))| Bar {
            x: (left, right),
            y: (base as f64, (base + height) as f64),
            pale,
        })
        .collect()
}
