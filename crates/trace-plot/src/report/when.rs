//! When a run was.

use std::time::{Duration, UNIX_EPOCH};

use trace_core::Outcome;

/// The first and the last request sent, on the wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct When {
    /// Milliseconds since 1970.
    ends: Option<(f64, f64)>,
}

impl When {
    /// Take the time at which a request was sent, if it was.
    pub(super) fn see(&mut self, outcome: Option<&Outcome>) {
        let Some(at) = outcome.and_then(|outcome| outcome.sent_unix_ms) else {
            return;
        };
        let at = at.as_millis();
        let (first, last) = self.ends.unwrap_or((at, at));
        self.ends = Some((first.min(at), last.max(at)));
    }

    /// `from … to …`, if any request told.
    pub(super) fn in_words(&self) -> Option<String> {
        let (first, last) = self.ends?;
        Some(format!("{} to {}", date(first)?, date(last)?))
    }
}

/// The date and the time of day of `unix_ms`; nothing beyond the year 9999.
fn date(unix_ms: f64) -> Option<String> {
    const YEAR_10000_MS: f64 = 253_402_300_800_000.0;
    if !(0.0..YEAR_10000_MS).contains(&unix_ms) {
        return None;
    }
    let since = Duration::from_secs_f64(unix_ms / 1e3);
    Some(httpdate::fmt_http_date(UNIX_EPOCH + since))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_lasts_from_its_first_to_its_last_request() {
        assert_eq!(When::default().in_words(), None);
        let when = When {
            ends: Some((784_111_777_000.0, 784_111_837_999.0)),
        };
        let words = when.in_words().unwrap();
        assert_eq!(
            words,
            "Sun, 06 Nov 1994 08:49:37 GMT to Sun, 06 Nov 1994 08:50:37 GMT"
        );
        assert_eq!(date(f64::NAN), None);
        assert_eq!(date(1e18), None);
    }
}
