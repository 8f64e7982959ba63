//! The values of one quantity, by the stretch of time they are of.

use super::batches::shifted;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most buckets that values are told apart by: as finely as a millionth while
/// they are close to each other, some 3 % where they span ten octaves.
const MOST_BUCKETS: usize = 256;

/// A value, so many times over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repeated {
    /// In the unit of the metric, 0 or more; infinite for a failure.
    pub value: f64,
    /// How often.
    pub times: u64,
    /// The sum of all of them in whole units, so that it does not depend on the
    /// order of adding.
    pub sum: u64,
}

impl Repeated {
    /// A value that is there once, and what it is in whole units.
    pub fn once(value: f64, sum: u64) -> Self {
        Self {
            value,
            times: 1,
            sum,
        }
    }
}

/// Values of one quantity by stretch: how many, their sum, and how many there
/// are in each bucket.
///
/// Buckets are ranges of the leading bits of a value as a number, and of as many
/// bits as [`MOST_BUCKETS`] buckets allow: which depends on the values alone, so
/// parts of a run add up to the whole in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cells {
    /// Bits that are left out, of the leading 32.
    coarse: u32,
    /// Every bucket that has a value.
    buckets: BTreeSet<u32>,
    stretches: BTreeMap<u64, Cell>,
}

/// Values of one stretch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cell {
    /// Finite ones, and their sum.
    count: u64,
    sum: u64,
    /// How many there are in each bucket, ascending.
    buckets: Vec<(u32, u64)>,
}

/// How far each stretch is apart from the whole.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Apart {
    /// The mean of the whole, or the share of its values that are no larger than
    /// the threshold.
    pub(super) of_whole: f64,
    /// Values of the whole.
    pub(super) count: f64,
    /// By stretch: what it adds to the whole less what as many values of the
    /// whole would.
    pub(super) stretches: Vec<f64>,
}

impl Cells {
    /// Add values of one stretch.
    pub(super) fn add(&mut self, stretch: u64, values: impl IntoIterator<Item = Repeated>) {
        let mut values = values
            .into_iter()
            .filter(|value| value.times > 0)
            .peekable();
        if values.peek().is_none() {
            return;
        }
        let cell = self.stretches.entry(stretch).or_default();
        // Neighbours are often alike, above all gaps of one request.
        let mut before = 0;
        for Repeated { value, times, sum } in values {
            if value.is_finite() {
                cell.count = cell.count.saturating_add(times);
                cell.sum = cell.sum.saturating_add(sum);
            }
            let bucket = without(leading_bits(value), self.coarse);
            if cell.buckets.get(before).is_none_or(|(b, _)| *b != bucket) {
                before = cell.place(bucket);
            }
            let there = &mut cell.buckets[before].1;
            if *there == 0 {
                self.buckets.insert(bucket);
            }
            *there = there.saturating_add(times);
        }
        self.bound();
    }

    /// Add what another has.
    pub(super) fn append(&mut self, mut other: Self) {
        let coarse = self.coarse.max(other.coarse);
        self.coarsen(coarse - self.coarse);
        other.coarsen(coarse - other.coarse);
        self.buckets.append(&mut other.buckets);
        for (stretch, cell) in other.stretches {
            self.stretches.entry(stretch).or_default().append(cell);
        }
        self.bound();
    }

    /// Make each stretch 2^`by` as long.
    pub(super) fn widen(&mut self, by: u32) {
        for (stretch, cell) in std::mem::take(&mut self.stretches) {
            let wider = self.stretches.entry(shifted(stretch, by)).or_default();
            wider.append(cell);
        }
    }

    /// In how many stretches there are values.
    pub(super) fn stretches(&self) -> usize {
        self.stretches.len()
    }

    fn bound(&mut self) {
        while self.buckets.len() > MOST_BUCKETS {
            self.coarsen(1);
        }
    }

    fn coarsen(&mut self, by: u32) {
        if by == 0 {
            return;
        }
        self.coarse = self.coarse.saturating_add(by);
        let finer = std::mem::take(&mut self.buckets).into_iter();
        self.buckets = finer.map(|bucket| without(bucket, by)).collect();
        for cell in self.stretches.values_mut() {
            cell.coarsen(by);
        }
    }

    /// How far the sum of each stretch that has values is apart from the mean.
    pub(super) fn of_mean(&self) -> Option<Apart> {
        let cells = self.stretches.values().filter(|cell| cell.count > 0);
        let numbers = cells.map(|cell| (cell.count as f64, cell.sum as f64));
        Apart::of(&numbers.collect::<Vec<_>>())
    }

