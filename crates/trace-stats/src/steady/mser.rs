//! Where a series has lost the memory of how it began.

/// Points that are taken together, as MSER-5 has it.
const BATCH: usize = 5;

/// Fewest batches that say anything.
const FEWEST: usize = 10;

/// How many points at the beginning of `series` are better left out, by MSER-5:
/// of all places to cut in the first half, the one after which the mean of the
/// rest has the least standard error.
///
/// Cutting a start that differs makes the rest more even; cutting more makes it
/// fewer. The minimum of Σ(y − ȳ)² / n² over the rest, in means of five points,
/// weighs one against the other (White, *An effective truncation heuristic for
/// bias reduction in simulation output*, Simulation 69, 1997; the batches of
/// five are of Spratt, 1998). `None` if cutting half is best: the series drifts
/// on; or if it is too short to tell.
pub fn warm_up(series: &[f64]) -> Option<usize> {
    let batches: Vec<f64> = series
        .chunks_exact(BATCH)
        .map(|batch| batch.iter().sum::<f64>() / BATCH as f64)
        .collect();
    if batches.len() < FEWEST {
        return None;
    }
    let half = batches.len() / 2;
    // From the end on, mean and squares about it, as Welford adds a value.
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let mut best = (half, f64::INFINITY);
    for (at, &value) in batches.iter().enumerate().rev() {
        count += 1.0;
        let from = value - mean;
        mean += from / count;
        squares += from * (value - mean);
        let error = squares / (count * count);
        if at <= half && error <= best.1 {
            best = (at, error);
        }
    }
    (best.0 < half).then_some(best.0 * BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::{Streams, seed::unit};

    fn noise(count: usize) -> Vec<f64> {
        let mut random = Streams::new(2).stream("test");
        (0..count).map(|_| unit(&mut random) - 0.5).collect()
    }

    #[test]
    fn an_even_series_keeps_its_beginning() {
        assert_eq!(warm_up(&[3.0; 200]), Some(0));
        let cut = warm_up(&noise(1_000)).unwrap();
        assert!(cut <= 250, "{cut} of noise are cut");
    }

    #[test]
    fn a_rise_at_the_beginning_is_cut() {
        let rise = |at: usize| if at < 200 { at as f64 / 20.0 } else { 10.0 };
        let series = noise(1_000).into_iter().enumerate();
        let series: Vec<f64> = series.map(|(at, noise)| rise(at) + noise).collect();
        let cut = warm_up(&series).unwrap();
        assert!((180..=300).contains(&cut), "{cut}");
    }

    #[test]
    fn what_never_settles_has_no_steady_state() {
        let ramp: Vec<f64> = (0..1_000).map(f64::from).collect();
        assert_eq!(warm_up(&ramp), None);
        assert_eq!(warm_up(&[]), None);
        assert_eq!(warm_up(&[1.0; 49]), None, "nine batches are too few");
    }

    #[test]
    fn the_minimum_is_that_of_the_definition() {
        let mut series = noise(300);
        series.iter_mut().take(60).for_each(|value| *value += 4.0);
        let batches: Vec<f64> = series
            .chunks(5)
            .map(|b| b.iter().sum::<f64>() / 5.0)
            .collect();
        let error = |cut: usize| {
            let rest = &batches[cut..];
            let n = rest.len() as f64;
            let mean = rest.iter().sum::<f64>() / n;
            rest.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / (n * n)
        };
        let cuts = 0..=batches.len() / 2;
        let best = cuts.min_by(|&a, &b| error(a).total_cmp(&error(b))).unwrap();
        assert_eq!(warm_up(&series), Some(best * 5));
    }
}
