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
    bins::{Bins, TooManyBins},
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
    /// Microseconds in a bin.
    width: u64,
    /// Where the first begins: zero, or about the first request of a trace
    /// that begins late.
    start: u64,
    /// Where the last one ends, from `start`: with the last request.
    end: u64,
    unit: (f64, &'static str),
}

impl Rate {
    fn new(settings: &Settings) -> Self {
        Self {
            scheduled: Bins::new(settings.bin),
            sent: Bins::new(settings.bin),
            timeless: 0,
        }
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
            return Err(Nothing(
                "no line has a timestamp or scheduled_ms".to_owned(),
            ));
        };
        let series: Vec<Series> = groups.series();
        let grid = self
            .grid(span, &series)
            .map_err(|error| Nothing(error.to_string()))?;
        let shifted = self.shifted(&grid);
        let mut figure = Figure {
            title: "Request rate".to_owned(),
            facts: self.facts(span, &grid) + &only(groups, &series),
            notes: self.notes(&grid),
            x: grid.time_axis(),
            y: Axis::from_zero(format!("requests/{}", grid.unit.1), Quantity::Number, 0.0),
            layers: Vec::new(),
            legend: Vec::new(),
        };
        let mut peak: f64 = 0.0;
        // the largest last, on top of the others
        for one in series.iter().rev() {
            let steps = grid.steps(&self.scheduled, &one.groups);
            peak = steps.iter().map(|step| step.1).fold(peak, f64::max);
            if series.len() == 1 {
                figure.layers.push(Layer {
                    ink: one.ink,
                    shape: Shape::Area(steps.clone()),
                });
            }
            figure.layers.push(Layer {
                ink: one.ink,
                shape: Shape::Line {
                    points: steps,
                    dashed: false,
                },
            });
            if shifted {
                let points = grid.steps(&self.sent, &one.groups);
                peak = points.iter().map(|point| point.1).fold(peak, f64::max);
                let ink = if series.len() == 1 { Ink::All } else { one.ink };
                figure.layers.push(Layer {
                    ink,
                    shape: Shape::Line {
                        points,
                        dashed: true,
                    },
                });
            }
        }
        figure.y = Axis::from_zero(figure.y.title, Quantity::Number, peak);
        figure.legend = legend(&series, shifted);
        Ok(figure)
    }
}

impl Rate {
    /// Where bins lie and in which unit rates are told.
    ///
    /// # Errors
    /// If the bins that were asked for are too many.
    fn grid(&self, (first, last): (u64, u64), series: &[Series]) -> Result<Grid, TooManyBins> {
        let (from, to) = match self.sent.span() {
            Some((sent_first, sent_last)) => (first.min(sent_first), last.max(sent_last)),
            None => (first, last),
        };
        let base = self.scheduled.width().max(self.sent.width());
        let start = if from > (to - from) / 4 {
            from / base * base
        } else {
            0
        };
        let span = if from == to { 0 } else { to - start };
        let width = self.scheduled.nice_width(span, base)?;
        let end = ((to - start) / base * base).saturating_add(base);
        // a moment on its own has the whole bin around it
        let end = if from == to { end.max(width) } else { end };
        let mut grid = Grid {
            width,
            start,
            end,
            unit: UNITS[0],
        };
        let counts = series
            .iter()
            .flat_map(|one| grid.counts(&self.scheduled, &one.groups));
        let peak = counts.max().unwrap_or(0) as f64 / width as f64;
        let unit = UNITS.into_iter().find(|(us, _)| peak * us >= 1.0);
        grid.unit = unit.unwrap_or(UNITS[3]);
        Ok(grid)
    }

    /// Whether the rate sent differs visibly from the rate scheduled: a tenth
    /// of all requests left in another bin, or a quarter of the busiest bin.
    fn shifted(&self, grid: &Grid) -> bool {
        let all: Vec<usize> = (0..=crate::group::TRACKED).collect();
        let scheduled = grid.counts(&self.scheduled, &all);
        let sent = grid.counts(&self.sent, &all);
        let peak = scheduled.iter().copied().max().unwrap_or(0);
        let apart = scheduled.iter().zip(&sent).map(|(a, b)| a.abs_diff(*b));
        let most = apart.clone().max().unwrap_or(0);
        // each that moved is missing in one bin and too many in another
        let moved = apart.sum::<u64>() / 2;
        self.sent.count() > 0 && (moved > self.sent.count() / 10 || most > (peak / 4).max(2))
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
        if grid.start > 0 {
            notes.push(format!(
                "time counts from {} ms after the zero of the trace",
                number::exact(grid.start / 1_000)
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
    fn bins(&self) -> usize {
        (self.end / self.width) as usize + 1
    }

    fn counts(&self, bins: &Bins, groups: &[usize]) -> Vec<u64> {
        bins.counts(groups, self.width, self.start, self.bins())
    }

    /// Where each bin ends. The last ends with the trace, and joins the one
    /// before if it is shorter than half: the rate of a bin that the trace
    /// left early would seem to fall.
    fn steps(&self, bins: &Bins, groups: &[usize]) -> Vec<(f64, f64)> {
        let mut steps: Vec<(u64, u64, u64)> = Vec::new();
        for (index, count) in self.counts(bins, groups).into_iter().enumerate() {
            let from = index as u64 * self.width;
            let to = self.end.min(from.saturating_add(self.width));
            match steps.last_mut() {
                Some((_, end, sum)) if to - from < self.width / 2 => {
                    *end = to;
                    *sum += count;
                }
                _ => steps.push((from, to, count)),
            }
        }
        let rate =
            |(from, to, count): (u64, u64, u64)| count as f64 / (to - from) as f64 * self.unit.0;
        let ends =
            |step: (u64, u64, u64)| [(step.0 as f64, rate(step)), (step.1 as f64, rate(step))];
        steps.into_iter().flat_map(ends).collect()
    }

    fn time_axis(&self) -> Axis {
        Axis::exact("time", Quantity::Duration, 0.0, self.end as f64)
    }
}

fn legend(series: &[Series], shifted: bool) -> Vec<Entry> {
    let entry = |label: &str, ink, mark| Entry {
        label: label.to_owned(),
        ink,
        mark,
    };
    match series {
        [one] if shifted => {
            vec![
                entry("scheduled", one.ink, Mark::Line),
                entry("sent", Ink::All, Mark::Dashed),
            ]
        }
        [_] => Vec::new(),
        several => {
            let each = several
                .iter()
                .map(|one| entry(&one.label, one.ink, Mark::Line));
            let sent = shifted.then(|| entry("as sent", Ink::Other, Mark::Dashed));
            each.chain(sent).collect()
        }
    }
}
