//! Foreign times: numbers in some unit, or dates, to time since the trace
//! began.

use crate::report::{Kind, Report};
use crate::words::words;
use trace_core::Micros;

/// The unit of a foreign number of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TimeUnit {
    /// What the column's name or the numbers say
    Auto,
    /// Seconds
    S,
    /// Milliseconds
    Ms,
    /// Microseconds
    Us,
    /// Nanoseconds
    Ns,
}

impl TimeUnit {
    /// Nanoseconds in one of it; `Auto` counts as milliseconds, our own unit.
    fn nanos(self) -> i128 {
        match self {
            Self::S => 1_000_000_000,
            Self::Auto | Self::Ms => 1_000_000,
            Self::Us => 1_000,
            Self::Ns => 1,
        }
    }

    /// Its name in a sentence.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::S => "seconds",
            Self::Ms => "milliseconds",
            Self::Us => "microseconds",
            Self::Ns => "nanoseconds",
        }
    }

    /// The unit that a column's name ends in: `start_ms`, `Time (s)`,
    /// `startTimeUnixNano`.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::of_word(words(name).last()?)
    }

    /// The unit that a word in small letters names.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        match word {
            "ms" | "msec" | "msecs" | "milli" | "millis" | "milliseconds" => Some(Self::Ms),
            "us" | "usec" | "usecs" | "micro" | "micros" | "microseconds" => Some(Self::Us),
            "ns" | "nsec" | "nsecs" | "nano" | "nanos" | "nanoseconds" | "unixnano" => {
                Some(Self::Ns)
            }
            "s" | "sec" | "secs" | "second" | "seconds" => Some(Self::S),
            _ => None,
        }
    }

    /// The unit these numbers, in their order, seem to be in, and why.
    ///
    /// A date since 1970 has one unit in which it lies between 2001 and 2100;
    /// smaller numbers are seconds when they have fractions or lie so close
    /// that milliseconds would mean more than 100 requests a second.
    pub(crate) fn guess(times: &[f64]) -> (Self, &'static str) {
        let first = times.first().copied().unwrap_or(0.0);
        let dates = [
            (Self::S, 1e9),
            (Self::Ms, 1e12),
            (Self::Us, 1e15),
            (Self::Ns, 1e18),
        ];
        if let Some((unit, _)) = dates
            .iter()
            .find(|(_, one)| (*one..4.2 * one).contains(&first))
        {
            return (*unit, "as that makes them dates of this century");
        }
        if times.iter().any(|time| time.fract() != 0.0) {
            return (Self::S, "as they have fractions");
        }
        let last = times.last().copied().unwrap_or(0.0);
        let gaps = times.len().saturating_sub(1).max(1) as f64;
        if (last - first) / gaps < 10.0 {
            (Self::S, "as they lie close together")
        } else {
            (Self::Ms, "as they lie far apart")
        }
    }
}

/// The microseconds that `text`, a decimal number of `unit`, stands for;
/// `None` if it is no number. Exact, whereas a float loses the microseconds of
/// today's date.
pub(crate) fn decimal(text: &str, unit: TimeUnit) -> Option<i64> {
    let text = text.trim();
    if let Some(micros) = short(text.as_bytes(), unit) {
        return Some(micros);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !plain(whole) || !plain(fraction) || whole.len() > 20 {
        // 1.5e3, which is rare enough for a float.
        let value = text.parse::<f64>().ok().filter(|v| v.is_finite())?;
        let micros = value * (unit.nanos() as f64 / 1_000.0);
        return (micros.abs() < 9e18).then(|| micros.round() as i64);
    }
    let mut nanos = whole
        .parse::<i128>()
        .unwrap_or(0)
        .checked_mul(unit.nanos())?;
    let mut digit = unit.nanos();
    let mut rest = 0;
    for byte in fraction.bytes() {
        // Ten digits carry the smallest part of the largest unit.
        rest = rest * 10 + i128::from(byte - b'0');
        digit *= 10;
        if digit > 1_000_000_000_000_000_000 * 1_000_000_000 {
            break;
        }
    }
    let scale = digit / unit.nanos();
    nanos += rest * unit.nanos() / scale;
    let micros = (nanos + 500).div_euclid(1_000);
    i64::try_from(if negative { -micros } else { micros }).ok()
}

/// [`decimal`] for what most tables hold, a few digits: without 128-bit
/// division, six times as fast.
pub(crate) fn short(text: &[u8], unit: TimeUnit) -> Option<i64> {
    let digits = text.strip_suffix(b".0").unwrap_or(text);
    let per_unit = unit.nanos() / 1_000;
    if !(1..=12).contains(&digits.len()) || per_unit == 0 {
        return None;
    }
    let mut number = 0_i64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(byte - b'0');
    }
    Some(number * per_unit as i64)
}

