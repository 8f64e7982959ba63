//! How many requests to expect by each moment, and when that is reached.
//!
//! A process of one arrival per unit becomes one of any rate by bending its
//! clock: its arrival at `u` units comes at the time by which the rate has
//! added up to `u`. That is exact for every renewal process, costs no
//! rejected draws, and keeps the shape of the gaps where the rate varies.

use crate::pieces::{Piece, Pieces};

/// A sine wave as part of a rate: `centre` plus a wave of height `swing`,
/// lowest at `lowest` seconds and every `period` seconds from there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wave {
    /// Mean of the wave, requests per second.
    pub centre: f64,
    /// From the mean to the highest and to the lowest, at most `centre`.
    pub swing: f64,
    /// Seconds.
    pub period: f64,
    /// Seconds.
    pub lowest: f64,
}

impl Wave {
    /// How often it swings, in radians per second.
    fn speed(&self) -> f64 {
        2.0 * std::f64::consts::PI / self.period
    }

    /// Rate at `time`, and its integral from the beginning but for a constant
    /// and without the share of `centre`, which grows too large to subtract.
    fn at(&self, time: f64) -> (f64, f64) {
        let speed = self.speed();
        let (sin, cos) = libm::sincos(speed * (time - self.lowest));
        let rate = self.centre - self.swing * cos;
        (rate.max(0.0), -self.swing / speed * sin)
    }
}

/// One part of a sum, and the piece of it that lasts now.
struct Part {
    pieces: Box<dyn Pieces>,
    start: f64,
    piece: Piece,
}

impl Part {
    fn new(mut pieces: Box<dyn Pieces>) -> Self {
        let piece = pieces.next(0.0);
        let mut part = Self {
            pieces,
            start: 0.0,
            piece,
        };
        part.go_to(0.0);
        part
    }

    /// Make `piece` the one that lasts at `time`, which never goes back.
    fn go_to(&mut self, time: f64) {
        while self.piece.until <= time {
            self.start = self.piece.until;
            self.piece = self.pieces.next(self.start);
        }
    }

    fn level(&self, time: f64) -> f64 {
        self.piece.level + self.piece.slope * (time - self.start)
    }
}

/// A rate over time: a sum of straight pieces and waves, perhaps times a
/// share that goes in steps.
pub struct Intensity {
    parts: Vec<Part>,
    waves: Vec<Wave>,
    share: Option<Part>,
    end: f64,
    now: Stretch,
}

/// The stretch of time in which the current units fall, over which all parts
/// are straight.
#[derive(Clone, Debug, Default)]
struct Stretch {
    /// Seconds.
    start: f64,
    /// Seconds.
    length: f64,
    level: f64,
    slope: f64,
    /// What waves are multiplied by.
    share: f64,
    /// The sum of the waves' integrals at the start.
    wave: f64,
    /// Units before it.
    before: f64,
    /// Units in it.
    units: f64,
    /// Seconds into it, and units, of the last answer.
    last: (f64, f64),
}

impl Intensity {
    /// The sum of `parts` and `waves`, up to `end` seconds, which are finite.
    pub fn new(parts: Vec<Box<dyn Pieces>>, waves: Vec<Wave>, end: f64) -> Self {
        Self::shared(parts, waves, None, end)
    }

    /// The sum of `parts` and `waves` times `share`, up to `end` seconds,
    /// which are finite.
    ///
    /// # Panics
    /// If a piece of the share is asked for and has a slope.
    pub fn shared(
        parts: Vec<Box<dyn Pieces>>,
        waves: Vec<Wave>,
        share: Option<Box<dyn Pieces>>,
        end: f64,
    ) -> Self {
        let mut intensity = Self {
            parts: parts.into_iter().map(Part::new).collect(),
            waves,
            share: share.map(Part::new),
            end,
            now: Stretch::default(),
        };
        if end > 0.0 {
            intensity.begin(0.0, 0.0);
        }
        intensity
    }

