//! Moments by the wall clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use trace_core::date::{date, has_zone};

/// The moment that `text` names: `2026-01-02T03:04:05.5Z`, the same with an
/// offset such as `+01:00`, or seconds since 1970.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(text: &str) -> Result<SystemTime, String> {
    let wrong = || format!("{text:?}: expected 2026-01-02T03:04:05Z or seconds since 1970");
    let since = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => date(text)
            .filter(|_| has_zone(text))
            .and_then(|micros| micros.try_into().ok())
            .map(Duration::from_micros),
    };
    since
        .and_then(|since| UNIX_EPOCH.checked_add(since))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let seconds = |text: &str| {
            let since = parse(text).unwrap().duration_since(UNIX_EPOCH);
            since.unwrap().as_secs_f64()
        };
        assert_eq!(seconds("1970-01-01T00:00:00Z"), 0.0);
        assert_eq!(seconds("2000-02-29T12:00:00.5Z"), 951_825_600.5);
        assert_eq!(seconds("2026-03-01T01:00:00+01:00"), 1_772_323_200.0);
        assert_eq!(seconds("1772323200.25"), 1_772_323_200.25);
        for text in [
            "",
            "tomorrow",
            "2026-13-01T00:00:00Z",
            "2026-02-31T00:00:00Z",
            "2026-01-01T00:00:00",
            "-5",
            "2026-01-01",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
