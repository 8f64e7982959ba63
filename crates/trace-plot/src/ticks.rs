//! The ticks of an axis: which values get a label, and what it says.
//!
//! 1-2-5 steps for numbers, the divisions of a clock for durations, powers of
//! ten (and 2 and 5 times them where there is room) on a logarithmic axis.

use crate::{
    axis::{Axis, Quantity, Scale, ceil_125, power_of_ten},
    number::{self, DURATIONS},
};

/// The ticks of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticks {
    /// The unit of all labels, when they have one in common.
    pub unit: Option<&'static str>,
    /// Values with a grid line and a label.
    pub major: Vec<(f64, String)>,
    /// Values with a fainter grid line only.
    pub minor: Vec<f64>,
}

impl Axis {
    /// At most about `limit` ticks.
    pub fn ticks(&self, limit: usize) -> Ticks {
        if !self.levels.is_empty() {
            return self.level_ticks(limit);
        }
        match self.scale {
            Scale::Linear => self.linear_ticks(limit),
            Scale::Log => {
                let ticks = self.log_ticks(limit);
                if ticks.major.len() < 3 {
                    self.linear_ticks(limit)
                } else {
                    ticks
                }
            }
        }
    }

    /// Every level, or so many that are about as far apart.
    fn level_ticks(&self, limit: usize) -> Ticks {
        let room = 0.9 / limit.max(1) as f64;
        let mut ticks = Ticks {
            unit: None,
            major: Vec::new(),
            minor: Vec::new(),
        };
        let mut end = f64::NEG_INFINITY;
        for &level in &self.levels {
            let at = self.position(level);
            if at - end >= room {
                ticks.major.push((level, number::significant(level)));
                end = at;
            } else {
                ticks.minor.push(level);
            }
        }
        ticks
    }

    /// The unit in which a linear axis is written, in microseconds for a
    /// duration, with its symbol.
    fn unit(&self) -> (f64, Option<&'static str>) {
        match self.quantity {
            Quantity::Number | Quantity::Count => (1.0, None),
            Quantity::Share => (0.01, Some("%")),
            Quantity::Duration => {
                let index = DURATIONS
                    .iter()
                    .rposition(|(unit, _)| self.to >= 2.0 * unit);
                let (unit, symbol) = DURATIONS[index.unwrap_or(0)];
                (unit, Some(symbol))
            }
        }
    }

    /// The distance of neighbouring ticks so that there are at most `limit`.
    pub(crate) fn step(&self, limit: usize) -> f64 {
        let (unit, symbol) = self.unit();
        let least = (self.to - self.from) / unit / limit.max(1) as f64;
        let clock: &[f64] = match symbol {
            Some("min") => &[0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0],
            Some("h") => &[0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0],
            _ => &[],
        };
        let step = clock
            .iter()
            .copied()
            .find(|&step| step >= least * (1.0 - 1e-9));
        let step = step.unwrap_or_else(|| ceil_125(least));
        if self.quantity == Quantity::Count {
            return step.max(1.0);
        }
        unit * step
    }

    fn linear_ticks(&self, limit: usize) -> Ticks {
        let (unit, symbol) = self.unit();
        // an axis that ends on a round value has a tick there
        let ends = |step: &f64| {
            let steps = self.to / step;
            self.from == 0.0 && (steps - steps.round()).abs() < 1e-9
        };
        let fitting = (3..=limit).rev().map(|limit| self.step(limit));
        let step = fitting
            .into_iter()
            .find(ends)
            .unwrap_or_else(|| self.step(limit));
        let first = (self.from / step - 1e-9).ceil();
        let to = self.to.min(self.labelled_to);
        let count = ((to - first * step) / step + 1e-9).floor().max(0.0) as usize;
        let major = (0..=count)
            .map(|index| {
                let value = (first + index as f64) * step;
                (value, number::tick(value / unit, step / unit))
            })
            .collect();
        Ticks {
            unit: symbol,
            major,
            minor: Vec::new(),
        }
    }

    fn log_ticks(&self, limit: usize) -> Ticks {
        let decades = libm::log10(self.to / self.from);
        let factors: &[u32] = if decades * 3.0 <= limit as f64 {
            &[1, 2, 5]
        } else {
            &[1]
        };
        let every = (decades / limit.max(1) as f64).ceil().max(1.0) as i32;
        let mut ticks = Ticks {
            unit: None,
            major: Vec::new(),
            minor: Vec::new(),
        };
        let first = (libm::log10(self.from) + 1e-9).floor() as i32;
        let last = (libm::log10(self.to) - 1e-9).ceil() as i32;
        for exponent in first..=last {
            for factor in 1..10 {
                let value = f64::from(factor) * power_of_ten(exponent);
                if value < self.from * (1.0 - 1e-9) || value > self.to * (1.0 + 1e-9) {
                    continue;
                }
                if factors.contains(&factor) && exponent % every == 0 {
                    ticks.major.push((value, self.log_label(value)));
                } else if decades <= 8.0 || factor == 1 {
                    ticks.minor.push(value);
                }
            }
        }
        ticks
    }

