//! What the server and the GPUs said during each level.

use crate::results::Duration;
use crate::telemetry::each_sample;
use crate::telemetry::series::{Key, Sample};
use std::collections::BTreeMap;
use std::path::Path;
use trace_core::quantile::{Spread, Values};
use trace_core::{Micros, Source};

/// A series of telemetry, and its samples during each of the levels.
pub(super) type Gauge = (Key, Vec<Spread>);

/// The series of the telemetry in `path`, during each of `levels`.
///
/// # Errors
///
/// A file that cannot be read, or a line that is no telemetry.
pub(super) fn gauges(path: &Path, levels: &[Duration]) -> anyhow::Result<Vec<Gauge>> {
    let mut all: BTreeMap<Key, Vec<Values>> = BTreeMap::new();
    each_sample(Source::file(path), false, |sample| {
        push(&mut all, sample, levels);
    })?;
    let gauge = |(key, values): (Key, Vec<Values>)| {
        let spreads = values.into_iter().map(|mut values| values.spread());
        (key, spreads.collect())
    };
    Ok(all.into_iter().map(gauge).collect())
}

/// Count `sample` in every level during which it was taken: two may overlap.
fn push(all: &mut BTreeMap<Key, Vec<Values>>, sample: &Sample, levels: &[Duration]) {
    let Some(at) = Micros::from_millis(sample.t_ms) else {
        return;
    };
    let during = levels.iter().enumerate();
    for (level, _) in during.filter(|(_, level)| level.holds(at)) {
        let values = all.entry(sample.key()).or_insert_with(|| {
            let each = levels.iter().map(|_| Values::default());
            each.collect()
        });
        values[level].push(sample.value);
    }
}
