//! The interval of a mean, from the means of stretches of time.
//!
//! Requests that run side by side wait for each other, so a thousand of them
//! say less than a thousand independent values would. What happens in one
//! stretch of time is nearly independent of the next if stretches are long
//! against the memory of the queue: *batch means* (Law, *Simulation Modeling
//! and Analysis*, 9.5.3), here of equal time and so of unequal numbers, whose
//! ratio to the whole has a variance of its own (Cochran, *Sampling
//! Techniques*, 6.3). Some twenty stretches are enough for the variance and few
//! enough to be long (Schmeiser, *Batch size effects*, 1982).

use super::Level;
use super::student::two_sided;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trace_core::Micros;

/// Most stretches; there are between half as many and so many if the run fills
/// its time.
const MOST: u64 = 32;

/// Fewest stretches that an interval is made of.
pub const FEWEST: usize = 8;

/// What there is of each quantity, by stretches of time.
///
/// The length of a stretch is the least power of two in microseconds of which
/// `MOST` span the run: it depends on the ends of the run alone, so parts of
/// a run add up to the whole in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batches {
    /// The logarithm of the length of a stretch.
    width: u32,
    /// Cells of each quantity, by the number of the stretch.
    stretches: BTreeMap<u64, Vec<Cell>>,
}

/// Values of one quantity in one stretch: how many, and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cell(u64, u64);

/// The interval of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanInterval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How many stretches it is made of.
    pub batches: usize,
    /// How the means of neighbouring stretches go together, −1 to 1: clearly
    /// above 0, stretches are too short to be independent and the interval is
    /// too narrow.
    pub correlation: f64,
}

impl Batches {
    /// Count values of some quantities at `time`: the index of the quantity, how
    /// many values, and their sum in whole units.
    pub fn add(&mut self, time: Micros, values: impl IntoIterator<Item = (usize, u64, u64)>) {
        let time = time.as_micros();
        self.reach(time, time);
        let cells = self.stretches.entry(time >> self.width).or_default();
        for (quantity, count, sum) in values {
            add(cells, quantity, Cell(count, sum));
        }
    }

    /// Add what another has counted.
    pub fn append(&mut self, mut other: Self) {
        let width = self.width.max(other.width);
        self.widen(width);
        other.widen(width);
        if let (Some(first), Some(last)) = other.ends() {
            self.reach(first << width, last << width);
            let by = self.width;
            other.widen(by);
        }
        for (stretch, more) in other.stretches {
            let cells = self.stretches.entry(stretch).or_default();
            for (quantity, cell) in more.into_iter().enumerate() {
                add(cells, quantity, cell);
            }
        }
    }

    fn ends(&self) -> (Option<u64>, Option<u64>) {
        let mut keys = self.stretches.keys();
        let first = keys.next().copied();
        (first, keys.next_back().copied().or(first))
    }

    /// Make stretches so long that these times are within [`MOST`] too.
    fn reach(&mut self, low: u64, high: u64) {
        let (first, last) = self.ends();
        let mut width = self.width;
        loop {
            let by = width - self.width;
            let low = first.map_or(low >> width, |first| (first >> by).min(low >> width));
            let high = last.map_or(high >> width, |last| (last >> by).max(high >> width));
            if high - low < MOST {
                break;
            }
            width += 1;
        }
        self.widen(width);
    }

    fn widen(&mut self, width: u32) {
        let by = width - self.width;
        if by == 0 {
            return;
        }
        self.width = width;
        for (stretch, more) in std::mem::take(&mut self.stretches) {
            let cells = self.stretches.entry(stretch >> by).or_default();
            for (quantity, cell) in more.into_iter().enumerate() {
                add(cells, quantity, cell);
            }
        }
    }

    /// The length of a stretch.
    pub fn stretch(&self) -> Micros {
        Micros::from_micros(1 << self.width)
    }

    /// The interval of the mean of a quantity, in its whole units; `None` if it
    /// has values in fewer than [`FEWEST`] stretches.
    pub fn mean(&self, quantity: usize, level: Level) -> Option<MeanInterval> {
        let cells = self.stretches.values();
        let cells = cells.filter_map(|cells| cells.get(quantity).filter(|cell| cell.0 > 0));
        let cells: Vec<Cell> = cells.copied().collect();
        if cells.len() < FEWEST {
            return None;
        }
        let count: f64 = cells.iter().map(|cell| cell.0 as f64).sum();
        let mean = cells.iter().map(|cell| cell.1 as f64).sum::<f64>() / count;
        let apart = cells
            .iter()
            .map(|cell| cell.1 as f64 - mean * cell.0 as f64);
        let apart: Vec<f64> = apart.collect();
        let squares: f64 = apart.iter().map(|apart| apart * apart).sum();
        let products: f64 = apart.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let batches = cells.len();
        let share = batches as f64 / (batches - 1) as f64;
        let error = (share * squares).sqrt() / count;
        let half = two_sided(batches as u32 - 1, level.get()) * error;
        Some(MeanInterval {
            low: mean - half,
            high: mean + half,
            batches,
            correlation: if squares > 0.0 {
                products / squares
            } else {
                0.0
            },
        })
    }
}

fn add(cells: &mut Vec<Cell>, quantity: usize, more: Cell) {
    if cells.len() <= quantity {
        cells.resize(quantity + 1, Cell::default());
    }
    let cell = &mut cells[quantity];
    cell.0 = cell.0.saturating_add(more.0);
    cell.1 = cell.1.saturating_add(more.1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use trace_core::{Streams, seed::unit};

    fn level(level: f64) -> Level {
        level.to_string().parse().unwrap()
    }

    #[test]
    fn the_mean_is_in_the_middle() {
        let mut batches = Batches::default();
        for at in 0..32_u64 {
            batches.add(Micros::from_micros(at), [(1, 1, 10 + at % 2)]);
        }
        let interval = batches.mean(1, level(0.95)).unwrap();
        assert_eq!((interval.low + interval.high) / 2.0, 10.5);
        // 32 means of alternating sign: s = 0.508, t(31) = 2.0395.
        let half = 2.039_513_446_4 * (0.25_f64 * 32.0 / 31.0 / 32.0).sqrt();
        assert!(((interval.high - interval.low) / 2.0 - half).abs() < 1e-6);
        assert_eq!(interval.batches, 32);
        assert!(interval.correlation < -0.9);
        assert_eq!(batches.mean(0, level(0.95)), None);
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
                batches.add(Micros::from_micros(clock as u64), [(0, 1, time)]);
            }
            let interval = batches.mean(0, level(0.95)).unwrap();
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
                    batches.add(Micros::from_micros(time), [(quantity, 1, value)]);
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
