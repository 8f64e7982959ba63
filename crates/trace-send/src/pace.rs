//! From times in the trace to times in the run.

use crate::schedule::Timing;
use trace_core::time::Micros;
use trace_core::{Error, Line};

/// How times in the trace become times in the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Clocking {
    /// Divided by so much, and counted from the first if that is asked for.
    Trace {
        /// Times and delays are divided by this.
        speed: f64,
        /// The first request leaves at once.
        align_first: bool,
    },
    /// So many a second, evenly, after a beginning in which the rate rises
    /// from zero. Delays are divided by `speed`.
    Rate {
        /// Requests per second.
        rate: f64,
        /// How long the rate rises.
        ramp: Micros,
        /// Delays are divided by this.
        speed: f64,
    },
    /// They do not matter.
    Closed,
}

/// Gives each line its time.
#[derive(Debug)]
pub(crate) struct Pace {
    clocking: Clocking,
    /// The first timestamp.
    first: Option<Micros>,
    /// When the line before left, by its own timestamp or its predecessor's.
    previous: Micros,
}

impl Pace {
    /// The pace of a run.
    pub(crate) fn new(clocking: Clocking) -> Self {
        Self {
            clocking,
            first: None,
            previous: Micros::ZERO,
        }
    }

    /// The time of `line`, which is the request with number `place` of this
    /// run.
    ///
    /// # Errors
    /// In open loop, a first line without a timestamp.
    pub(crate) fn timing(&mut self, line: &Line, place: u64) -> Result<Timing, Error> {
        let request = &line.request;
        let speed = match self.clocking {
            Clocking::Trace { speed, .. } | Clocking::Rate { speed, .. } => speed,
            Clocking::Closed => 1.0,
        };
        let scaled =
            |time: Micros| Micros::from_micros((time.as_micros() as f64 / speed).round() as u64);
        let mut timing = Timing {
            seq: place,
            at: Some(Micros::ZERO),
            after: Micros::ZERO,
            session: request.session_id.clone(),
            delay: request.delay.map_or(Micros::ZERO, scaled),
        };
        match self.clocking {
            Clocking::Closed => {}
            Clocking::Rate { rate, ramp, .. } => timing.at = Some(arrival(place, rate, ramp)),
            Clocking::Trace { align_first, .. } => {
                if request.timestamp.is_none() && self.first.is_none() {
                    let reason = "no timestamp, and no line before it to follow; use --concurrency N or --rate R for requests without times";
                    return Err(line.error(1, reason).into());
                }
                timing.at = request.timestamp.map(|time| {
                    let first = *self.first.get_or_insert(time);
                    scaled(if align_first {
                        time.saturating_sub(first)
                    } else {
                        time
                    })
                });
                timing.after = self.previous;
                self.previous = timing.at.unwrap_or(timing.after);
            }
        }
        Ok(timing)
    }
}

/// When request `place` arrives at `rate` a second, which is reached at the
/// end of `ramp`. Up to then the number of arrivals grows as time squared.
fn arrival(place: u64, rate: f64, ramp: Micros) -> Micros {
    let (place, ramp) = (place as f64, ramp.as_secs());
    let in_ramp = rate * ramp / 2.0;
    let seconds = if place < in_ramp {
        (2.0 * ramp * place / rate).sqrt()
    } else {
        ramp + (place - in_ramp) / rate
    };
    Micros::from_secs(seconds).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(rate: f64, ramp: u64, places: &[u64]) -> Vec<f64> {
        let ramp = Micros::from_micros(ramp * 1_000_000);
        let at = |&place: &u64| arrival(place, rate, ramp).as_secs();
        places.iter().map(at).collect()
    }

    #[test]
    fn a_rate_is_even() {
        assert_eq!(arrivals(4.0, 0, &[0, 1, 8]), [0.0, 0.25, 2.0]);
    }

    #[test]
    fn a_rate_may_rise() {
        // Twenty seconds to 10/s: 100 arrivals, of which a quarter in the
        // first half.
        assert_eq!(
            arrivals(10.0, 20, &[0, 25, 100, 110]),
            [0.0, 10.0, 20.0, 21.0]
        );
    }
}
