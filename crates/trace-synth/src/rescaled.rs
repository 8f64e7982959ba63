//! Arrivals at a rate that varies.

use rand::Rng;

use crate::arrival::Arrival;
use crate::gap::Gap;
use crate::intensity::Intensity;

/// A renewal process of one arrival per unit, on the clock of an
/// [`Intensity`].
///
/// With exponential gaps this is the Poisson process of that rate; with
/// others the gaps keep their coefficient of variation, measured against the
/// rate of the moment.
pub struct Rescaled<R> {
    intensity: Intensity,
    gap: Option<Gap>,
    rng: R,
    units: Option<f64>,
}

impl<R: Rng> Rescaled<R> {
    /// Arrivals as `intensity` says, with gaps of mean 1 drawn from `gap`;
    /// without one they are equal, and the first comes as soon as the rate is
    /// above 0.
    pub fn new(intensity: Intensity, gap: Option<Gap>, rng: R) -> Self {
        Self {
            intensity,
            gap,
            rng,
            units: None,
        }
    }
}

impl<R: Rng> Iterator for Rescaled<R> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let units = match (self.units, self.gap) {
            (None, None) => 0.0,
            (None, Some(gap)) => gap.rest(&mut self.rng),
            (Some(last), None) => last + 1.0,
            (Some(last), Some(gap)) => last + gap.draw(&mut self.rng),
        };
        self.units = Some(units);
        let seconds = self.intensity.time_of(units)?;
        Some(Arrival::to_the_microsecond(seconds))
    }
}
