//! What each request took and was given, over the time it was sent: the nine
//! panels of AIBrix's client.
//!
//! A line is the mean of a bin; the pale band reaches from its least to its
//! greatest request, which is all that could be seen of a line through every
//! request.

use anyhow::Result;

use super::{CROWD, Kind, Nothing, Plot, Settings, legend, only, panel::panel};
use crate::{
    axis::{Axis, Quantity},
    bins::{Bins, FEW},
    cell::{Cell, Range},
    ending::{Ending, Endings},
    figure::{Figure, Layer, Layout, Mark, Shape, Sheet},
    grid::{Grid, Step, corners, runs},
    group::{Groups, Series},
    number,
    sample::Sample,
};

pub(super) const KIND: Kind = Kind {
    name: "time-series",
    about: "nine panels over the time of sending: tokens, latency, throughput, TTFT, TPOT, errors; the mean, and a band from least to most",
    usual: true,
    new: |settings| Box::new(TimeSeries::new(settings)),
};

/// The panels but the last: title, name of the axis, quantity.
const PANELS: [(&str, &str, Quantity); 8] = [
    ("Prompt tokens", "tokens", Quantity::Number),
    ("Output tokens", "tokens", Quantity::Number),
    ("Total tokens", "tokens", Quantity::Number),
    ("Latency, from the send", "latency", Quantity::Duration),
    (
        "Output tokens a second of a request",
        "tokens/s",
        Quantity::Number,
    ),
    (
        "Total tokens a second of a request",
        "tokens/s",
        Quantity::Number,
    ),
    ("Time to first token (TTFT)", "TTFT", Quantity::Duration),
    ("Time per output token (TPOT)", "TPOT", Quantity::Duration),
];

struct TimeSeries {
    bins: Bins<Row>,
    endings: Endings,
}

/// What was measured of the requests sent in a bin.
#[derive(Clone, Copy, Default)]
struct Row {
    values: [Range; PANELS.len()],
    errors: u64,
}

impl Cell for Row {
    fn merge(&mut self, other: &Self) {
        for (value, other) in self.values.iter_mut().zip(&other.values) {
            value.merge(other);
        }
        self.errors += other.errors;
    }
}

impl TimeSeries {
    fn new(settings: &Settings) -> Self {
        Self {
            bins: Bins::new(settings.bin, FEW),
            endings: Endings::default(),
        }
    }
}

/// What the panels show of one request.
fn values(sample: &Sample<'_>) -> [Option<f64>; PANELS.len()] {
    let us = |time: Option<trace_core::Micros>| time.map(|time| time.as_micros() as f64);
    let outcome = sample.outcome;
    let input = sample.input().map(|tokens| tokens as f64);
    let output = sample.output().map(|tokens| tokens as f64);
    let total = input.zip(output).map(|(input, output)| input + output);
    let latency = us(outcome.and_then(|outcome| outcome.latency_ms));
    let per_second = |tokens: Option<f64>| {
        let (tokens, latency) = tokens.zip(latency)?;
        (latency > 0.0).then_some(tokens / latency * 1e6)
    };
    [
        input,
        output,
        total,
        latency,
        per_second(output),
        per_second(total),
        us(outcome.and_then(|outcome| outcome.ttft_ms)),
        us(outcome.and_then(|outcome| outcome.tpot_ms)),
    ]
}

impl Plot for TimeSeries {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let at = sample.started().filter(|_| sample.outcome.is_some());
        let ending = self.endings.count(sample, at.is_some());
        let Some(at) = at else { return Ok(()) };
        match ending {
            Ending::Failed => self.bins.at(sample.group, at)?.errors += 1,
            Ending::Succeeded => {
                let row = self.bins.at(sample.group, at)?;
                for (range, value) in row.values.iter_mut().zip(values(sample)) {
                    if let Some(value) = value {
                        range.add(value);
                    }
                }
            }
            Ending::Apart => {}
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let Some(extent) = self.bins.extent() else {
            return Err(self.endings.nothing("sent_ms"));
        };
        let grid = Grid::over(&extent)?;
        let named = groups.series();
        let crowded = named.len() > CROWD;
        let series = if crowded {
            vec![Series::all()]
        } else {
            named.clone()
        };
        let steps: Vec<Vec<Step<Row>>> = series
            .iter()
            .map(|one| grid.steps(&self.bins, &one.groups))
            .collect();
        let mut panels: Vec<Figure> = (0..PANELS.len())
            .filter_map(|index| course(&grid, &series, &steps, index))
            .collect();
        panels.push(errors(&grid, &series, &steps));
        panels[0].facts = format!(
            "{}{}{}",
            number::counted(extent.count, "request"),
            grid.fact(),
            only(groups, &named)
        );
        panels[0].legend = legend(&series, Mark::Line);
        if let Some(last) = panels.last_mut() {
            let failed = self.endings.failed();
            if failed > 0 {
                let errors = number::counted(failed, "error");
                last.facts = format!("{errors} ({})", self.endings.kinds());
            }
            last.notes = self.notes(&grid, crowded, series.len() == 1);
        }
        Ok(Sheet::new("Requests over time", panels, Layout::STACK))
    }
}

impl TimeSeries {
    fn notes(&self, grid: &Grid, crowded: bool, bands: bool) -> Vec<String> {
        let together = crowded.then(|| "all requests together".to_owned());
        let bands = bands.then(|| "lines are means of a bin, bands reach from its least to its greatest request; failures count in the last panel only".to_owned());
        let mut notes: Vec<String> = together.into_iter().chain(bands).collect();
        notes.extend(grid.note());
        notes.extend(self.endings.notes("sent_ms"));
        notes
    }
}

/// The panel of one quantity; none if no request has it.
fn course(
    grid: &Grid,
    series: &[Series],
    steps: &[Vec<Step<Row>>],
    index: usize,
) -> Option<Figure> {
    let (title, name, quantity) = PANELS[index];
    let range = |step: &Step<Row>| {
        let range = step.cell.values[index];
        (range.count > 0).then_some(range)
    };
    let mut layers = Vec::new();
    let mut peak: f64 = 0.0;
    for (one, steps) in series.iter().zip(steps).rev() {
        let means = runs(steps, |step| range(step)?.mean());
        if series.len() == 1 {
            let lowest = runs(steps, |step| Some(range(step)?.min));
            let highest = runs(steps, |step| Some(range(step)?.max));
            for (lower, upper) in lowest.into_iter().zip(highest) {
                peak = upper.iter().map(|point| point.1).fold(peak, f64::max);
                layers.push(Layer::of(one.ink, Shape::Band { lower, upper }));
            }
        }
        for run in means {
            peak = run.iter().map(|point| point.1).fold(peak, f64::max);
            layers.push(Layer::line(one.ink, run));
        }
    }
    let axis = Axis::from_zero(name, quantity, peak);
    (!layers.is_empty()).then(|| panel(title, grid, axis, layers))
}

fn errors(grid: &Grid, series: &[Series], steps: &[Vec<Step<Row>>]) -> Figure {
    let mut layers = Vec::new();
    let mut peak: u64 = 0;
    for (one, steps) in series.iter().zip(steps).rev() {
        let most = steps.iter().map(|step| step.cell.errors).max();
        peak = peak.max(most.unwrap_or(0));
        let points = corners(steps, |step| step.cell.errors as f64);
        layers.push(Layer::line(one.ink, points));
    }
    let axis = Axis::from_zero("errors in a bin", Quantity::Count, peak as f64);
    panel("Errors", grid, axis, layers)
}
