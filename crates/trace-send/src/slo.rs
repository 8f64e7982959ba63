//! What an answer has to keep to be good.

use crate::metric::Metric;
use trace_core::Outcome;

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
    /// Whether `outcome` keeps it. A time per token that a single token has
    /// not is kept, and a time to connect where nothing was connected; any
    /// other that is missing is not.
    pub(crate) fn is_kept(&self, outcome: &Outcome) -> bool {
        match self.metric.of(outcome) {
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
        assert!(slo.is_kept(&at(ms(500))) && !slo.is_kept(&at(ms(501))));
        assert!(!slo.is_kept(&at(None)));
        let user: Slo = "user_ttft_ms=500".parse().unwrap();
        let waited = Outcome {
            scheduled_ms: ms(0),
            sent_ms: ms(100),
            ..at(ms(401))
        };
        assert!(!user.is_kept(&waited));
        for wrong in ["ttft=5", "ttft_ms", "ttft_ms=x", "ttft_ms=-1"] {
            assert!(wrong.parse::<Slo>().is_err(), "{wrong}");
        }
    }
}
