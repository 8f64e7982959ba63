//! Durations in bars: where the bars end, and how many requests each holds.
//!
//! Every request that was counted is in exactly one bar. A few very slow ones
//! would squeeze all others into one bar on a linear axis, so they share a last
//! bar, set apart, that stands for everything beyond.

use crate::{axis::ceil_125, distribution::range};

/// The edges of the bars.
#[derive(Clone, Debug, PartialEq)]
pub struct Edges {
    /// Ascending; one more than there are bars.
    pub edges: Vec<f64>,
    /// Whether values beyond the last edge have a bar of their own.
    pub beyond: bool,
}

impl Edges {
    /// Bars of equal width over `counts`, which is not empty.
    pub fn linear(counts: &[(f64, u64)]) -> Self {
        let (min, max) = (counts[0].0, counts[counts.len() - 1].0);
        let typical = range(counts).map_or(max, |(_, high)| high);
        let far = max - min > 2.0 * (typical - min) && typical > min;
        let top = if far {
            typical + (typical - min) * 0.1
        } else {
            max
        };
        let spread = if top > min {
            top - min
        } else {
            (min * 0.1).max(1.0)
        };
        let width = ceil_125(spread / bars(counts) as f64).max(1.0);
        let first = (min / width).floor();
        let last = (top / width).floor() + 1.0;
        let edges = (0..=(last - first) as usize)
            .map(|i| (first + i as f64) * width)
            .collect();
        Self { edges, beyond: far }
    }

    /// Bars of equal ratio over `counts`, which is not empty; values below
    /// one microsecond count as one.
    pub fn log(counts: &[(f64, u64)]) -> Self {
        let (min, max) = (counts[0].0.max(1.0), counts[counts.len() - 1].0.max(1.0));
        let decades = libm::log10(max / min);
        let most = bars(counts) as f64;
        let per_decade = [20.0, 10.0, 5.0, 2.0]
            .into_iter()
            .find(|n| decades * n <= most);
        let per_decade = per_decade.unwrap_or(1.0);
        let edge = |index: f64| libm::pow(10.0, index / per_decade);
        let mut first = (libm::log10(min) * per_decade).floor();
        let mut last = (libm::log10(max) * per_decade).floor() + 1.0;
        // log and pow may disagree in the last digit about where a value lies
        while edge(first) > min {
            first -= 1.0;
        }
        while edge(last) <= max {
            last += 1.0;
        }
        let edges = (0..=(last - first) as usize)
            .map(|i| edge(first + i as f64))
            .collect();
        Self {
            edges,
            beyond: false,
        }
    }

    /// The same bars for values that are whole: each begins with a whole number.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.edges.iter_mut().for_each(|edge| *edge = edge.ceil());
        self.edges.dedup();
        self
    }

    /// How many of `counts` are in each bar; the last one holds those beyond,
    /// if they have one.
    pub fn heights(&self, counts: &[(f64, u64)]) -> Vec<u64> {
        let bars = self.edges.len() - 1;
        let mut heights = vec![0; bars + usize::from(self.beyond)];
        let last = heights.len() - 1;
        for &(value, count) in counts {
            let bar = self.edges.partition_point(|&edge| edge <= value);
            heights[bar.saturating_sub(1).min(last)] += count;
        }
        heights
    }
}

/// How many bars show the form of that many values: Rice's rule, 8 to 50.
fn bars(counts: &[(f64, u64)]) -> usize {
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    (2.0 * libm::cbrt(total as f64)).clamp(8.0, 50.0) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_values_are_one_bar() {
        let edges = Edges::linear(&[(50_000.0, 10)]);
        assert_eq!(edges.heights(&[(50_000.0, 10)]).iter().max(), Some(&10));
        assert!(edges.edges[0] <= 50_000.0 && edges.edges[edges.edges.len() - 1] > 50_000.0);
    }

    #[test]
    fn a_few_slow_ones_share_the_last_bar() {
        let mut counts: Vec<(f64, u64)> = (0..1_000).map(|i| (f64::from(50_000 + i), 1)).collect();
        counts.push((9e6, 2));
        let edges = Edges::linear(&counts);
        assert!(edges.beyond);
        assert!(edges.edges.len() > 10 && edges.edges[edges.edges.len() - 1] < 60_000.0);
        let heights = edges.heights(&counts);
        assert_eq!(heights.iter().sum::<u64>(), 1_002);
        assert!(heights[heights.len() - 1] >= 2);
    }

    proptest! {
        #[test]
        fn every_request_is_in_one_bar(values in prop::collection::btree_map(0u64..1 << 50, 1u64..100, 1..200)) {
            let counts: Vec<(f64, u64)> = values.iter().map(|(&v, &c)| (v as f64, c)).collect();
            let total: u64 = values.values().sum();
            for edges in [Edges::linear(&counts), Edges::log(&counts), Edges::log(&counts).whole()] {
                prop_assert!(edges.edges.is_sorted_by(|a, b| a < b), "{:?}", edges.edges);
                prop_assert!(edges.edges.len() <= 200, "{}", edges.edges.len());
                prop_assert!(edges.edges[0] <= counts[0].0.max(1.0));
                if !edges.beyond {
                    prop_assert!(edges.edges[edges.edges.len() - 1] > counts[counts.len() - 1].0);
                }
                let heights = edges.heights(&counts);
                prop_assert_eq!(heights.iter().sum::<u64>(), total);
                // each bar but the outermost holds what lies between its edges
                for (bar, ends) in edges.edges.windows(2).enumerate().skip(1) {
                    let inside = counts.iter().filter(|c| (ends[0]..ends[1]).contains(&c.0));
                    let last = bar + 1 == heights.len();
                    prop_assert!(last || heights[bar] == inside.map(|c| c.1).sum::<u64>());
                }
            }
        }
    }
}
