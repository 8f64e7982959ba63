//! When requests arrive.
//!
//! An arrival process is an iterator of [`Arrival`]s in time order. It knows
//! nothing of lengths or prefixes, and draws from its own random stream, so
//! that the same arrivals can be given any shape of request. Processes end
//! themselves or go on for ever; [`until`] cuts them.

use rand::Rng;
use trace_core::Micros;

use crate::curve::Curve;
use crate::draw;
use crate::gap::Gap;

/// One arrival.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Seconds since the trace began, unrounded: where curves are evaluated.
    pub seconds: f64,
    /// What is written: the same, cut to the resolution of the process.
    pub timestamp: Micros,
}

impl Arrival {
    /// An arrival whose timestamp keeps whole microseconds.
    pub fn to_the_microsecond(seconds: f64) -> Self {
        Self {
            seconds,
            timestamp: Micros::from_micros((1e6 * seconds) as u64),
        }
    }

    /// An arrival whose timestamp keeps whole milliseconds.
    pub fn to_the_millisecond(seconds: f64) -> Self {
        Self {
            seconds,
            timestamp: Micros::from_micros((1e3 * seconds) as u64 * 1000),
        }
    }
}

/// Any arrival process.
pub type Arrivals = Box<dyn Iterator<Item = Arrival> + Send>;

/// `arrivals` up to whichever comes first: `duration` (excluded), or
/// `requests` of them.
pub fn until(
    arrivals: impl Iterator<Item = Arrival> + Send + 'static,
    duration: Option<Micros>,
    requests: Option<u64>,
) -> Arrivals {
    let end = duration.unwrap_or(Micros::from_micros(u64::MAX));
    let limit = requests.unwrap_or(u64::MAX);
    let mut count = 0;
    Box::new(arrivals.take_while(move |arrival| {
        count += 1;
        count <= limit && arrival.timestamp < end
    }))
}

/// Arrivals at exactly equal distances, the first at 0.
#[derive(Clone, Debug)]
pub struct Constant {
    rate: f64,
    index: u64,
}

impl Constant {
    /// `rate` arrivals per second.
    pub fn new(rate: f64) -> Self {
        Self { rate, index: 0 }
    }
}

impl Iterator for Constant {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        // From the index and in one division, so that errors don't add up
        // and a whole number of microseconds comes out whole.
        let micros = self.index as f64 * 1e6 / self.rate;
        self.index += 1;
        Some(Arrival {
            seconds: micros / 1e6,
            timestamp: Micros::from_micros(micros as u64),
        })
    }
}

/// Arrivals at independent random distances.
///
/// The trace begins at a moment that has nothing to do with the arrivals, so
/// the first one comes after the *rest* of a gap. Any window then holds
/// rate × length arrivals in the mean; a process that began with a whole gap
/// would be (cv² − 1)/2 requests too many in the long run.
#[derive(Clone, Debug)]
pub struct Renewal<R> {
    gap: Gap,
    rng: R,
    seconds: Option<f64>,
}

impl<R: Rng> Renewal<R> {
    /// Arrivals with distances drawn from `gap`.
    pub fn new(gap: Gap, rng: R) -> Self {
        Self {
            gap,
            rng,
            seconds: None,
        }
    }
}

impl<R: Rng> Iterator for Renewal<R> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let seconds = match self.seconds {
            None => self.gap.rest(&mut self.rng),
            Some(last) => last + self.gap.draw(&mut self.rng),
        };
        self.seconds = Some(seconds);
        Some(Arrival::to_the_microsecond(seconds))
    }
}

/// Arrivals interval by interval, as Dynamo's `sin_synth.py` makes them.
///
/// Each interval holds a Poisson number of arrivals, with the rate of the
/// curve at the interval's left edge, equally spaced, the first exactly on
/// the edge. The last interval is cut at the end.
#[derive(Clone, Debug)]
pub struct Intervals<C, R> {
    rate: C,
    rng: R,
    length: u64,
    end: u64,
    next_edge: u64,
    left: f64,
    width: f64,
    count: u64,
    index: u64,
}

