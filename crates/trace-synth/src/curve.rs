//! How much at each moment: a rate or a share as a function of time.

/// A quantity that varies with time.
pub trait Curve {
    /// Its value `seconds` after the trace began.
    fn at(&self, seconds: f64) -> f64;
}

/// A sine wave between two values, at its lowest when the trace begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sine {
    low: f64,
    high: f64,
    period: f64,
}

impl Sine {
    /// A wave from `low` to `high` and back every `period` seconds.
    pub fn new(low: f64, high: f64, period: f64) -> Self {
        Self { low, high, period }
    }
}

impl Curve for Sine {
    fn at(&self, seconds: f64) -> f64 {
        use std::f64::consts::{FRAC_PI_2, PI};
        let phase = 2.0 * PI * seconds / self.period - FRAC_PI_2;
        let centre = (self.low + self.high) / 2.0;
        let swing = (self.high - self.low) / 2.0;
        // Rounding may step a hair outside, where a rate would be negative.
        (centre + swing * libm::sin(phase)).clamp(self.low, self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_starts_at_its_lowest_and_peaks_after_half_a_period() {
        let curve = Sine::new(5.0, 10.0, 10.0);
        assert_eq!(curve.at(0.0), 5.0);
        assert!((curve.at(2.5) - 7.5).abs() < 1e-12);
        assert_eq!(curve.at(5.0), 10.0);
        assert!((curve.at(10.0) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_rate_down_to_zero_is_never_negative() {
        let curve = Sine::new(0.0, 0.3, 7.3);
        assert!((0..100_000).all(|i| curve.at(f64::from(i) * 0.73) >= 0.0));
    }
}
