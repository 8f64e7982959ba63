//! The share of requests that were answered within a time.
//!
//! Counted from the scheduled time, which is what a user waits, and from the
//! send, which is what the server took; the second is dashed and drawn only
//! where it differs. A failed request is never answered, so a curve with
//! failures ends below 100 %.

use anyhow::Result;

use super::{Kind, Nothing, Plot, Settings, Spacing, only, quantiles};
use crate::{
    axis::{Axis, Quantity},
    cdf::curve,
    distribution::{self, Distribution},
    ending::{Ending, Endings},
    figure::{Entry, Figure, Layer, Mark, Sheet},
    group::Groups,
    number,
    sample::Sample,
    theme::Ink,
};

pub(super) const KIND: Kind = Kind {
    name: "latency-cdf",
    about: "share of requests answered within a time, from the scheduled time and (dashed) from the send",
    usual: true,
    new: |settings| Box::new(LatencyCdf::new(settings)),
};

struct LatencyCdf {
    spacing: Spacing,
    groups: Vec<Latencies>,
    endings: Endings,
}

/// The latencies of one group, by the clock that measures them.
#[derive(Clone, Default)]
struct Latencies {
    user: Distribution,
    service: Distribution,
}

impl LatencyCdf {
    fn new(settings: &Settings) -> Self {
        Self {
            spacing: settings.x_axis,
            groups: Vec::new(),
            endings: Endings::default(),
        }
    }

    /// The latencies of all `groups` together.
    fn together(&self, groups: impl IntoIterator<Item = usize>) -> Latencies {
        let mut all = Latencies::default();
        for one in groups
            .into_iter()
            .filter_map(|group| self.groups.get(group))
        {
            all.user.append(&one.user);
            all.service.append(&one.service);
        }
        all
    }
}

impl Plot for LatencyCdf {
    fn add(&mut self, sample: &Sample<'_>) -> Result<()> {
        let latency = sample.outcome.and_then(|outcome| outcome.latency_ms);
        let end = self.endings.count(sample, latency.is_some());
        if self.groups.len() <= sample.group {
            self.groups
                .resize_with(sample.group + 1, Latencies::default);
        }
        let group = &mut self.groups[sample.group];
        match (end, sample.outcome, latency) {
            (Ending::Failed, ..) => {
                group.user.fail();
                group.service.fail();
            }
            (Ending::Succeeded, Some(outcome), Some(latency)) => {
                group.service.add(latency);
                if let (Some(scheduled), Some(sent)) = (outcome.scheduled_ms, outcome.sent_ms) {
                    group.user.add(latency + sent.saturating_sub(scheduled));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn sheet(&self, groups: &Groups) -> Result<Sheet, Nothing> {
        let all = self.together(0..self.groups.len());
        let counts = all.service.counts();
        let Some((low, _)) = distribution::range(&counts) else {
            return Err(self.endings.nothing("latency_ms"));
        };
        let clock = Clock::of(&all);
        let max = [all.user.spread().max, all.service.spread().max];
        let max = max.into_iter().flatten().fold(0.0, f64::max);
        let mut curves = Vec::new();
        let series = groups.series();
        if series.len() > 1 {
            curves.push((Ink::All, "all".to_owned(), all.clone()));
        }
        for one in &series {
            curves.push((
                one.ink,
                one.label.clone(),
                self.together(one.groups.iter().copied()),
            ));
        }
        curves.retain(|(_, _, latencies)| {
            latencies.service.succeeded() + latencies.service.failed() > 0
        });
        let x = self.spacing.duration("latency", (counts[0].0, low, max));
        Ok(Sheet::from(Figure {
            title: "Latency distribution".to_owned(),
            facts: self.facts(&all, clock) + &only(groups, &series),
            notes: self.notes(clock, series.len() > 1),
            layers: curves
                .iter()
                .rev()
                .flat_map(|(ink, _, one)| clock.layers(*ink, one, &x))
                .collect(),
            legend: clock.legend(&curves),
            x,
            y: Axis::exact("share of requests answered", Quantity::Share, 0.0, 1.0),
        }))
    }
}

impl LatencyCdf {
    fn facts(&self, all: &Latencies, clock: Clock) -> String {
        let (from, spread) = match clock {
            Clock::Send => ("from send", all.service.spread()),
            Clock::Same | Clock::Both => ("from schedule", all.user.spread()),
        };
        let requests = number::counted(self.endings.tried(), "request");
        format!("{requests} · {from}: {}", quantiles(&spread))
    }

    fn notes(&self, clock: Clock, several: bool) -> Vec<String> {
        let mut notes = Vec::new();
        let (failed, tried) = (self.endings.failed(), self.endings.tried());
        if failed > 0 {
            notes.push(format!(
                "{} of {} failed ({}) and never arrive: {} ends at {} %",
                number::exact(failed),
                number::counted(tried, "request"),
                self.endings.kinds(),
                if several {
                    "the curve of all"
                } else {
                    "the curve"
                },
                number::significant((tried - failed) as f64 / tried as f64 * 100.0)
            ));
        }
        match clock {
            Clock::Same => {
                notes.push("from the send, latencies are the same within 2 %".to_owned());
            }
            Clock::Send => notes.push(
                "counted from the send: the lines do not tell when requests were scheduled"
                    .to_owned(),
            ),
            Clock::Both => {}
        }
        notes.extend(self.endings.notes("latency_ms"));
        notes
    }
}

/// From when latencies are counted in a picture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// From the schedule and from the send, which differ.
    Both,
    /// From the schedule; from the send is the same.
    Same,
    /// From the send, as the schedule is not known.
    Send,
}

impl Clock {
    fn of(all: &Latencies) -> Self {
        if all.user.succeeded() == 0 {
            return Self::Send;
        }
        let (user, service) = (all.user.spread(), all.service.spread());
        let quantiles = [
            (user.p50, service.p50),
            (user.p90, service.p90),
            (user.p99, service.p99),
            (user.max, service.max),
        ];
        let same = |(user, service): &(Option<f64>, Option<f64>)| match (user, service) {
            (Some(user), Some(service)) => user <= &(service * 1.02),
            _ => true,
        };
        if quantiles.iter().all(same) {
            Self::Same
        } else {
            Self::Both
        }
    }

    fn layers(self, ink: Ink, latencies: &Latencies, x: &Axis) -> Vec<Layer> {
        let curve = |distribution, dashed| curve(distribution, x, ink, dashed);
        match self {
            // the whole a second time would hide its parts
            Self::Both if ink == Ink::All => vec![curve(&latencies.user, false)],
            Self::Both => vec![
                curve(&latencies.service, true),
                curve(&latencies.user, false),
            ],
            Self::Same => vec![curve(&latencies.user, false)],
            Self::Send => vec![curve(&latencies.service, false)],
        }
    }

    fn legend(self, curves: &[(Ink, String, Latencies)]) -> Vec<Entry> {
        let entry = |label: &str, ink, mark| Entry::new(label, ink, mark);
        match (self, curves) {
            (Self::Both, [(ink, ..)]) => vec![
                entry(
                    "from the scheduled time, what a user waits",
                    *ink,
                    Mark::Line,
                ),
                entry("from the send, what the server takes", *ink, Mark::Dashed),
            ],
            (_, [_]) => Vec::new(),
            (clock, several) => {
                let each = several
                    .iter()
                    .map(|(ink, label, _)| entry(label, *ink, Mark::Line));
                let sent =
                    (clock == Self::Both).then(|| entry("from the send", Ink::Other, Mark::Dashed));
                each.chain(sent).collect()
            }
        }
    }
}
