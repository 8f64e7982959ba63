//! The intervals of a report.

use super::batches::FEWEST;
use super::{Batches, Ends, Level, MeanInterval, PERCENTILES, QuantileInterval};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::BTreeMap;
use trace_core::Micros;
use trace_core::quantile::{self, Ranked};

/// Intervals of the figures of each metric, while a report is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    /// The probability with which each holds what it is of.
    pub level: Level,
    /// How long the stretches are that they are made of, if there are any.
    pub stretch: Option<Micros>,
    /// By metric, in the order they are reported.
    pub metrics: Vec<(&'static str, Figures)>,
}

/// Intervals of the figures of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Of the mean, if there are stretches enough.
    pub mean: Option<MeanInterval>,
    /// Of the percentiles, in the order of [`PERCENTILES`].
    pub percentiles: [QuantileInterval; PERCENTILES.len()],
}

/// Below so many degrees of freedom a run is called too short for its swings.
const FEW: f64 = 10.0;

impl Intervals {
    /// None yet.
    pub fn new(level: Level) -> Self {
        Self {
            level,
            stretch: None,
            metrics: Vec::new(),
        }
    }

    /// Those of the metric `name`, whose values are those of the `quantities` of
    /// `batches`, which count in whole units of `unit`.
    pub fn push(
        &mut self,
        name: &'static str,
        values: &Ranked<'_>,
        (batches, quantities, unit): (&Batches, &[usize], f64),
    ) {
        let cells = batches.together(quantities);
        let mean = cells.mean(self.level).map(|mean| MeanInterval {
            low: mean.low * unit,
            high: mean.high * unit,
            ..mean
        });
        let percentiles = PERCENTILES.map(|(_, q)| cells.quantile(values, q, self.level));
        self.stretch = self.stretch.max(Some(batches.stretch()));
        self.metrics.push((name, Figures { mean, percentiles }));
    }

    /// What a reader should know of them, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let percent = 100.0 * self.level.get();
        let mut notes = vec![format!(
            "{percent} % intervals allow for requests that wait for each other, as far as stretches of time tell"
        )];
        let named = |which: fn(&Figures) -> bool| {
            let found = self.metrics.iter().filter(|(_, figures)| which(figures));
            let names: Vec<&str> = found.map(|(name, _)| *name).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        if let Some(names) = named(|figures| !figures.known()) {
            notes.push(format!(
                "no intervals of {names}: that takes values in {FEWEST} stretches of time or more"
            ));
        }
        if let Some(names) = named(|figures| figures.mean.is_some_and(MeanInterval::swings)) {
            notes.push(format!(
                "the run is short for how slowly load swings, so intervals are wide and not quite sure: {names}; a \
                 longer run would tell more"
            ));
        }
        notes
    }
}

impl MeanInterval {
    /// Whether the run is short for how slowly the quantity swings.
    fn swings(self) -> bool {
        let freedom = self.dependence.freedom;
        freedom < FEW && freedom + 1.0 < self.batches as f64
    }
}

impl Figures {
    /// Whether there are any.
    fn known(&self) -> bool {
        let mut percentiles = self.percentiles.iter();
        self.mean.is_some() || percentiles.any(|interval| interval.effective.is_some())
    }

    /// The intervals by the name of their figure.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Ends)> + '_ {
        let mean = self
            .mean
            .map(|mean| ("mean", (Some(mean.low), Some(mean.high))));
        let percentiles = PERCENTILES.iter().zip(&self.percentiles);
        mean.into_iter()
            .chain(percentiles.map(|((name, _), interval)| (*name, (interval.low, interval.high))))
    }

    /// How many independent values each percentile is worth, where it is known.
    fn effective(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        let percentiles = PERCENTILES.iter().zip(&self.percentiles);
        percentiles.filter_map(|((name, _), interval)| Some((*name, interval.effective?)))
    }
}

struct Number(Option<f64>);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        quantile::number(&self.0, serializer)
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, (low, high)) in self.named() {
            map.serialize_entry(name, &[Number(low), Number(high)])?;
        }
        if let Some(mean) = self.mean {
            map.serialize_entry("batches", &mean.batches)?;
            map.serialize_entry("batch_correlation", &mean.dependence.correlation)?;
        }
        let effective: BTreeMap<&str, f64> = self.effective().collect();
        if !effective.is_empty() {
            map.serialize_entry("effective", &effective)?;
        }
        map.end()
    }
}

impl Serialize for Intervals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct ByName<'a>(&'a [(&'static str, Figures)]);
        impl Serialize for ByName<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(name, figures)| (name, figures)))
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("level", &self.level)?;
        let stretch = self.stretch.map(Micros::as_millis);
        map.serialize_entry("batch_ms", &Number(stretch))?;
        map.serialize_entry("metrics", &ByName(&self.metrics))?;
        map.end()
    }
}
