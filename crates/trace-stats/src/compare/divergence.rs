//! How far apart two distributions are.

/// The largest difference between the shares of values up to a point, over all
/// points: the two-sample statistic of Kolmogorov and Smirnov, between 0 and 1.
///
/// Both are sorted; `None` if either is empty.
pub fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> Option<f64> {
    let mut largest = 0.0;
    let filled = walk(a, b, |share_a, share_b, _| {
        let apart = f64::abs(share_a - share_b);
        if apart > largest {
            largest = apart;
        }
    });
    filled.map(|()| largest)
}

/// How far values have to be moved on average to make one of the other: the
/// Wasserstein distance of order 1, in the unit of the values.
///
/// Both are sorted; `None` if either is empty.
pub fn wasserstein(a: &[f64], b: &[f64]) -> Option<f64> {
    let mut moved = 0.0;
    walk(a, b, |share_a, share_b, width| {
        moved += f64::abs(share_a - share_b) * width;
    })?;
    Some(moved)
}

/// Tell `step`, for every value of either and ascending, the shares of `a` and
/// of `b` up to it and how far it is to the next value.
fn walk(a: &[f64], b: &[f64], mut step: impl FnMut(f64, f64, f64)) -> Option<()> {
    let (mut i, mut j) = (0, 0);
    let mut here = f64::min(*a.first()?, *b.first()?);
    loop {
        while a.get(i).is_some_and(|&value| value <= here) {
            i += 1;
        }
        while b.get(j).is_some_and(|&value| value <= here) {
            j += 1;
        }
        let shares = (i as f64 / a.len() as f64, j as f64 / b.len() as f64);
        let next = match (a.get(i), b.get(j)) {
            (Some(&a), Some(&b)) => a.min(b),
            (Some(&next), None) | (None, Some(&next)) => next,
            (None, None) => return Some(()),
        };
        step(shares.0, shares.1, next - here);
        here = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn worked_out_by_hand() {
        let (a, b) = ([0.0, 1.0, 2.0], [0.0, 1.0, 5.0]);
        assert_eq!(kolmogorov_smirnov(&a, &b), Some(1.0 - 2.0 / 3.0));
        assert!((wasserstein(&a, &b).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(kolmogorov_smirnov(&[1.0], &[2.0, 3.0]), Some(1.0));
        assert_eq!(wasserstein(&[1.0], &[2.0, 4.0]), Some(2.0));
        assert_eq!(wasserstein(&[], &[1.0]), None);
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec((0u32..30).prop_map(f64::from), 1..40).prop_map(|mut values| {
            values.sort_by(f64::total_cmp);
            values
        })
    }

    proptest! {
        #[test]
        fn the_definitions_over_every_value(a in values(), b in values()) {
            let share = |values: &[f64], upto: f64| {
                values.iter().filter(|value| **value <= upto).count() as f64 / values.len() as f64
            };
            let apart = |upto: u32| f64::abs(share(&a, upto.into()) - share(&b, upto.into()));
            let largest = (0..30).map(apart).fold(0.0, f64::max);
            // Whole numbers: the integral is a sum over steps of one.
            let sum: f64 = (0..30).map(apart).sum();
            prop_assert!((kolmogorov_smirnov(&a, &b).unwrap() - largest).abs() < 1e-12);
            prop_assert!((wasserstein(&a, &b).unwrap() - sum).abs() < 1e-9);
            prop_assert_eq!(kolmogorov_smirnov(&a, &a), Some(0.0));
            prop_assert_eq!(wasserstein(&a, &b), wasserstein(&b, &a));
        }
    }
}
