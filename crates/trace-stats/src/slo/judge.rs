//! How many answers of a set are good.

use super::{Attainment, Share, Slo};
use serde::{Deserialize, Serialize};
use trace_core::{Micros, Outcome};

/// Judges one set of outcomes after the other by the same objectives.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judge {
    slo: Slo,
    good: Score,
    /// Of each constraint.
    kept: Vec<Score>,
    /// Answers, by constraint, of which the outcome does not tell.
    untold: Vec<u64>,
    unscheduled: u64,
}

/// Requests, and the tokens of their answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Score {
    pub(super) requests: u64,
    pub(super) tokens: u64,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.tokens = self.tokens.saturating_add(other.tokens);
    }
}

impl Judge {
    /// Nothing judged yet.
    pub fn new(slo: Slo) -> Self {
        let constraints = slo.constraints.len();
        Self {
            slo,
            good: Score::default(),
            kept: vec![Score::default(); constraints],
            untold: vec![0; constraints],
            unscheduled: 0,
        }
    }

    /// Judge a request that was answered. A constraint of which its outcome
    /// does not tell is not kept.
    pub fn push(&mut self, outcome: &Outcome) {
        let score = Score {
            requests: 1,
            tokens: outcome.output_tokens.unwrap_or_default(),
        };
        if outcome.scheduled_ms.is_none() {
            self.unscheduled += 1;
        }
        let mut good = true;
        for (index, constraint) in self.slo.constraints.iter().enumerate() {
            match constraint.admits(outcome, self.slo.clock) {
                Some(true) => {
                    self.kept[index].add(score);
                    continue;
                }
                Some(false) => {}
                None => self.untold[index] += 1,
            }
            good = false;
        }
        if good {
            self.good.add(score);
        }
    }

    /// Take all that another judged by the same objectives.
    pub fn append(&mut self, other: &Self) {
        self.good.add(other.good);
        for (mine, theirs) in self.kept.iter_mut().zip(&other.kept) {
            mine.add(*theirs);
        }
        for (mine, theirs) in self.untold.iter_mut().zip(&other.untold) {
            *mine += theirs;
        }
        self.unscheduled += other.unscheduled;
    }

    /// How it went, for so many requests `scheduled` in that `duration`.
    pub fn finish(self, scheduled: u64, duration: Option<Micros>) -> Attainment {
        let share = |score: Score| Share::new(score, scheduled, duration);
        let kept = self.kept.iter().map(|score| share(*score)).collect();
        Attainment {
            scheduled,
            joint: share(self.good),
            kept,
            untold: self.untold,
            unscheduled: self.unscheduled,
            slo: self.slo,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixture::{ms, served};
    use crate::slo::Clock;

    fn judge(bounds: &[&str]) -> Judge {
        Judge::new(Slo {
            name: None,
            clock: Clock::Scheduled,
            constraints: bounds.iter().map(|text| text.parse().unwrap()).collect(),
        })
    }

    fn answer(ttft: f64, latency: f64, tokens: u64) -> Outcome {
        Outcome {
            output_tokens: Some(tokens),
            ..served(0.0, 0.0, ttft, latency)
        }
    }

    #[test]
    fn good_is_what_keeps_every_constraint() {
        let mut judge = judge(&["ttft_ms=100", "latency_ms=1000"]);
        judge.push(&answer(100.0, 1000.0, 10));
        judge.push(&answer(101.0, 900.0, 20));
        judge.push(&answer(50.0, 1001.0, 40));
        judge.push(&answer(500.0, 2000.0, 80));
        // Two of six failed; ten seconds.
        let found = judge.finish(6, ms(10_000.0));
        let share = |share: &Share| (share.good, share.attainment, share.rps, share.tps);
        let sixth = Some(1.0 / 6.0);
        assert_eq!(share(&found.joint), (1, sixth, Some(0.1), Some(1.0)));
        let third = Some(2.0 / 6.0);
        assert_eq!(share(&found.kept[0]), (2, third, Some(0.2), Some(5.0)));
        assert_eq!(share(&found.kept[1]), (2, third, Some(0.2), Some(3.0)));
    }

    #[test]
    fn what_is_not_told_is_not_kept() {
        let mut judge = judge(&["ttft_ms=100"]);
        judge.push(&Outcome {
            ttft_ms: None,
            scheduled_ms: None,
            ..answer(0.0, 5.0, 1)
        });
        let found = judge.finish(1, ms(5.0));
        assert_eq!((found.joint.good, found.untold[0]), (0, 1));
        assert_eq!(found.unscheduled, 1);
    }

    #[test]
    fn halves_add_up() {
        let mut whole = judge(&["ttft_ms=100"]);
        let (mut left, mut right) = (whole.clone(), whole.clone());
        for ttft in [50.0, 99.0, 101.0, 100.0] {
            let half = if ttft < 100.0 { &mut left } else { &mut right };
            half.push(&answer(ttft, 200.0, 3));
            whole.push(&answer(ttft, 200.0, 3));
        }
        left.append(&right);
        assert_eq!(left.finish(4, None), whole.finish(4, None));
    }
}
