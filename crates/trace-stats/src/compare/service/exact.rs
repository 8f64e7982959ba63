//! Whether two shares differ by more than chance, without approximation.

/// The probability of a split as uneven as `one` to `other` if both sides are as
/// likely: McNemar's exact test on the pairs that disagree.
pub(super) fn mcnemar(one: u64, other: u64) -> f64 {
    let n = one + other;
    likely(n / 2, 0, n, one, |k| (n - k) as f64 / (k + 1) as f64)
}

/// The probability of shares as far apart as `a` of `of_a` and `b` of `of_b` if
/// both are drawn alike: Fisher's exact test.
pub(super) fn fisher(a: u64, of_a: u64, b: u64, of_b: u64) -> f64 {
    let (hits, all) = (a + b, of_a + of_b);
    let least = hits.saturating_sub(of_b);
    let most = hits.min(of_a);
    let mode = (u128::from(hits) * u128::from(of_a) / u128::from(all.max(1))) as u64;
    likely(mode.clamp(least, most), least, most, a, |k| {
        let (rest, others) = ((hits - k) as f64, (of_a - k) as f64);
        rest * others / ((k + 1) as f64 * (of_b + k + 1 - hits) as f64)
    })
}

/// The share of all numbers between `least` and `most` that are no likelier than
/// `found`, where `step(k)` is how much likelier k + 1 is than k, and `middle`
/// is about the likeliest.
fn likely(middle: u64, least: u64, most: u64, found: u64, step: impl Fn(u64) -> f64) -> f64 {
    const NOTHING: f64 = 1e-30;
    let up = (middle..most).scan(1.0, |weight, k| {
        *weight *= step(k);
        Some((k + 1, *weight))
    });
    let down = (least..middle).rev().scan(1.0, |weight, k| {
        *weight /= step(k);
        Some((k, *weight))
    });
    let matter = |(_, weight): &(u64, f64)| *weight > NOTHING;
    let mut weights: Vec<(u64, f64)> = up.take_while(matter).collect();
    weights.extend(down.take_while(matter));
    weights.push((middle, 1.0));
    // What is too unlikely to be listed is as good as impossible.
    let of_found = weights.iter().find(|(k, _)| *k == found);
    let of_found = of_found.map_or(0.0, |(_, weight)| *weight);
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let unlikely = weights
        .iter()
        .filter(|(_, w)| *w <= of_found * (1.0 + 1e-9));
    let unlikely: f64 = unlikely.map(|(_, weight)| weight).sum();
    (unlikely / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ps_are_scipys() {
        // scipy.stats.binomtest(3, 15).pvalue and fisher_exact
        for (found, expected) in [
            (mcnemar(3, 12), 0.035_156_25),
            (mcnemar(5, 5), 1.0),
            (mcnemar(0, 0), 1.0),
            (fisher(1, 10, 8, 10), 0.005_477_494_641_581_325),
            (fisher(0, 1_000, 12, 1_000), 0.000_472_340_697_463_594_6),
            (fisher(0, 5, 0, 7), 1.0),
        ] {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}
