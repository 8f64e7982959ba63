//! Windows of one length over a trace, and which of them is what.

use crate::compare::divergence::kolmogorov_smirnov;
use serde::Serialize;
use trace_core::Micros;

/// What is kept of each request that arrives: 32 bytes.
#[derive(Debug, Clone, Copy)]
struct Demand {
    arrival: Micros,
    input: Option<u64>,
    output: Option<u64>,
}

/// The requests of a trace, as a slice is chosen by.
#[derive(Debug, Default)]
pub struct Demands(Vec<Demand>);

/// What a slice is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Pick {
    /// The rate varies least, relative to its mean
    Steadiest,
    /// The most requests
    Busiest,
    /// Rate, gaps and lengths are most like those of the whole trace
    Representative,
}

/// A window of a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slice {
    /// The first moment that is in it.
    pub from: Micros,
    /// The first moment that is beyond it.
    pub to: Micros,
    /// Requests that arrive in it.
    pub requests: u64,
    /// Standard deviation over mean of the counts in its tenths.
    pub variation: Option<f64>,
    /// How far it is from the whole: the mean of the Kolmogorov-Smirnov
    /// distances of gaps, prompt and response lengths and of how far apart the
    /// rates are, as a share of the higher one.
    pub distance: Option<f64>,
}

/// Parts of a window that the variation is taken over; windows begin as far
/// apart.
const PARTS: u64 = 10;

impl Slice {
    /// What to tell `trace-convert` to get it.
    pub fn flags(&self) -> String {
        format!(
            "--from-time {} --to-time {}",
            flag(self.from),
            flag(self.to)
        )
    }
}

/// A time as `--from-time` takes it.
fn flag(time: Micros) -> String {
    let micros = time.as_micros();
    if micros.is_multiple_of(1_000_000) {
        format!("{}s", micros / 1_000_000)
    } else {
        format!("{time}ms")
    }
}

impl Demands {
    /// Take the next request that says when it arrives.
    pub fn push(&mut self, arrival: Micros, input: Option<u64>, output: Option<u64>) {
        self.0.push(Demand {
            arrival,
            input,
            output,
        });
    }

    /// First and last arrival.
    pub fn ends(&self) -> Option<(Micros, Micros)> {
        let arrivals = || self.0.iter().map(|demand| demand.arrival);
        arrivals().min().zip(arrivals().max())
    }

    /// Every window of that `length` that lies within the trace, one a tenth
    /// later than the other; none if the trace is shorter.
    pub fn slices(mut self, length: Micros) -> Vec<Slice> {
        self.0.sort_by_key(|demand| demand.arrival);
        let Some((first, last)) = self.ends() else {
            return Vec::new();
        };
        let whole = Sorted::of(&self.0);
        let rate = |count: usize, span: Micros| count as f64 / span.as_secs();
        let mean_rate = rate(self.0.len(), last.saturating_sub(first));
        let step = (length.as_micros() / PARTS).max(1);
        let mut slices = Vec::new();
        let mut from = first;
        while from + length <= last {
            let to = from + length;
            let begin = self.0.partition_point(|demand| demand.arrival < from);
            let end = self.0.partition_point(|demand| demand.arrival < to);
            let inside = &self.0[begin..end];
            let here = rate(inside.len(), length);
            let rates = 1.0 - here.min(mean_rate) / here.max(mean_rate);
            slices.push(Slice {
                from,
                to,
                requests: inside.len() as u64,
                variation: variation(inside, from, step),
                distance: Sorted::of(inside).distance(&whole, rates),
            });
            from += Micros::from_micros(step);
        }
        slices
    }
}

/// Gaps and lengths, sorted.
struct Sorted([Vec<f64>; 3]);

impl Sorted {
    fn of(demands: &[Demand]) -> Self {
        let gaps = demands.windows(2);
        let gaps = gaps.map(|pair| pair[1].arrival.saturating_sub(pair[0].arrival).as_millis());
        let mut all = [
            gaps.collect(),
            demands
                .iter()
                .filter_map(|d| d.input)
                .map(|n| n as f64)
                .collect(),
            demands
                .iter()
                .filter_map(|d| d.output)
                .map(|n| n as f64)
                .collect(),
        ];
        for values in &mut all {
            let values: &mut Vec<f64> = values;
            values.sort_unstable_by(f64::total_cmp);
        }
        Self(all)
    }

