//! Counts of values that share their leading digits.

/// Binary digits of the mantissa that values of one bucket share: 1,024
/// buckets for each doubling.
const SHARED: u32 = 10;

/// Most buckets there are: as many as finite floats without sign differ in
/// their exponent and those digits.
const MOST: usize = 0x7ff << SHARED;

/// Values above zero, counted by their exponent and leading binary digits.
///
/// A bucket is what `f64` has in its upper bits, so finding it is a shift: no
/// logarithm whose last digits differ between platforms. (DDSketch's mapping
/// by linear interpolation, and HdrHistogram's, are the same idea.) Memory is 8
/// bytes for each bucket between the least and the greatest value: 80 kB for
/// three decades.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    /// The number of the first bucket that is held.
    first: usize,
    counts: Vec<u64>,
    count: u64,
}

/// How far a value of a bucket can be from what stands for it, as a share of
/// the value.
pub(super) const ERROR: f64 = 1.0 / (1 << (SHARED + 1)) as f64;

impl Buckets {
    /// Count `value`, which is finite and above zero, `times` times over.
    pub(super) fn add(&mut self, value: f64, times: u64) {
        self.add_to((value.to_bits() >> (52 - SHARED)) as usize, times);
    }

    fn add_to(&mut self, bucket: usize, times: u64) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            let missing = self.first - bucket;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = bucket;
        }
        let at = bucket - self.first;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += times;
        self.count += times;
    }

    pub(super) fn append(&mut self, other: &Self) {
        for (bucket, times) in other.filled() {
            self.add_to(bucket, times);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The buckets that have values, ascending, with how many.
    pub(super) fn filled(&self) -> impl DoubleEndedIterator<Item = (usize, u64)> + '_ {
        let counts = self.counts.iter().enumerate();
        counts.filter_map(|(at, &times)| (times > 0).then_some((self.first + at, times)))
    }

    /// The buckets of a line: ascending, none of them empty.
    pub(super) fn of(filled: &[(usize, u64)]) -> Result<Self, String> {
        let mut buckets = Self::default();
        let ascending = filled.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let known = filled.iter().all(|&(at, times)| at < MOST && times > 0);
        let total = filled
            .iter()
            .try_fold(0_u64, |sum, (_, times)| sum.checked_add(*times));
        if !ascending || !known || total.is_none() {
            return Err("the buckets of a sketch are not in order".to_owned());
        }
        for &(bucket, times) in filled {
            buckets.add_to(bucket, times);
        }
        Ok(buckets)
    }
}

/// What stands for the values of a bucket: the middle between its ends.
pub(super) fn middle(bucket: usize) -> f64 {
    let end = |bucket: usize| f64::from_bits((bucket as u64) << (52 - SHARED));
    let low = end(bucket);
    let high = if bucket + 1 < MOST {
        end(bucket + 1)
    } else {
        f64::MAX
    };
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_middle_is_within_the_error(value in f64::MIN_POSITIVE..f64::MAX) {
            let mut buckets = Buckets::default();
            buckets.add(value, 1);
            let (bucket, _) = buckets.filled().next().unwrap();
            let apart = (middle(bucket) / value - 1.0).abs();
            prop_assert!(apart <= ERROR, "{} stands for {}", middle(bucket), value);
        }

        #[test]
        fn what_is_filled_reads_back(values in prop::collection::vec((1e-3_f64..1e6, 1u64..9), 0..50)) {
            let mut buckets = Buckets::default();
            values.iter().for_each(|&(value, times)| buckets.add(value, times));
            let filled: Vec<_> = buckets.filled().collect();
            prop_assert_eq!(Buckets::of(&filled).unwrap(), buckets);
        }
    }

    #[test]
    fn a_line_in_disorder_is_refused() {
        for filled in [
            vec![(5, 1), (5, 1)],
            vec![(3, 0)],
            vec![(MOST, 1)],
            vec![(1, u64::MAX), (2, 1)],
        ] {
            assert!(Buckets::of(&filled).is_err(), "{filled:?}");
        }
    }
}
