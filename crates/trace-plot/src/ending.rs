//! How the requests of a run ended, and what a picture says about those it
//! cannot show.
//!
//! A failure belongs to every distribution, as a request that would have taken
//! for ever. One that was cancelled by hand or never tried says nothing about
//! the server; it is left out and its number is told.

use std::collections::BTreeMap;

use trace_core::ErrorKind;

use crate::{kinds::Nothing, number, sample::Sample};

/// How the requests of a run ended.
#[derive(Clone, Debug, Default)]
pub struct Endings {
    /// Failures, by kind.
    failures: BTreeMap<ErrorKind, u64>,
    /// Cancelled or never tried.
    unserved: u64,
    /// Succeeded, but without the time that is drawn.
    untimed: u64,
    succeeded: u64,
    /// Lines that do not tell what happened.
    requests: u64,
}

/// How one request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With the time that is drawn.
    Succeeded,
    /// Tried, and not answered.
    Failed,
    /// Not to be drawn.
    Apart,
}

impl Endings {
    /// Count `sample`; `timed` says whether it has the time that is drawn.
    pub fn count(&mut self, sample: &Sample<'_>, timed: bool) -> Ending {
        let Some(outcome) = sample.outcome else {
            self.requests += 1;
            return Ending::Apart;
        };
        match &outcome.error {
            Some(failure) if failure.kind.is_unserved() => {
                self.unserved += 1;
                Ending::Apart
            }
            Some(failure) => {
                *self.failures.entry(failure.kind).or_default() += 1;
                Ending::Failed
            }
            None if timed => {
                self.succeeded += 1;
                Ending::Succeeded
            }
            None => {
                self.untimed += 1;
                Ending::Apart
            }
        }
    }

    /// Requests that were tried and failed.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Why there is nothing to draw of `field`.
    pub fn nothing(&self, field: &str) -> Nothing {
        let (failed, untimed) = (self.failed(), self.untimed);
        Nothing(match (failed, untimed, self.unserved) {
            (0, 0, 0) => format!("no line is an outcome with {field}"),
            (0, 0, _) => "every request was cancelled or skipped".to_owned(),
            (_, 0, _) => format!("every request failed ({})", self.kinds()),
            (_, _, _) => format!("no request that succeeded has {field}"),
        })
    }

    /// That failures are not drawn, if there are any.
    pub fn failures(&self) -> Option<String> {
        let failed = self.failed();
        (failed > 0).then(|| {
            let requests = number::counted(failed, "request");
            let are = if failed == 1 { "is" } else { "are" };
            format!("{requests} failed ({}) and {are} not drawn", self.kinds())
        })
    }

    /// What a picture of `field` leaves out.
    pub fn notes(&self, field: &str) -> Vec<String> {
        let counts = [
            (
                self.unserved,
                "cancelled or skipped, not counted".to_owned(),
            ),
            (
                self.untimed,
                format!("succeeded without {field}, not counted"),
            ),
            (self.requests, "without an outcome, not counted".to_owned()),
        ];
        let some = counts.into_iter().filter(|(count, _)| *count > 0);
        some.map(|(count, what)| format!("{} {what}", number::counted(count, "request")))
            .collect()
    }

    /// `http 3, timeout 1`
    pub fn kinds(&self) -> String {
        let each = self.failures.iter();
        let each: Vec<_> = each
            .map(|(kind, count)| format!("{} {}", kind.as_str(), number::exact(*count)))
            .collect();
        each.join(", ")
    }

    /// Requests that were tried.
    pub fn tried(&self) -> u64 {
        self.succeeded + self.failed()
    }
}

#[cfg(test)]
mod tests {
    use trace_core::{Line, Request};

    use super::*;

    fn ended(lines: &[&str]) -> (Endings, Vec<Ending>) {
        let mut endings = Endings::default();
        let counted = lines.iter().map(|text| {
            let line = Line::parse("t", &format!("{{\"input_length\":1{text}}}")).unwrap();
            let outcome = line.outcome().unwrap();
            let timed = outcome
                .as_ref()
                .is_some_and(|outcome| outcome.latency_ms.is_some());
            let request = Request::default();
            endings.count(
                &Sample {
                    group: 0,
                    request: &request,
                    outcome: outcome.as_ref(),
                },
                timed,
            )
        });
        let counted = counted.collect();
        (endings, counted)
    }

    #[test]
    fn each_line_ends_one_way() {
        let (endings, counted) = ended(&[
            "",
            ",\"latency_ms\":5",
            ",\"status\":200",
            ",\"latency_ms\":5,\"error\":{\"kind\":\"http\",\"message\":\"500\"}",
            ",\"error\":{\"kind\":\"cancelled\",\"message\":\"^C\"}",
        ]);
        use Ending::{Apart, Failed, Succeeded};
        assert_eq!(counted, [Apart, Succeeded, Apart, Failed, Apart]);
        assert_eq!((endings.tried(), endings.failed()), (2, 1));
        assert_eq!(
            endings.notes("latency_ms"),
            [
                "1 request cancelled or skipped, not counted",
                "1 request succeeded without latency_ms, not counted",
                "1 request without an outcome, not counted",
            ]
        );
    }

    #[test]
    fn nothing_says_why() {
        let why = |lines: &[&str]| ended(lines).0.nothing("latency_ms").to_string();
        assert_eq!(why(&[""]), "no line is an outcome with latency_ms");
        let failed = ",\"error\":{\"kind\":\"connect\",\"message\":\"refused\"}";
        assert_eq!(why(&[failed, failed]), "every request failed (connect 2)");
        assert_eq!(
            why(&[",\"status\":200"]),
            "no request that succeeded has latency_ms"
        );
        let skipped = ",\"error\":{\"kind\":\"skipped\",\"message\":\"\"}";
        assert_eq!(why(&[skipped]), "every request was cancelled or skipped");
    }
}
