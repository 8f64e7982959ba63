//! How well objectives were kept.

use super::judge::Score;
use super::{Clock, Constraint, Slo};
use crate::prefix::ratio;
use crate::report::Value;
use crate::workload::per_second;
use serde::ser::{Serialize, SerializeMap, Serializer};
use trace_core::Micros;
use trace_core::quantile::number;

/// How well one set of requests kept the objectives.
#[derive(Debug, Clone, PartialEq)]
pub struct Attainment {
    /// What they were judged by.
    pub slo: Slo,
    /// Requests that were scheduled, without those cancelled or skipped; only
    /// the answered ones with `--successes-only`.
    pub scheduled: u64,
    /// The requests that kept every constraint.
    pub joint: Share,
    /// Those that kept each constraint, in the order of the constraints.
    pub kept: Vec<Share>,
    /// Answers, by constraint, of which the outcome does not tell.
    pub untold: Vec<u64>,
    /// Answers that do not tell when they were scheduled.
    pub unscheduled: u64,
}

/// Good requests.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Share {
    /// How many.
    pub good: u64,
    /// Their share of the scheduled ones.
    #[serde(serialize_with = "number")]
    pub attainment: Option<f64>,
    /// How many per second.
    #[serde(rename = "goodput_rps", serialize_with = "number")]
    pub rps: Option<f64>,
    /// Tokens of their answers per second.
    #[serde(rename = "goodput_tps", serialize_with = "number")]
    pub tps: Option<f64>,
}

impl Share {
    pub(super) fn new(score: Score, scheduled: u64, duration: Option<Micros>) -> Self {
        let rate = |amount: u64| duration.and_then(|span| per_second(amount as f64, span));
        Self {
            good: score.requests,
            attainment: ratio(score.requests, scheduled),
            rps: rate(score.requests),
            tps: rate(score.tokens),
        }
    }

    /// Its figures by name.
    pub fn figures(&self) -> [(&'static str, Option<f64>); 4] {
        [
            ("good", Some(self.good as f64)),
            ("attainment", self.attainment),
            ("goodput_rps", self.rps),
            ("goodput_tps", self.tps),
        ]
    }
}

impl Attainment {
    /// The same where nobody tells how many tokens answers have.
    pub(crate) fn without_tokens(mut self) -> Self {
        let shares = self.kept.iter_mut().chain([&mut self.joint]);
        for share in shares.filter(|share| share.good > 0) {
            share.tps = None;
        }
        self
    }

    /// Each constraint with the requests that kept it.
    pub fn each(&self) -> impl Iterator<Item = (&Constraint, &Share)> {
        self.slo.constraints.iter().zip(&self.kept)
    }

    pub(crate) fn push_scalars(&self, scalars: &mut Vec<(&'static str, Value)>) {
        scalars.extend([
            ("good", Value::Count(self.joint.good)),
            ("slo_attainment", Value::Measure(self.joint.attainment)),
            ("goodput_rps", Value::Measure(self.joint.rps)),
            ("goodput_tps", Value::Measure(self.joint.tps)),
        ]);
    }

    pub(crate) fn push_notes(&self, notes: &mut Vec<String>) {
        for (constraint, untold) in self.slo.constraints.iter().zip(&self.untold) {
            if *untold > 0 {
                notes.push(format!(
                    "{untold} of the answers do not tell their {}: they count as not keeping it",
                    constraint.quantity.name()
                ));
            }
        }
        if self.unscheduled > 0 && self.slo.clock == Clock::Scheduled {
            notes.push(format!(
                "{} of the answers do not tell when they were scheduled: judged from when they were sent",
                self.unscheduled
            ));
        }
    }
}

impl Serialize for Attainment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if let Some(name) = &self.slo.name {
            object.serialize_entry("name", name)?;
        }
        object.serialize_entry("clock", self.slo.clock.as_str())?;
        object.serialize_entry("scheduled", &self.scheduled)?;
        let constraints: Vec<_> = self.each().zip(&self.untold).collect();
        let kept = constraints
            .iter()
            .map(|((constraint, share), untold)| Kept {
                name: constraint.quantity.name(),
                max: constraint.max,
                min: constraint.min,
                share: **share,
                untold: **untold,
            });
        object.serialize_entry("constraints", &kept.collect::<Vec<_>>())?;
        object.end()
    }
}

/// One constraint as it is printed.
#[derive(serde::Serialize)]
struct Kept {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    min: Option<f64>,
    #[serde(flatten)]
    share: Share,
    untold: u64,
}
