//! What Dynamo's converter prints about the requests it wrote, on stderr.
//!
//! Its "peak RPS" is the mean over a twentieth of the trace; this one is the
//! largest number of requests in any second.

use std::collections::VecDeque;
use std::fmt;
use trace_core::{Micros, Request};

/// As many bins as are kept of the rate over time; they widen as the trace
/// goes on.
const BINS: usize = 2_048;

/// Lines of the picture, as in Dynamo's.
const LINES: usize = 20;

/// Columns of the picture.
const COLUMNS: usize = 60;

/// Sums over the requests; memory is bounded, but for the requests of one
/// second.
#[derive(Debug)]
pub(crate) struct Statistics {
    input: Sums,
    output: Sums,
    longest: u64,
    requests: u64,
    first: Option<Micros>,
    last: Option<Micros>,
    /// The times of the last second.
    second: VecDeque<Micros>,
    peak: usize,
    /// Requests per bin of `width`, from the first time on.
    bins: Vec<u64>,
    width: u64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            input: Sums::default(),
            output: Sums::default(),
            longest: 0,
            requests: 0,
            first: None,
            last: None,
            second: VecDeque::new(),
            peak: 0,
            bins: vec![0; BINS],
            width: 1_000_000,
        }
    }
}

impl Statistics {
    /// Count `request`.
    pub(crate) fn add(&mut self, request: &Request) {
        self.requests += 1;
        if let Some(length) = request.input_length {
            self.input.add(length);
            let whole = length.saturating_add(request.output_length.unwrap_or(0));
            self.longest = self.longest.max(whole);
        }
        if let Some(length) = request.output_length {
            self.output.add(length);
        }
        let Some(time) = request.timestamp else {
            return;
        };
        let first = *self.first.get_or_insert(time);
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        let second = Micros::from_micros(1_000_000);
        while self.second.front().is_some_and(|old| *old + second <= time) {
            self.second.pop_front();
        }
        self.second.push_back(time);
        self.peak = self.peak.max(self.second.len());
        let since = time.saturating_sub(first).as_micros();
        while since / self.width >= BINS as u64 {
            for bin in 0..BINS / 2 {
                self.bins[bin] = self.bins[2 * bin] + self.bins[2 * bin + 1];
            }
            self.bins[BINS / 2..].fill(0);
            self.width *= 2;
        }
        self.bins[(since / self.width) as usize] += 1;
    }

    fn duration(&self) -> Micros {
        let (first, last) = (
            self.first.unwrap_or_default(),
            self.last.unwrap_or_default(),
        );
        last.saturating_sub(first)
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "requests                {}", self.requests)?;
        for (name, sums) in [
            ("input_length ", &self.input),
            ("output_length", &self.output),
        ] {
            writeln!(
                f,
                "{name}           min {}  max {}  mean {:.2}  std {:.2} (sample)",
                sums.min,
                sums.max,
                sums.mean(),
                sums.std()
            )?;
        }
        writeln!(f, "longest input + output  {}", self.longest)?;
        let duration = self.duration().as_secs();
        writeln!(f, "duration                {duration} s")?;
        if self.requests < 2 || duration == 0.0 {
            return write!(
                f,
                "requests per second     none: it takes two different times"
            );
        }
        writeln!(
            f,
            "requests per second     {:.4} on average, {} in the busiest second",
            self.requests as f64 / duration,
            self.peak
        )?;
        self.picture(f)
    }
}

impl Statistics {
    fn picture(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = (self.duration().as_micros() / self.width + 1) as usize;
        let together = used.div_ceil(LINES);
        let seconds = (self.width as f64 / 1e6) * together as f64;
        let rates: Vec<f64> = self.bins[..used]
            .chunks(together)
            .map(|bins| bins.iter().sum::<u64>() as f64 / seconds)
            .collect();
        let highest = rates.iter().copied().fold(0.0, f64::max);
        let digits = format!("{:.0}", seconds * rates.len() as f64).len();
        for (i, rate) in rates.iter().enumerate() {
            let from = seconds * i as f64;
            let bar = (rate / highest * (COLUMNS - 2 * digits - 14) as f64).round() as usize;
            let bar = "#".repeat(bar);
            writeln!(
                f,
                "{from:>digits$.0}-{:<digits$.0} s {rate:>8.3} {bar}",
                from + seconds
            )?;
        }
        write!(f, "(mean rate over {seconds:.0} s each)")
    }
}

/// Count, extremes, mean and deviation in one pass, in integers.
#[derive(Debug, Default)]
struct Sums {
    count: u64,
    min: u64,
    max: u64,
    sum: u128,
    squares: u128,
}

impl Sums {
    fn add(&mut self, value: u64) {
        self.min = if self.count == 0 {
            value
        } else {
            self.min.min(value)
        };
        self.max = self.max.max(value);
        self.count += 1;
        self.sum += u128::from(value);
        self.squares = self
            .squares
            .saturating_add(u128::from(value) * u128::from(value));
    }

    fn mean(&self) -> f64 {
        self.sum as f64 / (self.count.max(1)) as f64
    }

    /// The sample's standard deviation, by n − 1.
    fn std(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        let n = self.count as f64;
        let spread = self.squares as f64 - self.sum as f64 * (self.sum as f64 / n);
        (spread.max(0.0) / (n - 1.0)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_of_the_busiest_second() {
        let mut statistics = Statistics::default();
        for (ms, length) in [
            (0, 2),
            (100, 4),
            (900, 4),
            (999, 4),
            (1_000, 5),
            (90_000_000, 7),
        ] {
            statistics.add(&Request {
                timestamp: Some(Micros::from_micros(ms * 1_000)),
                input_length: Some(length),
                output_length: Some(1),
                ..Request::default()
            });
        }
        assert_eq!(statistics.peak, 4);
        let text = statistics.to_string();
        assert!(
            text.contains("min 2  max 7  mean 4.33  std 1.63 (sample)"),
            "{text}"
        );
        assert!(text.contains("4 in the busiest second"), "{text}");
        assert!(text.contains("longest input + output  8"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 70), "{text}");
        assert_eq!(statistics.bins.iter().sum::<u64>(), 6);
    }

    #[test]
    fn one_request_has_no_rate() {
        let mut statistics = Statistics::default();
        statistics.add(&Request::default());
        assert!(statistics.to_string().contains("none"));
    }
}