    /// None if it lacks what the whole has.
    fn distance(&self, whole: &Self, rates: f64) -> Option<f64> {
        let mut sum = rates;
        let mut count = 1.0;
        for (values, all) in self.0.iter().zip(&whole.0) {
            if !all.is_empty() {
                sum += kolmogorov_smirnov(values, all)?;
                count += 1.0;
            }
        }
        Some(sum / count)
    }
}

/// How much the counts in parts of `step` microseconds vary.
fn variation(demands: &[Demand], from: Micros, step: u64) -> Option<f64> {
    let mut counts = [0.0; PARTS as usize];
    for demand in demands {
        let part = demand.arrival.saturating_sub(from).as_micros() / step;
        counts[part.min(PARTS - 1) as usize] += 1.0;
    }
    let mean = demands.len() as f64 / PARTS as f64;
    let squares: f64 = counts
        .iter()
        .map(|count| (count - mean) * (count - mean))
        .sum();
    (mean > 0.0).then(|| (squares / PARTS as f64).sqrt() / mean)
}

impl Pick {
    /// The slice that is it, of equals the busier and then the earlier one; none
    /// if no slice has what it is judged by.
    pub fn of(self, slices: &[Slice]) -> Option<Slice> {
        let by = |figure: fn(&Slice) -> Option<f64>| {
            let judged = slices.iter().filter(|slice| figure(slice).is_some());
            judged.copied().min_by(|a, b| {
                let figure = |slice| figure(slice).unwrap_or(f64::INFINITY);
                let order = figure(a).total_cmp(&figure(b));
                order.then(b.requests.cmp(&a.requests))
            })
        };
        match self {
            Self::Steadiest => by(|slice| slice.variation),
            Self::Busiest => by(|slice| Some(-(slice.requests as f64))),
            Self::Representative => by(|slice| slice.distance),
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steadiest => "steadiest",
            Self::Busiest => "busiest",
            Self::Representative => "representative",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Micros {
        Micros::from_secs(seconds).unwrap()
    }

    /// A minute of bursts, a steady minute, a busy one, and again bursts.
    fn slices() -> Vec<Slice> {
        let mut demands = Demands::default();
        let mut add = |time: f64, length| demands.push(seconds(time), Some(length), Some(7));
        for n in 0..60 {
            add(f64::from(n / 20 * 20), 100);
            add(60.0 + f64::from(n), 200);
            add(180.0 + f64::from(n / 20 * 20), 100);
        }
        for n in 0..200 {
            add(120.0 + f64::from(n * n % 600) / 10.0, 300);
        }
        demands.push(seconds(240.0), Some(100), None);
        demands.slices(seconds(60.0))
    }

    #[test]
    fn each_pick_finds_its_minute() {
        let slices = slices();
        assert_eq!(slices.len(), 31);
        let from = |pick: Pick| pick.of(&slices).unwrap().from;
        assert_eq!(from(Pick::Steadiest), seconds(60.0));
        assert_eq!(from(Pick::Busiest), seconds(120.0));
        let closest = Pick::Representative.of(&slices).unwrap();
        assert!(
            slices
                .iter()
                .all(|slice| slice.distance >= closest.distance)
        );
    }

    #[test]
    fn flags_can_be_pasted() {
        let slice = Slice {
            from: seconds(90.0),
            to: seconds(100.25),
            ..slices()[0]
        };
        assert_eq!(slice.flags(), "--from-time 90s --to-time 100250ms");
    }

    #[test]
    fn a_short_trace_has_no_slice() {
        let mut demands = Demands::default();
        assert!(demands.ends().is_none());
        demands.push(seconds(5.0), None, None);
        demands.push(seconds(9.0), None, None);
        assert_eq!(demands.slices(seconds(5.0)), []);
    }
}
