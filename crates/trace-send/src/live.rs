//! The line on a terminal while a run is under way.

use crate::limits::Limits;
use crate::outlook::Outlook;
use crate::track::Moment;
use std::sync::Arc;
use trace_core::time::Micros;

/// Puts it together.
pub(crate) struct Live {
    outlook: Arc<Outlook>,
    /// Whether requests leave by their times.
    open_loop: bool,
    /// Nothing leaves after this.
    until: Option<Micros>,
}

impl Live {
    /// For a run held to `limits`.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            outlook: Arc::clone(&limits.outlook),
            open_loop: limits.open_loop,
            until: limits.until,
        }
    }

    /// How many were sent, and what else there is to say.
    pub(crate) fn line(&self, moment: Moment<'_>) -> (u64, String) {
        let Moment {
            tally, in_flight, ..
        } = moment;
        let sent = tally.ended + in_flight as u64;
        let of = match self.outlook.whole() {
            Some((all, _)) => format!(" of {all}"),
            None => String::new(),
        };
        let eta = match self.eta(moment) {
            Some(left) => format!(", eta {}", span(left)),
            None => String::new(),
        };
        let line = format!(
            "in flight {in_flight}, done {}{of}, errors {}, {:.1}/s, ttft p50 {} p99 {} ms, late p99 {} ms{eta}",
            tally.ended,
            tally.failed(),
            tally.rate(),
            tally.ttft(0.5),
            tally.ttft(0.99),
            tally.lateness(0.99),
        );
        (sent, line)
    }

    /// How long until the last request has left, or in a closed loop until it
    /// has ended; unknown while the input is read and no --duration is set.
    fn eta(&self, moment: Moment<'_>) -> Option<Micros> {
        let until = self.until.map(|until| until.saturating_sub(moment.now));
        let (all, last) = match self.outlook.whole() {
            Some(whole) => whole,
            None => return until,
        };
        let left = if self.open_loop && last > moment.now {
            last.saturating_sub(moment.now)
        } else {
            let rate = moment.tally.rate();
            let left = all.saturating_sub(moment.tally.ended) as f64;
            Micros::from_micros((rate > 0.0).then(|| left / rate * 1e6)? as u64)
        };
        Some(until.map_or(left, |until| until.min(left)))
    }
}

/// `7 s`, `2 min 05 s`, `1 h 02 min`.
fn span(time: Micros) -> String {
    let seconds = time.as_micros().div_ceil(1_000_000);
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;
    use trace_core::Outcome;

    fn secs(seconds: u64) -> Micros {
        Micros::from_micros(seconds * 1_000_000)
    }

    fn live(open_loop: bool, until: Option<u64>) -> Live {
        Live {
            outlook: Arc::default(),
            open_loop,
            until: until.map(secs),
        }
    }

    fn after(ended: u64, now: u64) -> Tally {
        let mut tally = Tally::default();
        (0..ended).for_each(|_| tally.add(&Outcome::default(), secs(now)));
        tally
    }

    fn at(now: u64, tally: &Tally) -> Moment<'_> {
        Moment {
            now: secs(now),
            tally,
            in_flight: 3,
        }
    }

    #[test]
    fn everything_is_on_the_line() {
        let live = live(false, None);
        (0..100).for_each(|_| live.outlook.add(Micros::ZERO));
        live.outlook.end();
        let tally = after(20, 10);
        let (sent, line) = live.line(at(10, &tally));
        assert_eq!(sent, 23);
        assert_eq!(
            line,
            "in flight 3, done 20 of 100, errors 0, 2.0/s, ttft p50 0 p99 0 ms, late p99 0 ms, eta 40 s"
        );
    }

    #[test]
    fn an_open_loop_ends_with_its_schedule_and_every_run_with_its_duration() {
        let tally = after(1, 10);
        let open = live(true, None);
        open.outlook.add(secs(135));
        assert_eq!(open.eta(at(10, &tally)), None, "more may come");
        open.outlook.end();
        assert_eq!(open.eta(at(10, &tally)).map(span).unwrap(), "2 min 05 s");
        let short = live(true, Some(70));
        assert_eq!(short.eta(at(10, &tally)).map(span).unwrap(), "1 min 00 s");
        assert_eq!(span(secs(3_725)), "1 h 02 min");
    }
}
