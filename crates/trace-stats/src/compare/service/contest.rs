//! What two runs come to when they are held against each other.

use super::bootstrap::Resampling;
use super::exact::{fisher, mcnemar};
use super::run_record::{Record, Run, names};
use super::trial::Trial;
use crate::compare::Difference;
use crate::compare::tolerance::Beyond;
use crate::prefix::ratio;
use serde::Serialize;
use trace_core::Streams;
use trace_core::quantile::{self, Spread};

/// Two runs side by side.
#[derive(Debug, Clone, Serialize)]
pub struct Contest {
    /// What this object is: always `contest`.
    pub kind: &'static str,
    /// The run that differences are relative to.
    pub a: Side,
    /// The other.
    pub b: Side,
    /// Requests of both that are the same; 0 if none are, and the runs are held
    /// against each other as wholes.
    pub pairs: u64,
    /// Requests of both that have one identity but ask for different prompts: no
    /// pairs.
    pub unlike: u64,
    /// The probability with which intervals hold what they are of.
    pub level: f64,
    /// Requests that failed.
    pub failures: Failures,
    /// Quantities of requests.
    pub metrics: Vec<Trial>,
    /// Every difference by name, as tolerances call them.
    pub differences: Vec<Difference>,
    /// Those that are beyond their tolerance.
    pub beyond: Vec<Beyond>,
}

/// One of the two runs.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// The file.
    pub name: String,
    /// Requests that were tried.
    pub requests: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that were given up or never sent: no part of anything.
    pub unserved: u64,
    /// Their share.
    #[serde(serialize_with = "quantile::number")]
    pub error_rate: Option<f64>,
    /// Requests that were answered, per second.
    #[serde(serialize_with = "quantile::number")]
    pub throughput_rps: Option<f64>,
}

/// Whether one run failed more often.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Failures {
    /// Pairs of which only the first failed, if there are pairs.
    pub only_a: Option<u64>,
    /// Pairs of which only the second failed.
    pub only_b: Option<u64>,
    /// `mcnemar` with pairs, else `fisher`: both exact.
    pub test: &'static str,
    /// The probability of such a difference if both fail alike.
    pub p: f64,
}

impl Contest {
    /// Hold `b` against `a`; resample `times` times.
    pub fn new(
        (name_a, a): (String, &Run),
        (name_b, b): (String, &Run),
        (times, level, seed): (usize, f64, u64),
    ) -> Self {
        let (pairs, unlike) = a.pairs(b);
        let metrics = names().into_iter().enumerate().filter_map(|(index, name)| {
            let mut resampling = Resampling {
                times,
                level,
                random: Streams::new(seed).stream_of("bootstrap", index as u64),
            };
            Trial::of(index, name, (a, b), &pairs, &mut resampling)
        });
        let mut contest = Self {
            kind: "contest",
            metrics: metrics.collect(),
            a: Side::of(name_a, a),
            b: Side::of(name_b, b),
            pairs: pairs.len() as u64,
            unlike,
            level,
            failures: Failures::of(a, b, &pairs),
            differences: Vec::new(),
            beyond: Vec::new(),
        };
        contest.differences = contest.all_differences();
        contest
    }

    fn all_differences(&self) -> Vec<Difference> {
        let mut all = Vec::new();
        let mut push = |name: String, difference| all.push(Difference { name, difference });
        let rates = self.a.error_rate.zip(self.b.error_rate);
        let rates = rates.map(|(a, b)| b - a);
        push("error_rate".to_owned(), rates.map(f64::abs));
        push(
            "error_rate.worse".to_owned(),
            rates.map(|more| more.max(0.0)),
        );
        let speed = self.a.throughput_rps.zip(self.b.throughput_rps);
        let speed = speed.and_then(|(a, b)| relative(a, b));
        push("throughput_rps".to_owned(), speed.map(f64::abs));
        push(
            "throughput_rps.worse".to_owned(),
            speed.map(|more| (-more).max(0.0)),
        );
        for trial in &self.metrics {
            let name = trial.name;
            for (figure, of) in SPREADS {
                let (a, b) = (of(&trial.a), of(&trial.b));
                let more = match (a, b) {
                    // Failures make both infinite; the rate of errors tells them apart.
                    (None, None) => Some(0.0),
                    _ => a.zip(b).and_then(|(a, b)| relative(a, b)),
                };
                push(format!("{name}.{figure}"), more.map(f64::abs));
                // A figure that failures make infinite in A only is no worse.
                let worse = if a.is_none() { Some(0.0) } else { more };
                push(
                    format!("{name}.{figure}.worse"),
                    worse.map(|more| more.max(0.0)),
                );
            }
            push(format!("{name}.ks"), trial.ks);
        }
        all
    }
}

type Figure = (&'static str, fn(&Spread) -> Option<f64>);

/// The figures that have a difference.
const SPREADS: [Figure; 5] = [
    ("mean", |spread| spread.mean),
    ("p50", |spread| spread.p50),
    ("p90", |spread| spread.p90),
    ("p95", |spread| spread.p95),
    ("p99", |spread| spread.p99),
];

/// How much larger `b` is, in units of `a`.
fn relative(a: f64, b: f64) -> Option<f64> {
    if a == b {
        return Some(0.0);
    }
    (a != 0.0).then(|| (b - a) / a.abs())
}

impl Side {
    fn of(name: String, run: &Run) -> Self {
        Self {
            name,
            requests: run.tried(),
            failed: run.failed(),
            unserved: run.unserved,
            error_rate: ratio(run.failed(), run.tried()),
            throughput_rps: run.throughput(),
        }
    }
}

impl Failures {
    fn of(a: &Run, b: &Run, pairs: &[(&Record, &Record)]) -> Self {
        if pairs.is_empty() {
            return Self {
                only_a: None,
                only_b: None,
                test: "fisher",
                p: fisher(a.failed(), a.tried(), b.failed(), b.tried()),
            };
        }
        let only = |first: bool| {
            let split = |(a, b): &&(&Record, &Record)| a.failed == first && b.failed != first;
            pairs.iter().filter(split).count() as u64
        };
        let (only_a, only_b) = (only(true), only(false));
        Self {
            only_a: Some(only_a),
            only_b: Some(only_b),
            test: "mcnemar",
            p: mcnemar(only_a, only_b),
        }
    }
}
