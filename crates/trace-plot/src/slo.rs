//! What an answer has to keep to be good.

use trace_core::{Micros, Outcome};

/// A limit on one metric of every request: `ttft_ms=500`, inclusive.
#[derive(Clone, Debug)]
pub struct Slo {
    metric: &'static str,
    read: fn(&Outcome) -> Option<Micros>,
    limit_ms: f64,
}

/// How a metric is read off an outcome.
type Metric = (&'static str, fn(&Outcome) -> Option<Micros>);

const METRICS: [Metric; 7] = [
    ("ttft_ms", |outcome| outcome.ttft_ms),
    ("first_content_ms", |outcome| {
        outcome.first_content_ms.or(outcome.ttft_ms)
    }),
    ("tpot_ms", |outcome| outcome.tpot_ms),
    ("latency_ms", |outcome| outcome.latency_ms),
    ("queue_ms", |outcome| outcome.queue_ms),
    ("user_ttft_ms", |outcome| {
        Some(waited(outcome)? + outcome.ttft_ms?)
    }),
    ("user_latency_ms", |outcome| {
        Some(waited(outcome)? + outcome.latency_ms?)
    }),
];

/// From the schedule to the send.
fn waited(outcome: &Outcome) -> Option<Micros> {
    Some(outcome.sent_ms?.saturating_sub(outcome.scheduled_ms?))
}

impl std::str::FromStr for Slo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, limit) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?}: expected METRIC=MS"))?;
        let found = METRICS.iter().find(|(known, _)| *known == name);
        let &(metric, read) = found.ok_or_else(|| {
            let known: Vec<_> = METRICS.iter().map(|(name, _)| *name).collect();
            format!("{name:?} is none of {}", known.join(", "))
        })?;
        let limit_ms = limit
            .parse()
            .ok()
            .filter(|limit: &f64| limit.is_finite() && *limit > 0.0)
            .ok_or_else(|| format!("{limit:?} is no number of milliseconds above zero"))?;
        Ok(Self {
            metric,
            read,
            limit_ms,
        })
    }
}

impl std::fmt::Display for Slo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ≤ {}", self.metric, self.limit_ms)
    }
}

impl Slo {
    /// Whether `outcome`, a success, keeps it. A time per token that a single
    /// token has not is kept; any other that is missing is not.
    pub fn is_kept(&self, outcome: &Outcome) -> bool {
        match (self.read)(outcome) {
            Some(time) => time.as_millis() <= self.limit_ms,
            None => self.metric == "tpot_ms",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_up_to_itself() {
        let ms = |millis: u64| Some(Micros::from_micros(millis * 1_000));
        let outcome = |ttft_ms| Outcome {
            ttft_ms,
            scheduled_ms: ms(0),
            sent_ms: ms(100),
            ..Outcome::default()
        };
        let slo = |text: &str| text.parse::<Slo>().unwrap();
        assert!(slo("ttft_ms=500").is_kept(&outcome(ms(500))));
        assert!(!slo("ttft_ms=500").is_kept(&outcome(ms(501))));
        assert!(!slo("ttft_ms=500").is_kept(&outcome(None)));
        assert!(slo("tpot_ms=5").is_kept(&outcome(ms(1))));
        assert!(!slo("user_ttft_ms=500").is_kept(&outcome(ms(401))));
        for wrong in [
            "ttft=5",
            "ttft_ms",
            "ttft_ms=x",
            "ttft_ms=-1",
            "ttft_ms=inf",
        ] {
            assert!(wrong.parse::<Slo>().is_err(), "{wrong}");
        }
    }
}
