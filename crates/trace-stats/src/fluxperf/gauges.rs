//! What the server and the GPUs said during each level.

use crate::telemetry::{Key, Sample, each_sample};
use anyhow::Context;
use std::collections::BTreeMap;
use std::path::Path;
use trace_core::quantile::{Spread, Values};
use trace_core::{Micros, Source};

/// The time of a level, from its first schedule to its last end, by the clock of
/// the run.
pub(super) type Span = Option<(Micros, Micros)>;

/// A series of telemetry in each of the levels, in their order.
pub(super) type Row = (Key, Vec<Spread>);

/// The series of the telemetry in `path` during each of `spans`.
///
/// # Errors
///
/// A file that cannot be read, or a line that is no telemetry.
pub(super) fn rows(path: &Path, spans: &[Span]) -> anyhow::Result<Vec<Row>> {
    let source = Source::path(path);
    let name = source.name().clone();
    let mut all: BTreeMap<Key, Vec<Values>> = BTreeMap::new();
    each_sample(source, |sample| {
        let sample = sample.map_err(|error| error.context("--telemetry"))?;
        push(&mut all, &sample, spans);
        Ok(())
    })
    .with_context(|| format!("cannot read {name}"))?;
    let row = |(key, values): (Key, Vec<Values>)| {
        let spreads = values.into_iter().map(|mut values| values.spread());
        (key, spreads.collect())
    };
    Ok(all.into_iter().map(row).collect())
}

/// Count `sample` in every level that it is of: two may overlap.
fn push(all: &mut BTreeMap<Key, Vec<Values>>, sample: &Sample, spans: &[Span]) {
    let Some(at) = Micros::from_millis(sample.t_ms) else {
        return;
    };
    for (level, span) in spans.iter().enumerate() {
        if span.is_some_and(|(first, last)| first <= at && at <= last) {
            let values = all.entry(sample.key()).or_insert_with(|| {
                let mut each = Vec::new();
                each.resize_with(spans.len(), Values::default);
                each
            });
            values[level].push(sample.value);
        }
    }
}
