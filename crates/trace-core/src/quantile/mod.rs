//! Quantiles, means and spreads: one definition for every tool.
//!
//! Values go in, a [`Spread`] comes out. Two collectors are exact, because the
//! data come in two shapes: a [`Sample`] takes 8 bytes a value and suits one
//! value per request; a [`Tally`] takes about 32 bytes per *distinct* value and
//! suits lengths. [`Values`] are exact while the distinct ones are few and then
//! go on as a sketch, in bounded memory. None of them depends on the order in
//! which values were pushed, and parts add up to the whole: sums are taken over
//! the sorted values, with compensation, or without any rounding.
//!
//! The sketch is a table of counts by the leading binary digits of a value, as
//! in HdrHistogram and DDSketch. Those bound the error of a quantile relative
//! to the quantile, which is what a p99 of a latency wants; t-digest and KLL
//! bound it in rank, and what they hold depends on the order of the values and
//! of the merges, so that the same run would not give the same report.
//!
//! A quantile interpolates linearly between the closest ranks: numpy's
//! default, type 7 of Hyndman and Fan. The standard deviation is the
//! population's. Taken because the analyzers whose numbers ours are compared
//! with do the same.
//!
//! A *censored* value is known only to be larger than any other: the latency
//! of a request that failed. It counts as infinity in quantiles and nowhere
//! else; mean, standard deviation, minimum and maximum are over the values
//! that were measured.

mod buckets;
#[cfg(test)]
mod laws;
mod limbs;
mod order;
mod ranked;
mod sample;
mod sketch;
mod spread;
mod state;
mod sum;
mod tally;
mod total;
mod values;

pub use ranked::Ranked;
pub use sample::Sample;
pub use sketch::SKETCH_ERROR;
pub use spread::{Spread, number};
pub use tally::Tally;
pub use values::{EXACT_VALUES, Values};

/// How quantiles are defined, in words for a report.
pub const DEFINITION: &str =
    "linear interpolation between closest ranks (numpy's default, Hyndman-Fan type 7)";

/// The `q`-quantile of `sorted` values followed by `censored` infinite ones.
///
/// `None` if there are no values, or if the quantile touches an infinite one.
///
/// # Panics
///
/// If `q` is not between 0 and 1.
pub fn quantile(sorted: &[f64], censored: u64, q: f64) -> Option<f64> {
    interpolate(sorted.len() as u64, censored, q, |rank| {
        sorted[rank as usize]
    })
}

