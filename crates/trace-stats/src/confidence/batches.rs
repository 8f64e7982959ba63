//! What a run tells of how far its figures may be off, by stretches of time.
//!
//! Requests that run side by side wait for each other, so a thousand of them
//! say less than a thousand independent values would. What happens in one
//! stretch of time is nearly independent of the next if stretches are long
//! against the memory of the queue: *batch means* (Law, *Simulation Modeling
//! and Analysis*, 9.5.3), here of equal time and so of unequal numbers, whose
//! ratio to the whole has a variance of its own (Cochran, *Sampling
//! Techniques*, 6.3). What is left of the memory between stretches is allowed
//! for ([`Dependence`]), and so is that sums of latencies are skew.
//!
//! A quantile is where a share of the values lies below, and that share is a
//! mean: its variance tells how many independent values would be as good, and
//! the interval is that of the order statistics of so many (Woodruff, 1952;
//! Korn and Graubard, 1998).

use super::cells::{Cells, Repeated};
use super::dependence::Dependence;
use super::{Level, order, student};
use serde::{Deserialize, Serialize};
use trace_core::Micros;
use trace_core::quantile::Ranked;

/// Most stretches; there are between half as many and so many if the run fills
/// its time.
const MOST: u64 = 128;

/// Fewest stretches that an interval is made of.
pub const FEWEST: usize = 8;

/// What there is of each quantity, by stretches of time.
///
/// The length of a stretch is the least power of two in microseconds of which
/// `MOST` span the run: it depends on the ends of the run alone, so parts of
/// a run add up to the whole in any order. Takes a hundred bytes for each value
/// of a quantity while those are few, and 300 KB for a quantity at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batches {
    /// The first and the last time in microseconds.
    ends: Option<(u64, u64)>,
    /// The logarithm of the length of a stretch.
    width: u32,
    quantities: Vec<Cells>,
}

/// The interval of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanInterval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How many stretches it is made of.
    pub batches: usize,
    /// What they tell of the sum of all values.
    pub dependence: Dependence,
}

/// The interval of a quantile.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct QuantileInterval {
    /// Its lower end; `None` if the values tell none: too few, or one that
    /// touches a failure.
    pub low: Option<f64>,
    /// Its upper end, likewise.
    pub high: Option<f64>,
    /// How many independent values would tell as much; `None` if there are too
    /// few stretches to know.
    pub effective: Option<f64>,
}

impl Batches {
    /// Count values of a quantity at `time`.
    pub fn add(
        &mut self,
        quantity: usize,
        time: Micros,
        values: impl IntoIterator<Item = Repeated>,
    ) {
        let time = time.as_micros();
        self.reach(time, time);
        let stretch = shifted(time, self.width);
        self.quantity(quantity).add(stretch, values);
    }

    /// Add what another has counted.
    pub fn append(&mut self, mut other: Self) {
        if let Some((first, last)) = other.ends {
            self.reach(first, last);
        }
        other.widen(self.width);
        for (quantity, cells) in other.quantities.into_iter().enumerate() {
            self.quantity(quantity).append(cells);
        }
    }

    fn quantity(&mut self, quantity: usize) -> &mut Cells {
        if self.quantities.len() <= quantity {
            self.quantities.resize_with(quantity + 1, Cells::default);
        }
        &mut self.quantities[quantity]
    }

    /// Make stretches so long that these times are within [`MOST`] too.
    fn reach(&mut self, first: u64, last: u64) {
        let (low, high) = self.ends.unwrap_or((first, last));
        let (low, high) = (low.min(first), high.max(last));
        self.ends = Some((low, high));
        let mut width = self.width;
        while shifted(high, width).abs_diff(shifted(low, width)) >= MOST {
            width += 1;
        }
        self.widen(width);
    }

    fn widen(&mut self, width: u32) {
        if width > self.width {
            for cells in &mut self.quantities {
                cells.widen(width - self.width);
            }
            self.width = width;
        }
    }

    /// The length of a stretch.
    pub fn stretch(&self) -> Micros {
        Micros::from_micros(1_u64.checked_shl(self.width).unwrap_or(u64::MAX))
    }

    /// Several quantities as one, to be read.
    pub(super) fn together(&self, quantities: &[usize]) -> Cells {
        let mut all = Cells::default();
        for cells in quantities.iter().filter_map(|&at| self.quantities.get(at)) {
            all.append(cells.clone());
        }
        all
    }
}

impl Cells {
    /// The interval of the mean in whole units; `None` if there are values in fewer
    /// than [`FEWEST`] stretches.
    pub(super) fn mean(&self, level: Level) -> Option<MeanInterval> {
        let apart = self.of_mean()?;
        let batches = apart.stretches.len();
        if batches < FEWEST {
            return None;
        }
        let dependence = Dependence::of(&apart.stretches);
        let error = dependence.variance.sqrt() / apart.count;
        let student = student::two_sided(dependence.freedom as u32, level.get());
        let (over, under) = dependence.ends(student);
        Some(MeanInterval {
            // no quantity is less than nothing, and so is no mean
            low: (apart.of_whole - over * error).max(0.0),
            high: apart.of_whole + under * error,
            batches,
            dependence,
        })
    }

