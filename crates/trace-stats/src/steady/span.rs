//! A stretch of a run that is looked at alone.

use serde::{Deserialize, Serialize};
use std::str::FromStr;
use trace_core::{Micros, parse_duration};

/// From one moment of a run on, and before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first moment that is in it.
    #[serde(with = "crate::partial::micros::plain")]
    pub from: Micros,
    /// The first moment that is beyond it; none if it goes on to the end.
    #[serde(with = "crate::partial::micros")]
    pub to: Option<Micros>,
}

impl Span {
    /// Whether `time` is in it.
    pub fn holds(self, time: Micros) -> bool {
        self.from <= time && self.to.is_none_or(|to| time < to)
    }

    /// `12.5 s to 60 s`, `12.5 s to the end`.
    pub fn in_words(self) -> String {
        let to = self.to.map(|to| format!("{} s", to.as_secs()));
        format!(
            "{} s to {}",
            self.from.as_secs(),
            to.unwrap_or("the end".to_owned())
        )
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a stretch of time is A..B, A.. or ..B, as in 30s..10m".to_owned();
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        if from.is_empty() && to.is_empty() {
            return Err(wrong());
        }
        let time = |text: &str| (!text.is_empty()).then(|| parse_duration(text)).transpose();
        let span = Self {
            from: time(from)?.unwrap_or_default(),
            to: time(to)?,
        };
        if span.to.is_some_and(|to| to <= span.from) {
            return Err(format!("{text:?} ends before it begins"));
        }
        Ok(span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_may_be_left_out() {
        let holds = |text: &str| {
            let span: Span = text.parse().unwrap();
            [0, 10, 20, 30].map(|second| span.holds(Micros::from_micros(second * 1_000_000)))
        };
        assert_eq!(holds("10s..30s"), [false, true, true, false]);
        assert_eq!(holds("10.."), [false, true, true, true]);
        assert_eq!(holds("..10s"), [true, false, false, false]);
        for wrong in ["..", "10s", "5s..5s", "a..b", ""] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong:?}");
        }
    }
}