    /// When the rate has added up to `units`, in seconds; nothing if the end
    /// comes before. Never ask for less than the last time.
    pub fn time_of(&mut self, units: f64) -> Option<f64> {
        while units >= self.now.before + self.now.units {
            let next = self.now.start + self.now.length;
            if next >= self.end {
                return None;
            }
            self.begin(next, self.now.before + self.now.units);
        }
        let wanted = units - self.now.before;
        let into = if self.waves.is_empty() {
            self.now.within_line(wanted)
        } else {
            self.within_waves(wanted)
        };
        self.now.last = (into, wanted);
        Some(self.now.start + into)
    }

    /// How much the rate has added up to by `seconds`, or by the end. Never
    /// ask for an earlier time than the last, nor mix it with
    /// [`time_of`](Self::time_of).
    pub fn units_until(&mut self, seconds: f64) -> f64 {
        while seconds >= self.now.start + self.now.length {
            let next = self.now.start + self.now.length;
            let before = self.now.before + self.now.units;
            if next >= self.end {
                return before;
            }
            self.begin(next, before);
        }
        self.now.before + self.units((seconds - self.now.start).max(0.0)).1
    }

    /// The rate at the last answer's time, requests per second.
    pub fn rate(&self) -> f64 {
        let into = self.now.last.0;
        let time = self.now.start + into;
        let waves: f64 = self.waves.iter().map(|wave| wave.at(time).0).sum();
        self.now.level + self.now.slope * into + self.now.share * waves
    }

    /// Go on to the stretch that begins at `start`, `before` units in.
    fn begin(&mut self, start: f64, before: f64) {
        let mut stop = self.end;
        let (mut level, mut slope) = (0.0, 0.0);
        for part in &mut self.parts {
            part.go_to(start);
            stop = stop.min(part.piece.until);
            level += part.level(start);
            slope += part.piece.slope;
        }
        let share = self.share.as_mut().map_or(1.0, |share| {
            share.go_to(start);
            stop = stop.min(share.piece.until);
            assert!(share.piece.slope == 0.0, "a share goes in steps");
            share.piece.level
        });
        self.now = Stretch {
            start,
            length: stop - start,
            level: level * share,
            slope: slope * share,
            share,
            before,
            ..Stretch::default()
        };
        self.now.wave = self.waves.iter().map(|wave| wave.at(start).1).sum();
        self.now.units = self.units(self.now.length).1;
    }

    /// Rate at `into` seconds of the stretch, and units up to there.
    fn units(&self, into: f64) -> (f64, f64) {
        let now = &self.now;
        let (mut rate, mut swung, mut centre) = (0.0, -now.wave, 0.0);
        for wave in &self.waves {
            let (wave_rate, wave_swung) = wave.at(now.start + into);
            rate += wave_rate;
            swung += wave_swung;
            centre += wave.centre;
        }
        (
            now.level + now.slope * into + now.share * rate,
            (now.level + 0.5 * now.slope * into) * into + now.share * (centre * into + swung),
        )
    }

    /// Seconds into the stretch at which `wanted` units are reached: Newton's
    /// method, within bounds that halve where it would leave them.
    fn within_waves(&self, wanted: f64) -> f64 {
        /// Finer than what is written by three digits.
        const SECONDS: f64 = 1e-9;
        let (mut low, known) = self.now.last;
        if wanted <= known {
            return low;
        }
        let mut high = self.now.length;
        let mut into = low;
        let (mut rate, mut missing) = (self.units(low).0, wanted - known);
        for _ in 0..100 {
            let step = missing / rate;
            let newton = into + step;
            let next = if newton >= low && newton <= high {
                newton
            } else {
                0.5 * (low + high)
            };
            let moved = (next - into).abs();
            into = next;
            if moved < SECONDS {
                break;
            }
            let (next_rate, units) = self.units(into);
            (rate, missing) = (next_rate, wanted - units);
            if missing > 0.0 {
                low = into;
            } else {
                high = into;
            }
        }
        into
    }
}

