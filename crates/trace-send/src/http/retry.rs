//! When a server wants to be asked again.

use std::time::{Duration, SystemTime};

/// What `retry-after` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// In so many seconds.
    In(Duration),
    /// At that time of the server's clock.
    At(SystemTime),
}

impl RetryAfter {
    /// Read the value of the field: seconds, or a date in any of the three
    /// spellings of RFC 9110. Anything else says nothing.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        if value.starts_with(|c: char| c.is_ascii_digit()) {
            let seconds = value.parse().ok()?;
            return Some(Self::In(Duration::from_secs(seconds)));
        }
        httpdate::parse_http_date(value).ok().map(Self::At)
    }

    /// How long that is from `now`: no time for a date that has passed.
    pub fn wait(self, now: SystemTime) -> Duration {
        match self {
            Self::In(wait) => wait,
            Self::At(then) => then.duration_since(now).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        let wait = |value| RetryAfter::parse(value).map(|after| after.wait(now).as_secs());
        assert_eq!(wait("120"), Some(120));
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(wait(date), Some(7), "{date}");
        }
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:00 GMT"), Some(0), "it is over");
        for nothing in ["", "soon", "-1", "1.5", "99999999999999999999"] {
            assert_eq!(wait(nothing), None, "{nothing}");
        }
    }
}
