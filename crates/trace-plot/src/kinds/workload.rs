//! A workload at a glance, in four panels over one axis of time: requests,
//! lengths of prompts and answers, and the turns of sessions.
//!
//! The panels are those of AIBrix's generator. A bin begins with its moment
//! and ends before the next one's, so that the first second is counted as the
//! first, and lengths are means over requests.

use anyhow::Result;

use super::{
    CROWD, Kind, Nothing, Plot, Settings, legend, only,
    panel::{panel, rates},
    sessions::Sessions,
};
use crate::{
    axis::{Axis, Quantity},
    bins::{Bins, FEW},
    cell::{Cell, Range},
    figure::{Figure, Layer, Layout, Mark, Sheet},
    grid::{Grid, Step, runs},
    group::{Groups, Series},
    number,
    sample::Sample,
};

pub(super) const KIND: Kind = Kind {
    name: "workload",
    about: "four panels over time: request rate, mean prompt and answer lengths, turns of sessions",
    usual: true,
    new: |settings| Box::new(Workload::new(settings)),
};

struct Workload {
    bins: Bins<Arrivals>,
    sessions: Sessions,
    timeless: u64,
}

/// What arrives in a bin.
#[derive(Clone, Copy, Default)]
struct Arrivals {
    requests: u64,
    input: Range,
    output: Range,
}

impl Cell for Arrivals {
    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.input.merge(&other.input);
        self.output.merge(&other.output);
    }
}

impl Workload {
    fn new(settings: &Settings) -> Self {
        Self {
            bins: Bins::new(settings.bin, FEW),
            sessions: Sessions::default(),
            timeless: 0,
        }
    }
}

impl Plot for Workload {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let Some(at) = sample.scheduled() else {
            self.timeless += 1;
            return Ok(());
        };
        let arrivals = self.bins.at(sample.group, at)?;
        arrivals.requests += 1;
        if let Some(tokens) = sample.input() {
            arrivals.input.add(tokens as f64);
        }
        // of a failed request what it asked for, if that is known
        if let Some(tokens) = sample.output().or(sample.request.output_length) {
            arrivals.output.add(tokens as f64);
        }
        if sample.request.session_id.is_some() {
            self.sessions.count(sample);
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let Some(extent) = self.bins.extent() else {
            return Err(Nothing(
                "no line has a timestamp or scheduled_ms".to_owned(),
            ));
        };
        let grid = Grid::over(&extent)?;
        let series = groups.series();
        let steps: Vec<Vec<Step<Arrivals>>> = series
            .iter()
            .map(|one| grid.steps(&self.bins, &one.groups))
            .collect();
        let requests = |arrivals: &Arrivals| arrivals.requests;
        let mut panels = vec![rates(
            ("Request rate", "requests"),
            &grid,
            &series,
            &steps,
            requests,
        )];
        let crowded = series.len() > CROWD;
        panels.extend(if crowded {
            let all = [Series::all()];
            let whole = [grid.steps(&self.bins, &all[0].groups)];
            means(&grid, &all, &whole)
        } else {
            means(&grid, &series, &steps)
        });
        let turns = self
            .sessions
            .figure(groups, Some((grid.axis(), grid.start)));
        let sessions = turns.is_ok();
        panels.extend(turns.ok().map(|turns| Figure {
            legend: Vec::new(),
            ..turns
        }));
        panels[0].facts = format!(
            "{}{}{}",
            number::counted(extent.count, "request"),
            grid.fact(),
            only(groups, &series)
        );
        panels[0].legend = legend(&series, Mark::Line);
        if let Some(last) = panels.last_mut() {
            last.notes.extend(self.notes(&grid, crowded, sessions));
        }
        Ok(Sheet::new("Workload", panels, Layout::STACK))
    }
}

impl Workload {
    fn notes(&self, grid: &Grid, crowded: bool, sessions: bool) -> Vec<String> {
        let mut notes: Vec<String> = grid.note().into_iter().collect();
        if crowded {
            notes.push("the means are those of all requests together".to_owned());
        }
        if !sessions {
            notes.push("no request has a session_id: no panel of sessions".to_owned());
        }
        if self.timeless > 0 {
            let requests = number::counted(self.timeless, "request");
            notes.push(format!("{requests} without a time not drawn"));
        }
        notes
    }
}

/// The mean lengths of prompts and of answers. Too many lines that go up and
/// down would hide one another: of a crowd, all together are one.
fn means(grid: &Grid, series: &[Series], steps: &[Vec<Step<Arrivals>>]) -> Vec<Figure> {
    let input = lengths("Prompt length, mean", grid, series, steps, |cell| {
        &cell.input
    });
    let output = lengths("Answer length, mean", grid, series, steps, |cell| {
        &cell.output
    });
    input.into_iter().chain(output).collect()
}

fn lengths(
    title: &str,
    grid: &Grid,
    series: &[Series],
    steps: &[Vec<Step<Arrivals>>],
    length: fn(&Arrivals) -> &Range,
) -> Option<Figure> {
    let mut layers = Vec::new();
    let mut peak: f64 = 0.0;
    for (one, steps) in series.iter().zip(steps).rev() {
        for run in runs(steps, |step| length(&step.cell).mean()) {
            peak = run.iter().map(|point| point.1).fold(peak, f64::max);
            layers.push(Layer::line(one.ink, run));
        }
    }
    let axis = Axis::from_zero("tokens", Quantity::Number, peak);
    (!layers.is_empty()).then(|| panel(title, grid, axis, layers))
}
