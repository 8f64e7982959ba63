//! The highest rate or concurrency that still keeps the limits: doubled until
//! it breaks, then halved between the last that held and the first that broke.

mod level;

pub(crate) use level::{Answer, Level};

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Requests per second.
    Rate,
    /// Requests in flight.
    Concurrency,
}

impl What {
    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Concurrency => "concurrency",
        }
    }
}

/// A search, and how far it has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// What is tried.
    pub what: What,
    low: f64,
    high: f64,
    held: Option<f64>,
    broke: Option<f64>,
}

impl std::str::FromStr for Search {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?}: expected rate=LOW..HIGH or concurrency=LOW..HIGH");
        let (name, range) = text.split_once('=').ok_or_else(wrong)?;
        let what = match name {
            "rate" => What::Rate,
            "concurrency" => What::Concurrency,
            _ => return Err(wrong()),
        };
        let (low, high) = range.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
        let (low, high) = number(low).zip(number(high)).ok_or_else(wrong)?;
        let whole = what == What::Rate || (low.fract() == 0.0 && low >= 1.0 && high.fract() == 0.0);
        if low <= 0.0 || high < low || !whole || high > 1e6 {
            return Err(wrong());
        }
        Ok(Self {
            what,
            low,
            high,
            held: None,
            broke: None,
        })
    }
}

impl Search {
    /// What to try next; nothing when it is found out.
    pub fn next(&self) -> Option<f64> {
        match (self.held, self.broke) {
            (None, None) => Some(self.low),
            (None, Some(_)) => None,
            (Some(held), None) => (held < self.high).then(|| (held * 2.0).min(self.high)),
            (Some(held), Some(broke)) => match self.what {
                What::Concurrency => (broke - held > 1.0).then(|| ((held + broke) / 2.0).floor()),
                // Nearer than that, two runs of one rate differ by more. A
                // tenth of a hundredth is as fine as a label should be.
                What::Rate => (broke / held > 1.05)
                    .then(|| ((held + broke) / 2.0 * 1_000.0).round() / 1_000.0)
                    .filter(|next| *next > held && *next < broke),
            },
        }
    }

    /// `value` was tried and held, or broke.
    pub fn tried(&mut self, value: f64, held: bool) {
        if held {
            self.held = Some(value);
        } else {
            self.broke = Some(value);
        }
    }

    /// The highest that held, and the lowest that broke.
    pub fn found(&self) -> (Option<f64>, Option<f64>) {
        (self.held, self.broke)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a search tries where everything up to `most` holds.
    fn tried(text: &str, most: f64) -> (Vec<f64>, (Option<f64>, Option<f64>)) {
        let mut search: Search = text.parse().unwrap();
        let mut values = Vec::new();
        while let Some(value) = search.next() {
            values.push(value);
            search.tried(value, value <= most);
            assert!(values.len() < 100);
        }
        (values, search.found())
    }

    #[test]
    fn the_highest_that_holds_is_found() {
        let (values, found) = tried("concurrency=1..100", 13.0);
        assert_eq!(values, [1.0, 2.0, 4.0, 8.0, 16.0, 12.0, 14.0, 13.0]);
        assert_eq!(found, (Some(13.0), Some(14.0)));
        let (_, (held, broke)) = tried("rate=0.5..1000", 77.7);
        let (held, broke) = (held.unwrap(), broke.unwrap());
        assert!(held <= 77.7 && broke > 77.7 && broke / held <= 1.05);
    }

    #[test]
    fn both_ends_may_be_the_answer() {
        assert_eq!(
            tried("concurrency=4..9", 1.0),
            (vec![4.0], (None, Some(4.0)))
        );
        assert_eq!(
            tried("concurrency=4..9", 50.0),
            (vec![4.0, 8.0, 9.0], (Some(9.0), None))
        );
    }

    #[test]
    fn senseless_ranges_are_refused() {
        for text in [
            "rate",
            "rate=5",
            "rate=5..1",
            "rate=0..1",
            "x=1..2",
            "concurrency=1.5..3",
        ] {
            assert!(text.parse::<Search>().is_err(), "{text}");
        }
    }
}
