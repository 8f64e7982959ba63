//! What two runs come to when they are held against each other.

use super::bootstrap::{FIGURES, Resampling, Shift, shifts};
use super::exact::{fisher, mcnemar};
use super::rank_sum::{kolmogorov, rank_sum};
use super::run_record::{Record, Run, names};
use super::signed_rank::signed_rank;
use crate::compare::Difference;
use crate::compare::divergence::kolmogorov_smirnov;
use crate::compare::tolerance::Beyond;
use crate::prefix::ratio;
use serde::{Serialize, Serializer};
use trace_core::Streams;
use trace_core::quantile::{self, Sample, Spread};

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

/// One quantity of both runs.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
    /// The quantity.
    pub name: &'static str,
    /// In the first run.
    pub a: Spread,
    /// In the second run.
    pub b: Spread,
    /// Pairs in which both have it.
    pub pairs: u64,
    /// By figure: B − A, and its interval.
    #[serde(serialize_with = "by_figure")]
    pub shifts: Vec<(&'static str, Shift)>,
    /// `wilcoxon` with pairs, else `mann-whitney`.
    pub test: &'static str,
    /// How far B tends to be above A, −1 to 1: the rank-biserial correlation,
    /// which without pairs is Cliff's delta.
    #[serde(serialize_with = "quantile::number")]
    pub effect: Option<f64>,
    /// The probability of ranks as uneven as these if neither is larger.
    #[serde(serialize_with = "quantile::number")]
    pub p: Option<f64>,
    /// Kolmogorov and Smirnov's distance of the distributions, 0 to 1.
    #[serde(serialize_with = "quantile::number")]
    pub ks: Option<f64>,
    /// The probability of such a distance if both are drawn alike.
    #[serde(serialize_with = "quantile::number")]
    pub ks_p: Option<f64>,
}

