//! What ends a run before its input does: `error_rate>0.1`.

use crate::metric::Metric;
use crate::tally::Tally;
use std::collections::VecDeque;
use trace_core::time::Micros;

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// As it was typed.
    text: String,
    what: What,
    /// Whether it fires above the limit, not below.
    above: bool,
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

/// Seconds of `saturation` if none are said.
const LONG: f64 = 10.0;

/// Requests that must have ended before a share or a quantile says anything.
const ENOUGH: u64 = 20;

/// Over how long a rate is taken.
const WINDOW: Micros = Micros::from_micros(5_000_000);

/// Between two moments that are kept.
const STEP: Micros = Micros::from_micros(1_000_000);

/// Moments that are kept, some three hours.
const MOST_KEPT: usize = 10_000;

impl std::str::FromStr for Stop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(at) = text.find(['>', '<']) else {
            if text.trim() == "saturation" {
                return format!("saturation>{LONG}").parse();
            }
            return Err(format!("{text:?}: expected WHAT>NUMBER or WHAT<NUMBER"));
        };
        let (name, limit) = (text[..at].trim(), text[at + 1..].trim());
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
        let limit: Option<f64> = limit.parse().ok().filter(|limit: &f64| limit.is_finite());
        Ok(Self {
            text: text.to_owned(),
            what,
            above: text[at..].starts_with('>'),
            limit: limit.ok_or_else(|| format!("{:?} is no number", text[at + 1..].trim()))?,
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

/// A run at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// Since it began.
    pub now: Micros,
    /// What has ended.
    pub tally: &'a Tally,
    /// Requests that were sent and have not ended.
    pub in_flight: usize,
}

/// What was so at an earlier moment.
#[derive(Debug, Clone, Copy)]
struct Past {
    at: Micros,
    /// Requests that had been sent.
    sent: u64,
    /// Requests that had ended.
    ended: u64,
    /// How long the last of them had waited to be sent.
    queue: Micros,
}

/// Looks at a run again and again, whether a condition fires.
#[derive(Debug)]
pub(crate) struct Watch {
    stops: Vec<Stop>,
    past: VecDeque<Past>,
    /// Since when the server has fallen behind.
    behind: Option<Micros>,
}

impl Watch {
    /// For any of `stops`.
    pub(crate) fn new(stops: Vec<Stop>) -> Self {
        Self {
            stops,
            past: VecDeque::new(),
            behind: None,
        }
    }

    /// The times whose quantiles are asked for.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let latency = Metric::named("latency_ms");
        let all = self.stops.iter().filter_map(|stop| match stop.what {
            What::Quantile(metric, _) => Some(metric),
            What::Saturation => latency,
            _ => None,
        });
        all.collect()
    }

    /// Why the run is to end, if it is.
    pub(crate) fn look(&mut self, moment: Moment<'_>) -> Option<String> {
        if self.stops.is_empty() {
            return None;
        }
        let last = self.past.back().map(|past| past.at);
        if last.is_none_or(|last| moment.now >= last + STEP) {
            let tally = moment.tally;
            self.past.push_back(Past {
                at: moment.now,
                sent: tally.ended + moment.in_flight as u64,
                ended: tally.ended,
                queue: tally.queue,
            });
            if self.past.len() > MOST_KEPT {
                self.past.pop_front();
            }
            let behind = self.is_behind(moment);
            self.behind = self.behind.or(Some(moment.now)).filter(|_| behind);
        }
        let fires = |stop: &&Stop| {
            let now = self.value(&stop.what, moment)?;
            let fires = if stop.above {
                now > stop.limit
            } else {
                now < stop.limit
            };
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
            What::Rate => {
                let past = self.before(moment.now, WINDOW)?;
                let passed = moment.now.saturating_sub(past.at).as_secs();
                Some((tally.ended - past.ended) as f64 / passed)
            }
            What::Saturation => {
                let since = self.behind?;
                Some(moment.now.saturating_sub(since).as_secs())
            }
        }
    }

    /// Whether fewer than nine in ten of the requests that came due ended in
    /// the last five seconds.
    fn is_behind(&self, moment: Moment<'_>) -> bool {
        let now = moment.now;
        let (Some(last), Some(before)) = (self.past.back(), self.before(now, WINDOW)) else {
            return false;
        };
        // Where a cap makes requests wait, those that left in five seconds
        // came due in as much less as the wait grew.
        let grown = last.queue.saturating_sub(before.queue);
        if 10 * grown.as_micros() > WINDOW.as_micros() {
            return true;
        }
        // The answers of five seconds are held against what was sent in five
        // seconds a median latency before: where requests take long or come
        // faster and faster, the answers are behind without being too few.
        let latency = Metric::named("latency_ms");
        let median = latency.and_then(|metric| moment.tally.watched(metric, 0.5));
        let Some(median) = median else { return false };
        let sent = |ago| self.before(now, ago).map(|past| past.sent);
        let (Some(to), Some(from)) = (sent(median), sent(median + WINDOW)) else {
            return false;
        };
        let (came, went) = (to - from, last.ended - before.ended);
        came >= ENOUGH && 10 * went < 9 * came
    }

    /// What was kept at least `ago` before `now`, the last of it.
    fn before(&self, now: Micros, ago: Micros) -> Option<Past> {
        let then = now.as_micros().checked_sub(ago.as_micros())?;
        let after = self
            .past
            .partition_point(|past| past.at.as_micros() <= then);
        self.past.get(after.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests;
