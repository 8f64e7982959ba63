//! The interval of a quantile, from the order of the values alone.

/// The ranks, from 0, between whose values the `q`-quantile of what `count`
/// independent values are drawn from lies with probability `level` or more.
///
/// The number of values below the quantile is binomial, whatever the
/// distribution; the ranks are its quantiles at (1 − level) / 2 from either
/// end (David and Nagaraja, *Order Statistics*, 7.1). `None` is an end beyond
/// the sample: 300 values say nothing of how large a p99 may be at 95 %.
///
/// # Panics
///
/// If `q` or `level` is not between 0 and 1.
pub fn ranks(count: u64, q: f64, level: f64) -> (Option<u64>, Option<u64>) {
    assert!(0.0 < q && q < 1.0 && 0.0 < level && level < 1.0);
    if count == 0 {
        return (None, None);
    }
    let (first, weights) = binomial(count, q);
    let tail = weights.iter().sum::<f64>() * (1.0 - level) / 2.0;
    // The most that may be left below: P(fewer than `low` below) ≤ tail.
    let low = first + beyond(weights.iter(), tail);
    // Likewise at the other end: P(`high` or more below) ≤ tail.
    let most = first + weights.len() as u64;
    let high = most - beyond(weights.iter().rev(), tail);
    (low.checked_sub(1), (high < count + 1).then(|| high - 1))
}

/// The ranks of `count` values that are worth as much as `effective` independent
/// ones: those of so many values, as far along.
pub fn between(count: u64, effective: f64, q: f64, level: f64) -> (Option<u64>, Option<u64>) {
    let independent = (effective as u64).clamp(1, MOST).min(count);
    if independent == 0 {
        return (None, None);
    }
    let (low, high) = ranks(independent, q, level);
    let each = count as f64 / independent as f64;
    let low = low.map(|rank| (rank as f64 * each) as u64);
    let high = high.map(|rank| ((rank + 1) as f64 * each).ceil() as u64 - 1);
    (low, high.map(|rank| rank.min(count - 1)))
}

/// More values than this are not told from so many: their interval is some
/// hundred-thousandth of them wide, and the work grows with the root of it.
const MOST: u64 = 1 << 32;

/// How many of `weights` stay within `tail` together.
fn beyond<'a>(weights: impl Iterator<Item = &'a f64>, tail: f64) -> u64 {
    let sums = weights.scan(0.0, |sum, weight| {
        *sum += weight;
        Some(*sum)
    });
    sums.take_while(|&sum| sum <= tail).count() as u64
}

/// How likely each number of `count` with probability `q` is, in proportion,
/// from the least one that matters on.
///
/// From the likeliest outwards, each from its neighbour: exact to some ulps at
/// any size, where the logarithms of factorials lose digits; as many steps as
/// some twenty standard deviations are wide.
fn binomial(count: u64, q: f64) -> (u64, Vec<f64>) {
    const NOTHING: f64 = 1e-30;
    let mode = (((count as f64 + 1.0) * q) as u64).min(count);
    let odds = q / (1.0 - q);
    let mut below = Vec::new();
    let mut weight = 1.0;
    let mut at = mode;
    while at > 0 && weight > NOTHING {
        weight *= at as f64 / ((count - at + 1) as f64 * odds);
        below.push(weight);
        at -= 1;
    }
    below.reverse();
    below.push(1.0);
    let mut weights = below;
    (weight, at) = (1.0, mode);
    while at < count && weight > NOTHING {
        weight *= (count - at) as f64 * odds / (at + 1) as f64;
        weights.push(weight);
        at += 1;
    }
    let first = at + 1 - weights.len() as u64;
    (first, weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::{Streams, seed::unit};

    #[test]
    fn ranks_are_those_of_the_binomial() {
        // scipy.stats.binom: the largest l with cdf(l − 1) ≤ 0.025 and the
        // least u with sf(u − 1) ≤ 0.025, counted from 0.
        for (count, q, low, high) in GOLDEN {
            assert_eq!(ranks(count, q, 0.95), (low, high), "{count} {q}");
        }
    }

    const GOLDEN: [(u64, f64, Option<u64>, Option<u64>); 9] = [
        (10, 0.5, Some(1), Some(8)),
        (30, 0.5, Some(9), Some(20)),
        (100, 0.9, Some(83), Some(95)),
        (1_000, 0.99, Some(982), Some(996)),
        (100_000, 0.95, Some(94_863), Some(95_135)),
        (10_000_000, 0.5, Some(4_996_900), Some(5_003_099)),
        (1_000_000_000, 0.99, Some(989_993_832), Some(990_006_166)),
        (300, 0.99, Some(292), None),
        (7, 0.25, None, Some(4)),
    ];

    #[test]
    fn dependent_values_have_ranks_farther_apart() {
        assert_eq!(between(1_000, 1_000.0, 0.99, 0.95), (Some(982), Some(996)));
        assert_eq!(
            between(10_000, 1_000.0, 0.99, 0.95),
            (Some(9_820), Some(9_969))
        );
        assert_eq!(between(10_000, 300.9, 0.99, 0.95).1, None);
        assert_eq!(between(3, 0.5, 0.5, 0.95), (None, None));
        assert_eq!(between(0, 0.0, 0.5, 0.95), (None, None));
    }

    #[test]
    fn beyond_some_billions_more_values_take_no_more() {
        let count = 1 << 53;
        let (low, high) = between(count, count as f64, 0.5, 0.95);
        let width = (high.unwrap() - low.unwrap()) as f64 / count as f64;
        assert!((2e-5..4e-5).contains(&width), "{width}");
    }

    #[test]
    fn few_values_have_no_end() {
        assert_eq!(ranks(0, 0.5, 0.95), (None, None));
        assert_eq!(ranks(1, 0.5, 0.95), (None, None));
        assert_eq!(ranks(10, 0.99, 0.95).1, None);
    }

    #[test]
    fn intervals_hold_the_quantile_as_often_as_they_say() {
        let mut random = Streams::new(11).stream("test");
        for (count, q) in [(30, 0.5), (200, 0.9), (1_000, 0.99)] {
            let runs = 2_000;
            let (low, high) = ranks(count, q, 0.9);
            let held = (0..runs).filter(|_| {
                let mut values: Vec<f64> = (0..count).map(|_| unit(&mut random)).collect();
                values.sort_by(f64::total_cmp);
                let above = low.is_none_or(|rank| values[rank as usize] <= q);
                let below = high.is_none_or(|rank| q <= values[rank as usize]);
                above && below
            });
            let held = held.count() as f64 / f64::from(runs);
            // At least what was said but for three standard errors; not much
            // more either, since ranks are whole.
            assert!((0.88..0.96).contains(&held), "{count} {q}: {held}");
        }
    }
}
