//! One rate or concurrency that was tried, and how sure it is what came of it.

use crate::dispatch::Ended;
use crate::metric::Metric;
use std::fmt;
use trace_core::time::Micros;

/// What was seen at one level, over all its rounds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Level {
    /// The rate or the concurrency.
    pub value: f64,
    /// How often it was tried.
    pub rounds: u64,
    /// Answers that kept every limit.
    pub good: u64,
    /// Requests that ended.
    pub all: u64,
    /// Answers per second, in the last round.
    rate: f64,
    /// The 99th percentiles of what was judged, by name, in the last round.
    times: Vec<(&'static str, Micros)>,
    /// A round was held up by the client.
    pub limited: bool,
    /// A condition of --stop-on ended a round.
    pub stopped: bool,
}

/// What a level comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether it keeps the limits.
    pub holds: bool,
    /// Whether the whole interval lies on that side.
    pub certain: bool,
}

impl Level {
    /// Nothing seen at `value` so far.
    pub(crate) fn new(value: f64) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }

    /// Count a round in which answers were judged by the times `judged`.
    pub(crate) fn add(&mut self, ended: &Ended, judged: &[Metric]) {
        let tally = &ended.tally;
        self.rounds += 1;
        self.good += tally.good;
        self.all += tally.ended;
        self.rate = tally.rate();
        let p99 = |metric: &Metric| Some((metric.name, tally.watched(*metric, 0.99)?));
        self.times = judged.iter().filter_map(p99).collect();
        self.limited |= tally.is_client_limited();
        self.stopped |= ended.stopped.is_some();
    }

    /// Whether the share of good answers reaches `wanted`, and how sure that
    /// is. A run that had to be stopped breaks a level for sure; of one that
    /// the client held up nothing is known of the server.
    pub(crate) fn answer(&self, wanted: f64) -> Answer {
        if self.limited || self.stopped || self.all == 0 {
            return Answer {
                holds: false,
                certain: !self.limited,
            };
        }
        let (low, high) = interval(self.good, self.all);
        let holds = self.share() >= wanted;
        let certain = if holds { low >= wanted } else { high < wanted };
        Answer { holds, certain }
    }

    fn share(&self) -> f64 {
        self.good as f64 / self.all.max(1) as f64
    }
}

/// `99.20 % of 500 good (95 % interval 97.97 to 99.69), 81.20/s, …`.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = interval(self.good, self.all);
        write!(
            f,
            "{:.2} % of {} good (95 % interval {:.2} to {:.2}), {:.2}/s",
            100.0 * self.share(),
            self.all,
            100.0 * low,
            100.0 * high,
            self.rate,
        )?;
        for (name, time) in &self.times {
            write!(f, ", p99 of {name} {time}")?;
        }
        if self.rounds > 1 {
            write!(f, ", {} rounds", self.rounds)?;
        }
        if self.limited {
            write!(f, ", client-limited")?;
        }
        if self.stopped {
            write!(f, ", stopped")?;
        }
        Ok(())
    }
}

/// Between what two shares the true one lies with 95 % confidence, when
/// `good` of `all` were good (Wilson's interval).
pub(crate) fn interval(good: u64, all: u64) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    const Z: f64 = 1.959_963_985;
    let (n, share) = (all as f64, good as f64 / all as f64);
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    ((middle - half) / whole, (middle + half) / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(good: u64, all: u64) -> Level {
        Level {
            good,
            all,
            ..Level::new(5.0)
        }
    }

    #[test]
    fn few_requests_say_little() {
        let (low, high) = interval(99, 100);
        assert!((low - 0.9455).abs() < 1e-3 && (high - 0.9982).abs() < 1e-3);
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }

    #[test]
    fn a_level_is_certain_once_its_interval_clears_the_share() {
        let answer = |good, all| {
            let Answer { holds, certain } = level(good, all).answer(0.9);
            (holds, certain)
        };
        assert_eq!(answer(19, 20), (true, false));
        assert_eq!(answer(190, 200), (true, true));
        assert_eq!(answer(17, 20), (false, false));
        assert_eq!(answer(120, 200), (false, true));
        assert_eq!(answer(0, 0), (false, true));
        let limited = Level {
            limited: true,
            ..level(200, 200)
        };
        let answer = limited.answer(0.9);
        assert!(
            !answer.holds && !answer.certain,
            "who knows what the server can"
        );
    }
}
