//! What an answer has to keep to be good.

use crate::metric::Metric;
use trace_core::Outcome;
use trace_core::cli::SloClock as Clock;

/// A limit on one metric of every request: `ttft_ms=500`.
#[derive(Debug, Clone)]
pub struct Slo {
    metric: Metric,
    limit_ms: f64,
}

impl std::str::FromStr for Slo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, limit) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?}: expected METRIC=MS"))?;
        let metric = Metric::named(name)
            .ok_or_else(|| format!("{name:?} is none of {}", Metric::names()))?;
        let limit_ms = limit
            .parse()
            .ok()
            .filter(|limit: &f64| limit.is_finite() && *limit > 0.0)
            .ok_or_else(|| format!("{limit:?} is no number of milliseconds above zero"))?;
        Ok(Self { metric, limit_ms })
    }
}

impl Slo {
    /// What it is about by `clock`.
    pub(crate) fn judged(&self, clock: Clock) -> Metric {
        match clock {
            Clock::Scheduled => self.metric.for_users(),
            Clock::Sent => self.metric,
        }
    }

    /// Whether `outcome` keeps it by `clock`. A time per token that a single token has
    /// not is kept, and a time to connect where nothing was connected; any
    /// other that is missing is not.
    pub(crate) fn is_kept(&self, outcome: &Outcome, clock: Clock) -> bool {
        match self.judged(clock).of(outcome) {
            Some(time) => time.as_millis() <= self.limit_ms,
            None => matches!(self.metric.name, "tpot_ms" | "connect_ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::time::Micros;

    fn ms(millis: u64) -> Option<Micros> {
        Some(Micros::from_micros(millis * 1_000))
    }

    #[test]
    fn a_limit_is_kept_up_to_itself() {
        let slo: Slo = "ttft_ms=500".parse().unwrap();
        let at = |ttft| Outcome {
            ttft_ms: ttft,
            ..Outcome::default()
        };
        let is_kept = |ttft| slo.is_kept(&at(ttft), Clock::Sent);
        assert!(is_kept(ms(500)) && !is_kept(ms(501)) && !is_kept(None));
        for wrong in ["ttft=5", "ttft_ms", "ttft_ms=x", "ttft_ms=-1"] {
            assert!(wrong.parse::<Slo>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_waited_to_be_sent_waited() {
        let waited = |ttft| Outcome {
            scheduled_ms: ms(0),
            sent_ms: ms(100),
            ttft_ms: ms(ttft),
            first_content_ms: ms(ttft),
            latency_ms: ms(ttft),
            tpot_ms: ms(ttft),
            ..Outcome::default()
        };
        for name in ["ttft_ms", "first_content_ms", "latency_ms", "user_ttft_ms"] {
            let slo: Slo = format!("{name}=500").parse().unwrap();
            let is_kept = |ttft, clock| slo.is_kept(&waited(ttft), clock);
            assert!(is_kept(400, Clock::Scheduled), "{name}");
            assert!(!is_kept(401, Clock::Scheduled), "{name}");
            let by_user = name.starts_with("user");
            assert_eq!(is_kept(401, Clock::Sent), !by_user, "{name}");
        }
        let per_token: Slo = "tpot_ms=500".parse().unwrap();
        assert!(per_token.is_kept(&waited(401), Clock::Scheduled));
    }
}
