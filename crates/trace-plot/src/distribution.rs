//! How many requests took how long, failures included.
//!
//! Lengths in tokens are counted the same way. Durations are kept to one part in 8192 (0.012 %), far below a pixel, which
//! bounds the memory however many requests there are: about 32 bytes for each
//! value kept apart, of which a run from 1 ms to 100 s has at most 70,000.
//! Below 4.1 ms they are exact.

use trace_core::{
    Micros,
    quantile::{Spread, Tally},
};

/// Durations of requests that succeeded, and the number of those that failed.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    tally: Tally,
}

impl Distribution {
    /// Count a request that took `duration`.
    pub fn add(&mut self, duration: Micros) {
        self.add_value(duration.as_micros());
    }

    /// Count a request of which there are `value`, of whatever is counted.
    pub fn add_value(&mut self, value: u64) {
        self.tally.push(rounded(value) as f64);
    }

    /// Count a request that failed: one that would have taken for ever.
    pub fn fail(&mut self) {
        self.tally.push_censored();
    }

    /// Count all that `other` counted, too.
    pub fn append(&mut self, other: Self) {
        self.tally.append(other.tally);
    }

    /// Requests that succeeded.
    pub fn succeeded(&self) -> u64 {
        self.tally.count()
    }

    /// Requests that failed.
    pub fn failed(&self) -> u64 {
        self.tally.censored()
    }

    /// Quantiles in microseconds; failures count as infinite.
    pub fn spread(&self) -> Spread {
        self.tally.spread()
    }

    /// Distinct durations in microseconds, ascending, with their counts.
    pub fn counts(&self) -> Vec<(f64, u64)> {
        self.tally.sorted()
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
            all.append(one.clone());
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

/// `us` with its 13 leading binary digits, in the middle of what they cover.
fn rounded(us: u64) -> u64 {
    let spare = (64 - us.leading_zeros()).saturating_sub(13);
    if spare == 0 {
        us
    } else {
        (us >> spare << spare) + (1 << (spare - 1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
