//! What ends a run before its input does: `error_rate>0.1`.

use crate::metric::Metric;
use crate::track::{ENOUGH, Moment, Track};

/// A condition.
#[derive(Debug, Clone)]
pub struct Stop {
    /// As it was typed.
    text: String,
    what: What,
    /// How a number stands to the limit that fires it.
    fires: Compared,
    limit: f64,
}

/// What a condition is about.
#[derive(Debug, Clone, PartialEq)]
enum What {
    /// The share of requests that failed.
    ErrorRate,
    /// Requests that failed.
    Errors,
    /// Requests that were sent and have not ended.
    InFlight,
    /// Answers per second.
    Rate,
    /// For how many seconds the server has fallen behind.
    Saturation,
    /// A quantile of a time, in milliseconds.
    Quantile(Metric, f64),
}

/// Names with one meaning.
const NAMED: [(&str, What); 5] = [
    ("error_rate", What::ErrorRate),
    ("errors", What::Errors),
    ("in_flight", What::InFlight),
    ("rate", What::Rate),
    ("saturation", What::Saturation),
];

/// A comparison.
type Compared = fn(f64, f64) -> bool;

/// The longer sign before what it begins with.
const COMPARED: [(&str, Compared); 4] = [
    (">=", |now, limit| now >= limit),
    ("<=", |now, limit| now <= limit),
    (">", |now, limit| now > limit),
    ("<", |now, limit| now < limit),
];

/// Seconds of `saturation` if none are said.
const LONG: f64 = 10.0;

impl std::str::FromStr for Stop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = COMPARED.iter().find_map(|&(sign, fires)| {
            let (name, limit) = text.split_once(sign)?;
            Some((name.trim(), fires, limit.trim()))
        });
        let Some((name, fires, limit)) = found else {
            if text.trim() == "saturation" {
                return format!("saturation>{LONG}").parse();
            }
            return Err(format!(
                "{text:?}: expected WHAT and a NUMBER with >, <, >= or <= between them"
            ));
        };
        let named = NAMED.iter().find(|(known, _)| *known == name);
        let what = match named {
            Some((_, what)) => what.clone(),
            None => quantile(name).ok_or_else(|| {
                let known = NAMED.map(|(name, _)| name).join(", ");
                format!(
                    "{name:?} is none of {known}, and no quantile such as ttft_p99_ms of one of {}",
                    Metric::names()
                )
            })?,
        };
        let number = match limit.strip_suffix('%') {
            Some(percent) if what == What::ErrorRate => {
                percent.parse().map(|share: f64| share / 100.0).ok()
            }
            _ => limit.parse().ok(),
        };
        let number = number.filter(|limit: &f64| limit.is_finite());
        Ok(Self {
            text: text.to_owned(),
            what,
            fires,
            limit: number.ok_or_else(|| format!("{limit:?} is no number"))?,
        })
    }
}

/// `ttft_p99_ms` as the metric and the quantile.
fn quantile(name: &str) -> Option<What> {
    let (metric, percent) = name.strip_suffix("_ms")?.rsplit_once("_p")?;
    let metric = Metric::named(&format!("{metric}_ms"))?;
    let percent: u32 = percent.parse().ok().filter(|p| (1..=100).contains(p))?;
    Some(What::Quantile(metric, f64::from(percent) / 100.0))
}

/// Looks at a run again and again, whether a condition fires.
#[derive(Debug)]
pub(crate) struct Watch {
    stops: Vec<Stop>,
    track: Track,
}

impl Watch {
    /// For any of `stops`.
    pub(crate) fn new(stops: Vec<Stop>) -> Self {
        Self {
            stops,
            track: Track::default(),
        }
    }

    /// The times whose quantiles are asked for.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let all = self.stops.iter().filter_map(|stop| match stop.what {
            What::Quantile(metric, _) => Some(metric),
            _ => None,
        });
        all.chain(Metric::named("latency_ms")).collect()
    }

    /// What it has seen.
    pub(crate) fn track(&self) -> &Track {
        &self.track
    }

    /// Why the run is to end, if it is.
    pub(crate) fn look(&mut self, moment: Moment<'_>) -> Option<String> {
        self.track.look(moment);
        let fires = |stop: &&Stop| {
            let now = self.value(&stop.what, moment)?;
            let fires = (stop.fires)(now, stop.limit);
            fires.then(|| format!("--stop-on {}: it is {now:.3}", stop.text))
        };
        self.stops.iter().find_map(|stop| fires(&stop))
    }

    /// What a condition is about, once it can be told.
    fn value(&self, what: &What, moment: Moment<'_>) -> Option<f64> {
        let tally = moment.tally;
        let enough = tally.ended >= ENOUGH;
        match what {
            What::Errors => Some(tally.failed() as f64),
            What::InFlight => Some(moment.in_flight as f64),
            What::ErrorRate => enough.then(|| tally.error_rate()),
            What::Quantile(metric, q) if enough => Some(tally.watched(*metric, *q)?.as_millis()),
            What::Quantile(..) => None,
            What::Rate => self.track.rate(moment),
            What::Saturation => Some(self.track.behind(moment.now)?.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests;