    fn log_label(&self, value: f64) -> String {
        match self.quantity {
            Quantity::Number | Quantity::Count => number::tick(value, value),
            Quantity::Share => format!("{} %", number::tick(value * 100.0, value * 100.0)),
            Quantity::Duration => {
                // No minutes here: ten of them are not a power of ten of seconds.
                let (unit, symbol) = DURATIONS[..3]
                    .iter()
                    .rfind(|(unit, _)| value >= unit * (1.0 - 1e-9))
                    .unwrap_or(&DURATIONS[0]);
                format!("{} {symbol}", number::tick(value / unit, value / unit))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &Ticks) -> Vec<&str> {
        ticks
            .major
            .iter()
            .map(|(_, label)| label.as_str())
            .collect()
    }

    #[test]
    fn an_hour_is_cut_into_minutes() {
        let axis = Axis::exact("time", Quantity::Duration, 0.0, 3.6e9);
        let ticks = axis.ticks(8);
        assert_eq!(ticks.unit, Some("min"));
        assert_eq!(labels(&ticks), ["0", "10", "20", "30", "40", "50", "60"]);
    }

    #[test]
    fn days_are_days() {
        let axis = Axis::exact("time", Quantity::Duration, 0.0, 7.0 * 8.64e10);
        let ticks = axis.ticks(8);
        assert_eq!(ticks.unit, Some("d"));
        assert_eq!(labels(&ticks), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    }

    #[test]
    fn an_axis_from_zero_ends_on_a_tick() {
        let axis = Axis::from_zero("rate", Quantity::Number, 47.3);
        assert_eq!((axis.from, axis.to), (0.0, 50.0));
        assert_eq!(labels(&axis.ticks(6)), ["0", "10", "20", "30", "40", "50"]);
    }

    #[test]
    fn a_round_end_has_a_tick() {
        let axis = Axis::from_zero("rate", Quantity::Number, 14.2);
        assert_eq!(labels(&axis.ticks(8)), ["0", "5", "10", "15"]);
    }

    #[test]
    fn nobody_counts_half_a_request() {
        let axis = Axis::from_zero("requests", Quantity::Count, 1.0);
        assert_eq!(labels(&axis.ticks(8)), ["0", "1"]);
    }

    #[test]
    fn many_decades_are_labelled_now_and_then() {
        let axis = Axis::log("latency", Quantity::Duration, (1.0, 1e16), 1.0);
        let ticks = axis.ticks(8);
        assert_eq!(ticks.major.len(), 9);
        assert!(ticks.minor.len() < 20);
    }

    #[test]
    fn shares_are_percents() {
        let axis = Axis::from_zero("share", Quantity::Share, 1.0);
        let ticks = axis.ticks(6);
        assert_eq!(labels(&ticks), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(ticks.unit, Some("%"));
    }

    #[test]
    fn log_ticks_carry_their_own_units() {
        let axis = Axis::log("latency", Quantity::Duration, (9_000.0, 30e6), 1.0);
        assert_eq!((axis.from, axis.to), (5_000.0, 5e7));
        assert_eq!(
            labels(&axis.ticks(12)),
            [
                "5 ms", "10 ms", "20 ms", "50 ms", "100 ms", "200 ms", "500 ms", "1 s", "2 s",
                "5 s", "10 s", "20 s", "50 s"
            ]
        );
        assert_eq!(labels(&axis.ticks(6)), ["10 ms", "100 ms", "1 s", "10 s"]);
    }

    #[test]
    fn positions_go_from_zero_to_one() {
        let axis = Axis::log("latency", Quantity::Duration, (1_000.0, 1e6), 1.0);
        assert_eq!(axis.position(0.0), 0.0);
        assert!((axis.position(31_622.776) - 0.5).abs() < 1e-6);
        assert_eq!(axis.position(1e9), 1.0);
    }

    #[test]
    fn levels_have_their_own_ticks() {
        let axis = Axis::levels("concurrency", &[1.0, 4.0, 16.0]);
        assert_eq!(labels(&axis.ticks(8)), ["1", "4", "16"]);
        assert!(axis.position(1.0) > 0.0 && axis.position(16.0) < 1.0);
        let crowded: Vec<f64> = (1..=40).map(f64::from).collect();
        let ticks = Axis::levels("concurrency", &crowded).ticks(8);
        assert!(ticks.major.len() <= 9);
        assert_eq!(ticks.major.len() + ticks.minor.len(), 40);
        assert_eq!(labels(&Axis::levels("x", &[7.5]).ticks(8)), ["7.5"]);
    }

    #[test]
    fn odd_values_still_make_an_axis() {
        for max in [0.0, f64::NAN, f64::INFINITY, 1e-9, 1e300, -3.0] {
            let axis = Axis::from_zero("rate", Quantity::Number, max);
            assert!(axis.to > 0.0, "{max}: {axis:?}");
            assert!(axis.ticks(6).major.len() >= 2, "{max}: {axis:?}");
        }
        let axis = Axis::log("latency", Quantity::Duration, (0.0, 0.0), 1.0);
        assert!(axis.to > axis.from && axis.from > 0.0);
    }
}
