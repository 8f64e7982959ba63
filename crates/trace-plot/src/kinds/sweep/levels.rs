//! The levels of a sweep: what was measured at each concurrency or rate.

use std::collections::HashMap;

use trace_core::Outcome;

use crate::{distribution::Distribution, sample::Sample, slo::Slo};

/// Levels that are told apart, of all groups together.
const MOST: usize = 1_024;

/// The levels met so far.
#[derive(Default)]
pub(super) struct Levels {
    index: HashMap<Key, usize>,
    levels: Vec<Level>,
    /// Stages and sources, so that a key need not hold them.
    names: Vec<String>,
    /// Whether files are told apart by the groups already.
    by_source: bool,
    /// Requests of levels beyond those that are told apart.
    pub(super) beyond: u64,
    /// Requests that name no level.
    pub(super) unlabelled: u64,
}

/// What makes a level: group, concurrency, stage, source.
type Key = (usize, Option<u64>, Option<usize>, Option<usize>);

/// What was measured of the requests of one level.
#[derive(Default)]
pub(super) struct Level {
    pub(super) group: usize,
    pub(super) concurrency: Option<u64>,
    pub(super) ttft: Distribution,
    pub(super) tpot: Distribution,
    pub(super) latency: Distribution,
    pub(super) succeeded: u64,
    /// Successes that keep every limit.
    pub(super) good: u64,
    pub(super) failed: u64,
    pub(super) output_tokens: u64,
    /// Microseconds in flight, of all together.
    busy: u64,
    rounds: Vec<Round>,
}

/// When one round of a level was scheduled and done, in microseconds.
struct Round {
    number: Option<u64>,
    first: u64,
    last_scheduled: u64,
    last_end: u64,
    requests: u64,
}

impl Levels {
    pub(super) fn new(by: &str) -> Self {
        Self {
            by_source: by == "source",
            ..Self::default()
        }
    }

    /// Count an outcome; requests that were never served are left out.
    pub(super) fn add(&mut self, sample: &Sample<'_>, slo: Option<&Slo>) {
        let Some(outcome) = sample.outcome.filter(|_| !sample.unserved()) else {
            return;
        };
        let source = sample.request.source.as_deref();
        if outcome.concurrency.is_none() && outcome.stage.is_none() && source.is_none() {
            self.unlabelled += 1;
            return;
        }
        let stage = outcome.stage.as_deref().map(|stage| self.name(stage));
        let source = source
            .filter(|_| !self.by_source)
            .map(|source| self.name(source));
        let key = (sample.group, outcome.concurrency, stage, source);
        let place = match self.index.get(&key) {
            Some(&place) => place,
            None if self.levels.len() < MOST => {
                self.levels.push(Level {
                    group: sample.group,
                    concurrency: outcome.concurrency,
                    ..Level::default()
                });
                self.index.insert(key, self.levels.len() - 1);
                self.levels.len() - 1
            }
            None => {
                self.beyond += 1;
                return;
            }
        };
        self.levels[place].add(sample, outcome, slo);
    }

    fn name(&mut self, name: &str) -> usize {
        let known = self.names.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            if self.names.len() < MOST {
                self.names.push(name.to_owned());
            }
            self.names.len() - 1
        })
    }

    /// Whether there is more than one run here: several stages, or files.
    pub(super) fn several_runs(&self) -> bool {
        let runs: std::collections::HashSet<_> = self
            .index
            .keys()
            .map(|&(group, _, stage, source)| (self.by_source.then_some(group), stage, source))
            .collect();
        runs.len() > 1
    }

    pub(super) fn all(&self) -> &[Level] {
        &self.levels
    }
}

impl Level {
    fn add(&mut self, sample: &Sample<'_>, outcome: &Outcome, slo: Option<&Slo>) {
        self.stretch(sample, outcome);
        if sample.failed() {
            self.failed += 1;
            self.ttft.fail();
            self.tpot.fail();
            self.latency.fail();
            return;
        }
        self.succeeded += 1;
        self.good += u64::from(slo.is_none_or(|slo| slo.is_kept_by(outcome)));
        self.output_tokens = self
            .output_tokens
            .saturating_add(outcome.output_tokens.unwrap_or(0));
        for (time, distribution) in [
            (outcome.ttft_ms, &mut self.ttft),
            (outcome.tpot_ms, &mut self.tpot),
            (outcome.latency_ms, &mut self.latency),
        ] {
            if let Some(time) = time {
                distribution.add(time);
            }
        }
    }

    fn stretch(&mut self, sample: &Sample<'_>, outcome: &Outcome) {
        let latency = outcome.latency_ms.unwrap_or_default();
        self.busy = self.busy.saturating_add(latency.as_micros());
        let (Some(scheduled), Some(sent)) = (sample.scheduled(), outcome.sent_ms) else {
            return;
        };
        let (scheduled, end) = (scheduled.as_micros(), (sent + latency).as_micros());
        let number = outcome.round;
        let known = self.rounds.iter().position(|round| round.number == number);
        match known {
            Some(place) => {
                let round = &mut self.rounds[place];
                round.first = round.first.min(scheduled);
                round.last_scheduled = round.last_scheduled.max(scheduled);
                round.last_end = round.last_end.max(end);
                round.requests += 1;
            }
            None if self.rounds.len() < MOST => self.rounds.push(Round {
                number,
                first: scheduled,
                last_scheduled: scheduled,
                last_end: end,
                requests: 1,
            }),
            None => {}
        }
    }

    /// Seconds from the first schedule to the last end, of all rounds.
    fn seconds(&self) -> Option<f64> {
        // Clocks that were put together may have an end before its schedule.
        let rounds = self.rounds.iter();
        let rounds = rounds.map(|round| round.last_end.saturating_sub(round.first));
        let us = rounds.fold(0, u64::saturating_add);
        (us > 0).then_some(us as f64 / 1e6)
    }

    /// Requests scheduled per second.
    pub(super) fn offered(&self) -> Option<f64> {
        let rounds = self.rounds.iter().filter(|round| round.requests > 1);
        let (gaps, us) = rounds.fold((0, 0), |(gaps, us): (u64, u64), round| {
            (
                gaps + round.requests - 1,
                us.saturating_add(round.last_scheduled - round.first),
            )
        });
        (us > 0).then(|| gaps as f64 / us as f64 * 1e6)
    }

    /// So many of `count` a second.
    pub(super) fn per_second(&self, count: u64) -> Option<f64> {
        Some(count as f64 / self.seconds()?)
    }

    /// Users at a time: the concurrency, else how many were in flight on average.
    pub(super) fn users(&self) -> Option<f64> {
        match self.concurrency {
            Some(concurrency) => Some(concurrency as f64),
            None => Some(self.busy as f64 / 1e6 / self.seconds()?),
        }
        .filter(|users| *users > 0.0)
    }
}
