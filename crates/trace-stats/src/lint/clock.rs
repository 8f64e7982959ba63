//! What arrivals tell about the clock they were taken from.

use trace_core::Micros;

/// Looks at one arrival after the other, in the order of the lines.
#[derive(Debug, Default)]
pub struct Clock {
    arrivals: Vec<Micros>,
}

/// What is odd about a clock, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oddity {
    /// Another unit, or another moment to count from.
    Unit(String),
    /// A coarse tick.
    Ticks(String),
}

/// Fewest arrivals that a rate or a tick is judged by.
const FEW: usize = 100;
/// More requests a second than this, from the first to the last, are no trace.
const HIGHEST_RATE: f64 = 1_000.0;
/// A longer gap on average, in seconds, is no trace of hundreds of requests.
const LONGEST_GAP: f64 = 300.0;
/// A coarser tick is worth telling.
const COARSE: u64 = 10_000;

impl Clock {
    /// Take the next arrival.
    pub fn push(&mut self, arrival: Micros) {
        self.arrivals.push(arrival);
    }

    /// What is odd about all of them.
    pub fn oddities(mut self) -> Vec<Oddity> {
        let Some(first) = self.arrivals.first().copied() else {
            return Vec::new();
        };
        self.arrivals.sort_unstable();
        let mut found = Vec::new();
        if let Some(words) = epoch(first).or_else(|| self.unit()) {
            found.push(Oddity::Unit(words));
        }
        found.extend(self.ticks().map(Oddity::Ticks));
        found
    }

    /// Whether the mean rate is one that no trace has.
    fn unit(&self) -> Option<String> {
        let (first, last) = (self.arrivals.first()?, self.arrivals.last()?);
        let seconds = last.saturating_sub(*first).as_secs();
        let count = self.arrivals.len();
        if count < FEW || seconds == 0.0 {
            return None;
        }
        let rate = (count - 1) as f64 / seconds;
        if rate > HIGHEST_RATE {
            return Some(format!(
                "{count} requests arrive within {seconds:.3} s, {rate:.0} a second: times are milliseconds, are these seconds?"
            ));
        }
        (rate < 1.0 / LONGEST_GAP).then(|| {
            format!(
                "{count} requests arrive within {:.0} days, one in {:.0} s: times are milliseconds, are these microseconds?",
                seconds / 86_400.0,
                1.0 / rate
            )
        })
    }

    /// Whether arrivals fall on ticks: all on multiples of one, or most steps
    /// from one instant to the next as long as the usual one.
    fn ticks(&self) -> Option<String> {
        let instants = {
            let mut instants = self.arrivals.clone();
            instants.dedup();
            instants
        };
        if self.arrivals.len() < FEW || instants.len() < 3 {
            return None;
        }
        let steps = instants.windows(2);
        let mut steps: Vec<u64> = steps
            .map(|pair| pair[1].saturating_sub(pair[0]).as_micros())
            .collect();
        let tick = steps.iter().copied().fold(0, greatest_common_divisor);
        if tick >= COARSE {
            return Some(format!(
                "arrivals are whole multiples of {} ms apart: the clock that took them ticks no finer",
                tick as f64 / 1_000.0
            ));
        }
        steps.sort_unstable();
        let usual = steps[steps.len() / 2];
        let near = steps
            .iter()
            .filter(|&&step| step.abs_diff(usual) <= usual / 100);
        let share = near.count() as f64 / steps.len() as f64;
        let together = 1.0 - instants.len() as f64 / self.arrivals.len() as f64;
        (usual >= COARSE && share > 0.5 && together > 0.5).then(|| {
            format!(
                "{} requests arrive at {} instants, {:.0} % of them {} ms after the one before: bursts of the clock, not of the users; trace-convert --ungroup-interval {}ms evens them out",
                self.arrivals.len(),
                instants.len(),
                100.0 * share,
                usual as f64 / 1_000.0,
                usual / 1_000
            )
        })
    }
}

/// Whether times count from 1970, in some unit.
fn epoch(first: Micros) -> Option<String> {
    let millis = first.as_millis();
    // From 2001 to 2065.
    let unit = [
        ("seconds", 1e9),
        ("milliseconds", 1e12),
        ("microseconds", 1e15),
    ]
    .into_iter()
    .find(|(_, since)| (*since..3.0 * since).contains(&millis));
    unit.map(|(unit, _)| {
        format!("the first request arrives at {millis:.0}, Unix time in {unit}: times count from the beginning of the trace")
    })
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oddities(millis: impl IntoIterator<Item = f64>) -> Vec<Oddity> {
        let mut clock = Clock::default();
        for ms in millis {
            clock.push(Micros::from_millis(ms).unwrap());
        }
        clock.oddities()
    }

    /// Irregular steps of some 300 ms, in milliseconds.
    fn plain(scale: f64) -> Vec<f64> {
        (0..200)
            .map(|n| scale * f64::from(300 * n + (n * n * 37) % 211))
            .collect()
    }

    #[test]
    fn a_plain_trace_has_a_plain_clock() {
        assert_eq!(oddities(plain(1.0)), []);
        assert_eq!(oddities([]), []);
    }

    #[test]
    fn seconds_and_microseconds_are_told_by_the_rate() {
        let words = |found: &[Oddity]| format!("{found:?}");
        assert!(words(&oddities(plain(0.001))).contains("are these seconds?"));
        assert!(words(&oddities(plain(1_000.0))).contains("are these microseconds?"));
    }

    #[test]
    fn unix_time_is_told_by_its_size() {
        for (since, unit) in [
            (1.7e9, "in seconds"),
            (1.7e12, "in milliseconds"),
            (1.7e15, "in microseconds"),
        ] {
            let found = oddities([since, since + 5.0]);
            assert!(format!("{found:?}").contains(unit), "{found:?}");
        }
    }

    #[test]
    fn ticks_are_seen() {
        let even = oddities((0..200).map(|n| 20.0 * f64::from(n * n % 997)));
        assert!(
            format!("{even:?}").contains("multiples of 20 ms"),
            "{even:?}"
        );
        let bursts = oddities((0..300).map(|n| {
            let burst = f64::from(n / 10);
            3_000.0 * burst + f64::from(n / 10 % 2)
        }));
        assert!(format!("{bursts:?}").contains("30 instants"), "{bursts:?}");
    }
}