    /// How far the number of values up to a threshold is apart, in each stretch
    /// that has values: of the end of a bucket that has as near as may be to the
    /// share `q` of all values, and values on both sides.
    pub(super) fn of_quantile(&self, q: f64) -> Option<Apart> {
        let mut by_bucket: BTreeMap<u32, u64> = BTreeMap::new();
        for (bucket, times) in self.stretches.values().flat_map(|cell| &cell.buckets) {
            let sum = by_bucket.entry(*bucket).or_default();
            *sum = sum.saturating_add(*times);
        }
        let all = by_bucket.values().map(|&times| times as f64).sum::<f64>();
        let up_to = by_bucket.iter().scan(0.0, |sum, (bucket, times)| {
            *sum += *times as f64;
            Some((*bucket, *sum / all))
        });
        let inner = up_to.take(by_bucket.len().saturating_sub(1));
        let nearest =
            inner.min_by(|(_, one), (_, other)| (one - q).abs().total_cmp(&(other - q).abs()));
        let (threshold, _) = nearest?;
        let numbers = self.stretches.values().map(|cell| {
            let times = |buckets: &[(u32, u64)]| buckets.iter().map(|(_, n)| *n as f64).sum();
            let end = cell.buckets.partition_point(|(b, _)| *b <= threshold);
            (times(&cell.buckets), times(&cell.buckets[..end]))
        });
        Apart::of(&numbers.collect::<Vec<_>>())
    }
}

impl Cell {
    /// Where `bucket` is, which is made if it is not there.
    fn place(&mut self, bucket: u32) -> usize {
        let place = self.buckets.binary_search_by_key(&bucket, |(b, _)| *b);
        place.unwrap_or_else(|place| {
            self.buckets.insert(place, (bucket, 0));
            place
        })
    }

    fn append(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        for (bucket, times) in other.buckets {
            let place = self.place(bucket);
            let there = &mut self.buckets[place].1;
            *there = there.saturating_add(times);
        }
    }

    fn coarsen(&mut self, by: u32) {
        for (bucket, _) in &mut self.buckets {
            *bucket = without(*bucket, by);
        }
        self.buckets.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
    }
}

impl Apart {
    /// Of the count and the sum of each stretch; `None` without a value.
    fn of(numbers: &[(f64, f64)]) -> Option<Self> {
        let count = numbers.iter().map(|(count, _)| count).sum::<f64>();
        let sum = numbers.iter().map(|(_, sum)| sum).sum::<f64>();
        let of_whole = (count > 0.0).then(|| sum / count)?;
        let stretches = numbers.iter().map(|(count, sum)| sum - of_whole * count);
        Some(Self {
            of_whole,
            count,
            stretches: stretches.collect(),
        })
    }
}

/// The first half of a number's bits, which are in the order of the numbers: the
/// exponent and 20 bits behind it.
fn leading_bits(value: f64) -> u32 {
    (value.to_bits() >> 32) as u32
}

/// Without the last `bits`, however many a line of a part may ask for.
fn without(bucket: u32, bits: u32) -> u32 {
    bucket.checked_shr(bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = (u64, f64)>) -> Cells {
        let mut cells = Cells::default();
        for (stretch, value) in values {
            cells.add(stretch, [Repeated::once(value, value as u64)]);
        }
        cells
    }

    #[test]
    fn buckets_are_as_fine_as_values_allow() {
        let close = of((0..200).map(|at| (0, 1_000.0 + at as f64 / 100.0)));
        assert_eq!((close.coarse, close.buckets.len()), (0, 200));
        let wide = of((0..100_000).map(|at| (0, 1.0 + at as f64)));
        assert!((129..=256).contains(&wide.buckets.len()));
        assert!(wide.coarse > 10);
    }

    #[test]
    fn a_threshold_has_values_on_both_sides() {
        // Nine of ten are 5, the others fail.
        let cells =
            of((0..100).map(|at| (at / 10, if at % 10 == 9 { f64::INFINITY } else { 5.0 })));
        let apart = cells.of_quantile(0.5).unwrap();
        assert_eq!((apart.of_whole, apart.count), (0.9, 100.0));
        assert!(apart.stretches.iter().all(|apart| *apart == 0.0));
        assert_eq!(cells.of_mean().unwrap().of_whole, 5.0);
        assert_eq!(of([(0, 5.0), (1, 5.0)]).of_quantile(0.5), None);
        assert_eq!(of([]).of_mean(), None);
    }

    #[test]
    fn a_stretch_is_apart_by_what_it_has_more() {
        let cells = of([(0, 1.0), (0, 1.0), (1, 3.0), (1, 3.0)]);
        assert_eq!(cells.of_mean().unwrap().stretches, [-2.0, 2.0]);
        assert_eq!(cells.of_quantile(0.9).unwrap().stretches, [1.0, -1.0]);
    }
}
