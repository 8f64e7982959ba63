//! Fewer points, same shape.
//!
//! A line through a million points is drawn on a thousand columns of pixels.
//! Within one column only the first, the lowest, the highest and the last
//! point can be seen, so the others are left out (Jugel et al., "M4: A
//! Visualization-Oriented Time Series Data Aggregation", VLDB 2014).

/// The points of a line that can be seen when each column is `column` wide.
///
/// First and last point always stay, at most four points do each time the line
/// goes through a column, and the lowest and highest there are among them. A
/// line may turn back, as that through the levels of a sweep does.
pub fn thin(points: &[(f64, f64)], column: f64) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let mut rest = points;
    while let Some(&(x, _)) = rest.first() {
        let here = (x / column).floor();
        let length = rest
            .iter()
            .position(|&(x, _)| (x / column).floor() != here)
            .unwrap_or(rest.len())
            .max(1);
        let (here, after) = rest.split_at(length);
        keep_extremes(here, &mut kept);
        rest = after;
    }
    kept
}

fn keep_extremes(column: &[(f64, f64)], kept: &mut Vec<(f64, f64)>) {
    let by_height = |&a: &usize, &b: &usize| column[a].1.total_cmp(&column[b].1);
    let lowest = (0..column.len()).min_by(by_height).unwrap_or(0);
    let highest = (0..column.len()).max_by(by_height).unwrap_or(0);
    let mut indices = [0, lowest, highest, column.len() - 1];
    indices.sort_unstable();
    let mut previous = None;
    for index in indices {
        if previous != Some(index) {
            kept.push(column[index]);
        }
        previous = Some(index);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_that_turns_back_keeps_its_points() {
        let points = [
            (980.0, 3.0),
            (500.0, 9.0),
            (240.0, 5.0),
            (120.0, 6.0),
            (30.0, 1.0),
        ];
        assert_eq!(thin(&points, 1.0), points);
    }

    #[test]
    fn a_spike_survives() {
        let mut points: Vec<(f64, f64)> = (0..1_000_000)
            .map(|i| (f64::from(i) / 1_000.0, 1.0))
            .collect();
        points[123_456].1 = 99.0;
        let kept = thin(&points, 1.0);
        assert!(kept.len() <= 4_000);
        assert!(kept.contains(&(123.456, 99.0)));
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(thin(&[], 1.0), []);
        assert_eq!(thin(&[(3.0, 4.0)], 1.0), [(3.0, 4.0)]);
    }

    proptest! {
        #[test]
        fn each_column_keeps_its_range(mut xs in prop::collection::vec(0.0..50.0, 1..300), seed in 0u64..1000) {
            xs.sort_by(f64::total_cmp);
            let points: Vec<(f64, f64)> = xs
                .iter()
                .enumerate()
                .map(|(i, &x)| (x, ((i as u64 * 7919 + seed) % 101) as f64))
                .collect();
            let kept = thin(&points, 1.0);
            prop_assert_eq!(kept.first(), points.first());
            prop_assert_eq!(kept.last(), points.last());
            let range = |points: &[(f64, f64)], column: usize| {
                let ys = points.iter().filter(|p| p.0 as usize == column).map(|p| p.1);
                ys.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)))
            };
            for column in 0..50 {
                prop_assert_eq!(range(&kept, column), range(&points, column));
            }
            // a step never goes back in x, and no point is made up
            prop_assert!(kept.is_sorted_by(|a, b| a.0 <= b.0));
            prop_assert!(kept.iter().all(|p| points.contains(p)));
        }
    }
}
