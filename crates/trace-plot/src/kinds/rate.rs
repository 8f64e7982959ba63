//! Requests a second over the time of the trace or the run.
//!
//! Of a request the `timestamp` counts, of an outcome the `scheduled_ms`, so
//! that a trace and a run of it look alike. Where requests left at other
//! times than they were scheduled, the rate at which they were sent is drawn
//! as well, dashed.

use anyhow::Result;

use super::{Kind, Nothing, Plot, Settings, apart, legend, only};
use crate::{
    axis::{Axis, Quantity},
    bins::{Bins, MOST},
    figure::{Entry, Figure, Layer, Mark, Shape, Sheet},
    grid::{Grid, corners},
    group::{Groups, Series, TRACKED},
    number,
    per::Per,
    sample::Sample,
    theme::Ink,
};

pub(super) const KIND: Kind = Kind {
    name: "rate",
    about: "request rate over time, by timestamp or scheduled_ms (and sent_ms, dashed, where it differs)",
    usual: true,
    new: |settings| Box::new(Rate::new(settings, true)),
};

pub(super) const SCHEDULED: Kind = Kind {
    name: "scheduled-rate",
    about: "the same without sent_ms",
    usual: false,
    new: |settings| Box::new(Rate::new(settings, false)),
};

struct Rate {
    /// Whether what was sent is drawn, too.
    both: bool,
    scheduled: Bins,
    sent: Bins,
    /// Lines that name no time.
    timeless: u64,
}

impl Rate {
    fn new(settings: &Settings, both: bool) -> Self {
        Self {
            both,
            scheduled: Bins::new(settings.bin, MOST),
            sent: Bins::new(settings.bin, MOST),
            timeless: 0,
        }
    }
}

impl Plot for Rate {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        match sample.scheduled() {
            Some(at) => *self.scheduled.at(sample.group, at)? += 1,
            None => self.timeless += 1,
        }
        let sent = sample.outcome.and_then(|outcome| outcome.sent_ms);
        if let Some(at) = sent.filter(|_| self.both) {
            *self.sent.at(sample.group, at)? += 1;
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let Some(extent) = self.scheduled.extent() else {
            return Err(Nothing(
                "no line has a timestamp or scheduled_ms".to_owned(),
            ));
        };
        let span = extent.last - extent.first;
        let series: Vec<Series> = groups.series();
        let shared = extent.shared_by(series.len());
        let grid = Grid::over(&shared.with(self.sent.extent()))?;
        let shifted = self.shifted(&grid);
        let counts = series
            .iter()
            .flat_map(|one| grid.cells(&self.scheduled, &one.groups));
        let per = Per::fitting(counts.max().unwrap_or(0) as f64 / grid.width as f64);
        let line = |bins: &Bins, groups: &[usize]| {
            corners(&grid.steps(bins, groups), |step| {
                step.cell as f64 / (step.to - step.from) as f64 * per.us
            })
        };
        let mut layers = Vec::new();
        let mut peak: f64 = 0.0;
        // the largest last, on top of the others
        for one in series.iter().rev() {
            let steps = line(&self.scheduled, &one.groups);
            peak = steps.iter().map(|step| step.1).fold(peak, f64::max);
            if series.len() == 1 {
                layers.push(Layer::of(one.ink, Shape::Area(steps.clone())));
            }
            layers.push(Layer::line(one.ink, steps));
            if shifted {
                let points = line(&self.sent, &one.groups);
                peak = points.iter().map(|point| point.1).fold(peak, f64::max);
                let ink = if series.len() == 1 { Ink::All } else { one.ink };
                layers.push(Layer::dashes(ink, points));
            }
        }
        let figure = Figure {
            title: if self.both {
                "Request rate".to_owned()
            } else {
                "Scheduled request rate".to_owned()
            },
            facts: self.facts(span, per) + &grid.fact() + &only(groups, &series),
            notes: self.notes(&grid),
            x: grid.axis(),
            y: Axis::from_zero(format!("requests/{}", per.name), Quantity::Number, peak),
            layers,
            legend: entries(&series, shifted),
        };
        Ok(apart::sheet(figure, &series))
    }
}

impl Rate {
    /// Whether the rate sent differs visibly from the rate scheduled: a tenth
    /// of all requests left in another bin, or a quarter of the busiest bin.
    fn shifted(&self, grid: &Grid) -> bool {
        let all: Vec<usize> = (0..=TRACKED).collect();
        let scheduled = grid.cells(&self.scheduled, &all);
        let sent = grid.cells(&self.sent, &all);
        let peak = scheduled.iter().copied().max().unwrap_or(0);
        let apart = scheduled.iter().zip(&sent).map(|(a, b)| a.abs_diff(*b));
        let most = apart.clone().max().unwrap_or(0);
        // each that moved is missing in one bin and too many in another
        let moved = apart.sum::<u64>() / 2;
        self.sent.count() > 0 && (moved > self.sent.count() / 10 || most > (peak / 4).max(2))
    }

    fn facts(&self, span: u64, per: Per) -> String {
        let mut facts = number::counted(self.scheduled.count(), "request");
        if span > 0 {
            let mean = self.scheduled.count() as f64 / span as f64 * per.us;
            facts += &format!(
                " over {} · {}/{} on average",
                number::duration(span as f64),
                number::significant(mean),
                per.name
            );
        }
        facts
    }

    fn notes(&self, grid: &Grid) -> Vec<String> {
        let timeless = (self.timeless > 0).then(|| {
            format!(
                "{} without a time not drawn",
                number::counted(self.timeless, "request")
            )
        });
        grid.note().into_iter().chain(timeless).collect()
    }
}

fn entries(series: &[Series], shifted: bool) -> Vec<Entry> {
    match series {
        [one] if shifted => vec![
            Entry::new("scheduled", one.ink, Mark::Line),
            Entry::new("sent", Ink::All, Mark::Dashed),
        ],
        several => {
            let sent = shifted.then(|| Entry::new("as sent", Ink::Other, Mark::Dashed));
            legend(several, Mark::Line)
                .into_iter()
                .chain(sent)
                .collect()
        }
    }
}
