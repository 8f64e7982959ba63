//! Intervals of differences, by resampling stretches of neighbours.

use serde::{Serialize, Serializer};
use trace_core::Random;
use trace_core::quantile;
use trace_core::seed::below;

/// How often, and with which randomness, runs are resampled.
#[derive(Debug)]
pub struct Resampling {
    /// How many times.
    pub times: usize,
    /// The probability with which intervals hold what they are of.
    pub level: f64,
    /// What stretches are drawn with.
    pub random: Random,
}

/// A difference, second less first, and its interval.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shift {
    /// The difference; undefined if a failure is touched.
    pub difference: Option<f64>,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

struct Number(Option<f64>);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        quantile::number(&self.0, serializer)
    }
}

impl Serialize for Shift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields {
            difference: Number,
            interval: [Number; 2],
        }
        let fields = Fields {
            difference: Number(self.difference),
            interval: [Number(self.low), Number(self.high)],
        };
        fields.serialize(serializer)
    }
}

/// The figures whose differences get an interval: the mean of what was
/// measured, and quantiles.
pub(super) const FIGURES: [(&str, Option<f64>); 4] = [
    ("mean", None),
    ("p50", Some(0.5)),
    ("p90", Some(0.9)),
    ("p99", Some(0.99)),
];

/// The differences of the figures of `b` and `a`, each in the order of time,
/// with infinite values for failures; if `paired`, the values of one index are
/// of the same request.
///
/// The moving-block bootstrap (Künsch, 1989), its blocks n^⅓ requests long and
/// the series closed to a circle: requests that waited in the same queue stay
/// together. Pairs are drawn together. Intervals are percentiles of the
/// resampled differences.
pub(super) fn shifts(
    a: &[f64],
    b: &[f64],
    paired: bool,
    resampling: &mut Resampling,
) -> [Shift; FIGURES.len()] {
    let mut scratch = (a.to_vec(), b.to_vec());
    let found = differences(&mut scratch.0, &mut scratch.1);
    let mut drawn: [Vec<f64>; FIGURES.len()] = Default::default();
    for _ in 0..resampling.times {
        let random = &mut resampling.random;
        let starts = starts(a.len(), random);
        resample(a, &starts, &mut scratch.0);
        if paired {
            resample(b, &starts, &mut scratch.1);
        } else {
            let starts = self::starts(b.len(), random);
            resample(b, &starts, &mut scratch.1);
        }
        let differences = differences(&mut scratch.0, &mut scratch.1);
        for (drawn, difference) in drawn.iter_mut().zip(differences) {
            // What touches a failure is beyond every number.
            drawn.push(difference.unwrap_or(f64::INFINITY));
        }
    }
    let tail = (1.0 - resampling.level) / 2.0;
    let mut drawn = drawn.into_iter();
    found.map(|difference| {
        let mut drawn = drawn.next().unwrap_or_default();
        drawn.sort_unstable_by(f64::total_cmp);
        let finite = drawn.iter().take_while(|value| value.is_finite()).count();
        let censored = (drawn.len() - finite) as u64;
        let end = |q| difference.and_then(|_| quantile::quantile(&drawn[..finite], censored, q));
        Shift {
            difference,
            low: end(tail),
            high: end(1.0 - tail),
        }
    })
}

/// How many neighbours stay together.
fn block(count: usize) -> usize {
    (libm::cbrt(count as f64).ceil() as usize).max(1)
}

fn starts(count: usize, random: &mut Random) -> Vec<usize> {
    let blocks = count.div_ceil(block(count));
    (0..blocks)
        .map(|_| below(random, count as u64) as usize)
        .collect()
}

/// `values` put together from blocks that begin at `starts`.
fn resample(values: &[f64], starts: &[usize], into: &mut Vec<f64>) {
    let count = values.len();
    into.clear();
    for &start in starts {
        let length = block(count).min(count - into.len());
        let end = (start + length).min(count);
        into.extend_from_slice(&values[start..end]);
        into.extend_from_slice(&values[..length - (end - start)]);
    }
}

/// The differences of the figures; the order of both is lost.
fn differences(a: &mut [f64], b: &mut [f64]) -> [Option<f64>; FIGURES.len()] {
    FIGURES.map(|(_, q)| match q {
        None => mean(b).zip(mean(a)).map(|(b, a)| b - a),
        Some(q) => select(b, q).zip(select(a, q)).map(|(b, a)| b - a),
    })
}

fn mean(values: &[f64]) -> Option<f64> {
    let finite = values.iter().filter(|value| value.is_finite());
    let (sum, count) = finite.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// The `q`-quantile, as everywhere else, without sorting all of them.
fn select(values: &mut [f64], q: f64) -> Option<f64> {
    let position = q * values.len().checked_sub(1)? as f64;
    let rank = position.floor() as usize;
    let (_, &mut low, above) = values.select_nth_unstable_by(rank, f64::total_cmp);
    let weight = position - position.floor();
    if weight == 0.0 {
        return low.is_finite().then_some(low);
    }
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    high.is_finite().then_some(low + (high - low) * weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Streams;
    use trace_core::seed::unit;

    fn resampling(times: usize, seed: u64) -> Resampling {
        Resampling {
            times,
            level: 0.95,
            random: Streams::new(seed).stream("test"),
        }
    }

    #[test]
    fn the_difference_is_that_of_the_figures() {
        let a: Vec<f64> = (0..101).map(f64::from).collect();
        let b: Vec<f64> = a.iter().map(|value| value + 7.0).collect();
        let shifts = shifts(&a, &b, true, &mut resampling(50, 1));
        for shift in shifts {
            let close = |end: Option<f64>| (end.unwrap() - 7.0).abs() < 1e-9;
            assert!(
                close(shift.difference) && close(shift.low) && close(shift.high),
                "{shift:?}"
            );
        }
    }

    #[test]
    fn a_quantile_of_failures_has_no_difference() {
        let a = vec![1.0; 50];
        let mut b = vec![2.0; 50];
        b[3] = f64::INFINITY;
        b[4] = f64::INFINITY;
        let [mean, p50, _, p99] = shifts(&a, &b, true, &mut resampling(100, 1));
        assert_eq!((mean.difference, p50.difference), (Some(1.0), Some(1.0)));
        assert_eq!(p99, Shift::default());
    }

    #[test]
    fn intervals_hold_the_difference_of_correlated_values() {
        let mut random = Streams::new(9).stream("test");
        let (runs, n) = (100, 400);
        let mut held = 0;
        for run in 0..runs {
            // Each value remembers half of the one before; B is 0.5 larger.
            let mut series = |shift: f64| -> Vec<f64> {
                let mut state = 0.0;
                (0..n)
                    .map(|_| {
                        state = 0.5 * state + (unit(&mut random) - 0.5);
                        state + shift
                    })
                    .collect()
            };
            let (a, b) = (series(0.0), series(0.5));
            let [mean, ..] = shifts(&a, &b, false, &mut resampling(100, run));
            held += u32::from(mean.low.unwrap() <= 0.5 && 0.5 <= mean.high.unwrap());
        }
        // Blocks as short as the memory of the series cut some of it off, so
        // intervals hold a little less often than the 0.95 they say.
        let share = f64::from(held) / runs as f64;
        assert!((0.8..=1.0).contains(&share), "{share}");
    }
}
