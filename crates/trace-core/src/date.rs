//! Dates and times of day as people and logs write them.

/// The microseconds since 1970 of a date like `2023-11-16 18:17:03.9799600`,
/// `2024-05-10T00:00:00Z`, `…+02:00` or `… UTC`, with a comma before the
/// fraction as Python logs it, or slashes in the day; without a zone it is
/// taken as UTC, see [`has_zone`]. Nothing if it is none.
pub fn date(text: &str) -> Option<i64> {
    let text = text.trim();
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let (day, rest) = (text.get(..10)?, text.get(10..)?);
    let between = if day.contains('/') { '/' } else { '-' };
    let mut parts = day.split(between).map(|part| {
        let plain = part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| plain)
    });
    let (year, month, of_month) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1..=12).contains(&month) {
        return None;
    }
    if !(1..=days_of_month(year, month)).contains(&of_month) {
        return None;
    }
    let days = days_from_civil(year, month, of_month);
    if rest.is_empty() {
        return Some(days * 86_400_000_000);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone);
    let mut parts = time.trim_end().split(':');
    let hour = two_digits(parts.next()?)?;
    let minute = two_digits(parts.next()?)?;
    let second = parts.next().unwrap_or("0");
    if parts.next().is_some() || hour > 23 || minute > 59 {
        return None;
    }
    let local = (days * 24 + hour) * 60 + minute;
    Some((local - offset(zone)?) * 60_000_000 + seconds(second)?)
}

/// Minutes east of Greenwich: `Z`, `+02:00`, `+0200`, `+02`, or nothing.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let digits = zone[1..].replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (two_digits(&digits)?, 0),
        4 => (two_digits(digits.get(..2)?)?, two_digits(digits.get(2..)?)?),
        _ => return None,
    };
    let real = hours < 24 && minutes < 60;
    real.then_some(sign * (hours * 60 + minutes))
}

/// Microseconds of `03`, `03.9799600` or `03,979`; 60 is a leap second.
fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos = (0..9).fold(0, |nanos, place| {
        let digit = fraction.as_bytes().get(place).map_or(0, |b| b - b'0');
        nanos * 10 + i64::from(digit)
    });
    let whole = two_digits(whole).filter(|whole| *whole < 61)?;
    Some(whole * 1_000_000 + (nanos + 500) / 1_000)
}

fn two_digits(text: &str) -> Option<i64> {
    let plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Whether what [`date`] reads says which zone it is of.
pub fn has_zone(text: &str) -> bool {
    let time = text.trim().get(10..).unwrap_or("");
    time.contains(['Z', 'z', '+', '-']) || time.ends_with(" UTC")
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar (Howard
/// Hinnant's `days_from_civil`).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_spelling() {
        let day = 19_677 * 86_400_000_000;
        let time = day + ((18 * 60 + 17) * 60 + 3) * 1_000_000;
        for (text, micros) in [
            ("2023-11-16 18:17:03.9799600", time + 979_960),
            ("2023-11-16 18:17:03", time),
            ("2023-11-16T18:17:03Z", time),
            ("2023-11-16T20:17:03.5+02:00", time + 500_000),
            ("2023-11-16 18:17:03.009930+00:00", time + 9_930),
            ("2023-11-16 17:17:03-0100", time),
            ("2023-11-16", day),
            ("2023-11-16 18:17:03 UTC", time),
            ("2023-11-16 18:17:03,979", time + 979_000),
            ("2023/11/16 18:17:03", time),
        ] {
            assert_eq!(date(text), Some(micros), "{text}");
        }
        for bad in [
            "2023-13-01",
            "2023-02-29",
            "2100-02-29",
            "2023-11-31 00:00:00",
            "2023-11-16 25:00:00",
            "17:00:00",
            "2023-11-16x",
            "12345678901",
            "16/11/2023",
            "2023-11/16",
            "2023-11-16 18:17:03+\u{20ac}a",
            "2023-11-16 18:17:03+99:00",
            "",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_zone_is_told_or_not() {
        for text in [
            "2023-11-16T18:17:03Z",
            "2023-11-16 18:17:03-0100",
            "2023-11-16 18:17:03 UTC",
        ] {
            assert!(has_zone(text), "{text}");
        }
        assert!(!has_zone("2023-11-16 18:17:03"));
    }
}