/// Puts foreign times on a clock that begins with the first of them.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Option<i64>,
    latest: i64,
    /// Room before the first request for earlier ones, when they are sorted
    /// afterwards.
    room: i64,
}

/// Nine years, before which the first line of an unsorted trace hardly ends.
const ROOM_MICROS: i64 = 1 << 48;

impl Clock {
    /// A clock whose zero is the first time it is shown. When `sorted` later,
    /// earlier times have room before that; the sort sets the zero then.
    pub(crate) fn new(sorted: bool) -> Self {
        Self {
            origin: None,
            latest: i64::MIN,
            room: if sorted { ROOM_MICROS } else { 0 },
        }
    }

    /// Take times as they are, counted from the trace's own zero.
    pub(crate) fn keep_zero(&mut self) {
        self.origin = Some(0);
    }

    /// Where `micros` lies on it.
    ///
    /// # Errors
    /// A time before the first one.
    pub(crate) fn place(&mut self, micros: i64, report: &mut Report) -> Result<Micros, String> {
        let origin = *self.origin.get_or_insert(micros);
        if micros < self.latest && self.room == 0 {
            report.count(Kind::Noted, BACKWARDS, 1);
        }
        self.latest = self.latest.max(micros);
        let since = (micros - origin).checked_add(self.room);
        let since = since.and_then(|since| u64::try_from(since).ok());
        since.map(Micros::from_micros).ok_or_else(|| {
            format!(
                "the time goes back to {} s before the first request; --repair=order sorts (and holds the trace)",
                (origin - micros) as f64 / 1e6
            )
        })
    }
}

const BACKWARDS: &str = "requests that arrive before the one before them (--repair=order sorts)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_to_the_microsecond() {
        assert_eq!(decimal("19440110.0", TimeUnit::S), Some(19_440_110_000_000));
        assert_eq!(
            decimal("1731000000.1234567", TimeUnit::S),
            Some(1_731_000_000_123_457)
        );
        assert_eq!(
            decimal("1731000000123456789", TimeUnit::Ns),
            Some(1_731_000_000_123_457)
        );
        assert_eq!(decimal("-1.5", TimeUnit::Ms), Some(-1_500));
        assert_eq!(decimal("1.5e3", TimeUnit::Ms), Some(1_500_000));
        assert_eq!(
            decimal("0.1234567890123456789012345", TimeUnit::S),
            Some(123_457)
        );
        for bad in ["", "NaN", "inf", "abc", "-", "."] {
            assert_eq!(decimal(bad, TimeUnit::S), None, "{bad}");
        }
    }

    #[test]
    fn units_are_guessed_from_names_and_numbers() {
        assert_eq!(TimeUnit::of_name("arrival_ms"), Some(TimeUnit::Ms));
        assert_eq!(TimeUnit::of_name("startTimeUnixNano"), Some(TimeUnit::Ns));
        assert_eq!(TimeUnit::of_name("Time (s)"), Some(TimeUnit::S));
        assert_eq!(TimeUnit::of_name("start_time"), None);
        assert_eq!(TimeUnit::guess(&[1.731e9, 1.732e9]).0, TimeUnit::S);
        assert_eq!(TimeUnit::guess(&[1.731e18]).0, TimeUnit::Ns);
        assert_eq!(TimeUnit::guess(&[0.0, 0.5]).0, TimeUnit::S);
        assert_eq!(TimeUnit::guess(&[0.0, 3.0, 5.0]).0, TimeUnit::S);
        assert_eq!(TimeUnit::guess(&[0.0, 3000.0, 5000.0]).0, TimeUnit::Ms);
    }

    #[test]
    fn a_clock_begins_with_the_first_time() {
        let mut report = Report::default();
        let mut clock = Clock::new(false);
        assert_eq!(clock.place(50, &mut report), Ok(Micros::ZERO));
        assert_eq!(clock.place(70, &mut report), Ok(Micros::from_micros(20)));
        assert_eq!(clock.place(60, &mut report), Ok(Micros::from_micros(10)));
        assert_eq!(report.of(Kind::Noted, BACKWARDS), 1);
        assert!(
            clock
                .place(40, &mut report)
                .unwrap_err()
                .contains("--repair=order")
        );
    }
}