fn by_figure<S: Serializer>(
    shifts: &[(&'static str, Shift)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(shifts.iter().map(|(figure, shift)| (figure, shift)))
}

impl Contest {
    /// Hold `b` against `a`; resample `times` times.
    pub fn new(
        (name_a, a): (String, &Run),
        (name_b, b): (String, &Run),
        (times, level, seed): (usize, f64, u64),
    ) -> Self {
        let pairs = a.pairs(b);
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
                if a.is_none() && b.is_none() {
                    continue;
                }
                let more = a.zip(b).and_then(|(a, b)| relative(a, b));
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

impl Trial {
    /// The quantity of that index; `None` if either run has no value of it.
    fn of(
        index: usize,
        name: &'static str,
        (a, b): (&Run, &Run),
        pairs: &[(&Record, &Record)],
        resampling: &mut Resampling,
    ) -> Option<Self> {
        let values = |run: &Run| -> Vec<f64> {
            let records = run.in_order();
            records
                .iter()
                .filter_map(|record| record.values[index])
                .collect()
        };
        let (mut of_a, mut of_b) = (values(a), values(b));
        let measured = |values: &[f64]| values.iter().any(|value| value.is_finite());
        if !measured(&of_a) && !measured(&of_b) {
            return None;
        }
        let pairs = pairs.iter();
        let (left, right): (Vec<f64>, Vec<f64>) = pairs
            .filter_map(|(a, b)| a.values[index].zip(b.values[index]))
            .unzip();
        let paired = !left.is_empty();
        let found = if paired {
            shifts(&left, &right, true, resampling)
        } else if of_a.is_empty() || of_b.is_empty() {
            [Shift::default(); FIGURES.len()]
        } else {
            shifts(&of_a, &of_b, false, resampling)
        };
        let spread = |values: &[f64]| values.iter().copied().collect::<Sample>().spread();
        let (spread_a, spread_b) = (spread(&of_a), spread(&of_b));
        of_a.sort_unstable_by(f64::total_cmp);
        of_b.sort_unstable_by(f64::total_cmp);
        let (effect, p) = if paired {
            // Two failures are as slow as each other.
            let apart = |(a, b): (&f64, &f64)| if a == b { 0.0 } else { b - a };
            let apart: Vec<f64> = left.iter().zip(&right).map(apart).collect();
            signed_rank(&apart)
                .map(|found| (found.effect, found.p))
                .unzip()
        } else {
            rank_sum(&of_a, &of_b)
                .map(|found| (found.effect, found.p))
                .unzip()
        };
        let ks = kolmogorov_smirnov(&of_a, &of_b);
        Some(Self {
            name,
            a: spread_a,
            b: spread_b,
            pairs: left.len() as u64,
            shifts: FIGURES
                .iter()
                .map(|(figure, _)| *figure)
                .zip(found)
                .collect(),
            test: if paired { "wilcoxon" } else { "mann-whitney" },
            effect,
            p,
            ks,
            ks_p: ks.map(|ks| kolmogorov(ks, of_a.len(), of_b.len())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixture::{failed, served};
    use trace_core::{ErrorKind, Outcome};

    fn run(outcomes: impl IntoIterator<Item = Outcome>) -> Run {
        let mut run = Run::default();
        outcomes.into_iter().for_each(|outcome| run.push(&outcome));
        run
    }

    /// Requests of very different lengths, each by `more` slower.
    fn answers(more: f64, numbered: bool) -> impl Iterator<Item = Outcome> {
        (0..200_u64).map(move |at| Outcome {
            seq: numbered.then_some(at),
            ..served(
                at as f64 * 10.0,
                at as f64 * 10.0,
                50.0 + (at * 37 % 101) as f64 + more,
                500.0,
            )
        })
    }

    fn contest(a: &Run, b: &Run) -> Contest {
        Contest::new(("a".to_owned(), a), ("b".to_owned(), b), (200, 0.95, 0))
    }

    fn ttft(contest: &Contest) -> &Trial {
        contest
            .metrics
            .iter()
            .find(|trial| trial.name == "ttft_ms")
            .unwrap()
    }

    fn difference(contest: &Contest, name: &str) -> Option<f64> {
        let found = contest.differences.iter().find(|known| known.name == name);
        found.unwrap_or_else(|| panic!("no {name}")).difference
    }

    #[test]
    fn pairs_tell_what_the_whole_cannot() {
        let (a, b) = (run(answers(0.0, true)), run(answers(2.0, true)));
        let paired = contest(&a, &b);
        let trial = ttft(&paired);
        assert_eq!(
            (paired.pairs, trial.pairs, trial.test),
            (200, 200, "wilcoxon")
        );
        assert!(
            trial.p.unwrap() < 1e-9 && trial.effect == Some(1.0),
            "{trial:?}"
        );
        let (_, mean) = trial.shifts[0];
        assert_eq!((mean.low, mean.high), (Some(2.0), Some(2.0)));
        let (a, b) = (run(answers(0.0, false)), run(answers(2.0, false)));
        let whole = contest(&a, &b);
        let trial = ttft(&whole);
        assert_eq!((whole.pairs, trial.test), (0, "mann-whitney"));
        assert!(trial.p.unwrap() > 0.3, "{trial:?}");
        let (_, mean) = trial.shifts[0];
        assert!(
            mean.low.unwrap() < 0.0 && mean.high.unwrap() > 4.0,
            "{mean:?}"
        );
    }

    #[test]
    fn a_run_against_itself_is_no_different() {
        let a = run(answers(0.0, true));
        let same = contest(&a, &a);
        assert!(
            same.differences.iter().all(|d| d.difference == Some(0.0)),
            "{:?}",
            same.differences
        );
        assert_eq!((ttft(&same).p, same.failures.p), (None, 1.0));
    }

    #[test]
    fn failures_are_slower_than_everything() {
        let failing = |every: u64| {
            let all = answers(0.0, true).enumerate();
            run(all.map(
                move |(at, outcome)| match (at as u64).is_multiple_of(every) {
                    true => Outcome {
                        seq: outcome.seq,
                        ..failed(ErrorKind::Http)
                    },
                    false => outcome,
                },
            ))
        };
        let (a, b) = (run(answers(0.0, true)), failing(10));
        let worse = contest(&a, &b);
        let failures = worse.failures;
        assert_eq!(
            (failures.only_a, failures.only_b, failures.test),
            (Some(0), Some(20), "mcnemar")
        );
        assert!(failures.p < 1e-5);
        assert_eq!(difference(&worse, "error_rate.worse"), Some(0.1));
        assert_eq!(
            difference(&worse, "ttft_ms.p99.worse"),
            None,
            "infinitely worse"
        );
        assert_eq!(ttft(&worse).effect, Some(1.0));
        let better = contest(&b, &a);
        assert_eq!(difference(&better, "ttft_ms.p99.worse"), Some(0.0));
        assert_eq!(difference(&better, "error_rate.worse"), Some(0.0));
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (a, b) = (run(answers(0.0, false)), run(answers(2.0, false)));
        let json = || serde_json::to_string(&contest(&a, &b)).unwrap();
        assert_eq!(json(), json());
    }
}