impl<C: Curve, R: Rng> Intervals<C, R> {
    /// Arrivals at `rate` (per second) for `duration`, in steps of `interval`.
    ///
    /// # Panics
    ///
    /// If `interval` is zero.
    pub fn new(rate: C, duration: Micros, interval: Micros, rng: R) -> Self {
        assert!(interval > Micros::ZERO, "intervals have a length");
        Self {
            rate,
            rng,
            length: interval.as_micros(),
            end: duration.as_micros(),
            next_edge: 0,
            left: 0.0,
            width: 0.0,
            count: 0,
            index: 0,
        }
    }

    /// Go on to the next interval; false at the end.
    fn advance(&mut self) -> bool {
        if self.next_edge >= self.end {
            return false;
        }
        let right = self.next_edge.saturating_add(self.length).min(self.end);
        self.left = self.next_edge as f64 / 1e6;
        self.width = right as f64 / 1e6 - self.left;
        self.count = draw::poisson(&mut self.rng, self.rate.at(self.left) * self.width);
        self.index = 0;
        self.next_edge = right;
        true
    }
}

impl<C: Curve, R: Rng> Iterator for Intervals<C, R> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        while self.index == self.count {
            if !self.advance() {
                return None;
            }
        }
        let seconds = self.left + self.width * self.index as f64 / self.count as f64;
        self.index += 1;
        Some(Arrival::to_the_millisecond(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    struct Flat(f64);
    impl Curve for Flat {
        fn at(&self, _: f64) -> f64 {
            self.0
        }
    }

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(7)
    }

    #[test]
    fn constant_arrivals_do_not_drift() {
        let times: Vec<u64> = Constant::new(3.0)
            .map(|a| a.timestamp.as_micros())
            .take(4)
            .collect();
        assert_eq!(times, [0, 333_333, 666_666, 1_000_000]);
        let far = Constant::new(10.0).nth(3_000_003).map(|a| a.timestamp);
        assert_eq!(far, Some(Micros::from_micros(300_000_300_000)));
    }

    #[test]
    fn the_end_of_the_duration_is_excluded() {
        let second = Some(Micros::from_micros(1_000_000));
        assert_eq!(until(Constant::new(10.0), second, None).count(), 10);
        assert_eq!(until(Constant::new(10.0), second, Some(4)).count(), 4);
        assert_eq!(until(Constant::new(10.0), None, Some(25)).count(), 25);
        assert_eq!(
            until(Constant::new(10.0), Some(Micros::ZERO), None).count(),
            0
        );
    }

    #[test]
    fn an_interval_begins_on_its_edge_and_is_evenly_filled() {
        let step = Micros::from_micros(2_000_000);
        let all: Vec<f64> = Intervals::new(Flat(50.0), Micros::from_micros(5_000_000), step, rng())
            .map(|a| a.seconds)
            .collect();
        for (left, right) in [(0.0, 2.0), (2.0, 4.0), (4.0, 5.0)] {
            let inside: Vec<f64> = all
                .iter()
                .copied()
                .filter(|t| (left..right).contains(t))
                .collect();
            assert_eq!(inside[0], left);
            let gap = (right - left) / inside.len() as f64;
            for (i, t) in inside.iter().enumerate() {
                assert!((t - left - gap * i as f64).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_rate_of_zero_has_no_arrivals_and_ends() {
        let second = Micros::from_micros(1_000_000);
        let hour = Micros::from_micros(3_600_000_000);
        assert_eq!(Intervals::new(Flat(0.0), hour, second, rng()).count(), 0);
    }

    #[test]
    fn milliseconds_are_cut_not_rounded() {
        assert_eq!(
            Arrival::to_the_millisecond(1.0019).timestamp.as_micros(),
            1_001_000
        );
        assert_eq!(
            Arrival::to_the_millisecond(0.3).timestamp.as_micros(),
            300_000
        );
    }
}
