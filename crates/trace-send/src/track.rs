//! A run as it was, second by second: whether the server has fallen behind.

use crate::metric::Metric;
use crate::tally::Tally;
use std::collections::VecDeque;
use std::fmt;
use trace_core::time::Micros;

/// Requests that must have ended before a share or a quantile says anything.
pub(crate) const ENOUGH: u64 = 20;

/// Over how long a rate is taken.
const WINDOW: Micros = Micros::from_micros(5_000_000);

/// Between two moments that are kept.
const STEP: Micros = Micros::from_micros(1_000_000);

/// Moments that are kept, some three hours.
const MOST_KEPT: usize = 10_000;

/// For how long a server has to be behind at the end to be called the limit:
/// bursts end, too.
const LIMIT: Micros = Micros::from_micros(3_000_000);

/// A run at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// Since it began.
    pub now: Micros,
    /// What has ended.
    pub tally: &'a Tally,
    /// Requests that were sent and have not ended.
    pub in_flight: usize,
}

/// What was so at an earlier moment.
#[derive(Debug, Clone, Copy)]
struct Past {
    at: Micros,
    /// Requests that had been sent.
    sent: u64,
    /// Requests that had ended.
    ended: u64,
    /// How long the last of them had waited to be sent.
    queue: Micros,
    /// For how long the server had been behind.
    behind: Option<Micros>,
}

/// Keeps moments of a run.
#[derive(Debug, Default)]
pub(crate) struct Track {
    past: VecDeque<Past>,
    /// Since when the server has fallen behind.
    since: Option<Micros>,
}

/// A server that was behind as the last requests were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overload {
    /// For how long it had been.
    pub time: Micros,
    /// Requests in flight then.
    pub in_flight: u64,
    /// How long the last that ended had waited for a slot.
    pub queue: Micros,
}

impl fmt::Display for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            time,
            in_flight,
            queue,
        } = self;
        let seconds = time.as_secs();
        let result = if *queue > Micros::ZERO {
            format!(
                "a request waited {:.1} s for its slot by then",
                queue.as_secs()
            )
        } else {
            format!("{in_flight} were in flight by then")
        };
        write!(
            f,
            "server-limited: for the last {seconds:.0} s of sending, requests came faster than they were answered, and {result}: their times say more about the length of the run than about the server; use a lower rate, or end such runs with --stop-on saturation"
        )?;
        if *queue == Micros::ZERO {
            f.write_str(", or bound what is in flight with --max-concurrency")?;
        }
        Ok(())
    }
}

impl Track {
    /// Keep `moment`, if it is time for one.
    pub(crate) fn look(&mut self, moment: Moment<'_>) {
        let last = self.past.back().map(|past| past.at);
        if last.is_some_and(|last| moment.now < last + STEP) {
            return;
        }
        let tally = moment.tally;
        self.past.push_back(Past {
            at: moment.now,
            sent: tally.ended + moment.in_flight as u64,
            ended: tally.ended,
            queue: tally.queue,
            behind: None,
        });
        if self.past.len() > MOST_KEPT {
            self.past.pop_front();
        }
        let behind = self.is_behind(moment);
        self.since = self.since.or(Some(moment.now)).filter(|_| behind);
        let time = self.behind(moment.now);
        if let Some(past) = self.past.back_mut() {
            past.behind = time;
        }
    }

    /// For how long the server has been behind at `now`, if it is.
    pub(crate) fn behind(&self, now: Micros) -> Option<Micros> {
        Some(now.saturating_sub(self.since?))
    }

    /// Answers per second lately, once that can be told.
    pub(crate) fn rate(&self, moment: Moment<'_>) -> Option<f64> {
        let past = self.before(moment.now, WINDOW)?;
        let passed = moment.now.saturating_sub(past.at).as_secs();
        Some((moment.tally.ended - past.ended) as f64 / passed)
    }

