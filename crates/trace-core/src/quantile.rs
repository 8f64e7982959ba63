//! Quantiles, means and spreads: one definition for every tool.
//!
//! Values go in, a [`Spread`] comes out. Two collectors, because the data come
//! in two shapes: a [`Sample`] takes 8 bytes a value and suits one value per
//! request; a [`Tally`] takes about 32 bytes per *distinct* value and suits
//! millions of gaps in whole microseconds, or lengths. Both are exact, and
//! neither depends on the order in which values were pushed: sums are taken
//! over the sorted values, with compensation.
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

use hashbrown::HashMap;
use serde::{Serialize, Serializer};

/// How quantiles are defined, in words for a report.
pub const DEFINITION: &str =
    "linear interpolation between closest ranks (numpy's default, Hyndman-Fan type 7)";

/// Values of one quantity, each kept: 8 bytes a value.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    values: Vec<f64>,
    sorted: bool,
    censored: u64,
}

impl Sample {
    /// A sample without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add a measured value; positive infinity counts as censored.
    ///
    /// # Panics
    ///
    /// If `value` is not a number or is negative infinity: no measurement is.
    pub fn push(&mut self, value: f64) {
        if value == f64::INFINITY {
            self.push_censored();
            return;
        }
        assert!(value.is_finite(), "{value} is not a measurement");
        self.values.push(value);
        self.sorted = false;
    }

    /// Add a value known only to be larger than every other.
    pub fn push_censored(&mut self) {
        self.censored += 1;
    }

    /// Move the values of `other` in.
    pub fn append(&mut self, mut other: Self) {
        self.values.append(&mut other.values);
        self.censored += other.censored;
        self.sorted = false;
    }

    /// Number of measured values.
    pub fn count(&self) -> u64 {
        self.values.len() as u64
    }

    /// Number of censored values.
    pub fn censored(&self) -> u64 {
        self.censored
    }

    /// The measured values in ascending order.
    pub fn sorted(&mut self) -> &[f64] {
        if !self.sorted {
            self.values.sort_unstable_by(f64::total_cmp);
            self.sorted = true;
        }
        &self.values
    }

    /// The `q`-quantile, 0 ≤ `q` ≤ 1; see [`quantile`].
    pub fn quantile(&mut self, q: f64) -> Option<f64> {
        let censored = self.censored;
        quantile(self.sorted(), censored, q)
    }

    /// Summary of the values.
    pub fn spread(&mut self) -> Spread {
        let censored = self.censored;
        let values = self.sorted();
        let count = values.len() as u64;
        Spread::of(
            values.iter().map(|&value| (value, 1)),
            count,
            censored,
            |rank| values[rank as usize],
        )
    }
}

impl Extend<f64> for Sample {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        for value in values {
            self.push(value);
        }
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sample = Self::new();
        sample.extend(values);
        sample
    }
}

/// Values of one quantity, equal ones counted: memory grows with the number
/// of distinct values only.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    // Keyed by the bits of the value, so that any f64 is exact.
    counts: HashMap<u64, u64, foldhash::fast::FixedState>,
    count: u64,
    censored: u64,
}

impl Tally {
    /// A tally without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add a measured value; positive infinity counts as censored.
    ///
    /// # Panics
    ///
    /// As [`Sample::push`].
    pub fn push(&mut self, value: f64) {
        self.push_times(value, 1);
    }

    /// Add a measured value `times` times over.
    ///
    /// # Panics
    ///
    /// As [`Sample::push`].
    pub fn push_times(&mut self, value: f64, times: u64) {
        if times == 0 {
            return;
        }
        if value == f64::INFINITY {
            self.censored += times;
            return;
        }
        assert!(value.is_finite(), "{value} is not a measurement");
        // Adding zero turns -0.0 into 0.0: equal values are one entry.
        *self.counts.entry((value + 0.0).to_bits()).or_default() += times;
        self.count += times;
    }

    /// Add a value known only to be larger than every other.
    pub fn push_censored(&mut self) {
        self.censored += 1;
    }

    /// Move the values of `other` in.
    pub fn append(&mut self, other: Self) {
        for (bits, times) in other.counts {
            *self.counts.entry(bits).or_default() += times;
        }
        self.count += other.count;
        self.censored += other.censored;
    }

    /// Number of measured values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Number of censored values.
    pub fn censored(&self) -> u64 {
        self.censored
    }

    /// Distinct measured values in ascending order, each with its count.
    pub fn sorted(&self) -> Vec<(f64, u64)> {
        let mut values: Vec<(f64, u64)> = self
            .counts
            .iter()
            .map(|(&bits, &times)| (f64::from_bits(bits), times))
            .collect();
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        values
    }

