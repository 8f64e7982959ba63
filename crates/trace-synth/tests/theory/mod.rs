//! Samples against theory, at a significance of 0.001.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Largest distance between the distribution of `sample` and `cdf`, over what
/// one sample in a thousand exceeds by chance.
pub(crate) fn ks(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = sample.iter().enumerate().map(|(i, &x)| {
        let expected = cdf(x);
        (expected - i as f64 / n).max((i + 1) as f64 / n - expected)
    });
    distance.fold(0.0, f64::max) * n.sqrt() / 1.949
}

/// Chi-square of `counts` against `probabilities` that add up to 1, over what
/// one sample in a thousand exceeds by chance.
pub(crate) fn chi_square(counts: &[u64], probabilities: &[f64]) -> f64 {
    let sum: f64 = probabilities.iter().sum();
    assert!(
        (sum - 1.0).abs() < 1e-9,
        "the probabilities add up to {sum}"
    );
    let total = counts.iter().sum::<u64>() as f64;
    let deviation = |(&count, &p): (&u64, &f64)| {
        assert!(p * total >= 5.0, "too few expected: {}", p * total);
        (count as f64 - p * total).powi(2) / (p * total)
    };
    let sum: f64 = counts.iter().zip(probabilities).map(deviation).sum();
    let free = ChiSquared::new((counts.len() - 1) as f64).unwrap();
    sum / free.inverse_cdf(0.999)
}

/// Fail unless the mean of `sample` is within four standard errors of
/// `expected`.
pub(crate) fn assert_mean(sample: &[f64], expected: f64, what: &str) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    assert!(
        (mean - expected).abs() < 4.0 * error,
        "{what}: {mean} ± {error}, not {expected}"
    );
}
