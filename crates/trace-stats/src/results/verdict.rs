//! Whether the client, not the server, set the pace.

use super::Service;
use crate::report::Value;
use trace_core::Micros;
use trace_core::verdict::{self, CLIENT_LIMIT};

/// The p99 of lateness above which a run is called client-limited, in ms.
pub const LATENESS_LIMIT_MS: f64 = CLIENT_LIMIT.as_micros() as f64 / 1_000.0;

/// Whether the numbers of a run are the server's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The 99th percentile of lateness; unknown if nobody told.
    p99: Option<Micros>,
    /// Requests that left later than may be.
    late: u64,
}

impl Verdict {
    /// The verdict on a run.
    pub fn of(service: &Service) -> Self {
        let lateness = service.metric("lateness_ms");
        let p99 = lateness.and_then(|spread| spread.p99);
        Self {
            p99: p99.and_then(Micros::from_millis),
            late: service.late,
        }
    }

    /// Whether the client, not the server, set the pace; unknown without
    /// lateness.
    pub fn client_limited(self) -> Option<bool> {
        self.p99.map(|p99| verdict::is_late(self.late, p99))
    }

    pub(super) fn push_scalars(self, scalars: &mut Vec<(&'static str, Value)>) {
        scalars.extend([
            ("client_limited", Value::Verdict(self.client_limited())),
            ("lateness_limit_ms", Value::Measure(Some(LATENESS_LIMIT_MS))),
        ]);
    }

    /// The same in plain words.
    pub fn in_words(self) -> Option<String> {
        let p99 = self.p99?;
        Some(if self.client_limited()? {
            verdict::late(p99, verdict::ADVICE)
        } else if p99 > CLIENT_LIMIT {
            let requests = if self.late == 1 {
                "request"
            } else {
                "requests"
            };
            format!(
                "the client kept its schedule but for {} {requests}, too few for a verdict: p99 lateness {p99} ms (limit {CLIENT_LIMIT} ms)",
                self.late
            )
        } else {
            format!("the client kept its schedule: p99 lateness {p99} ms (limit {CLIENT_LIMIT} ms)")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{served, service};
    use super::*;
    use trace_core::Outcome;

    #[test]
    fn a_late_client_is_called_out() {
        let verdict = |outcomes: &[Outcome]| Verdict::of(&service(outcomes));
        let late = served(0.0, 5.001, 1.0, 2.0);
        let said = verdict(&[late.clone(), late.clone(), late.clone()]);
        assert_eq!(said.client_limited(), Some(true));
        let words = said.in_words().unwrap();
        assert!(
            words.starts_with("client-limited: p99 lateness 5.001 ms is above 5 ms, so"),
            "{words}"
        );
        let few = verdict(&[late.clone(), late]);
        assert_eq!(
            few.client_limited(),
            Some(false),
            "one or two are no verdict"
        );
        assert_eq!(
            few.in_words().unwrap(),
            "the client kept its schedule but for 2 requests, too few for a verdict: p99 lateness 5.001 ms (limit 5 ms)"
        );
        let prompt = vec![served(0.0, 5.0, 1.0, 2.0); 3];
        assert_eq!(verdict(&prompt).client_limited(), Some(false));
        assert_eq!(verdict(&[Outcome::default()]).client_limited(), None);
    }
}
