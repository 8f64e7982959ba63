//! What requests ask for: lengths, arrivals, sessions, models.

use crate::arrivals::Arrivals;
use crate::confidence::{Batches, Intervals, Repeated};
use crate::lengths::Lengths;
use crate::partial::counts;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use trace_core::quantile::{Spread, Values};
use trace_core::{Micros, Request, SessionId};

/// Collects the request side of every line.
///
/// Holds what [`Arrivals`] do and an entry per session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    requests: u64,
    input_length: Lengths,
    output_length: Lengths,
    arrivals: Arrivals,
    #[serde(with = "counts")]
    sessions: Sessions,
    models: BTreeMap<String, u64>,
    /// Lengths by stretches of time, for intervals, if they are wanted.
    batches: Option<Batches>,
}

/// The quantities of its stretches.
const INPUT: usize = 0;
const OUTPUT: usize = 1;

/// Requests of each session.
pub(crate) type Sessions = HashMap<SessionId, u64, foldhash::fast::FixedState>;

/// Count one more request of `session`, whose name is kept once.
pub(crate) fn count_turn(sessions: &mut Sessions, session: &SessionId) {
    match sessions.get_mut(session) {
        Some(count) => *count += 1,
        None => {
            sessions.insert(session.clone(), 1);
        }
    }
}

/// The request side of a trace in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// Number of lines.
    pub requests: u64,
    /// Lines that say when they arrive.
    pub timed: u64,
    /// Of those, lines that arrive before the line above them.
    pub out_of_order: u64,
    /// Last arrival − first arrival; none without arrivals.
    pub duration: Option<Micros>,
    /// Arrivals per second between the first and the last: the inverse of the
    /// mean gap.
    pub rate: Option<f64>,
    /// Prompt tokens of each request.
    pub input_length: Spread,
    /// Tokens each request asks for.
    pub output_length: Spread,
    /// Milliseconds between arrivals, in the order of time; or how many arrivals
    /// came too far from their place to tell.
    pub gap: Result<Spread, u64>,
    /// Number of sessions.
    pub sessions: u64,
    /// Requests of each session.
    pub turns: Spread,
    /// Requests that name each model.
    pub models: BTreeMap<String, u64>,
}

impl Workload {
    /// Nothing yet; quantiles are exact up to `limit` distinct values of a
    /// metric.
    pub fn new(limit: usize) -> Self {
        Self {
            requests: 0,
            input_length: Lengths::new(limit),
            output_length: Lengths::new(limit),
            arrivals: Arrivals::new(limit),
            sessions: Sessions::default(),
            models: BTreeMap::new(),
            batches: None,
        }
    }

    /// Also count what intervals are made of.
    #[must_use]
    pub fn with_batches(self) -> Self {
        Self {
            batches: Some(Batches::default()),
            arrivals: self.arrivals.with_batches(),
            ..self
        }
    }

    /// Number of lines.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// Lines that say when they arrive.
    pub(crate) fn timed(&self) -> u64 {
        self.arrivals.count()
    }

    /// Take all that another has collected.
    pub fn append(&mut self, other: Self) {
        self.requests += other.requests;
        self.input_length.append(other.input_length);
        self.output_length.append(other.output_length);
        self.arrivals.append(other.arrivals);
        for (session, count) in other.sessions {
            *self.sessions.entry(session).or_default() += count;
        }
        for (model, count) in other.models {
            *self.models.entry(model).or_default() += count;
        }
        if let (Some(batches), Some(more)) = (&mut self.batches, other.batches) {
            batches.append(more);
        }
    }

    /// Take the next request, which arrives at its timestamp, or when it was
    /// scheduled if that is known: a run may be faster than its trace.
    pub fn push(&mut self, request: &Request, scheduled: Option<Micros>) {
        self.requests += 1;
        if let Some(tokens) = request.input_length {
            self.input_length.push(tokens);
        }
        if let Some(tokens) = request.output_length {
            self.output_length.push(tokens);
        }
        if let Some(arrival) = scheduled.or(request.timestamp) {
            self.arrivals.push(arrival);
            if let Some(batches) = &mut self.batches {
                let once = |tokens: u64| Repeated::once(tokens as f64, tokens);
                batches.add(INPUT, arrival, request.input_length.map(once));
                batches.add(OUTPUT, arrival, request.output_length.map(once));
            }
        }
        if let Some(session) = &request.session_id {
            count_turn(&mut self.sessions, session);
        }
        if let Some(model) = &request.model {
            match self.models.get_mut(model) {
                Some(count) => *count += 1,
                None => {
                    self.models.insert(model.clone(), 1);
                }
            }
        }
    }