impl Stretch {
    /// Seconds into a straight stretch at which `wanted` units are reached.
    fn within_line(&self, wanted: f64) -> f64 {
        if wanted <= 0.0 {
            return 0.0;
        }
        // The root of level·x + slope/2·x² = wanted, in the form that loses
        // nothing when the slope is small, or takes the level away.
        let root = (self.level * self.level + 2.0 * self.slope * wanted).max(0.0);
        (2.0 * wanted / (self.level + root.sqrt())).min(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::{OnOff, Points};

    fn times(mut intensity: Intensity, step: f64, count: usize) -> Vec<f64> {
        (0..count)
            .map_while(|i| intensity.time_of(i as f64 * step))
            .collect()
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-8, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn a_ramp_is_a_square_root() {
        let ramp = Points::linear(vec![(0.0, 0.0), (10.0, 20.0)]);
        let found = times(Intensity::new(vec![Box::new(ramp)], vec![], 10.0), 25.0, 9);
        // The rate 2t has added up to t² at t.
        close(&found, &[0.0, 5.0, 50f64.sqrt(), 75f64.sqrt()]);
        let fall = Points::linear(vec![(0.0, 20.0), (10.0, 0.0)]);
        let found = times(Intensity::new(vec![Box::new(fall)], vec![], 99.0), 25.0, 9);
        close(
            &found,
            &[0.0, 10.0 - 75f64.sqrt(), 10.0 - 50f64.sqrt(), 5.0],
        );
    }

    #[test]
    fn nothing_comes_while_the_rate_is_zero() {
        let found = times(
            Intensity::new(vec![Box::new(OnOff::new(2.0, 1.0, 9.0))], vec![], 30.0),
            1.0,
            99,
        );
        close(&found, &[0.0, 0.5, 10.0, 10.5, 20.0, 20.5]);
        let none = Intensity::new(vec![Box::new(Points::linear(vec![]))], vec![], 1e9);
        assert!(times(none, 1.0, 9).is_empty());
    }

    #[test]
    fn parts_and_waves_add_up_and_a_share_multiplies() {
        let wave = Wave {
            centre: 3.0,
            swing: 3.0,
            period: 10.0,
            lowest: 0.0,
        };
        let shares =
            || -> Box<dyn Pieces> { Box::new(Points::steps(vec![(0.0, 1.0), (20.0, 0.5)])) };
        let steps =
            || -> Box<dyn Pieces> { Box::new(Points::steps(vec![(0.0, 1.0), (20.0, 5.0)])) };
        let mut sum = Intensity::shared(vec![steps(), steps()], vec![wave], Some(shares()), 60.0);
        // Whole periods: 2 + 3 a second, then half of 10 + 3.
        for (units, seconds) in [(50.0, 10.0), (100.0, 20.0), (165.0, 30.0), (230.0, 40.0)] {
            let found = sum.time_of(units).unwrap();
            assert!((found - seconds).abs() < 1e-8, "{units}: {found}");
        }
        assert_eq!(sum.time_of(360.1), None);
    }

    #[test]
    fn a_wave_that_touches_zero_is_inverted_everywhere() {
        let wave = Wave {
            centre: 1.0,
            swing: 1.0,
            period: 7.0,
            lowest: 2.0,
        };
        let mut intensity = Intensity::new(vec![], vec![wave], 1e4);
        let (mut last, mut count) = (0.0, 0);
        for i in 0..90_000 {
            let units = f64::from(i) * 0.11;
            let time = intensity.time_of(units).unwrap();
            let expected = |t: f64| wave.centre * t + wave.at(t).1 - wave.at(0.0).1;
            assert!((expected(time) - units).abs() < 1e-6, "{units} {time}");
            assert!(time >= last);
            last = time;
            count += 1;
        }
        assert_eq!(count, 90_000);
    }
}
