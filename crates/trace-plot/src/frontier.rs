//! The points that no other beats: a Pareto frontier.

/// The points met so far for which no other is both at least as quick and at
/// least as productive.
///
/// Grows with the frontier itself, which of random points is the logarithm of
/// their number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frontier {
    /// From the quickest to the most productive: both rise.
    points: Vec<(f64, f64)>,
}

impl Frontier {
    /// Take a point: its cost (a latency), and what it gives (a throughput).
    pub fn add(&mut self, point: (f64, f64)) {
        let (cost, gain) = point;
        let cheaper = self.points.partition_point(|other| other.0 < cost);
        // among those that cost as much, only one is on the frontier
        let ties = self.points[cheaper..].first().filter(|tie| tie.0 == cost);
        let before = self.points[..cheaper].last();
        if before.into_iter().chain(ties).any(|other| other.1 >= gain) {
            return;
        }
        let beaten = self.points[cheaper..].partition_point(|other| other.1 <= gain);
        self.points.splice(cheaper..cheaper + beaten, [point]);
    }

    /// The points, from the quickest to the most productive.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The least cost and the most gain of all points, which no single one
    /// need have.
    pub fn ideal(&self) -> Option<(f64, f64)> {
        Some((self.points.first()?.0, self.points.last()?.1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(points: &[(f64, f64)]) -> Frontier {
        let mut frontier = Frontier::default();
        points.iter().for_each(|&point| frontier.add(point));
        frontier
    }

    #[test]
    fn only_points_that_no_other_beats_are_left() {
        let frontier = of(&[(3.0, 3.0), (1.0, 1.0), (2.0, 4.0), (4.0, 2.0), (1.0, 0.5)]);
        assert_eq!(frontier.points(), [(1.0, 1.0), (2.0, 4.0)]);
        assert_eq!(frontier.ideal(), Some((1.0, 4.0)));
        assert_eq!(of(&[]).ideal(), None);
    }

    proptest! {
        #[test]
        fn it_is_what_comparing_all_pairs_gives(
            points in prop::collection::vec((0u8..12, 0u8..12), 1..60),
        ) {
            let points: Vec<(f64, f64)> =
                points.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
            let beaten = |a: &(f64, f64)| {
                points.iter().any(|b| b.0 <= a.0 && b.1 >= a.1 && b != a)
            };
            let mut best: Vec<(f64, f64)> =
                points.iter().filter(|point| !beaten(point)).copied().collect();
            best.sort_by(|a, b| a.0.total_cmp(&b.0));
            best.dedup();
            let frontier = of(&points);
            prop_assert_eq!(frontier.points(), best.as_slice());
        }
    }
}