    /// The numbers; `intervals` take theirs, if they are wanted.
    pub fn finish(self, intervals: &mut Option<Intervals>) -> Demand {
        let mut spread = |name, mut values: Values, counted: Option<(&Batches, &[usize], f64)>| {
            let ranked = values.ranked();
            if let Some((intervals, counted)) = intervals.as_mut().zip(counted) {
                intervals.push(name, &ranked, counted);
            }
            ranked.spread()
        };
        let lengths = |of: &'static [usize]| Some((self.batches.as_ref()?, of, 1.0));
        let timed = self.arrivals.count();
        let duration = self.arrivals.duration();
        let mut turns = Values::new(usize::MAX);
        for &count in self.sessions.values() {
            turns.push(count as f64);
        }
        Demand {
            requests: self.requests,
            timed,
            out_of_order: self.arrivals.out_of_order(),
            duration,
            rate: duration
                .and_then(|duration| per_second(timed.saturating_sub(1) as f64, duration)),
            input_length: spread(
                "input_length",
                self.input_length.values(),
                lengths(&[INPUT]),
            ),
            output_length: spread(
                "output_length",
                self.output_length.values(),
                lengths(&[OUTPUT]),
            ),
            gap: self.arrivals.gaps().map(|gaps| {
                let batches = gaps.batches.as_ref();
                spread(
                    "gap_ms",
                    gaps.values,
                    batches.map(|batches| (batches, &[0_usize] as &[usize], 1e-3)),
                )
            }),
            sessions: self.sessions.len() as u64,
            turns: turns.spread(),
            models: self.models,
        }
    }
}

/// `amount` per second of `span`; undefined for no time at all.
pub(crate) fn per_second(amount: f64, span: Micros) -> Option<f64> {
    (span > Micros::ZERO).then(|| amount / span.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(arrivals: &[Option<f64>]) -> Demand {
        let mut workload = Workload::new(1_000);
        for &arrival in arrivals {
            workload.push(
                &Request {
                    timestamp: arrival.map(|ms| Micros::from_millis(ms).unwrap()),
                    ..Request::default()
                },
                None,
            );
        }
        workload.finish(&mut None)
    }

    #[test]
    fn the_rate_is_the_inverse_of_the_mean_gap() {
        let demand = demand(&[Some(100.0), Some(200.0), Some(300.0)]);
        assert_eq!(demand.gap.unwrap().mean, Some(100.0));
        assert_eq!(demand.rate, Some(10.0));
        assert_eq!(demand.duration, Micros::from_millis(200.0));
    }

    #[test]
    fn gaps_are_between_arrivals_and_not_between_lines() {
        let demand = demand(&[Some(0.0), Some(30.0), None, Some(10.5)]);
        assert_eq!(demand.out_of_order, 1);
        let gap = demand.gap.unwrap();
        assert_eq!((gap.min, gap.max), (Some(10.5), Some(19.5)));
        assert_eq!((demand.requests, demand.timed), (4, 3));
    }

    #[test]
    fn a_run_has_the_rate_it_was_scheduled_at() {
        let mut workload = Workload::new(1_000);
        for second in 0..3 {
            let request = Request {
                timestamp: Some(Micros::from_micros(second * 1_000_000)),
                ..Request::default()
            };
            workload.push(&request, Some(Micros::from_micros(second * 100_000)));
        }
        assert_eq!(workload.finish(&mut None).rate, Some(10.0));
    }

    #[test]
    fn one_instant_has_no_rate() {
        assert_eq!(demand(&[Some(5.0)]).rate, None);
        assert_eq!(demand(&[Some(5.0), Some(5.0)]).rate, None);
        assert_eq!(demand(&[None]).duration, None);
    }

    #[test]
    fn turns_are_counted_per_session() {
        let mut workload = Workload::new(1_000);
        let sessions = [
            Some(SessionId::Number(7)),
            Some(SessionId::Text("7".into())),
            Some(SessionId::Number(7)),
            None,
        ];
        for session_id in sessions {
            workload.push(
                &Request {
                    session_id,
                    model: Some("m".into()),
                    ..Request::default()
                },
                None,
            );
        }
        let demand = workload.finish(&mut None);
        assert_eq!(demand.sessions, 2);
        assert_eq!(demand.turns.mean, Some(1.5));
        assert_eq!(demand.models["m"], 4);
    }
}
