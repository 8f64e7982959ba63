//! Waking up in time: sleep coarse, finish fine.
//!
//! The kernel's timer wakes a thread some 10 to 30 µs late, nearly always by
//! the same amount: leaving the idle state, switching to it, a few polls. So
//! the alarm is set earlier by what waking took lately, and the few
//! microseconds that are left then are spent looking at the clock. At a
//! thousand requests a second that is less than one percent of a core.

use std::time::{Duration, Instant};

/// The longest the clock is looked at for one deadline, in which answers that
/// come in have to wait for their stamp.
const MOST: Duration = Duration::from_micros(40);

/// Knows how long waking up takes.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    /// A mean over the last sixteen or so.
    usual: Duration,
}

impl Wake {
    /// When to set the alarm for a deadline at `due`.
    pub(crate) fn rise_for(&self, due: Instant) -> Instant {
        due.checked_sub(self.usual).unwrap_or(due)
    }

    /// The alarm set for `rise` went off: wait the rest until `due`.
    pub(crate) fn finish(&mut self, rise: Instant, due: Option<Instant>) {
        let now = Instant::now();
        self.learn(now.saturating_duration_since(rise));
        let Some(due) = due.filter(|due| due.saturating_duration_since(now) <= MOST) else {
            return;
        };
        while Instant::now() < due {
            std::hint::spin_loop();
        }
    }

    /// Waking took `time`. What is longer than usual by far was something
    /// else that ran.
    fn learn(&mut self, time: Duration) {
        let time = time.min(MOST);
        self.usual = (self.usual * 15 + time) / 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_is_set_earlier_by_what_waking_takes() {
        let mut wake = Wake::default();
        let due = Instant::now();
        assert_eq!(wake.rise_for(due), due);
        (0..200).for_each(|_| wake.learn(Duration::from_micros(20)));
        let early = due - wake.rise_for(due);
        assert!(
            early > Duration::from_micros(19) && early <= Duration::from_micros(20),
            "{early:?}"
        );
        (0..200).for_each(|_| wake.learn(Duration::from_secs(1)));
        assert!(due - wake.rise_for(due) <= MOST);
    }

    #[test]
    fn it_ends_at_the_deadline_and_not_before() {
        let due = Instant::now() + Duration::from_micros(30);
        Wake::default().finish(Instant::now(), Some(due));
        assert!(Instant::now() >= due);
        let far = Instant::now() + Duration::from_secs(3_600);
        Wake::default().finish(Instant::now(), Some(far));
        Wake::default().finish(Instant::now(), None);
    }
}
