//! The times of one input, moved.

use trace_core::{Micros, parse_duration};

/// The latest time a line can hold, 2^53 ms.
const LATEST: u64 = (1 << 53) * 1_000;

/// Divide by a speed, then move by an offset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shift {
    speed: f64,
    /// Microseconds, negative for back in time.
    offset: i128,
}

impl Default for Shift {
    fn default() -> Self {
        Self {
            speed: 1.0,
            offset: 0,
        }
    }
}

impl Shift {
    /// Faster by `speed`, which is above 0, then later by `offset`.
    pub(crate) fn new(speed: f64, offset: Offset) -> Self {
        Self {
            speed,
            offset: offset.0.into(),
        }
    }

    /// The same, and later by `span`.
    #[must_use]
    pub(crate) fn later(self, span: Micros) -> Self {
        Self {
            offset: self.offset + i128::from(span.as_micros()),
            ..self
        }
    }

    /// Whether every time stays what it is.
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Whether spans stay what they are.
    pub(crate) fn keeps_spans(self) -> bool {
        self.speed == 1.0
    }

    /// Where `time` goes; `None` before zero, and beyond 2^53 ms.
    pub(crate) fn time(self, time: Micros) -> Option<Micros> {
        if self.is_none() {
            return Some(time);
        }
        let moved = i128::from(self.span(time).as_micros()) + self.offset;
        let moved = u64::try_from(moved).ok()?;
        (moved <= LATEST).then(|| Micros::from_micros(moved))
    }

    /// How long `span` becomes.
    pub(crate) fn span(self, span: Micros) -> Micros {
        if self.keeps_spans() {
            return span;
        }
        // Up to 2^53 µs, 285 years, this is exact to the microsecond.
        Micros::from_micros((span.as_micros() as f64 / self.speed).round() as u64)
    }
}

/// A span forwards, or with `-` before it, backwards in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Offset(i64);

/// The offset a flag names: `10s`, `-1h30m`.
///
/// # Errors
/// One line that says what would have been understood.
pub(crate) fn parse_offset(text: &str) -> Result<Offset, String> {
    let (back, span) = match text.strip_prefix('-') {
        Some(span) => (true, span),
        None => (false, text),
    };
    let micros = parse_duration(span)?.as_micros();
    let micros = i64::try_from(micros).map_err(|_| format!("{text:?} is too long"))?;
    Ok(Offset(if back { -micros } else { micros }))
}

/// The speed a flag names: above 0.
///
/// # Errors
/// One line that says what would have been understood.
pub(crate) fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(speed),
        _ => Err(format!(
            "{text:?} is not a speed: write a number above 0, such as 2 or 0.5"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shift(speed: f64, offset: &str) -> Shift {
        Shift::new(speed, parse_offset(offset).unwrap())
    }

    fn millis(shift: Shift, millis: f64) -> Option<f64> {
        let time = Micros::from_millis(millis).unwrap();
        shift.time(time).map(Micros::as_millis)
    }

    #[test]
    fn a_time_is_divided_then_moved() {
        assert_eq!(millis(shift(2.0, "10s"), 3.0), Some(10_001.5));
        assert_eq!(millis(shift(1.0, "-1ms"), 1.5), Some(0.5));
        assert_eq!(millis(Shift::default().later(Micros::ZERO), 7.0), Some(7.0));
    }

    #[test]
    fn a_time_before_the_beginning_or_beyond_the_end_is_refused() {
        assert_eq!(millis(shift(1.0, "-1s"), 999.0), None);
        assert_eq!(millis(shift(1e-12, "0"), 1e6), None);
    }

    #[test]
    fn a_wrong_speed_or_offset_says_what_is_right() {
        for bad in ["0", "-1", "fast", "nan", "inf"] {
            assert!(parse_speed(bad).unwrap_err().contains("above 0"), "{bad}");
        }
        assert!(parse_offset("--1s").unwrap_err().contains("90s"));
    }
}