    /// Whether the server was behind when the last requests were sent, and how
    /// much. What it catches up with after that is no merit.
    pub(crate) fn overload(&self) -> Option<Overload> {
        let pairs = self.past.iter().zip(self.past.iter().skip(1));
        // The last moment after which something was sent.
        let (last, _) = pairs.rev().find(|(one, next)| next.sent > one.sent)?;
        let time = last.behind.filter(|&time| time >= LIMIT)?;
        Some(Overload {
            time,
            in_flight: last.sent - last.ended,
            queue: last.queue,
        })
    }

    /// Whether fewer than nine in ten of the requests that came due ended in
    /// the last five seconds.
    fn is_behind(&self, moment: Moment<'_>) -> bool {
        let now = moment.now;
        let (Some(last), Some(before)) = (self.past.back(), self.before(now, WINDOW)) else {
            return false;
        };
        // Where a cap makes requests wait, those that left in five seconds
        // came due in as much less as the wait grew.
        let grown = last.queue.saturating_sub(before.queue);
        if 10 * grown.as_micros() > WINDOW.as_micros() {
            return true;
        }
        // The answers of five seconds are held against what was sent in five
        // seconds a median latency before: where requests take long or come
        // faster and faster, the answers are behind without being too few.
        let latency = Metric::named("latency_ms");
        let median = latency.and_then(|metric| moment.tally.watched(metric, 0.5));
        let Some(median) = median else { return false };
        let sent = |ago| self.before(now, ago).map(|past| past.sent);
        let (Some(to), Some(from)) = (sent(median), sent(median + WINDOW)) else {
            return false;
        };
        let (came, went) = (to - from, last.ended - before.ended);
        came >= ENOUGH && 10 * went < 9 * came
    }

    /// What was kept at least `ago` before `now`, the last of it.
    fn before(&self, now: Micros, ago: Micros) -> Option<Past> {
        let then = now.as_micros().checked_sub(ago.as_micros())?;
        let after = self
            .past
            .partition_point(|past| past.at.as_micros() <= then);
        self.past.get(after.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Outcome;

    fn secs(seconds: f64) -> Micros {
        Micros::from_micros((seconds * 1e6) as u64)
    }

    /// What is said of a run of `seconds` in which a hundred come each second
    /// and `answered` in all have ended by then.
    fn overload(seconds: u32, answered: impl Fn(f64) -> f64) -> Option<Overload> {
        let (mut track, mut tally) = (Track::default(), Tally::default());
        tally.watch(Metric::named("latency_ms").into_iter().collect());
        for second in 0..2 * seconds {
            let now = f64::from(second);
            let due = 100.0 * now.min(f64::from(seconds));
            let ended = answered(now).min(due);
            while (tally.ended as f64) < ended {
                let outcome = Outcome {
                    latency_ms: Some(secs(0.2)),
                    ..Outcome::default()
                };
                tally.add(&outcome, secs(now));
            }
            track.look(Moment {
                now: secs(now),
                tally: &tally,
                in_flight: due as usize - tally.ended as usize,
            });
        }
        track.overload()
    }

    #[test]
    fn a_server_that_is_behind_at_the_end_of_sending_is_the_limit() {
        let found = overload(30, |now| 60.0 * now).unwrap();
        assert!((15.0..30.0).contains(&found.time.as_secs()), "{found:?}");
        assert!((1_100..=1_260).contains(&found.in_flight), "{found:?}");
        let said = found.to_string();
        assert!(said.starts_with("server-limited: for the last "), "{said}");
        assert!(said.ends_with("with --max-concurrency"), "{said}");
        assert_eq!(overload(30, |now| 100.0 * now), None);
    }

    #[test]
    fn one_that_has_caught_up_by_then_is_not() {
        let late = |now: f64| if now < 15.0 { 60.0 * now } else { 100.0 * now };
        assert_eq!(overload(30, late), None);
    }

    #[test]
    fn a_cap_is_not_recommended_to_who_has_one() {
        let capped = Overload {
            time: secs(4.0),
            in_flight: 8,
            queue: secs(2.5),
        };
        let said = capped.to_string();
        assert!(said.contains("waited 2.5 s for its slot"), "{said}");
        assert!(!said.contains("--max-concurrency"), "{said}");
    }
}
