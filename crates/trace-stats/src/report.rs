//! The report: every number under its name, before it is printed.
//!
//! The JSON form is the *stats report* other tools read: metrics are spreads,
//! everything else is a scalar by name. `null` is *undefined*; no field is
//! ever NaN.

use crate::assertion::Judged;
use crate::by::Change;
use crate::cache::CacheReport;
use crate::confidence::Intervals;
use crate::flaw::Flaw;
use crate::slo::Attainment;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use trace_core::quantile::{self, Spread};

/// Numbers about a trace or a run.
#[derive(Debug)]
pub struct Report {
    /// What the lines are.
    pub kind: Kind,
    /// Number of lines.
    pub requests: u64,
    /// First scheduled → last end; of a trace, first → last timestamp.
    pub duration_ms: Option<f64>,
    /// Everything that is one value, in the order it is reported.
    pub scalars: Vec<(&'static str, Value)>,
    /// Everything that has a value per request or token, likewise.
    pub metrics: Vec<(&'static str, Spread)>,
    /// What a reader should know before believing the numbers, in sentences.
    pub notes: Vec<String>,
    /// The fields and values that the lines have in common, if this is one of
    /// several groups.
    pub by: Vec<(String, Box<RawValue>)>,
    /// The same about the lines of each group.
    pub groups: Vec<Report>,
    /// How well objectives were kept, if there are any.
    pub slo: Option<Attainment>,
    /// What was asserted of these numbers, and whether it holds.
    pub assertions: Vec<Judged>,
    /// How each round differs from the one before, of the groups.
    pub changes: Vec<Change>,
    /// Hit rates of a cache against its capacity, if they were asked for.
    pub cache: Option<CacheReport>,
    /// Intervals of the figures, if they were asked for.
    pub confidence: Option<Intervals>,
}

/// What the lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Requests.
    Trace,
    /// Requests and what happened to them.
    Outcomes,
}

/// A value that is reported by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A count.
    Count(u64),
    /// A measure; `None` is undefined.
    Measure(#[serde(serialize_with = "quantile::number")] Option<f64>),
    /// Yes or no; `None` is unknown.
    Verdict(Option<bool>),
    /// A word.
    Word(&'static str),
    /// Counts by name.
    Counts(BTreeMap<String, u64>),
    /// Kinds of flawed lines.
    Flaws(BTreeMap<&'static str, Flaw>),
}

impl Kind {
    /// Its name in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Outcomes => "outcomes",
        }
    }
}

impl Report {
    /// A report without a number.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            requests: 0,
            duration_ms: None,
            scalars: Vec::new(),
            metrics: Vec::new(),
            notes: Vec::new(),
            by: Vec::new(),
            groups: Vec::new(),
            slo: None,
            assertions: Vec::new(),
            changes: Vec::new(),
            cache: None,
            confidence: None,
        }
    }

    /// The spread of the metric of that name, if there is one.
    pub fn metric(&self, name: &str) -> Option<&Spread> {
        let found = self.metrics.iter().find(|(known, _)| *known == name);
        found.map(|(_, spread)| spread)
    }

    /// The value of that name, if there is one.
    pub fn scalar(&self, name: &str) -> Option<&Value> {
        let found = self.scalars.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    /// The number of that name, if there is one.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.scalar(name)? {
            Value::Count(count) => Some(*count as f64),
            Value::Measure(value) => *value,
            _ => None,
        }
    }

    /// A figure of the metric of that name, infinite where it touches a failed
    /// request.
    pub fn figure(&self, metric: &str, name: &str) -> Option<f64> {
        figure(self.metric(metric)?, name)
    }

    /// What tells this group from the others: `model = "a", stage = 1`.
    pub fn title(&self) -> String {
        let fields = self.by.iter();
        let words: Vec<String> = fields
            .map(|(field, value)| format!("{field} = {value}"))
            .collect();
        words.join(", ")
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if !self.by.is_empty() {
            object.serialize_entry("by", &InOrder(&self.by))?;
        }
        object.serialize_entry("kind", &self.kind)?;
        object.serialize_entry("requests", &self.requests)?;
        object.serialize_entry("duration_ms", &Value::Measure(self.duration_ms))?;
        for (name, value) in &self.scalars {
            object.serialize_entry(name, value)?;
        }
        object.serialize_entry("metrics", &InOrder(&self.metrics))?;
        if let Some(confidence) = &self.confidence {
            object.serialize_entry("confidence", confidence)?;
        }
        object.serialize_entry("notes", &self.notes)?;
        if self.by.is_empty() {
            object.serialize_entry("quantiles", quantile::DEFINITION)?;
            object.serialize_entry("std", "population")?;
        }
        if let Some(cache) = &self.cache {
            object.serialize_entry("cache", cache)?;
        }
        if let Some(slo) = &self.slo {
            object.serialize_entry("slo", slo)?;
        }
        if !self.assertions.is_empty() {
            object.serialize_entry("assertions", &self.assertions)?;
        }
        if !self.groups.is_empty() {
            object.serialize_entry("groups", &self.groups)?;
        }
        if !self.changes.is_empty() {
            object.serialize_entry("round_changes", &self.changes)?;
        }
        object.end()
    }
}

/// Names and values as one object, in their order.
pub(crate) struct InOrder<'a, K, V>(pub(crate) &'a [(K, V)]);

impl<K: Serialize, V: Serialize> Serialize for InOrder<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// That figure of `spread`, infinite where it touches a failed request.
pub fn figure(spread: &Spread, name: &str) -> Option<f64> {
    let mut figures = spread.figures().into_iter();
    match figures.find(|(known, _)| *known == name)?.1 {
        None if spread.censored > 0 && name.starts_with('p') => Some(f64::INFINITY),
        value => value,
    }
}

/// Whether that figure of `spread` is undefined because it touches a failed
/// request, and so is infinite.
pub fn is_infinite(spread: &Spread, name: &str) -> bool {
    figure(spread, name) == Some(f64::INFINITY)
}
