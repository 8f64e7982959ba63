//! Time in whole microseconds, printed in milliseconds.
//!
//! A trace says when in milliseconds, because the Mooncake format does; a
//! load generator needs finer. Inside, every instant and every span is an
//! integer count of microseconds, so that sums are exact and two machines
//! agree; outside it is a JSON number of milliseconds: an integer when whole,
//! else with at most three decimals.

use std::fmt;
use std::ops::{Add, AddAssign};
use std::time::Duration;

/// A point in time since the trace or the run began, or a span, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(u64);

impl Micros {
    /// The beginning.
    pub const ZERO: Self = Self(0);
    /// The latest time there is.
    pub const MAX: Self = Self(u64::MAX);

    /// The time `micros` microseconds in.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The time `millis` milliseconds in, rounded to the microsecond.
    ///
    /// Exact for whole microseconds below 2^41 ms, which Unix time reaches in
    /// 2039.
    ///
    /// `None` for a negative, infinite or missing number, and for one beyond
    /// 2^53 ms, which no longer has whole milliseconds.
    pub fn from_millis(millis: f64) -> Option<Self> {
        let whole = (0.0..=9_007_199_254_740_992.0).contains(&millis);
        whole.then(|| Self((millis * 1_000.0).round() as u64))
    }

    /// The time `seconds` seconds in, rounded to the microsecond; `None` as in
    /// [`from_millis`](Self::from_millis).
    pub fn from_secs(seconds: f64) -> Option<Self> {
        Self::from_millis(seconds * 1_000.0)
    }

    /// Whole microseconds.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Milliseconds, the unit of every `_ms` field.
    pub fn as_millis(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// Seconds.
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }

    /// The span since `earlier`, or zero if that is later.
    pub const fn saturating_sub(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// The sum, or `None` beyond [`Micros::MAX`].
    pub const fn checked_add(self, span: Self) -> Option<Self> {
        match self.0.checked_add(span.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// Append the milliseconds as a JSON number: an integer when whole, else
    /// at most three decimals and no trailing zero.
    pub fn push_millis(self, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        out.extend_from_slice(digits.format(self.0 / 1_000).as_bytes());
        let rest = self.0 % 1_000;
        if rest > 0 {
            let decimals = [rest / 100, rest / 10 % 10, rest % 10].map(|d| b'0' + d as u8);
            let kept = decimals
                .iter()
                .rposition(|&d| d != b'0')
                .map_or(0, |last| last + 1);
            out.push(b'.');
            out.extend_from_slice(&decimals[..kept]);
        }
    }
}

/// The milliseconds, as [`Micros::push_millis`] prints them.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(24);
        self.push_millis(&mut text);
        f.pad(std::str::from_utf8(&text).expect("digits and a point are ASCII"))
    }
}

impl Add for Micros {
    type Output = Self;

    /// The sum, at most [`Micros::MAX`].
    fn add(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign for Micros {
    fn add_assign(&mut self, span: Self) {
        *self = *self + span;
    }
}

impl From<Micros> for Duration {
    fn from(time: Micros) -> Self {
        Duration::from_micros(time.0)
    }
}

impl From<Duration> for Micros {
    /// Cut to the microsecond, and to [`Micros::MAX`].
    fn from(span: Duration) -> Self {
        Self(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
    }
}

/// The span a flag names: `90s`, `2m`, `1h30m`, `500ms`, `250us`, `1.5h`; a
/// bare number is seconds.
///
/// # Errors
/// One line that says what would have been understood.
pub fn parse_duration(text: &str) -> Result<Micros, String> {
    let wrong = || {
        format!(
            "{text:?} is not a duration: write 90s, 2m, 1h30m, 500ms or 250us (a bare number is seconds)"
        )
    };
    let mut rest = text.trim();
    let mut total = Micros::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(rest.len());
        let (digits, tail) = rest.split_at(number);
        let unit = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (name, tail) = tail.split_at(unit);
        let millis = match name.trim() {
            "us" | "µs" => 0.001,
            "ms" => 1.0,
            "s" => 1_000.0,
            "" if total == Micros::ZERO && tail.is_empty() => 1_000.0,
            "m" | "min" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return Err(wrong()),
        };
        let value: f64 = digits.parse().map_err(|_| wrong())?;
        let part = Micros::from_millis(value * millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = tail.trim_start();
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_milliseconds_print_as_integers() {
        assert_eq!(Micros::from_micros(27_000).to_string(), "27");
        assert_eq!(Micros::ZERO.to_string(), "0");
    }

    #[test]
    fn a_fraction_prints_without_trailing_zeros() {
        assert_eq!(Micros::from_micros(27_500).to_string(), "27.5");
        assert_eq!(Micros::from_micros(27_050).to_string(), "27.05");
        assert_eq!(Micros::from_micros(1).to_string(), "0.001");
    }

    #[test]
    fn a_time_that_cannot_be_is_refused() {
        for bad in [-0.5, f64::NAN, f64::INFINITY, 1e17] {
            assert_eq!(Micros::from_millis(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_take_units_and_bare_seconds() {
        let micros = |text| parse_duration(text).map(Micros::as_micros);
        assert_eq!(micros("90s"), Ok(90_000_000));
        assert_eq!(micros("90"), Ok(90_000_000));
        assert_eq!(micros("0.25"), Ok(250_000));
        assert_eq!(micros("1h30m"), Ok(5_400_000_000));
        assert_eq!(micros("500ms"), Ok(500_000));
        assert_eq!(micros("250us"), Ok(250));
        assert_eq!(micros("1.5h"), Ok(5_400_000_000));
        assert_eq!(micros("0"), Ok(0));
    }

    #[test]
    fn a_wrong_duration_says_what_is_right() {
        for bad in ["", "s", "5 parsecs", "-3s", "1s2", "1e3", "nan", "1..2s"] {
            let message = parse_duration(bad).unwrap_err();
            assert!(message.contains("90s"), "{bad}: {message}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(micros in 0..(1u64 << 41) * 1_000) {
            let time = Micros::from_micros(micros);
            let millis: f64 = time.to_string().parse().unwrap();
            prop_assert_eq!(Micros::from_millis(millis), Some(time));
        }
    }
}
