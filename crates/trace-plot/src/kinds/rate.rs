//! Requests a second over the time of the trace or the run.
//!
//! Of a request the `timestamp` counts, of an outcome the `scheduled_ms`, so
//! that a trace and a run of it look alike. Where requests left at other
//! times than they were scheduled, the rate at which they were sent is drawn
//! as well, dashed.

use anyhow::Result;

use super::{Kind, Nothing, Plot, Sample, Settings, only};
use crate::{
    axis::{Axis, Quantity},
    bins::Bins,
    figure::{Entry, Figure, Layer, Mark, Shape},
    group::{Groups, Series},
    number,
    theme::Ink,
};

pub(super) const KIND: Kind = Kind {
    name: "rate",
    about: "request rate over time, by timestamp or scheduled_ms (and sent_ms, dashed, where it differs)",
    new: |settings| Box::new(Rate::new(settings)),
};

struct Rate {
    scheduled: Bins,
    sent: Bins,
    /// Lines that name no time.
    timeless: u64,
}

/// A unit of rates: microseconds in it, its name.
const UNITS: [(f64, &str); 4] = [(1e6, "s"), (6e7, "min"), (3.6e9, "h"), (8.64e10, "day")];

/// Bins as they are drawn.
struct Grid {
    width: u64,
    first: u64,
    last: u64,
    /// Subtracted from all times, for a trace that begins late.
    origin: u64,
    unit: (f64, &'static str),
}

impl Rate {
    fn new(settings: &Settings) -> Self {
        Self { scheduled: Bins::new(settings.bin), sent: Bins::new(settings.bin), timeless: 0 }
    }
}

impl Plot for Rate {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let scheduled = match sample.outcome {
            Some(outcome) => outcome.scheduled_ms.or(outcome.sent_ms),
            None => sample.request.timestamp,
        };
        match scheduled {
            Some(at) => self.scheduled.add(sample.group, at)?,
            None => self.timeless += 1,
        }
        if let Some(at) = sample.outcome.and_then(|outcome| outcome.sent_ms) {
            self.sent.add(sample.group, at)?;
        }
        Ok(())
    }

    fn figure(&self, groups: &Groups) -> Result<Figure, Nothing> {
        let Some(span) = self.scheduled.span() else {
            return Err(Nothing("no line has a timestamp or scheduled_ms".to_owned()));
        };
        let series: Vec<Series> = groups.series();
        let grid = self.grid(span, &series);
        let shifted = self.shifted(&grid);
        let mut figure = Figure {
            title: "Request rate".to_owned(),
            facts: self.facts(span, &grid) + &only(&series),
            notes: self.notes(&grid),
            x: grid.time_axis(),
            y: Axis::from_zero(format!("requests/{}", grid.unit.1), Quantity::Number, 0.0),
            layers: Vec::new(),
            legend: Vec::new(),
        };
        let mut peak: f64 = 0.0;
        // the largest last, on top of the others
        for one in series.iter().rev() {
            let rates = grid.rates(&self.scheduled, &one.groups);
            peak = rates.iter().copied().fold(peak, f64::max);
            let steps = grid.steps(&rates);
            if series.len() == 1 {
                figure.layers.push(Layer { ink: one.ink, shape: Shape::Area(steps.clone()) });
            }
            figure.layers.push(Layer { ink: one.ink, shape: Shape::Line { points: steps, dashed: false } });
            if shifted {
                let rates = grid.rates(&self.sent, &one.groups);
                peak = rates.iter().copied().fold(peak, f64::max);
                let ink = if series.len() == 1 { Ink::All } else { one.ink };
                let points = grid.steps(&rates);
                figure.layers.push(Layer { ink, shape: Shape::Line { points, dashed: true } });
            }
        }
        figure.y = Axis::from_zero(figure.y.title, Quantity::Number, peak);
        figure.legend = legend(&series, shifted);
        Ok(figure)
    }
}

