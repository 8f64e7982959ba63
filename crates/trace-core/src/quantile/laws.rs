//! What holds of values however they are divided and ordered.

use super::{SKETCH_ERROR, Sample, Values};
use proptest::prelude::*;

fn of(values: &[f64], censored: usize, limit: usize) -> Values {
    let mut all = Values::new(limit);
    values.iter().for_each(|&value| all.push(value));
    (0..censored).for_each(|_| all.push_censored());
    all
}

fn line(values: &Values) -> String {
    serde_json::to_string(values).unwrap()
}

/// Milliseconds to the microsecond and some that are not, below zero too.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        (0u64..100_000_000).prop_map(|us| us as f64 / 1000.0),
        (0u64..20).prop_map(|us| us as f64 / 7.0),
        -1e9..1e9_f64,
    ];
    prop::collection::vec(value, 0..120)
}

proptest! {
    #[test]
    fn few_values_are_exact(values in values(), censored in 0usize..4) {
        let mut exact = values.iter().copied().collect::<Sample>();
        (0..censored).for_each(|_| exact.push_censored());
        let (found, expected) = (of(&values, censored, 1_000).spread(), exact.spread());
        prop_assert_eq!(found.quantile_error, None);
        prop_assert_eq!((found.count, found.censored), (expected.count, expected.censored));
        for ((name, a), (_, b)) in found.figures().into_iter().zip(expected.figures()) {
            let same = match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs().max(1e-9),
                (a, b) => a == b,
            };
            prop_assert!(same, "{}: {:?} and {:?}", name, a, b);
        }
    }

    #[test]
    fn a_sketch_keeps_its_error(values in prop::collection::vec(1e-3..1e7_f64, 1..300), censored in 0usize..4) {
        let exact = of(&values, censored, 1_000).spread();
        let sketch = of(&values, censored, 0).spread();
        prop_assert_eq!(sketch.quantile_error, Some(SKETCH_ERROR));
        for ((name, a), (_, b)) in sketch.figures().into_iter().zip(exact.figures()) {
            let (error, least) = if name.starts_with('p') { (SKETCH_ERROR, 0.0) } else { (1e-12, 1e-6) };
            let close = match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= error * b.abs() * (1.0 + 1e-9) + least,
                (a, b) => a == b,
            };
            prop_assert!(close, "{}: {:?} and {:?}", name, a, b);
        }
    }

    #[test]
    fn any_split_in_any_order_is_the_whole(
        (values, shuffled) in values().prop_flat_map(|values| (Just(values.clone()), Just(values).prop_shuffle())),
        cuts in prop::collection::vec(0usize..120, 0..4),
        censored in 0usize..4,
        limit in prop_oneof![Just(0usize), Just(20), Just(1_000)],
    ) {
        let whole = of(&values, censored, limit);
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut parts = Vec::new();
        let mut rest = shuffled.as_slice();
        for cut in cuts {
            let (part, behind) = rest.split_at(cut.min(rest.len()));
            parts.push(part);
            rest = behind;
        }
        parts.push(rest);
        let mut sum = Values::new(limit);
        for part in parts.into_iter().rev() {
            // Through a line, as it is between processes.
            sum.append(serde_json::from_str(&line(&of(part, 0, limit))).unwrap());
        }
        (0..censored).for_each(|_| sum.push_censored());
        prop_assert_eq!(line(&sum), line(&whole));
        prop_assert_eq!(sum.clone().spread(), whole.clone().spread());
    }

    #[test]
    fn often_is_one_after_the_other(values in prop::collection::vec((-5i32..5, 1u64..40), 0..20), limit in 0usize..12) {
        let (mut at_once, mut each) = (Values::new(limit), Values::new(limit));
        for &(value, times) in &values {
            at_once.push_times(value.into(), times);
            (0..times).for_each(|_| each.push(value.into()));
        }
        prop_assert_eq!(at_once.count(), each.count());
        prop_assert_eq!(line(&at_once), line(&each));
    }
}

#[test]
fn many_values_become_a_sketch_on_the_way() {
    let distinct = |count: u64, limit| {
        let mut values = Values::new(limit);
        (0..100_000).for_each(|at| values.push((at * 7_919 % count + 1) as f64));
        values
    };
    let sketch = distinct(5_001, 5_000).spread();
    assert_eq!(sketch.quantile_error, Some(SKETCH_ERROR));
    assert_eq!((sketch.min, sketch.max), (Some(1.0), Some(5_001.0)));
    let exact = distinct(5_000, 5_000).spread();
    assert_eq!(exact.quantile_error, None);
    assert_eq!(exact.mean, Some(2_500.5));
}

#[test]
fn ranks_find_their_values() {
    let mut values = of(&[3.0, 1.0, 1.0, 2.0], 2, 10);
    let ranked = values.ranked();
    let found = [0, 1, 2, 3, 4].map(|rank| ranked.at(rank));
    assert_eq!(found, [Some(1.0), Some(1.0), Some(2.0), Some(3.0), None]);
    assert_eq!((ranked.count(), ranked.censored()), (4, 2));
    assert_eq!(
        (ranked.quantile(0.2), ranked.quantile(0.8)),
        (Some(1.0), None)
    );
}

#[test]
fn a_line_that_does_not_add_up_is_refused() {
    for line in [
        r#"{"limit":9,"values":[2,1]}"#,
        r#"{"limit":9,"values":[1,2],"counts":[1]}"#,
        r#"{"limit":9,"values":[1,2],"counts":[1,0]}"#,
        r#"{"limit":9,"values":[1],"counts":[18446744073709551615]}"#,
        r#"{"limit":9,"sketch":{"min":2,"max":1,"zeros":1,"total":{"sum":{"from":0,"digits":[]},"squares":{"from":0,"digits":[]}}}}"#,
        r#"{"limit":9,"sketch":{"min":1,"max":1,"zeros":1,"total":{"sum":{"from":0,"digits":[]},"squares":{"from":999,"digits":[]}}}}"#,
        r#"{"limit":9,"more":1}"#,
    ] {
        assert!(serde_json::from_str::<Values>(line).is_err(), "{line}");
    }
}
