//! The values of one quantity, by the stretch of time they are of.

use super::batches::shifted;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most buckets that values are told apart by: as finely as a millionth while
/// they are close to each other, some 3 % where they span ten octaves.
const MOST_BUCKETS: usize = 256;

/// Buckets that are stepped over one by one.
const NEAR: usize = 16;

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
        let mut values = values.into_iter();
        let Some(first) = values.next() else { return };
        let cell = self.stretches.entry(stretch).or_default();
        let coarse = self.coarse;
        let bucket = |cell: &mut Cell, Repeated { value, times, sum }| {
            if f64::is_finite(value) {
                cell.count = cell.count.saturating_add(times);
                cell.sum = cell.sum.saturating_add(sum);
            }
            (without(leading_bits(value), coarse), times)
        };
        let mut new = |bucket| {
            self.buckets.insert(bucket);
        };
        let first = bucket(cell, first);
        match values.size_hint().0 {
            0 => cell.merge([first], &mut new),
            more => {
                let mut found = Vec::with_capacity(more + 1);
                found.push(first);
                found.extend(values.by_ref().map(|value| bucket(cell, value)));
                found.sort_unstable_by_key(|(bucket, _)| *bucket);
                cell.merge(found, &mut new);
            }
        }
        for value in values {
            let one = bucket(cell, value);
            cell.merge([one], &mut new);
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
    /// Add how many there are in each of `more`, which ascend, and tell of those
    /// that had none.
    ///
    /// One step after the other: of the gaps of a request most buckets are there,
    /// and looking for each by halves misses more often than it saves.
    fn merge(&mut self, more: impl IntoIterator<Item = (u32, u64)>, mut new: impl FnMut(u32)) {
        let mut at = 0;
        for (bucket, times) in more {
            if self.buckets.len() - at > NEAR && self.buckets[at + NEAR].0 < bucket {
                at += self.buckets[at..].partition_point(|(b, _)| *b < bucket);
            }
            while self.buckets.get(at).is_some_and(|(b, _)| *b < bucket) {
                at += 1;
            }
            match self.buckets.get_mut(at) {
                Some((found, there)) if *found == bucket => *there = there.saturating_add(times),
                _ => {
                    new(bucket);
                    self.buckets.insert(at, (bucket, times));
                }
            }
        }
    }

    fn append(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.merge(other.buckets, |_| {});
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
