//! The times in a Grafana export.

/// The moment that `text` tells, in seconds since 1970 if it has a zone, else
/// of the clock it was read from: only differences are used.
///
/// `2024-10-01 00:00:30`, with `T`, a fraction and a zone or without; or
/// seconds or milliseconds since 1970. Nothing if it is neither.
pub fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        // Seconds reach this in the year 5138; milliseconds had by 1973.
        const MILLISECONDS: f64 = 1e11;
        let is_time = number.is_finite() && number >= 0.0;
        let unit = if number < MILLISECONDS { 1.0 } else { 1000.0 };
        return is_time.then_some(number / unit);
    }
    let (date, clock) = text.split_once(['T', ' '])?;
    let mut parts = date.split(['-', '/']);
    let [year, month, day] = [parts.next()?, parts.next()?, parts.next()?].map(whole);
    let days = days(year?, month?, day?).filter(|_| parts.next().is_none())?;
    let clock = clock.trim();
    let (clock, zone) = match clock.find(['Z', '+', '-']) {
        Some(at) => (clock[..at].trim_end(), zone(&clock[at..])?),
        None => (clock, 0.0),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (whole(parts.next()?)?, whole(parts.next()?)?);
    let second: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let fits = hour < 24 && minute < 60 && (0.0..61.0).contains(&second);
    let time = (days * 86_400 + hour * 3_600 + minute * 60) as f64 + second - zone;
    (fits && parts.next().is_none()).then_some(time)
}

fn whole(text: &str) -> Option<i64> {
    let is_plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// `Z`, `+02:00`, `+0200` or `+02`, in seconds.
fn zone(text: &str) -> Option<f64> {
    let sign = match text.as_bytes()[0] {
        b'Z' => return (text.len() == 1).then_some(0.0),
        b'-' => -1.0,
        _ => 1.0,
    };
    let digits = text[1..].replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (whole(&digits)?, 0),
        4 => (whole(digits.get(..2)?)?, whole(digits.get(2..)?)?),
        _ => return None,
    };
    Some(sign * (hours * 3_600 + minutes * 60) as f64)
}

/// Days since 1970 of a date, after Howard Hinnant's "days from civil": years
/// begin in March, so that the odd day comes last.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let shifted = if month > 2 { year } else { year - 1 };
    let century = shifted.div_euclid(400);
    let of_century = shifted - century * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = of_century * 365 + of_century / 4 - of_century / 100 + of_year;
    (1..=length)
        .contains(&day)
        .then_some(century * 146_097 + days - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_telling_a_time_tells_the_same() {
        let expected = Some(1_727_740_830.0);
        for text in [
            "2024-10-01 00:00:30",
            "2024-10-01T00:00:30Z",
            "2024/10/01 00:00:30.000",
            "2024-10-01T02:00:30+02:00",
            "2024-09-30 19:00:30 -0500",
            "1727740830",
            "1727740830000",
            "1.72774083e12",
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        assert_eq!(seconds("1970-01-01 00:00"), Some(0.0));
        assert_eq!(seconds("2000-02-29 12:00:00.5"), Some(951_825_600.5));
        assert_eq!(seconds("2023-12-31 23:59:59"), Some(1_704_067_199.0));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "soon",
            "2024-10-01",
            "2023-02-29 00:00:00",
            "2024-13-01 00:00:00",
            "2024-10-01 24:00:00",
            "2024-10-01 00:00:00 CEST",
            "-5",
            "NaN",
            "2024-10-01 00:00:00:00",
            "2024-10-1x 00:00:00",
            "2024-10-01 00:00:00+2",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
