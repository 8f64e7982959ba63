//! Whether the client kept its own clock: how late requests left.
//!
//! `lateness_ms` is sent − due, the client's fault; `queue_ms` is due −
//! scheduled, the waiting that a cap on concurrency made.

use anyhow::Result;
use trace_core::Micros;

use super::{Kind, Nothing, Plot, Settings, only, quantiles};
use crate::{
    axis::{Axis, Quantity},
    bins::{Bins, FEW},
    cdf::curve,
    cell::Range,
    distribution::Distribution,
    figure::{Entry, Figure, Layer, Layout, Mark, Shape, Sheet},
    grid::{Grid, runs},
    group::{Groups, TRACKED},
    number,
    sample::Sample,
    theme::Ink,
};

pub(super) const KIND: Kind = Kind {
    name: "lateness",
    about: "how late requests left: by the client's fault (lateness_ms) and by a concurrency cap (queue_ms), in all and over the run",
    usual: true,
    new: |settings| Box::new(Lateness::new(settings)),
};

const LATE: Ink = Ink::Series(0);
const QUEUED: Ink = Ink::Series(1);

struct Lateness {
    late: Distribution,
    queued: Distribution,
    bins: Bins<Range>,
}

impl Lateness {
    fn new(settings: &Settings) -> Self {
        Self {
            late: Distribution::default(),
            queued: Distribution::default(),
            bins: Bins::new(settings.bin, FEW),
        }
    }
}

impl Plot for Lateness {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let Some(outcome) = sample.outcome else {
            return Ok(());
        };
        let since =
            |later: Option<Micros>, earlier: Option<Micros>| Some(later?.saturating_sub(earlier?));
        let late = outcome
            .lateness_ms
            .or_else(|| since(outcome.sent_ms, outcome.due_ms));
        let queued = outcome
            .queue_ms
            .or_else(|| since(outcome.due_ms, outcome.scheduled_ms));
        if let Some(queued) = queued {
            self.queued.add(queued);
        }
        if let Some(late) = late {
            self.late.add(late);
            if let Some(sent) = outcome.sent_ms {
                self.bins
                    .at(sample.group, sent)?
                    .add(late.as_micros() as f64);
            }
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        if self.late.succeeded() == 0 {
            return Err(Nothing(
                "no line is an outcome with lateness_ms or sent_ms and due_ms".to_owned(),
            ));
        }
        let mut panels = vec![self.shares(groups)];
        if let Some(extent) = self.bins.extent() {
            panels.push(self.course(&Grid::over(&extent)?));
        }
        Ok(Sheet::new("Lateness of the client", panels, Layout::STACK))
    }
}

impl Lateness {
    fn shares(&self, groups: &Groups) -> Figure {
        let max = |distribution: &Distribution| distribution.spread().max.unwrap_or(0.0);
        let queued = max(&self.queued) > 0.0;
        let top = max(&self.late).max(if queued { max(&self.queued) } else { 0.0 });
        // what leaves on the dot is drawn at a microsecond
        let x = Axis::log(
            "later than it was due",
            Quantity::Duration,
            (1.0, top.max(10.0)),
            1.0,
        );
        let mut layers = Vec::new();
        let mut legend = Vec::new();
        if queued {
            layers.push(curve(&self.queued, &x, QUEUED, false));
            legend.push(Entry::new("the client (lateness_ms)", LATE, Mark::Line));
            legend.push(Entry::new(
                "a concurrency cap (queue_ms)",
                QUEUED,
                Mark::Line,
            ));
        }
        layers.push(curve(&self.late, &x, LATE, false));
        let limit = trace_stats::results::LATENESS_LIMIT_MS;
        let spread = self.late.spread();
        let limited = spread.p99.is_some_and(|p99| p99 > limit * 1e3);
        Figure {
            title: "How late requests left".to_owned(),
            facts: format!(
                "{} · lateness {} · max {}{}",
                number::counted(self.late.succeeded(), "request"),
                quantiles(&spread),
                number::duration(max(&self.late)),
                only(groups, &groups.series())
            ),
            notes: vec![if limited {
                format!(
                    "client-limited: the p99 of lateness is above {limit} ms, so the client set the pace"
                )
            } else {
                format!("not client-limited: the p99 of lateness is at most {limit} ms")
            }],
            x,
            y: Axis::exact("share of requests", Quantity::Share, 0.0, 1.0),
            layers,
            legend,
        }
    }

    fn course(&self, grid: &Grid) -> Figure {
        let all: Vec<usize> = (0..=TRACKED).collect();
        let steps = grid.steps(&self.bins, &all);
        let of = |value: fn(&Range) -> f64| {
            runs(&steps, |step| {
                (step.cell.count > 0).then(|| value(&step.cell))
            })
        };
        let mut layers = Vec::new();
        let mut peak: f64 = 0.0;
        for (lower, upper) in of(|range| range.min).into_iter().zip(of(|range| range.max)) {
            peak = upper.iter().map(|point| point.1).fold(peak, f64::max);
            layers.push(Layer::of(LATE, Shape::Band { lower, upper }));
        }
        let means = of(|range| range.sum / range.count as f64);
        layers.extend(means.into_iter().map(|run| Layer::line(LATE, run)));
        Figure {
            title: "Lateness over the run".to_owned(),
            facts: format!("the mean, and a band from least to most{}", grid.fact()),
            notes: grid.note().into_iter().collect(),
            x: grid.axis(),
            y: Axis::from_zero("lateness", Quantity::Duration, peak),
            layers,
            legend: Vec::new(),
        }
    }
}
