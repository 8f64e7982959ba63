//! How many requests took how long, failures included.
//!
//! Lengths in tokens are counted the same way. Durations are kept to one part in 8192 (0.012 %), far below a pixel, which
//! bounds the memory however many requests there are: eight bytes for each
//! value kept apart, of which a run from 1 ms to 100 s has at most 70,000.
//! Below 8.2 ms they are exact.

use trace_core::{
    Micros,
    quantile::{Spread, Tally},
};

/// Leading binary digits that are kept.
const DIGITS: u32 = 13;
/// Values that share a length in binary digits, once it is more than those.
const OCTAVE: usize = 1 << (DIGITS - 1);
/// Values whose counts lie together: a page of memory.
const PAGE: usize = 512;

/// Durations of requests that succeeded, and the number of those that failed.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// Counts by the rank of the value, a page where any of its values was met.
    pages: Vec<Option<Box<[u64; PAGE]>>>,
    succeeded: u64,
    failed: u64,
}

impl Distribution {
    /// Count a request that took `duration`.
    pub fn add(&mut self, duration: Micros) {
        self.add_value(duration.as_micros());
    }

    /// Count a request of which there are `value`, of whatever is counted.
    pub fn add_value(&mut self, value: u64) {
        let rank = rank(value);
        self.page(rank / PAGE)[rank % PAGE] += 1;
        self.succeeded += 1;
    }

    fn page(&mut self, at: usize) -> &mut [u64; PAGE] {
        if self.pages.len() <= at {
            self.pages.resize(at + 1, None);
        }
        self.pages[at].get_or_insert_with(|| Box::new([0; PAGE]))
    }

    /// Count a request that failed: one that would have taken for ever.
    pub fn fail(&mut self) {
        self.failed += 1;
    }

    /// Count all that `other` counted, too.
    pub fn append(&mut self, other: &Self) {
        for (at, page) in other.pages.iter().enumerate() {
            if let Some(page) = page {
                let sums = self.page(at).iter_mut().zip(page.iter());
                sums.for_each(|(sum, count)| *sum += count);
            }
        }
        self.succeeded += other.succeeded;
        self.failed += other.failed;
    }

    /// Requests that succeeded.
    pub fn succeeded(&self) -> u64 {
        self.succeeded
    }

    /// Requests that failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Quantiles in microseconds; failures count as infinite.
    pub fn spread(&self) -> Spread {
        let mut tally = Tally::new();
        for (value, count) in self.counts() {
            tally.push_times(value, count);
        }
        tally.push_times(f64::INFINITY, self.failed);
        tally.spread()
    }

    /// Distinct durations in microseconds, ascending, with their counts.
    pub fn counts(&self) -> Vec<(f64, u64)> {
        let pages = self.pages.iter().enumerate();
        let met = pages.filter_map(|(at, page)| Some((at, page.as_ref()?)));
        let counts = met.flat_map(|(at, page)| (at * PAGE..).zip(page.iter()));
        let some = counts.filter(|(_, count)| **count > 0);
        some.map(|(rank, &count)| (of_rank(rank) as f64, count))
            .collect()
    }

    /// Corners of the cumulative distribution: (microseconds, share of all
    /// requests that took no longer). Ends at the share that succeeded.
    pub fn cumulative(&self) -> Vec<(f64, f64)> {
        let all = (self.succeeded() + self.failed()) as f64;
        let mut reached = 0;
        let mut corners = Vec::new();
        for (value, count) in self.counts() {
            corners.push((value, reached as f64 / all));
            reached += count;
            corners.push((value, reached as f64 / all));
        }
        corners
    }
}

/// Distributions of several groups of requests.
#[derive(Clone, Debug, Default)]
pub struct PerGroup(Vec<Distribution>);

impl PerGroup {
    /// That of `group`.
    pub fn of(&mut self, group: usize) -> &mut Distribution {
        if self.0.len() <= group {
            self.0.resize_with(group + 1, Distribution::default);
        }
        &mut self.0[group]
    }

    /// That of `groups` together.
    pub fn together(&self, groups: &[usize]) -> Distribution {
        let mut all = Distribution::default();
        for one in groups.iter().filter_map(|&group| self.0.get(group)) {
            all.append(one);
        }
        all
    }

