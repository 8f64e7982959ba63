//! The times in a Grafana export.

use trace_core::date::date;

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
    date(text).map(|micros| micros as f64 / 1e6)
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
        assert_eq!(seconds("1970-01-02"), Some(86_400.0));
        assert_eq!(seconds("2000-02-29 12:00:00.5"), Some(951_825_600.5));
        assert_eq!(seconds("2023-12-31 23:59:59"), Some(1_704_067_199.0));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "soon",
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