fn interpolate(count: u64, censored: u64, q: f64, at: impl Fn(u64) -> f64) -> Option<f64> {
    assert!((0.0..=1.0).contains(&q), "a quantile is between 0 and 1");
    let last = (count + censored).checked_sub(1)?;
    let position = q * last as f64;
    // 0.95 × 60 is 56.999999999999993, yet rank 57 alone is meant: a weight of
    // one rounding error must not make the quantile touch a censored neighbour.
    let nearest = position.round();
    let exact = (position - nearest).abs() <= 2.0 * f64::EPSILON * position;
    let position = if exact { nearest } else { position };
    let below = position.floor();
    let weight = position - below;
    let below = below as u64;
    if below >= count {
        return None;
    }
    let low = at(below);
    if weight == 0.0 {
        return Some(low);
    }
    if below + 1 >= count {
        return None;
    }
    let high = at(below + 1);
    // As numpy does it: anchored at the nearer end, so that the result never
    // leaves the interval and agrees with numpy's in the last digit.
    let step = high - low;
    Some(if weight < 0.5 {
        low + step * weight
    } else {
        high - step * (1.0 - weight)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1e-9)
    }

    /// The definition, spelled out over a list that holds the infinities.
    fn naive(values: &[f64], censored: u64, q: f64) -> Option<f64> {
        let mut all = values.to_vec();
        all.extend((0..censored).map(|_| f64::INFINITY));
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let position = q * (all.len().checked_sub(1)?) as f64;
        let weight = position.fract();
        let low = all[position.floor() as usize];
        let high = all[position.ceil() as usize];
        let result = if weight == 0.0 {
            low
        } else {
            low * (1.0 - weight) + high * weight
        };
        result.is_finite().then_some(result)
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.percentile([1, 2, 4, 8], [0, 25, 50, 75, 90, 95, 99, 100])
        let values = [1.0, 2.0, 4.0, 8.0];
        let of = |q| quantile(&values, 0, q).unwrap();
        assert_eq!(of(0.0), 1.0);
        assert_eq!(of(0.25), 1.75);
        assert_eq!(of(0.5), 3.0);
        assert_eq!(of(0.75), 5.0);
        assert!(close(of(0.9), 6.8));
        assert!(close(of(0.95), 7.4));
        assert!(close(of(0.99), 7.88));
        assert_eq!(of(1.0), 8.0);
    }

    #[test]
    fn mean_and_std_are_the_populations() {
        let spread = Sample::from_iter([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).spread();
        assert_eq!(spread.mean, Some(5.0));
        assert_eq!(spread.std, Some(2.0));
        assert_eq!((spread.min, spread.max), (Some(2.0), Some(9.0)));
    }

    #[test]
    fn nothing_has_no_spread() {
        let spread = Sample::new().spread();
        assert_eq!(spread, Spread::default());
        assert_eq!(spread, Tally::new().spread());
        assert!(spread.figures().iter().all(|(_, value)| value.is_none()));
    }

    #[test]
    fn a_quantile_that_touches_a_failure_is_undefined() {
        let mut sample: Sample = (1..=9).map(f64::from).collect();
        sample.push_censored();
        let spread = sample.spread();
        assert_eq!((spread.count, spread.censored), (9, 1));
        assert_eq!(spread.p50, Some(5.5));
        assert_eq!(spread.p90, None, "rank 8.1 touches the failure");
        assert_eq!((spread.mean, spread.max), (Some(5.0), Some(9.0)));
    }

    #[test]
    fn a_rounding_error_in_the_rank_touches_nobody() {
        // 0.95 × 60 falls short of 57, 0.9 × 70 could as well exceed 63.
        for percent in 1..100u32 {
            for last in 1..2_000u64 {
                let (rank, rest) = (
                    last * u64::from(percent) / 100,
                    last * u64::from(percent) % 100,
                );
                if rest == 0 {
                    let q = f64::from(percent) / 100.0;
                    let found = interpolate(rank + 1, last - rank, q, |rank| rank as f64);
                    assert_eq!(found, Some(rank as f64), "p{percent} of {}", last + 1);
                }
            }
        }
    }

    #[test]
    fn only_failures_leave_quantiles_undefined() {
        let mut tally = Tally::new();
        tally.push(f64::INFINITY);
        tally.push_censored();
        let spread = tally.spread();
        assert_eq!((spread.count, spread.censored), (0, 2));
        assert_eq!((spread.p50, spread.mean, spread.max), (None, None, None));
    }

    #[test]
    fn equal_values_have_no_deviation() {
        let spread = Sample::from_iter([0.1; 3]).spread();
        assert_eq!((spread.mean, spread.std), (Some(0.1), Some(0.0)));
        let mut tally = Tally::new();
        tally.push_times(0.1, 1_000_003);
        assert_eq!(tally.spread().std, Some(0.0));
    }

    #[test]
    fn small_deviations_on_large_values_are_kept() {
        let spread = Sample::from_iter([1e9, 1e9 + 1.0, 1e9 + 2.0]).spread();
        assert!(close(spread.std.unwrap(), (2.0f64 / 3.0).sqrt()));
    }

    #[test]
    #[should_panic(expected = "NaN is not a measurement")]
    fn not_a_number_is_refused() {
        Sample::new().push(f64::NAN);
    }

    #[test]
    fn figures_print_whole_numbers_whole_and_undefined_as_null() {
        let mut sample = Sample::from_iter([1.0, 2.0]);
        sample.push_censored();
        let json = serde_json::to_string(&sample.spread()).unwrap();
        assert_eq!(
            json,
            r#"{"count":2,"censored":1,"mean":1.5,"std":0.5,"min":1,"p25":1.5,"p50":2,"p75":null,"p90":null,"p95":null,"p99":null,"p99.9":null,"max":2}"#
        );
    }

    /// Milliseconds to the microsecond, as the tools measure.
    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(
            (0u64..100_000_000).prop_map(|us| us as f64 / 1000.0),
            0..200,
        )
    }

    proptest! {
        #[test]
        fn the_order_of_values_does_not_matter(values in values(), censored in 0u64..5, turn in 0usize..200) {
            let mut sample: Sample = values.iter().copied().collect();
            let mut turned = values.clone();
            turned.reverse();
            let turn = turn.min(turned.len());
            turned.rotate_left(turn);
            let mut other: Sample = turned.into_iter().collect();
            for _ in 0..censored {
                sample.push_censored();
                other.push_censored();
            }
            prop_assert_eq!(sample.spread(), other.spread());
        }

        #[test]
        fn halves_add_up_in_any_order(left in values(), right in values()) {
            let [mut a, mut b] = [(&left, &right), (&right, &left)].map(|(first, second)| {
                let mut sample: Sample = first.iter().copied().collect();
                sample.append(second.iter().copied().collect());
                sample
            });
            prop_assert_eq!(a.spread(), b.spread());
            let [a, b] = [(&left, &right), (&right, &left)].map(|(first, second)| {
                let mut tally = Tally::new();
                let mut other = Tally::new();
                first.iter().for_each(|&value| tally.push(value));
                second.iter().for_each(|&value| other.push(value));
                tally.append(other);
                tally
            });
            prop_assert_eq!(a.spread(), b.spread());
        }

        #[test]
        fn quantiles_follow_the_definition(values in values(), censored in 0u64..20, q in 0.0f64..=1.0) {
            let mut sample: Sample = values.iter().copied().collect();
            (0..censored).for_each(|_| sample.push_censored());
            match (sample.quantile(q), naive(&values, censored, q)) {
                (Some(a), Some(b)) => prop_assert!(close(a, b), "{} against {}", a, b),
                (a, b) => prop_assert_eq!(a, b),
            }
        }

        #[test]
        fn quantiles_rise_and_stay_inside(values in values(), a in 0.0f64..=1.0, b in 0.0f64..=1.0) {
            prop_assume!(!values.is_empty());
            let mut sample: Sample = values.into_iter().collect();
            let (low, high) = (a.min(b), a.max(b));
            let spread = sample.spread();
            let (at_low, at_high) = (sample.quantile(low).unwrap(), sample.quantile(high).unwrap());
            prop_assert!(at_low <= at_high || close(at_low, at_high));
            prop_assert!(spread.min.unwrap() <= at_low && at_high <= spread.max.unwrap());
            prop_assert!(spread.min <= spread.mean && spread.mean <= spread.max);
        }

        #[test]
        fn censoring_never_lowers_a_quantile(values in values(), q in 0.0f64..=1.0) {
            prop_assume!(!values.is_empty());
            let mut sample: Sample = values.into_iter().collect();
            let before = sample.quantile(q).unwrap();
            sample.push_censored();
            let after = sample.quantile(q).unwrap_or(f64::INFINITY);
            prop_assert!(before <= after || close(before, after));
        }

        #[test]
        fn a_tally_says_what_a_sample_says(values in prop::collection::vec(0u32..50, 0..300), censored in 0u64..5) {
            let mut sample = Sample::new();
            let mut tally = Tally::new();
            for &value in &values {
                sample.push(f64::from(value) / 8.0);
                tally.push(f64::from(value) / 8.0);
            }
            for _ in 0..censored {
                sample.push_censored();
                tally.push_censored();
            }
            let (a, b) = (sample.spread(), tally.spread());
            prop_assert_eq!((a.count, a.censored), (b.count, b.censored));
            for ((name, a), (_, b)) in a.figures().into_iter().zip(b.figures()) {
                match (a, b) {
                    (Some(a), Some(b)) => prop_assert!(close(a, b), "{}: {} against {}", name, a, b),
                    (a, b) => prop_assert_eq!(a, b, "{}", name),
                }
            }
        }
    }
}
