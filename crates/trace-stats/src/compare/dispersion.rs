//! Burstiness over scales: the index of dispersion for counts.

use trace_core::Micros;

/// Variance over mean of the arrivals per window of length `window`, counted
/// from the first arrival; a window that the trace does not fill is left out.
///
/// 1 for a Poisson process at every scale, 0 for a metronome; what grows with
/// the window has bursts, or a tide, longer than it. `arrivals` are sorted;
/// `None` if they fill fewer than [`WINDOWS`].
pub fn index(arrivals: &[Micros], window: Micros) -> Option<f64> {
    let (first, last) = (arrivals.first()?, arrivals.last()?);
    let width = window.as_micros().max(1);
    let windows = last.saturating_sub(*first).as_micros() / width;
    if windows < WINDOWS {
        return None;
    }
    // Empty windows are many where windows are short: only others are visited.
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut at = 0;
    while at < arrivals.len() {
        let place = arrivals[at].saturating_sub(*first).as_micros() / width;
        if place >= windows {
            break;
        }
        let same = arrivals[at..].iter();
        let count = same
            .take_while(|arrival| arrival.saturating_sub(*first).as_micros() / width == place)
            .count();
        at += count;
        sum += count as f64;
        squares += (count * count) as f64;
    }
    let mean = sum / windows as f64;
    Some((squares / windows as f64 - mean * mean) / mean)
}

/// Fewest windows that a variance is taken over.
pub const WINDOWS: u64 = 10;

/// The windows of a trace of that duration: 10 ms, 100 ms, 1 s, … while it
/// fills [`WINDOWS`] of them.
pub fn scales(duration: Micros) -> Vec<Micros> {
    let mut scales = Vec::new();
    let mut width = 10_000;
    while duration.as_micros() / width >= WINDOWS {
        scales.push(Micros::from_micros(width));
        width *= 10;
    }
    scales
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::{Streams, seed::unit};

    fn millis(times: impl IntoIterator<Item = u64>) -> Vec<Micros> {
        let micros = |ms| Micros::from_micros(1_000 * ms);
        times.into_iter().map(micros).collect()
    }

    #[test]
    fn a_metronome_has_none() {
        let even = millis((0..=1_000).map(|tick| 10 * tick));
        assert_eq!(index(&even, Micros::from_micros(100_000)), Some(0.0));
    }

    #[test]
    fn bunches_of_four_have_four_less_their_mean() {
        // Every second window has four arrivals at once: mean 2, variance 4.
        let bunches = millis((0..=20).flat_map(|bunch| [200 * bunch; 4]));
        assert_eq!(index(&bunches, Micros::from_micros(100_000)), Some(2.0));
        assert_eq!(index(&bunches, Micros::from_micros(200_000)), Some(0.0));
    }

    #[test]
    fn a_poisson_process_has_one_at_every_scale() {
        let mut random = Streams::new(3).stream("test");
        let mut now = 0.0;
        let arrivals = (0..200_000).map(|_| {
            now -= libm::log(1.0 - unit(&mut random)) * 1_000.0;
            Micros::from_micros(now as u64)
        });
        let arrivals: Vec<Micros> = arrivals.collect();
        for window in [1_000, 10_000, 100_000] {
            let found = index(&arrivals, Micros::from_micros(window)).unwrap();
            // Four standard errors of a variance over 2,000 windows or more.
            assert!(
                (found - 1.0).abs() < 4.0 * (2.0 / 2_000.0_f64).sqrt(),
                "{window}: {found}"
            );
        }
    }

    #[test]
    fn scales_end_with_the_trace() {
        let tens = |ms: u64| Micros::from_micros(1_000 * ms);
        assert_eq!(scales(tens(10_000)), [tens(10), tens(100), tens(1_000)]);
        assert_eq!(index(&millis([0, 5]), tens(1)), None);
        assert_eq!(index(&[], tens(1)), None);
    }
}
