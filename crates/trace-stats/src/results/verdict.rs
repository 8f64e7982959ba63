//! Whether the client, not the server, set the pace.

use super::Service;
use crate::report::Value;

/// The p99 of lateness above which a run is called client-limited, in ms.
///
/// A token takes 5 ms at the fast end of what servers stream today; a client
/// that is later than that moves every quantile it reports.
pub const LATENESS_LIMIT_MS: f64 = 5.0;

/// Whether the numbers of a run are the server's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The 99th percentile of lateness in ms; unknown if nobody told.
    p99: Option<f64>,
}

impl Verdict {
    /// The verdict on a run.
    pub fn of(service: &Service) -> Self {
        let lateness = service.metric("lateness_ms");
        Self {
            p99: lateness.and_then(|spread| spread.p99),
        }
    }

    /// Whether the client, not the server, set the pace; unknown without
    /// lateness.
    pub fn client_limited(self) -> Option<bool> {
        self.p99.map(|p99| p99 > LATENESS_LIMIT_MS)
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
            format!(
                "client-limited: a hundredth of the requests left {p99:.3} ms late or more (limit {LATENESS_LIMIT_MS} ms), \
                 so these are not the server's numbers alone; use a faster or a second client, or a lower rate"
            )
        } else {
            format!(
                "the client kept its schedule: p99 lateness {p99:.3} ms (limit {LATENESS_LIMIT_MS} ms)"
            )
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
        let verdict = |outcome| Verdict::of(&service(&[outcome])).client_limited();
        assert_eq!(verdict(served(0.0, 5.001, 1.0, 2.0)), Some(true));
        assert_eq!(verdict(served(0.0, 5.0, 1.0, 2.0)), Some(false));
        assert_eq!(verdict(Outcome::default()), None);
    }
}
