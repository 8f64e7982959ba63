//! When each token of an answer is due.
//!
//! Pure arithmetic on the time since the request arrived, so that the tokens of a long answer do
//! not drift however late each of them is woken. An engine model that shares a batch between
//! requests would stand in this place.

use std::time::Duration;

/// The first token after `ttft`, each further one after another `itl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Arrival to first token.
    pub(crate) ttft: Duration,
    /// From each token to the next.
    pub(crate) itl: Duration,
}

impl Schedule {
    /// When token `index`, counted from 0, is due, since arrival.
    pub(crate) fn deadline(&self, index: u64) -> Duration {
        let micros = self.itl.as_micros().saturating_mul(index.into());
        let itls = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        self.ttft.saturating_add(itls)
    }

    /// How many tokens are due once `elapsed` has passed since arrival, without an upper end.
    pub(crate) fn due(&self, elapsed: Duration) -> u64 {
        let Some(generating) = elapsed.checked_sub(self.ttft) else {
            return 0;
        };
        match generating.as_micros().checked_div(self.itl.as_micros()) {
            Some(whole) => u64::try_from(whole).map_or(u64::MAX, |whole| whole.saturating_add(1)),
            None => u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICRO: Duration = Duration::from_micros(1);

    #[test]
    fn a_token_is_due_at_its_deadline_and_not_before() {
        for (ttft, itl) in [(50_000, 10_000), (0, 1), (7, 333), (1, 1)] {
            let schedule = Schedule {
                ttft: Duration::from_micros(ttft),
                itl: Duration::from_micros(itl),
            };
            for index in [0, 1, 2, 63, 100_000] {
                let deadline = schedule.deadline(index);
                assert_eq!(schedule.due(deadline), index + 1);
                if let Some(before) = deadline.checked_sub(MICRO) {
                    assert_eq!(schedule.due(before), index);
                }
            }
        }
    }

    #[test]
    fn without_gaps_all_tokens_are_due_with_the_first() {
        let schedule = Schedule {
            ttft: Duration::from_millis(50),
            itl: Duration::ZERO,
        };
        assert_eq!(schedule.due(Duration::from_millis(50) - MICRO), 0);
        assert_eq!(schedule.due(Duration::from_millis(50)), u64::MAX);
        assert_eq!(schedule.deadline(1_000), Duration::from_millis(50));
    }

    #[test]
    fn a_deadline_beyond_all_time_is_the_last_one() {
        let schedule = Schedule {
            ttft: Duration::MAX,
            itl: Duration::from_secs(u64::MAX / 2),
        };
        assert_eq!(schedule.deadline(u64::MAX), Duration::MAX);
        assert_eq!(schedule.due(Duration::MAX), 1);
    }
}