    /// That of every request.
    pub fn all(&self) -> Distribution {
        self.together(&(0..self.0.len()).collect::<Vec<_>>())
    }
}

/// The values that a hundredth and 99 hundredths of `counts` do not exceed:
/// the range of what is typical. `None` if there are no counts.
pub fn range(counts: &[(f64, u64)]) -> Option<(f64, f64)> {
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let at = |hundredths: u128| {
        let mut reached: u128 = 0;
        let found = counts.iter().find(|(_, count)| {
            reached += u128::from(*count);
            reached * 100 >= u128::from(total) * hundredths
        });
        found.map(|(value, _)| *value)
    };
    Some((at(1)?, at(99)?))
}

/// The rank of what is kept of `us`: its [`DIGITS`] leading binary digits.
fn rank(us: u64) -> usize {
    let spare = (64 - us.leading_zeros()).saturating_sub(DIGITS);
    spare as usize * OCTAVE + (us >> spare) as usize
}

/// The middle of the values of that rank.
fn of_rank(rank: usize) -> u64 {
    let spare = (rank / OCTAVE).saturating_sub(1);
    let digits = (rank - spare * OCTAVE) as u64;
    match spare {
        0 => digits,
        _ => (digits << spare) + (1 << (spare - 1)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `us` as it is kept.
    fn rounded(us: u64) -> u64 {
        of_rank(rank(us))
    }

    fn of(durations: &[u64], failures: usize) -> Distribution {
        let mut distribution = Distribution::default();
        durations
            .iter()
            .for_each(|&us| distribution.add(Micros::from_micros(us)));
        (0..failures).for_each(|_| distribution.fail());
        distribution
    }

    #[test]
    fn the_curve_ends_at_the_share_that_succeeded() {
        let curve = of(&[10, 20, 20], 1).cumulative();
        assert_eq!(
            curve,
            [(10.0, 0.0), (10.0, 0.25), (20.0, 0.25), (20.0, 0.75)]
        );
    }

    #[test]
    fn nothing_that_succeeded_has_no_curve() {
        assert_eq!(of(&[], 3).cumulative(), []);
    }

    #[test]
    fn the_range_forgives_a_hundredth_at_either_end() {
        assert_eq!(
            range(&[(1.0, 1), (100.0, 198), (900.0, 1)]),
            Some((100.0, 100.0))
        );
        assert_eq!(range(&[(7.0, 1)]), Some((7.0, 7.0)));
        assert_eq!(range(&[]), None);
    }

    proptest! {
        #[test]
        fn counts_are_of_what_was_added(some in prop::collection::vec(0u64..1 << 40, 0..50), more in prop::collection::vec(any::<u64>(), 0..20), failures in 0usize..5) {
            let mut together = of(&some, failures);
            together.append(&of(&more, 0));
            let mut expected: Vec<u64> = some.iter().chain(&more).map(|&us| rounded(us)).collect();
            expected.sort_unstable();
            let counts = together.counts();
            let found = counts.iter().flat_map(|&(value, count)| std::iter::repeat_n(value, count as usize));
            prop_assert_eq!(found.collect::<Vec<_>>(), expected.iter().map(|&us| us as f64).collect::<Vec<_>>());
            prop_assert_eq!((together.succeeded(), together.failed()), (expected.len() as u64, failures as u64));
            let spread = together.spread();
            prop_assert_eq!((spread.count, spread.censored), (together.succeeded(), together.failed()));
        }

        #[test]
        fn rounding_is_finer_than_a_pixel(us: u64) {
            let error = rounded(us).abs_diff(us) as f64 / us.max(1) as f64;
            prop_assert!(error <= 1.0 / 8192.0, "{us} became {}", rounded(us));
        }

        #[test]
        fn rounding_keeps_the_order(a: u64, b: u64) {
            prop_assert_eq!(rounded(a.min(b)) <= rounded(a.max(b)), true);
        }

        #[test]
        fn a_curve_rises_to_the_share_of_success(
            durations in prop::collection::vec(0u64..1 << 40, 1..200),
            failures in 0usize..50,
        ) {
            let curve = of(&durations, failures).cumulative();
            prop_assert!(curve.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1));
            prop_assert_eq!(curve[0].1, 0.0);
            let share = durations.len() as f64 / (durations.len() + failures) as f64;
            prop_assert_eq!(curve[curve.len() - 1].1, share);
        }
    }
}
