//! The part of the time that is looked at.

use crate::reply::Refusal;

/// A part of the time, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    /// Its beginning.
    pub from_ms: f64,
    /// Its end, after its beginning.
    pub to_ms: f64,
}

impl Window {
    /// All of `duration_ms`.
    pub(crate) fn whole(duration_ms: f64) -> Self {
        Self {
            from_ms: 0.0,
            to_ms: duration_ms,
        }
    }

    /// What is between `from_ms` and `to_ms` of `duration_ms`; by default all.
    ///
    /// # Errors
    /// 400 for none of it.
    pub(crate) fn within(
        duration_ms: f64,
        from_ms: Option<f64>,
        to_ms: Option<f64>,
    ) -> Result<Self, Refusal> {
        let window = Self {
            from_ms: from_ms.unwrap_or(0.0).max(0.0),
            to_ms: to_ms.unwrap_or(duration_ms).min(duration_ms),
        };
        if window.to_ms > window.from_ms {
            return Ok(window);
        }
        Err(Refusal::bad("from_ms to to_ms is no part of the duration"))
    }

    /// How long it is, in milliseconds.
    pub(crate) fn length_ms(self) -> f64 {
        self.to_ms - self.from_ms
    }

    /// Which of `bins` equal parts of it the time `at_ms` is in; none if it is
    /// outside.
    pub(crate) fn bin(self, at_ms: f64, bins: usize) -> Option<usize> {
        let share = (at_ms - self.from_ms) / self.length_ms();
        (0.0..=1.0)
            .contains(&share)
            .then(|| ((share * bins as f64) as usize).min(bins - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_within_the_whole() {
        let window = Window::within(100.0, Some(-5.0), Some(500.0)).unwrap();
        assert_eq!((window.from_ms, window.to_ms), (0.0, 100.0));
        assert_eq!(Window::within(100.0, None, None).unwrap(), window);
        assert_eq!(Window::whole(100.0), window);
        for (from, to) in [(100.0, 200.0), (50.0, 50.0), (60.0, 50.0), (f64::NAN, -1.0)] {
            assert!(
                Window::within(100.0, Some(from), Some(to)).is_err(),
                "{from} {to}"
            );
        }
    }

    #[test]
    fn a_time_is_in_one_bin_or_outside() {
        let window = Window::within(100.0, Some(20.0), Some(60.0)).unwrap();
        for (at, bin) in [
            (19.9, None),
            (20.0, Some(0)),
            (29.9, Some(0)),
            (30.0, Some(1)),
            (60.0, Some(3)),
            (60.1, None),
        ] {
            assert_eq!(window.bin(at, 4), bin, "{at}");
        }
    }
}
