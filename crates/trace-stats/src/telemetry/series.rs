//! Samples of one quantity over a run.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trace_core::quantile::{self, Spread, Values};

/// A line of telemetry.
#[derive(Debug, Clone, Deserialize)]
pub struct Sample {
    /// Milliseconds since the run began.
    pub t_ms: f64,
    /// The page of metrics, or nvml.
    pub source: String,
    /// The metric, as the source has it.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
    /// Its unit, empty if the source says none.
    pub unit: String,
}

/// What tells one series from the others, in the order they are reported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// The metric, as the source has it.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The page of metrics, or nvml.
    pub source: String,
    /// Unit of the values.
    pub unit: String,
}

/// The samples of one series.
#[derive(Debug, Default)]
pub struct Series {
    values: Values,
    /// When the first sample was taken.
    first: Option<f64>,
    /// When the last one was, and its value.
    last: Option<(f64, f64)>,
}

/// A series in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeriesReport {
    /// What it is of.
    #[serde(flatten)]
    pub key: Key,
    /// When its first sample was taken, in milliseconds since the run began.
    #[serde(serialize_with = "plain")]
    pub first_ms: f64,
    /// When its last sample was taken.
    #[serde(serialize_with = "plain")]
    pub last_ms: f64,
    /// The value of the last sample.
    #[serde(serialize_with = "plain")]
    pub last: f64,
    /// The values.
    #[serde(flatten)]
    pub spread: Spread,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn plain<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    quantile::number(&Some(*value), serializer)
}

impl Sample {
    /// The series it belongs to.
    pub fn key(&self) -> Key {
        Key {
            name: self.name.clone(),
            labels: self.labels.clone(),
            source: self.source.clone(),
            unit: self.unit.clone(),
        }
    }
}

impl Series {
    /// Take the next sample, of whatever time.
    pub fn push(&mut self, t_ms: f64, value: f64) {
        self.first = Some(self.first.map_or(t_ms, |first| first.min(t_ms)));
        if self.last.is_none_or(|(last, _)| last <= t_ms) {
            self.last = Some((t_ms, value));
        }
        self.values.push(value);
    }

    /// The numbers.
    pub fn report(mut self, key: Key) -> SeriesReport {
        let (last_ms, last) = self.last.unwrap_or_default();
        SeriesReport {
            key,
            first_ms: self.first.unwrap_or_default(),
            last_ms,
            last,
            spread: self.values.spread(),
        }
    }
}

impl Key {
    /// `name{label="value"}`, as pages of metrics write it.
    pub fn title(&self) -> String {
        let labels = self.labels.iter();
        let labels: Vec<String> = labels
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        if labels.is_empty() {
            return self.name.clone();
        }
        format!("{}{{{}}}", self.name, labels.join(","))
    }
}