    /// The interval of the `q`-quantile of `values`, which are counted here.
    pub(super) fn quantile(&self, values: &Ranked<'_>, q: f64, level: Level) -> QuantileInterval {
        let stretches = self.stretches();
        if stretches < FEWEST {
            return QuantileInterval::default();
        }
        let count = values.count() + values.censored();
        // Values all alike are as far apart as they are dependent: not at all.
        let (effective, freedom) = match self.of_quantile(q) {
            None => (count as f64, (stretches - 1) as f64),
            Some(apart) => {
                let dependence = Dependence::of(&apart.stretches);
                let share = apart.of_whole;
                let independent = apart.count * share * (1.0 - share);
                let more = (dependence.variance / independent).max(1.0);
                (count as f64 / more, dependence.freedom)
            }
        };
        // What the variance is not sure of makes the interval wider, as Student's
        // distribution is wider than the normal.
        let wider = student::wider(freedom as u32, level.get());
        let (low, high) = order::between(count, effective / (wider * wider), q, level.get());
        let value = |rank: Option<u64>| rank.and_then(|rank| values.at(rank));
        QuantileInterval {
            low: value(low),
            high: value(high),
            effective: Some(effective),
        }
    }
}

/// The number of the stretch of 2^`width` that `time` is in; a line of a part may
/// say any width.
pub(super) fn shifted(time: u64, width: u32) -> u64 {
    time.checked_shr(width).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use trace_core::{Streams, seed::unit};

    fn once(sum: u64) -> Repeated {
        Repeated::once(sum as f64, sum)
    }

    fn level(level: f64) -> Level {
        level.to_string().parse().unwrap()
    }

    #[test]
    fn the_mean_is_in_the_middle() {
        let mut batches = Batches::default();
        for at in 0..32_u64 {
            batches.add(1, Micros::from_micros(at), [once(10 + at % 2)]);
        }
        let interval = batches.together(&[1]).mean(level(0.95)).unwrap();
        assert_eq!((interval.low + interval.high) / 2.0, 10.5);
        // 32 means of alternating sign: s = 0.508, t(31) = 2.0395.
        let half = 2.039_513_446_4 * (0.25_f64 * 32.0 / 31.0 / 32.0).sqrt();
        assert!(((interval.high - interval.low) / 2.0 - half).abs() < 1e-6);
        assert_eq!(interval.batches, 32);
        assert!(interval.dependence.correlation < -0.9);
        assert_eq!(batches.together(&[0]).mean(level(0.95)), None);
    }

    #[test]
    fn no_mean_of_times_is_less_than_nothing() {
        let mut batches = Batches::default();
        for at in 0..32_u64 {
            let late = u64::from(at == 7) * 1_000;
            batches.add(0, Micros::from_micros(at), [once(late)]);
        }
        let interval = batches.together(&[0]).mean(level(0.95)).unwrap();
        assert_eq!(interval.low, 0.0);
        assert!(interval.high > 1_000.0 / 32.0);
    }

    /// Times in a queue with one server: a wait depends on the one before.
    #[test]
    fn intervals_hold_the_mean_of_a_queue_where_independence_would_not() {
        let mut random = Streams::new(5).stream("test");
        let mut draw = |mean: f64| -libm::log(1.0 - unit(&mut random)) * mean;
        // Mean time in an M/M/1 queue at load 0.5: service / (1 − 0.5).
        let (mut batch_held, mut plain_held, runs) = (0, 0, 400);
        for _ in 0..runs {
            let (mut batches, mut clock, mut free) = (Batches::default(), 0.0, 0.0_f64);
            let mut times = Vec::new();
            for _ in 0..4_000 {
                clock += draw(2_000.0);
                free = free.max(clock) + draw(1_000.0);
                let time = (free - clock) as u64;
                times.push(time as f64);
                batches.add(0, Micros::from_micros(clock as u64), [once(time)]);
            }
            let interval = batches.together(&[0]).mean(level(0.95)).unwrap();
            batch_held += i32::from((interval.low..=interval.high).contains(&2_000.0));
            let n = times.len() as f64;
            let mean = times.iter().sum::<f64>() / n;
            let variance = times.iter().map(|t| (t - mean) * (t - mean)).sum::<f64>() / n;
            plain_held += i32::from((mean - 2_000.0).abs() <= 1.96 * (variance / n).sqrt());
        }
        let share = |held: i32| f64::from(held) / f64::from(runs);
        assert!(share(batch_held) > 0.88, "batches: {}", share(batch_held));
        assert!(share(plain_held) < 0.75, "plain: {}", share(plain_held));
    }

    proptest! {
        #[test]
        fn parts_add_up_in_any_order(
            values in prop::collection::vec((0u64..u64::MAX / 2, 0usize..3, 0u64..1_000), 0..60),
            cut in 0usize..60,
        ) {
            let of = |values: &[(u64, usize, u64)]| {
                let mut batches = Batches::default();
                for &(time, quantity, value) in values {
                    batches.add(quantity, Micros::from_micros(time), [once(value)]);
                }
                batches
            };
            let whole = of(&values);
            let (left, right) = values.split_at(cut.min(values.len()));
            let [mut one, mut other] = [of(left), of(right)];
            one.append(of(right));
            other.append(of(left));
            prop_assert_eq!(&one, &whole);
            prop_assert_eq!(&other, &whole);
            let line = serde_json::to_string(&whole).unwrap();
            prop_assert_eq!(serde_json::from_str::<Batches>(&line).unwrap(), whole);
        }
    }
}
