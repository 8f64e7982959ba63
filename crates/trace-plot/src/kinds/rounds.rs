//! The same requests again: what a second round gains, by a warm cache or
//! loses by a full one.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Kind, Nothing, Plot, Settings, Spacing, only};
use crate::{
    axis::{Axis, Quantity},
    cdf::curve,
    cell::Range,
    distribution::{self, Distribution},
    figure::{Entry, Figure, Layer, Layout, Mark, Shape, Sheet},
    group::Groups,
    number,
    sample::Sample,
    theme::Ink,
};

pub(super) const KIND: Kind = Kind {
    name: "rounds",
    about: "round 1 against round 2 (and further): TTFT and latency, and the mean TTFT at each concurrency",
    usual: true,
    new: |settings| Box::new(Rounds::new(settings)),
};

/// Rounds that have a colour.
const MOST: u64 = 8;

struct Rounds {
    spacing: Spacing,
    rounds: BTreeMap<u64, Round>,
    /// Requests of later rounds.
    beyond: u64,
}

#[derive(Default)]
struct Round {
    ttft: Distribution,
    latency: Distribution,
    /// Of the time to first token, by concurrency.
    levels: BTreeMap<u64, Range>,
}

impl Rounds {
    fn new(settings: &Settings) -> Self {
        Self {
            spacing: settings.x_axis,
            rounds: BTreeMap::new(),
            beyond: 0,
        }
    }
}

impl Plot for Rounds {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let Some(outcome) = sample.outcome.filter(|_| !sample.unserved()) else {
            return Ok(());
        };
        let Some(number) = outcome.round else {
            return Ok(());
        };
        if self.rounds.len() as u64 == MOST && !self.rounds.contains_key(&number) {
            self.beyond += 1;
            return Ok(());
        }
        let round = self.rounds.entry(number).or_default();
        if sample.failed() {
            round.ttft.fail();
            round.latency.fail();
            return Ok(());
        }
        if let Some(ttft) = outcome.ttft_ms {
            round.ttft.add(ttft);
            if let Some(concurrency) = outcome.concurrency {
                let level = round.levels.entry(concurrency).or_default();
                level.add(ttft.as_micros() as f64);
            }
        }
        if let Some(latency) = outcome.latency_ms {
            round.latency.add(latency);
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        if self.rounds.len() < 2 {
            return Err(Nothing(match self.rounds.len() {
                0 => "no line is an outcome with a round".to_owned(),
                _ => "all lines are of one round".to_owned(),
            }));
        }
        let shares = [
            self.shares(
                "Time to first token by round",
                "time to first token",
                |round| &round.ttft,
            ),
            self.shares("Latency by round", "latency, from the send", |round| {
                &round.latency
            }),
        ];
        let mut panels: Vec<Figure> = shares.into_iter().flatten().collect();
        panels.extend(self.levels());
        let Some(first) = panels.first_mut() else {
            return Err(Nothing("no request of a round succeeded".to_owned()));
        };
        first.facts += &only(groups, &groups.series());
        first.legend = self
            .inks()
            .map(|(number, _, ink)| Entry::new(format!("round {number}"), ink, Mark::Line))
            .collect();
        if self.beyond > 0 {
            let requests = number::counted(self.beyond, "request");
            first
                .notes
                .push(format!("{requests} of further rounds not drawn"));
        }
        Ok(Sheet::new("Rounds", panels, Layout::STACK))
    }
}

impl Rounds {
    fn inks(&self) -> impl Iterator<Item = (u64, &Round, Ink)> {
        let ranked = self.rounds.iter().enumerate();
        ranked.map(|(rank, (&number, round))| (number, round, Ink::Series(rank)))
    }

    fn shares(&self, title: &str, axis: &str, of: fn(&Round) -> &Distribution) -> Option<Figure> {
        let mut all = Distribution::default();
        self.rounds.values().for_each(|round| all.append(of(round)));
        let counts = all.counts();
        let (low, _) = distribution::range(&counts)?;
        let (min, max) = (counts[0].0, counts[counts.len() - 1].0);
        let x = self.spacing.duration(axis, (min, low, max));
        let medians: Vec<Option<f64>> = self
            .rounds
            .values()
            .map(|round| of(round).spread().p50)
            .collect();
        let words: Vec<String> = self
            .rounds
            .keys()
            .zip(&medians)
            .map(|(number, median)| {
                let median = median.map_or("inf".to_owned(), number::duration);
                format!("round {number} {median}")
            })
            .collect();
        let change = match medians.as_slice() {
            [Some(first), .., Some(last)] if *first > 0.0 => {
                let percent = (last / first - 1.0) * 100.0;
                let sign = if percent >= 0.0 { "+" } else { "−" };
                format!(" ({sign}{} %)", number::significant(percent.abs()))
            }
            _ => String::new(),
        };
        let failed: u64 = self.rounds.values().map(|round| of(round).failed()).sum();
        let failed = (failed > 0).then(|| {
            let requests = number::counted(failed, "request");
            format!("{requests} failed and never arrive: their curves end below 100 %")
        });
        Some(Figure {
            title: title.to_owned(),
            facts: format!("p50: {}{change}", words.join(" · ")),
            notes: failed.into_iter().collect(),
            layers: self
                .inks()
                .map(|(_, round, ink)| curve(of(round), &x, ink, false))
                .collect(),
            x,
            y: Axis::exact("share of requests", Quantity::Share, 0.0, 1.0),
            legend: Vec::new(),
        })
    }

    /// The mean at each concurrency, if there are several.
    fn levels(&self) -> Option<Figure> {
        let mut levels: Vec<f64> = self
            .rounds
            .values()
            .flat_map(|round| round.levels.keys().map(|&level| level as f64))
            .collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        if levels.len() < 2 {
            return None;
        }
        let mut layers = Vec::new();
        let mut peak: f64 = 0.0;
        for (_, round, ink) in self.inks() {
            let points: Vec<(f64, f64)> = round
                .levels
                .iter()
                .filter_map(|(&level, range)| Some((level as f64, range.mean()?)))
                .collect();
            peak = points.iter().map(|point| point.1).fold(peak, f64::max);
            layers.push(Layer::line(ink, points.clone()));
            layers.push(Layer::of(ink, Shape::Knots(points)));
        }
        Some(Figure {
            title: "Mean time to first token at each concurrency".to_owned(),
            facts: String::new(),
            notes: Vec::new(),
            x: Axis::levels("concurrency", &levels),
            y: Axis::from_zero("mean TTFT", Quantity::Duration, peak),
            layers,
            legend: Vec::new(),
        })
    }
}
