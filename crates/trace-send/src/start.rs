//! Moments by the wall clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The moment that `text` names: `2026-01-02T03:04:05.5Z`, the same with an
/// offset such as `+01:00`, or seconds since 1970.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(text: &str) -> Result<SystemTime, String> {
    let wrong = || format!("{text:?}: expected 2026-01-02T03:04:05Z or seconds since 1970");
    let seconds = match text.parse::<f64>() {
        Ok(seconds) => seconds,
        Err(_) => civil(text).ok_or_else(wrong)?,
    };
    let since = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    UNIX_EPOCH.checked_add(since).ok_or_else(wrong)
}

/// Seconds since 1970 of a date and time as RFC 3339 has them.
fn civil(text: &str) -> Option<f64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone);
    let mut time = time.split(':');
    let hour: i64 = time.next()?.parse().ok()?;
    let minute: i64 = time.next()?.parse().ok()?;
    let second: f64 = time.next()?.parse().ok()?;
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    let fits = fits && (0..24).contains(&hour) && (0..60).contains(&minute);
    if !fits || !(0.0..61.0).contains(&second) || date.next().is_some() || time.next().is_some() {
        return None;
    }
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if zone.starts_with('-') {
                -minutes
            } else {
                minutes
            }
        }
    };
    let minutes = (days(year, month, day) * 24 + hour) * 60 + minute - offset;
    Some(minutes as f64 * 60.0 + second)
}

/// Days since 1970 of a date in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March, so that the leap day is its last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
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
            "2026-01-01T00:00:00",
            "-5",
            "2026-01-01",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
