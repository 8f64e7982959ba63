//! The bins of a picture over time: their width, where they begin and end.

use crate::{
    axis::{Axis, Quantity},
    bins::Bins,
    cell::{Cell, Flow},
    extent::{Extent, TooManyBins},
    number,
};

/// Bins as they are drawn, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Time in a bin.
    pub width: u64,
    /// Where the first begins: zero, or about the first request of a trace
    /// that begins late.
    pub start: u64,
    /// Where the last one ends, from `start`: with the last request.
    pub end: u64,
    /// From the first moment to the last.
    pub span: u64,
}

/// A bin, or several with nothing to tell them apart, from and to
/// microseconds after the grid's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<C> {
    /// Where it begins.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// What is in it.
    pub cell: C,
}

impl Grid {
    /// The bins that show what lies in `extent`.
    ///
    /// # Errors
    /// If a width was asked for that makes too many.
    pub fn over(extent: &Extent) -> Result<Self, TooManyBins> {
        let (from, to, base) = (extent.first, extent.last, extent.width);
        let start = if from > (to - from) / 4 {
            from / base * base
        } else {
            0
        };
        // a moment on its own, or one and its echo, has the whole bin around it
        let echo = extent.count < 2 && to - from < extent.nice_width(0)?;
        let lone = from == to || echo;
        let width = extent.nice_width(if lone { 0 } else { to - start })?;
        // with the last moment, but for a bin that was asked for, which is whole
        let unit = if extent.fixed.is_some() { base } else { 1_000 };
        let end = ((to - start) / unit * unit).saturating_add(unit);
        let end = if lone { end.max(width) } else { end };
        Ok(Self {
            width,
            start,
            end,
            span: to - from,
        })
    }

    fn bins(&self) -> usize {
        (self.end / self.width) as usize + 1
    }

    /// What `groups` have in each bin.
    pub fn cells<C: Cell>(&self, bins: &Bins<C>, groups: &[usize]) -> Vec<C> {
        bins.cells(groups, self.width, self.start, self.bins())
    }

    /// The same with where each bin ends. The last ends with the trace, and
    /// joins the one before if it is shorter than half: the rate of a bin that
    /// the trace left early would seem to fall.
    pub fn steps<C: Cell>(&self, bins: &Bins<C>, groups: &[usize]) -> Vec<Step<C>> {
        let mut steps: Vec<Step<C>> = Vec::new();
        for (index, cell) in self.cells(bins, groups).into_iter().enumerate() {
            let from = index as u64 * self.width;
            let to = self.end.min(from.saturating_add(self.width));
            match steps.last_mut() {
                Some(before) if to - from < self.width / 2 => {
                    before.to = to;
                    before.cell.merge(&cell);
                }
                _ => steps.push(Step { from, to, cell }),
            }
        }
        steps
    }

    /// The mean level in each bin.
    pub fn levels(&self, bins: &Bins<Flow>, groups: &[usize]) -> Vec<Step<f64>> {
        let mut level = 0.0;
        let steps = self.steps(bins, groups).into_iter();
        let means: Vec<Step<f64>> = steps
            .map(|step| {
                let (from, to) = (step.from + self.start, step.to + self.start);
                let mean = step.cell.mean(level, from, to);
                level += step.cell.change;
                Step {
                    from: step.from,
                    to: step.to,
                    cell: mean,
                }
            })
            .collect();
        let peak = means.iter().map(|step| step.cell).fold(0.0, f64::max);
        // what sums in floating point leave behind is nothing
        let clean = |mean: f64| if mean < peak * 1e-9 { 0.0 } else { mean };
        means
            .into_iter()
            .map(|step| Step {
                cell: clean(step.cell),
                ..step
            })
            .collect()
    }

    /// The time since the grid's start.
    pub fn axis(&self) -> Axis {
        Axis::exact("time", Quantity::Duration, 0.0, self.end as f64)
    }

    /// ` · bins of 10 s`, for the facts of a figure.
    pub fn fact(&self) -> String {
        format!(" · bins of {}", number::duration(self.width as f64))
    }

    /// What a reader has to know of the axis.
    pub fn note(&self) -> Option<String> {
        (self.start > 0).then(|| {
            format!(
                "time counts from {} ms after the zero of the trace",
                number::exact(self.start / 1_000)
            )
        })
    }
}

/// Both ends of each step, one line through all.
pub fn corners<C>(steps: &[Step<C>], value: impl Fn(&Step<C>) -> f64) -> Vec<(f64, f64)> {
    let ends = |step: &Step<C>| {
        let value = value(step);
        [(step.from as f64, value), (step.to as f64, value)]
    };
    steps.iter().flat_map(ends).collect()
}