impl Rate {
    /// Where bins lie and in which unit rates are told.
    fn grid(&self, (first, last): (u64, u64), series: &[Series]) -> Grid {
        let width = self.scheduled.nice_width(self.sent.width());
        let (mut from, mut to) = (first, last);
        if let Some((first, last)) = self.sent.span() {
            (from, to) = (from.min(first), to.max(last));
        }
        // a trace that begins long after zero is drawn from its beginning
        let origin = if first > last - first { first / width * width } else { 0 };
        let mut grid =
            Grid { width, first: from / width, last: to / width, origin, unit: UNITS[0] };
        if origin == 0 && first < (last - first) / 4 {
            grid.first = 0;
        }
        let counts = series.iter().flat_map(|one| grid.counts(&self.scheduled, &one.groups));
        let peak = counts.max().unwrap_or(0) as f64 / width as f64;
        let unit = UNITS.into_iter().find(|(us, _)| peak * us >= 1.0);
        grid.unit = unit.unwrap_or(UNITS[3]);
        grid
    }

    /// Whether the rate sent differs visibly from the rate scheduled: in some
    /// bin by more than a tenth of the peak.
    fn shifted(&self, grid: &Grid) -> bool {
        if self.sent.count() == 0 {
            return false;
        }
        let all: Vec<usize> = (0..=crate::group::TRACKED).collect();
        let scheduled = grid.counts(&self.scheduled, &all);
        let sent = grid.counts(&self.sent, &all);
        let peak = scheduled.iter().copied().max().unwrap_or(0);
        let apart = scheduled.iter().zip(&sent).map(|(a, b)| a.abs_diff(*b)).max();
        apart.unwrap_or(0) > (peak / 10).max(2)
    }

    fn facts(&self, (first, last): (u64, u64), grid: &Grid) -> String {
        let mut facts = number::counted(self.scheduled.count(), "request");
        if last > first {
            let span = (last - first) as f64;
            let mean = self.scheduled.count() as f64 / span * grid.unit.0;
            facts += &format!(
                " over {} · {}/{} on average",
                number::duration(span),
                number::significant(mean),
                grid.unit.1
            );
        }
        facts + &format!(" · bins of {}", number::duration(grid.width as f64))
    }

    fn notes(&self, grid: &Grid) -> Vec<String> {
        let mut notes = Vec::new();
        if grid.origin > 0 {
            notes.push(format!(
                "time counts from {} ms after the zero of the trace",
                number::exact(grid.origin / 1_000)
            ));
        }
        if self.timeless > 0 {
            notes.push(format!(
                "{} without a time not drawn",
                number::counted(self.timeless, "request")
            ));
        }
        notes
    }
}

impl Grid {
    fn counts(&self, bins: &Bins, groups: &[usize]) -> Vec<u64> {
        bins.counts(groups, self.width, self.first, self.last)
    }

    fn rates(&self, bins: &Bins, groups: &[usize]) -> Vec<f64> {
        let each = self.unit.0 / self.width as f64;
        self.counts(bins, groups).into_iter().map(|count| count as f64 * each).collect()
    }

    /// Microseconds, as drawn, at which bin `index` begins.
    fn start(&self, index: usize) -> f64 {
        let start = u128::from(self.first + index as u64) * u128::from(self.width);
        start.saturating_sub(u128::from(self.origin)) as f64
    }

    /// The rate as a line of steps.
    fn steps(&self, rates: &[f64]) -> Vec<(f64, f64)> {
        let ends = |(index, &rate): (usize, &f64)| [(self.start(index), rate), (self.start(index + 1), rate)];
        rates.iter().enumerate().flat_map(ends).collect()
    }

    fn time_axis(&self) -> Axis {
        let bins = (self.last - self.first + 1) as usize;
        Axis::exact("time", Quantity::Duration, self.start(0), self.start(bins))
    }
}

fn legend(series: &[Series], shifted: bool) -> Vec<Entry> {
    let entry = |label: &str, ink, mark| Entry { label: label.to_owned(), ink, mark };
    match series {
        [one] if shifted => {
            vec![entry("scheduled", one.ink, Mark::Line), entry("sent", Ink::All, Mark::Dashed)]
        }
        [_] => Vec::new(),
        several => {
            let each = several.iter().map(|one| entry(&one.label, one.ink, Mark::Line));
            let sent = shifted.then(|| entry("as sent", Ink::Other, Mark::Dashed));
            each.chain(sent).collect()
        }
    }
}
