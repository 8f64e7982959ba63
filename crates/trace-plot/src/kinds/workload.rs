//! A workload at a glance, in four panels over one axis of time: requests,
//! lengths of prompts and answers, and the turns of sessions.
//!
//! The panels are those of AIBrix's generator. A bin begins with its moment
//! and ends before the next one's, so that the first second is counted as the
//! first, and lengths are means over requests.

use anyhow::Result;

use super::{CROWD, Kind, Nothing, Plot, Settings, legend, only, sessions::Sessions};
use crate::{
    axis::{Axis, Quantity},
    bins::{Bins, FEW},
    cell::{Cell, Range},
    figure::{Figure, Layer, Layout, Mark, Shape, Sheet},
    grid::{Grid, Step, corners, runs},
    group::{Groups, Series, TRACKED},
    number,
    per::Per,
    sample::Sample,
    theme::Ink,
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
        let mut panels = vec![requests(&grid, &series, &steps)];
        // too many lines that go up and down would hide one another
        let all = [Series {
            label: "all".to_owned(),
            ink: Ink::All,
            groups: Vec::new(),
        }];
        let whole = [grid.steps(&self.bins, &(0..=TRACKED).collect::<Vec<_>>())];
        let crowded = series.len() > CROWD;
        let (means, steps) = if crowded {
            (&all[..], &whole[..])
        } else {
            (&series[..], &steps[..])
        };
        for (title, length) in [
            (
                "Prompt length, mean",
                (|cell| &cell.input) as fn(&Arrivals) -> &Range,
            ),
            ("Answer length, mean", |cell| &cell.output),
        ] {
            panels.extend(lengths(title, &grid, means, steps, length));
        }
        let turns = self
            .sessions
            .figure(groups, Some((grid.axis(), grid.start)));
        let no_sessions = turns.is_err();
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
        let mut notes: Vec<String> = grid.note().into_iter().collect();
        if crowded {
            notes.push("the means are those of all requests together".to_owned());
        }
        if no_sessions {
            notes.push("no request has a session_id: no panel of sessions".to_owned());
        }
        if self.timeless > 0 {
            let requests = number::counted(self.timeless, "request");
            notes.push(format!("{requests} without a time not drawn"));
        }
        if let Some(last) = panels.last_mut() {
            last.notes.extend(notes);
        }
        Ok(Sheet::new("Workload", panels, Layout::STACK))
    }
}

fn requests(grid: &Grid, series: &[Series], steps: &[Vec<Step<Arrivals>>]) -> Figure {
    let rate = |step: &Step<Arrivals>| step.cell.requests as f64 / (step.to - step.from) as f64;
    let peak = steps.iter().flatten().map(rate).fold(0.0, f64::max);
    let per = Per::fitting(peak);
    let mut layers = Vec::new();
    for (one, steps) in series.iter().zip(steps).rev() {
        let points = corners(steps, |step| rate(step) * per.us);
        if series.len() == 1 {
            layers.push(Layer::of(one.ink, Shape::Area(points.clone())));
        }
        layers.push(Layer::line(one.ink, points));
    }
    let name = format!("requests/{}", per.name);
    panel(
        "Request rate",
        grid,
        Axis::from_zero(name, Quantity::Number, peak * per.us),
        layers,
    )
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

fn panel(title: &str, grid: &Grid, y: Axis, layers: Vec<Layer>) -> Figure {
    Figure {
        title: title.to_owned(),
        facts: String::new(),
        notes: Vec::new(),
        x: grid.axis(),
        y,
        layers,
        legend: Vec::new(),
    }
}
