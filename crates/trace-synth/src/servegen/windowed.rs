//! Arrivals whose rate and whose kind of gap change from window to window.

use rand::Rng;

use crate::arrival::Arrival;
use crate::gap::Gap;
use crate::intensity::Intensity;

/// A renewal process on the clock of an [`Intensity`], whose gaps follow
/// another distribution in each window of time.
///
/// A gap that outlasts its window goes on in the next one, by that one's
/// distribution: what is left of it is drawn anew among gaps that are at
/// least as long as this one already is. With the same distribution on both
/// sides this changes nothing, and it keeps a long pause of a bursty hour
/// from silencing the day after it.
pub struct Windowed<R> {
    intensity: Intensity,
    /// The same, ahead: it tells how many units each window ends with.
    ahead: Intensity,
    /// Seconds at which windows begin, and their gaps of mean 1.
    windows: Vec<(f64, Gap)>,
    current: usize,
    /// Units at which the current window ends.
    end: f64,
    rng: R,
    units: Option<f64>,
}

impl<R: Rng> Windowed<R> {
    /// Arrivals as `intensity` says with gaps as `windows` (seconds, gap of
    /// mean 1) say, of which there is at least one; `ahead` is the same
    /// intensity once more.
    pub fn new(intensity: Intensity, ahead: Intensity, windows: Vec<(f64, Gap)>, rng: R) -> Self {
        let mut windowed = Self {
            intensity,
            ahead,
            windows,
            current: 0,
            end: 0.0,
            rng,
            units: None,
        };
        windowed.end = windowed.end_of(0);
        // Windows before the first request have no say in it.
        windowed.go_to(0.0);
        windowed
    }

    fn end_of(&mut self, window: usize) -> f64 {
        let next = self.windows.get(window + 1);
        next.map_or(f64::INFINITY, |next| self.ahead.units_until(next.0))
    }

    /// Go on to the window in which `units` fall.
    fn go_to(&mut self, units: f64) {
        while units >= self.end {
            self.current += 1;
            self.end = self.end_of(self.current);
        }
    }
}

impl<R: Rng> Iterator for Windowed<R> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let last = self.units.unwrap_or(0.0);
        let gap = self.windows[self.current].1;
        let mut units = match self.units {
            None => gap.rest(&mut self.rng),
            Some(last) => last + gap.draw(&mut self.rng),
        };
        while units >= self.end {
            let border = self.end;
            self.go_to(border);
            let gap = self.windows[self.current].1;
            units = match self.units {
                // Nobody knows how long the first gap has lasted already.
                None => border + gap.rest(&mut self.rng),
                Some(_) => last + gap.beyond(border - last, &mut self.rng).max(border - last),
            };
        }
        self.units = Some(units);
        let seconds = self.intensity.time_of(units)?;
        Some(Arrival::to_the_microsecond(seconds))
    }
}