/// Lines through the ends of the steps that have a value, broken where one has
/// none.
pub fn runs<C>(steps: &[Step<C>], value: impl Fn(&Step<C>) -> Option<f64>) -> Vec<Vec<(f64, f64)>> {
    let with = |step: &Step<C>| value(step).is_some();
    let runs = steps.chunk_by(|a, b| with(a) && with(b));
    runs.filter(|run| with(&run[0]))
        .map(|run| corners(run, |step| value(step).unwrap_or_default()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trace_core::Micros;

    use super::*;
    use crate::bins::MOST;

    fn filled(times: &[u64]) -> Bins {
        let mut bins = Bins::new(None, MOST);
        for &time in times {
            *bins.at(0, Micros::from_micros(time)).unwrap() += 1;
        }
        bins
    }

    fn grid(times: &[u64]) -> Grid {
        Grid::over(&filled(times).extent().unwrap()).unwrap()
    }

    #[test]
    fn one_request_that_left_ages_later_has_few_bins() {
        let scheduled = filled(&[39_073]).extent().unwrap();
        let sent = filled(&[9_007_199_254_740_992_000]).extent();
        let grid = Grid::over(&scheduled.with(sent)).unwrap();
        assert!(grid.bins() <= 200, "{grid:?}");
        let echo = filled(&[39_100]).extent();
        let grid = Grid::over(&scheduled.with(echo)).unwrap();
        assert_eq!((grid.width, grid.end), (1_000_000, 1_000_000));
    }

    #[test]
    fn many_at_one_moment_are_one_and_its_echo() {
        let scheduled = filled(&[39_000; 50]).extent().unwrap();
        let sent = filled(&[39_100, 41_900]).extent();
        let grid = Grid::over(&scheduled.with(sent)).unwrap();
        assert_eq!(grid.width, 1_000_000);
    }

    #[test]
    fn bins_may_have_to_cover_more_than_they_hold() {
        let extent = filled(&[0, 1_000_000]).extent().unwrap();
        assert_eq!(extent.nice_width(150_000_000), Ok(10_000_000));
        let narrow = Extent {
            fixed: Some(200_000),
            ..extent
        };
        assert!(narrow.nice_width(1 << 50).is_err());
    }

    #[test]
    fn an_hour_of_traffic_is_shown_by_the_half_minute() {
        let times: Vec<u64> = (0..12_000).map(|i| i * 300_000).collect();
        assert_eq!(grid(&times).width, 30_000_000);
    }

    #[test]
    fn few_requests_make_few_bins() {
        let times: Vec<u64> = (0..100).map(|i| i * 1_000_000).collect();
        assert_eq!(grid(&times).width, 5_000_000);
    }

    #[test]
    fn all_at_once_is_one_second() {
        assert_eq!(grid(&[5, 5, 5]).width, 1_000_000);
    }

    #[test]
    fn a_line_breaks_where_nothing_is() {
        let steps = [Some(1.0), None, Some(2.0), Some(3.0)];
        let steps: Vec<Step<Option<f64>>> = (0..)
            .zip(steps)
            .map(|(at, cell)| Step {
                from: at,
                to: at + 1,
                cell,
            })
            .collect();
        let lines = runs(&steps, |step| step.cell);
        assert_eq!(
            lines,
            [
                vec![(0.0, 1.0), (1.0, 1.0)],
                vec![(2.0, 2.0), (3.0, 2.0), (3.0, 3.0), (4.0, 3.0)]
            ]
        );
    }

    proptest! {
        #[test]
        fn steps_hold_every_request(times in prop::collection::vec(0u64..1 << 45, 1..200)) {
            let bins = filled(&times);
            let grid = grid(&times);
            let steps = grid.steps(&bins, &[0]);
            let total: u64 = steps.iter().map(|step| step.cell).sum();
            prop_assert_eq!(total, times.len() as u64);
            prop_assert!(steps.len() <= 200, "{} bins", steps.len());
            prop_assert!(steps.windows(2).all(|pair| pair[0].to == pair[1].from));
        }

        #[test]
        fn the_area_of_a_level_is_what_was_in_flight(
            spans in prop::collection::vec((0u64..60_000_000, 1u64..9_000_000), 1..100),
        ) {
            let mut bins = Bins::<Flow>::new(None, 500);
            for &(start, length) in &spans {
                for (at, change) in [(start, 1.0), (start + length, -1.0)] {
                    bins.at(0, Micros::from_micros(at)).unwrap().add(at, change);
                }
            }
            let grid = Grid::over(&bins.extent().unwrap()).unwrap();
            let area: f64 = grid
                .levels(&bins, &[0])
                .iter()
                .map(|step| step.cell * (step.to - step.from) as f64)
                .sum();
            let true_area = spans.iter().map(|span| span.1).sum::<u64>() as f64;
            prop_assert!((area / true_area - 1.0).abs() < 1e-6, "{area} {true_area}");
        }
    }
}
