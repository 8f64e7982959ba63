//! Values of one quantity: exact while they are few, then a sketch.

use super::order;
use super::sketch::Sketch;
use super::{Ranked, Spread};

/// Distinct values that are kept by default.
pub const EXACT_VALUES: usize = 1_000_000;

/// Values that wait to be sorted, once there are many: half a cache.
const FEW: usize = 1 << 14;

/// Values of one quantity: exact up to a number of distinct values, then a
/// sketch whose quantiles are within [`SKETCH_ERROR`](super::SKETCH_ERROR).
///
/// Takes 8 bytes a value until there are as many as are kept, then 16 for each
/// distinct one and, once those are too many, a few hundred kilobytes in all.
/// Whether it is a sketch depends on the values alone, and so does the sketch:
/// a report is the same however the values are divided and ordered.
#[derive(Debug, Clone)]
pub struct Values {
    /// Distinct values that are kept.
    pub(super) limit: usize,
    /// Values that were not sorted yet.
    waiting: Vec<f64>,
    /// Likewise, with how often each occurs.
    repeated: Vec<(f64, u64)>,
    /// Distinct values, ascending, with how often each occurs.
    pub(super) counted: Vec<(f64, u64)>,
    pub(super) sketch: Option<Box<Sketch>>,
    pub(super) censored: u64,
}

impl Default for Values {
    fn default() -> Self {
        Self::new(EXACT_VALUES)
    }
}

impl Values {
    /// No values; exact up to `limit` distinct ones.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            waiting: Vec::new(),
            repeated: Vec::new(),
            counted: Vec::new(),
            sketch: None,
            censored: 0,
        }
    }

    /// Add a measured value; positive infinity counts as censored.
    ///
    /// # Panics
    ///
    /// As [`Sample::push`](super::Sample::push).
    #[inline]
    pub fn push(&mut self, value: f64) {
        if !value.is_finite() {
            assert!(value == f64::INFINITY, "{value} is not a measurement");
            self.censored += 1;
            return;
        }
        // Adding zero turns -0.0 into 0.0: equal values are one.
        self.waiting.push(value + 0.0);
        if self.waiting.len() >= FEW && self.waiting.len() >= self.room() {
            self.settle();
        }
    }

    /// Add a measured value `times` times over.
    ///
    /// # Panics
    ///
    /// As [`Sample::push`](super::Sample::push).
    pub fn push_times(&mut self, value: f64, times: u64) {
        if times < 8 {
            (0..times).for_each(|_| self.push(value));
            return;
        }
        assert!(value.is_finite(), "{value} is not a measurement");
        self.repeated.push((value + 0.0, times));
        if self.repeated.len() >= FEW {
            self.settle();
        }
    }

    /// Add values that are known by how often each occurs: ascending, finite,
    /// none of them twice.
    pub fn push_counted(&mut self, counted: Vec<(f64, u64)>) {
        self.settle();
        self.merge(counted);
    }

    /// Add a value known only to be larger than every other.
    pub fn push_censored(&mut self) {
        self.censored += 1;
    }

    /// Move the values of `other` in.
    pub fn append(&mut self, mut other: Self) {
        other.settle();
        self.settle();
        self.censored += other.censored;
        if let Some(sketch) = other.sketch {
            self.sketched().append(&sketch);
        } else {
            self.merge(other.counted);
        }
    }

    /// Number of values that were measured.
    pub fn count(&self) -> u64 {
        let counted = self.counted.iter().chain(&self.repeated);
        let counted: u64 = counted.map(|(_, times)| times).sum();
        let sketched = self.sketch.as_ref().map_or(0, |sketch| sketch.count());
        counted + sketched + self.waiting.len() as u64
    }

    /// Number of censored values.
    pub fn censored(&self) -> u64 {
        self.censored
    }

    /// How many may wait until they are sorted.
    fn room(&self) -> usize {
        if self.sketch.is_some() {
            FEW
        } else if self.counted.is_empty() {
            self.limit.saturating_add(1).min(EXACT_VALUES + 1)
        } else {
            // A share of what is there, so that merging stays cheap.
            FEW.max(self.counted.len() / 4)
        }
    }

    /// Sort what waits into the others.
    pub(super) fn settle(&mut self) {
        let mut repeated = std::mem::take(&mut self.repeated);
        repeated.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let runs = repeated.chunk_by(|a, b| a.0 == b.0);
        let counted = runs.map(|run| (run[0].0, run.iter().map(|(_, times)| times).sum()));
        self.merge(counted.collect());
        if self.waiting.is_empty() {
            return;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        match &mut self.sketch {
            Some(sketch) => sketch.add_all(&waiting),
            None => {
                order::sort(&mut waiting);
                self.merge(distinct(&waiting));
            }
        }
        if waiting.capacity() <= 2 * self.room() {
            waiting.clear();
            self.waiting = waiting;
        }
    }

    /// Add distinct values, ascending, with how often each occurs.
    pub(super) fn merge(&mut self, more: Vec<(f64, u64)>) {
        if let Some(sketch) = &mut self.sketch {
            more.iter()
                .for_each(|&(value, times)| sketch.add(value, times));
            return;
        }
        if self.counted.is_empty() {
            self.counted = more;
        } else if !more.is_empty() {
            self.counted = merged(&self.counted, &more);
        }
        if self.counted.len() > self.limit {
            self.sketched();
        }
    }

    /// From here on only a sketch.
    fn sketched(&mut self) -> &mut Sketch {
        let sketch = self.sketch.get_or_insert_default();
        for (value, times) in std::mem::take(&mut self.counted) {
            sketch.add(value, times);
        }
        sketch
    }

    /// The values in their order.
    pub fn ranked(&mut self) -> Ranked<'_> {
        self.settle();
        let ranks = match &self.sketch {
            Some(sketch) => sketch.ranks(),
            None => self.counted.clone(),
        };
        let ends = ranks.iter().scan(0, |end, &(_, times)| {
            *end += times;
            Some(*end)
        });
        Ranked {
            ends: ends.collect(),
            ranks,
            values: self,
        }
    }

    /// Summary of the values.
    pub fn spread(&mut self) -> Spread {
        self.ranked().spread()
    }
}

/// The distinct ones of sorted `values`, with how often each occurs.
fn distinct(values: &[f64]) -> Vec<(f64, u64)> {
    let ends = values.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let mut counted = Vec::with_capacity(ends + 1);
    let runs = values.chunk_by(|a, b| a == b);
    counted.extend(runs.map(|run| (run[0], run.len() as u64)));
    counted
}

/// Two lists of distinct values, ascending, as one.
fn merged(a: &[(f64, u64)], b: &[(f64, u64)]) -> Vec<(f64, u64)> {
    let mut all = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    loop {
        let next = match (a.peek(), b.peek()) {
            (Some(left), Some(right)) if left.0 == right.0 => {
                let sum = (left.0, left.1 + right.1);
                a.next();
                b.next();
                Some(sum)
            }
            (Some(left), Some(right)) if right.0 < left.0 => b.next(),
            (Some(_), _) => a.next(),
            (None, _) => b.next(),
        };
        match next {
            Some(value) => all.push(value),
            None => return all,
        }
    }
}