    /// Summary of the values.
    pub fn spread(&self) -> Spread {
        let values = self.sorted();
        // ends[i] is the number of values up to and including values[i].
        let ends: Vec<u64> = values
            .iter()
            .scan(0, |end, &(_, times)| {
                *end += times;
                Some(*end)
            })
            .collect();
        Spread::of(values.iter().copied(), self.count, self.censored, |rank| {
            values[ends.partition_point(|&end| end <= rank)].0
        })
    }
}

/// How the values of one quantity are spread.
///
/// `None` is *undefined*: of no values at all, or, for a quantile, of values
/// of which it touches a censored one. It is written as `null`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Number of measured values.
    pub count: u64,
    /// Number of values known only to be larger than every other.
    pub censored: u64,
    /// Arithmetic mean of the measured values.
    #[serde(serialize_with = "number")]
    pub mean: Option<f64>,
    /// Standard deviation of the measured values, as of a whole population.
    #[serde(serialize_with = "number")]
    pub std: Option<f64>,
    /// Least measured value.
    #[serde(serialize_with = "number")]
    pub min: Option<f64>,
    /// First quartile.
    #[serde(serialize_with = "number")]
    pub p25: Option<f64>,
    /// Median.
    #[serde(serialize_with = "number")]
    pub p50: Option<f64>,
    /// Third quartile.
    #[serde(serialize_with = "number")]
    pub p75: Option<f64>,
    /// 90th percentile.
    #[serde(serialize_with = "number")]
    pub p90: Option<f64>,
    /// 95th percentile.
    #[serde(serialize_with = "number")]
    pub p95: Option<f64>,
    /// 99th percentile.
    #[serde(serialize_with = "number")]
    pub p99: Option<f64>,
    /// Greatest measured value.
    #[serde(serialize_with = "number")]
    pub max: Option<f64>,
}

impl Spread {
    /// Summary of `count` values, given in ascending order with how often each
    /// occurs; `at` is the value of a rank below `count`.
    fn of(
        values: impl Iterator<Item = (f64, u64)> + Clone,
        count: u64,
        censored: u64,
        at: impl Fn(u64) -> f64,
    ) -> Self {
        let percentile =
            |percent: u32| interpolate(count, censored, f64::from(percent) / 100.0, &at);
        let mut spread = Self {
            count,
            censored,
            p25: percentile(25),
            p50: percentile(50),
            p75: percentile(75),
            p90: percentile(90),
            p95: percentile(95),
            p99: percentile(99),
            ..Self::default()
        };
        if count == 0 {
            return spread;
        }
        let (min, max) = (at(0), at(count - 1));
        let sum: Sum = values.clone().collect();
        // Rounding may put the mean of equal values an ulp outside of them.
        let mean = (sum.value() / count as f64).clamp(min, max);
        let squares: Sum = values
            .map(|(value, times)| ((value - mean) * (value - mean), times))
            .collect();
        spread.mean = Some(mean);
        spread.std = Some((squares.value() / count as f64).sqrt());
        spread.min = Some(min);
        spread.max = Some(max);
        spread
    }

    /// The figures with their names, in the order they are reported.
    pub fn figures(&self) -> [(&'static str, Option<f64>); 10] {
        [
            ("mean", self.mean),
            ("std", self.std),
            ("min", self.min),
            ("p25", self.p25),
            ("p50", self.p50),
            ("p75", self.p75),
            ("p90", self.p90),
            ("p95", self.p95),
            ("p99", self.p99),
            ("max", self.max),
        ]
    }
}

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

/// A sum that loses no digits: Neumaier's compensated summation.
#[derive(Default)]
struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let sum = self.high + value;
        self.low += if self.high.abs() >= value.abs() {
            (self.high - sum) + value
        } else {
            (value - sum) + self.high
        };
        self.high = sum;
    }

    fn value(&self) -> f64 {
        self.high + self.low
    }
}

impl FromIterator<(f64, u64)> for Sum {
    /// Sum of the products: each value as often as it occurs.
    fn from_iter<I: IntoIterator<Item = (f64, u64)>>(values: I) -> Self {
        let mut sum = Self::default();
        for (value, times) in values {
            let times = times as f64;
            let product = value * times;
            sum.add(product);
            if times > 1.0 {
                // What the product lost by rounding.
                sum.add(value.mul_add(times, -product));
            }
        }
        sum
    }
}

/// Writes whole numbers without a fraction, and undefined ones as `null`: for
/// `#[serde(serialize_with)]` on the figures of a report.
///
/// # Errors
///
/// Those of `serializer`.
pub fn number<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    // Up to 2^53 every whole number is itself in an f64.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match *value {
        None => serializer.serialize_none(),
        Some(value) if value.fract() == 0.0 && value.abs() <= EXACT => {
            serializer.serialize_i64(value as i64)
        }
        Some(value) => serializer.serialize_f64(value),
    }
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
            r#"{"count":2,"censored":1,"mean":1.5,"std":0.5,"min":1,"p25":1.5,"p50":2,"p75":null,"p90":null,"p95":null,"p99":null,"max":2}"#
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
