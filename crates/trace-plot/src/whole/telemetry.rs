//! What a server or a GPU told of itself during a run: a panel a metric, a
//! line for each set of labels.
//!
//! The input are telemetry lines, as `trace-send --telemetry` writes them.
//! They are counted in bins like requests, at most 2,000 a line, so memory
//! does not grow with the length of a run.

use std::collections::BTreeMap;
use std::io::BufRead;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use trace_core::{Micros, cli::Progress};

use super::{Task, Whole, metric::Metric};
use crate::{
    bins::{Bins, FEW},
    figure::{Figure, Layout, Sheet},
    number,
};

pub(super) const WHOLE: Whole = Whole {
    name: "telemetry",
    about: "telemetry lines over time: a panel for each metric (or --metric), a line for each set of labels",
    files: None,
    sheet,
};

/// Lines that are told apart, of all metrics together: some 64 KB each.
const MOST: usize = 512;
/// Panels, unless metrics are named.
const PANELS: usize = 12;

/// One sample.
#[derive(Debug, Deserialize)]
struct Sample {
    t_ms: f64,
    source: String,
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    value: f64,
    #[serde(default)]
    unit: String,
}

/// Everything that was read.
#[derive(Default)]
struct Telemetry {
    metrics: BTreeMap<String, Metric>,
    lines: usize,
    samples: u64,
    /// Samples of lines beyond those that are told apart.
    beyond: u64,
    skipped: u64,
}

fn sheet(task: &Task<'_>) -> Result<Sheet> {
    let mut telemetry = Telemetry::default();
    let mut progress = Progress::new("lines", None);
    for source in task.input.sources()? {
        let name = source.name().clone();
        let tag = source.tag().map(str::to_owned);
        let bytes = source
            .open()
            .with_context(|| format!("cannot open {name}"))?;
        telemetry.read(bytes, &name, tag.as_deref(), task, &mut progress)?;
    }
    progress.finish();
    if telemetry.skipped > 0 {
        trace_core::say!(
            "trace-plot: skipped {}",
            number::counted(telemetry.skipped, "line")
        );
    }
    telemetry.sheet(task.metrics)
}

impl Telemetry {
    fn read(
        &mut self,
        mut bytes: impl BufRead,
        name: &str,
        tag: Option<&str>,
        task: &Task<'_>,
        progress: &mut Progress,
    ) -> Result<()> {
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let read = std::io::Read::take(&mut bytes, trace_core::MAX_LINE_BYTES as u64)
                .read_until(b'\n', &mut line)
                .with_context(|| format!("cannot read {name}"))?;
            if read == 0 {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let sample = match serde_json::from_slice::<Sample>(&line) {
                Ok(sample) => sample,
                Err(_) if task.input.skip_invalid => {
                    self.skipped += 1;
                    continue;
                }
                Err(error) => bail!(
                    "{name}:{number}:{}: not a telemetry line: {}",
                    error.column().max(1),
                    reason(&error)
                ),
            };
            let Some(at) = Micros::from_millis(sample.t_ms) else {
                bail!("{name}:{number}:1: t_ms is no time since the run began");
            };
            self.add(sample, at, tag, task)?;
            progress.set(self.samples, "");
        }
        Ok(())
    }

    fn add(
        &mut self,
        sample: Sample,
        at: Micros,
        tag: Option<&str>,
        task: &Task<'_>,
    ) -> Result<()> {
        let wanted = task.metrics.is_empty()
            || task
                .metrics
                .iter()
                .any(|metric| sample.name.contains(metric));
        if !wanted {
            return Ok(());
        }
        self.samples += 1;
        let full = self.lines == MOST;
        let metric = self.metrics.entry(sample.name).or_default();
        metric.unit = sample.unit;
        let source = tag.map_or(sample.source, str::to_owned);
        let key = (source, sample.labels);
        if !metric.lines.contains_key(&key) {
            if full {
                self.beyond += 1;
                return Ok(());
            }
            self.lines += 1;
        }
        let bins = metric
            .lines
            .entry(key)
            .or_insert_with(|| Bins::new(task.settings.bin, FEW));
        bins.at(0, at)?.add(sample.value);
        Ok(())
    }

    fn sheet(mut self, named: &[String]) -> Result<Sheet> {
        self.metrics.retain(|_, metric| !metric.lines.is_empty());
        if self.metrics.is_empty() {
            match named {
                [] => bail!("nothing to draw: the input has no telemetry lines"),
                _ => bail!(
                    "nothing to draw: no metric is called {}",
                    named.join(" or ")
                ),
            }
        }
        let extents = self
            .metrics
            .values()
            .flat_map(|metric| metric.lines.values());
        let mut extents = extents.filter_map(Bins::extent);
        let first = extents.next().context("no line has a sample")?;
        let extent = extents.fold(first, |all, other| all.with(Some(other)));
        let metrics: Vec<(&String, &Metric)> = self.metrics.iter().collect();
        // what never changes says little, and comes last
        let (moving, still): (Vec<_>, Vec<_>) = metrics
            .into_iter()
            .partition(|(_, metric)| metric.changes());
        let mut order: Vec<(&String, &Metric)> = moving.into_iter().chain(still).collect();
        let rest = if named.is_empty() && order.len() > PANELS {
            order.split_off(PANELS)
        } else {
            Vec::new()
        };
        let mut panels: Vec<Figure> = order
            .into_iter()
            .map(|(name, metric)| metric.panel(name, &extent))
            .collect();
        if let Some(last) = panels.last_mut() {
            if !rest.is_empty() {
                let names: Vec<&str> = rest.iter().map(|(name, _)| name.as_str()).collect();
                last.notes.push(format!(
                    "not drawn, unless --metric names them: {}",
                    names.join(", ")
                ));
            }
            if self.beyond > 0 {
                let samples = number::counted(self.beyond, "sample");
                last.notes.push(format!(
                    "{samples} of more than {MOST} sets of labels not drawn"
                ));
            }
        }
        Ok(Sheet::new("Telemetry", panels, Layout::STACK))
    }
}

/// What is wrong, without the place that is told before it.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = text.rfind(" at line ");
    place.map_or(text.clone(), |at| text[..at].to_owned())
}
