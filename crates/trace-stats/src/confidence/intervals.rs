//! The intervals of a report.

use super::{Batches, Ends, Level, MeanInterval, PERCENTILES, of_percentiles};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use trace_core::Micros;
use trace_core::quantile::{self, Ranked};

/// Intervals of the figures of each metric, while a report is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    /// The probability with which each holds what it is of.
    pub level: Level,
    /// How long the stretches are that means are taken over, if any were.
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
    pub percentiles: [Ends; PERCENTILES.len()],
}

impl Intervals {
    /// None yet.
    pub fn new(level: Level) -> Self {
        Self {
            level,
            stretch: None,
            metrics: Vec::new(),
        }
    }

    /// Those of the metric `name`; its mean is that of a `quantity` of `batches`,
    /// whose units are `unit` of the metric's.
    pub fn push(
        &mut self,
        name: &'static str,
        values: &Ranked<'_>,
        mean: Option<(&Batches, usize, f64)>,
    ) {
        let mean = mean.and_then(|(batches, quantity, unit)| {
            self.stretch = Some(batches.stretch());
            let interval = batches.mean(quantity, self.level)?;
            Some(MeanInterval {
                low: interval.low * unit,
                high: interval.high * unit,
                ..interval
            })
        });
        let percentiles = of_percentiles(values, self.level);
        self.metrics.push((name, Figures { mean, percentiles }));
    }

    /// What a reader should know of them, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let percent = 100.0 * self.level.get();
        let mut notes = vec![format!(
            "{percent} % intervals: of quantiles by order statistics, which take values for independent, so they are too \
             narrow where load swings slowly, and for gaps of the same request; of means by batch means, which allow for it"
        )];
        let correlated = self.metrics.iter().filter(|(_, figures)| {
            figures.mean.is_some_and(|mean| {
                // Independent means go together by less in 19 cases of 20.
                mean.correlation > 1.645 / (mean.batches as f64).sqrt()
            })
        });
        let names: Vec<&str> = correlated.map(|(name, _)| *name).collect();
        if !names.is_empty() {
            notes.push(format!(
                "means of neighbouring stretches of time still go together, so the interval of the mean is too narrow: {}; \
                 a longer run would tell more",
                names.join(", ")
            ));
        }
        notes
    }
}

impl Figures {
    /// The intervals by the name of their figure.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Ends)> + '_ {
        let mean = self
            .mean
            .map(|mean| ("mean", (Some(mean.low), Some(mean.high))));
        let percentiles = PERCENTILES.iter().zip(&self.percentiles);
        mean.into_iter()
            .chain(percentiles.map(|((name, _), ends)| (*name, *ends)))
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
            map.serialize_entry("batch_correlation", &mean.correlation)?;
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
