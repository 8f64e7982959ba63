//! Limits: what an answer has to keep, and what ends a run.

use crate::tally::Tally;
use trace_core::Outcome;
use trace_core::time::Micros;

/// A limit on one metric of every request: `ttft_ms=500`.
#[derive(Debug, Clone)]
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

/// From the schedule to the sending.
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

impl Slo {
    /// Whether `outcome` keeps it. A time per token that a single token has
    /// not is kept; any other that is missing is not.
    pub(crate) fn is_kept(&self, outcome: &Outcome) -> bool {
        match (self.read)(outcome) {
            Some(time) => time.as_millis() <= self.limit_ms,
            None => self.metric == "tpot_ms",
        }
    }
}

/// What ends a run: `error_rate>0.1`.
#[derive(Debug, Clone)]
pub struct Stop {
    what: &'static str,
    read: fn(&Tally, usize) -> f64,
    above: f64,
}

/// How a condition is read off a run with so many in flight.
type Reading = (&'static str, fn(&Tally, usize) -> f64);

const READINGS: [Reading; 6] = [
    ("error_rate", |tally, _| tally.error_rate()),
    ("errors", |tally, _| tally.failed() as f64),
    ("in_flight", |_, in_flight| in_flight as f64),
    ("lateness_p99_ms", |tally, _| {
        tally.lateness(0.99).as_millis()
    }),
    ("ttft_p50_ms", |tally, _| tally.ttft(0.5).as_millis()),
    ("ttft_p99_ms", |tally, _| tally.ttft(0.99).as_millis()),
];

/// Requests that must have ended before a share or a quantile says anything.
const ENOUGH: u64 = 20;

impl std::str::FromStr for Stop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, limit) = text
            .split_once('>')
            .ok_or_else(|| format!("{text:?}: expected WHAT>NUMBER"))?;
        let found = READINGS.iter().find(|(known, _)| *known == name.trim());
        let &(what, read) = found.ok_or_else(|| {
            let known: Vec<_> = READINGS.iter().map(|(name, _)| *name).collect();
            format!("{:?} is none of {}", name.trim(), known.join(", "))
        })?;
        let above = limit.trim().parse();
        let above = above.map_err(|_| format!("{:?} is no number", limit.trim()))?;
        Ok(Self { what, read, above })
    }
}

impl Stop {
    /// Why the run ends here, if it does.
    pub(crate) fn fires(&self, tally: &Tally, in_flight: usize) -> Option<String> {
        let counts = matches!(self.what, "errors" | "in_flight");
        let now = (self.read)(tally, in_flight);
        let fires = now > self.above && (counts || tally.ended >= ENOUGH);
        fires.then(|| format!("--stop-on {}>{}: it is {now:.3}", self.what, self.above))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_condition_waits_until_it_means_something() {
        let stop: Stop = "error_rate>0.1".parse().unwrap();
        let mut tally = Tally::default();
        let failed = Outcome {
            error: Some(trace_core::Failure {
                kind: trace_core::ErrorKind::Http,
                message: String::new(),
            }),
            ..Outcome::default()
        };
        for _ in 0..19 {
            tally.add(&failed, Micros::ZERO);
            assert_eq!(stop.fires(&tally, 0), None);
        }
        tally.add(&failed, Micros::ZERO);
        assert!(stop.fires(&tally, 0).is_some());
        let full: Stop = "in_flight > 9".parse().unwrap();
        assert!(full.fires(&Tally::default(), 10).is_some());
        assert!("error_rate<1".parse::<Stop>().is_err());
    }
}
