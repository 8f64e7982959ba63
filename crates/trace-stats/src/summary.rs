//! From lines to a report: one summary collects everything about a set of lines.

use crate::confidence::{Intervals, Level};
use crate::order::Prompt;
use crate::partial::Settings;
use crate::report::{Kind, Report, Value};
use crate::results::Results;
use crate::sharing::Sharing;
use crate::workload::{Demand, Workload};
use serde::{Deserialize, Serialize};
use trace_core::quantile::SKETCH_ERROR;
use trace_core::{Line, Micros, Outcome};

/// Requests that one part may count, so that sums of parts stay whole.
const MOST_REQUESTS: u64 = 1 << 53;

/// Collects lines, requests and outcomes alike.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    workload: Workload,
    results: Results,
    /// What prompts share depends on their order: no part of a sum.
    #[serde(skip)]
    sharing: Option<Sharing>,
    without_outcome: u64,
    outcomes: u64,
}

impl Summary {
    /// Nothing yet, to be counted as `settings` say.
    pub fn new(settings: &Settings) -> Self {
        let sharing = settings.block_size.map(Sharing::new);
        let mut results = Results::new(settings.exact_up_to)
            .with_rules(&settings.rules)
            .within(settings.window.clone());
        let mut workload = Workload::new(settings.exact_up_to);
        if settings.confidence.is_some() {
            results = results.with_batches();
            workload = workload.with_batches();
        }
        Self {
            workload,
            results,
            sharing: if settings.cache {
                sharing.map(Sharing::with_cache)
            } else {
                sharing
            },
            without_outcome: 0,
            outcomes: 0,
        }
    }

    /// Take all that another has collected, but for what prompts share.
    pub fn append(&mut self, other: Self) {
        self.workload.append(other.workload);
        self.results.append(other.results);
        self.without_outcome += other.without_outcome;
        self.outcomes += other.outcomes;
    }

    /// Take the next line, and its outcome if it has one.
    ///
    /// # Errors
    ///
    /// If there is more than prefix statistics can number.
    pub fn push(&mut self, line: &Line, outcome: Option<&Outcome>) -> anyhow::Result<()> {
        let scheduled = outcome.and_then(|outcome| outcome.scheduled_ms);
        self.workload.push(&line.request, scheduled);
        match outcome {
            Some(outcome) => {
                self.outcomes += 1;
                self.results.push(outcome);
            }
            None => self.without_outcome += 1,
        }
        let Some(sharing) = &mut self.sharing else {
            return Ok(());
        };
        sharing.check(line);
        match outcome {
            Some(outcome) => sharing.hold(line, outcome),
            None => sharing.push(&Prompt::of(line, None)),
        }
    }

    /// Whether its counts can be those of one set of lines.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let requests = self.workload.requests();
        if requests > MOST_REQUESTS {
            return Err("a partial line of more requests than anybody has");
        }
        let told = self.outcomes.checked_add(self.without_outcome);
        if told != Some(requests) || self.workload.timed() > requests {
            return Err("a partial line whose counts contradict each other");
        }
        Ok(())
    }

    /// The report, with intervals of that level if there is one, and rates of
    /// outcomes over a time that goes on at least `until` then.
    ///
    /// # Errors
    ///
    /// Those of [`Summary::push`].
    pub fn finish(self, level: Option<Level>, until: Option<Micros>) -> anyhow::Result<Report> {
        let mut intervals = level.map(Intervals::new);
        let demand = self.workload.finish(&mut intervals);
        let mut report = Report::new(Kind::Trace);
        report.requests = demand.requests;
        report.duration_ms = demand.duration.map(Micros::as_millis);
        if self.outcomes > 0 {
            report.kind = Kind::Outcomes;
            let service = self.results.finish(level, until);
            service.describe(&mut report, self.without_outcome);
        }
        describe_demand(&mut report, demand);
        if let Some(sharing) = self.sharing {
            sharing.describe(&mut report)?;
        }
        report
            .metrics
            .retain(|(_, spread)| spread.count + spread.censored > 0);
        if let Some(demand) = intervals {
            let all = report
                .confidence
                .get_or_insert(Intervals::new(demand.level));
            all.stretch = all.stretch.max(demand.stretch);
            all.metrics.extend(demand.metrics);
        }
        describe_intervals(&mut report);
        describe_sketches(&mut report);
        Ok(report)
    }
}

/// Keep the intervals of what is reported, and say what they are worth.
fn describe_intervals(report: &mut Report) {
    let Some(intervals) = &mut report.confidence else {
        return;
    };
    let reported = |name: &str| report.metrics.iter().any(|(known, _)| *known == name);
    intervals.metrics.retain(|(name, _)| reported(name));
    report.notes.extend(intervals.notes());
}

/// Say which quantiles are not exact, and by how much.
fn describe_sketches(report: &mut Report) {
    let sketched = report.metrics.iter();
    let sketched = sketched.filter(|(_, spread)| spread.quantile_error.is_some());
    let names: Vec<&str> = sketched.map(|(name, _)| *name).collect();
    if !names.is_empty() {
        report.notes.push(format!(
            "quantiles are of a sketch, within {:.2} % of the exact ones, where there are too many distinct values \
             to keep (--exact-up-to): {}",
            100.0 * SKETCH_ERROR,
            names.join(", ")
        ));
    }
}

pub(crate) fn describe_demand(report: &mut Report, demand: Demand) {
    report
        .scalars
        .push(("rate_rps", Value::Measure(demand.rate)));
    if demand.sessions > 0 {
        report
            .scalars
            .push(("sessions", Value::Count(demand.sessions)));
    }
    if !demand.models.is_empty() {
        report
            .scalars
            .push(("models", Value::Counts(demand.models)));
    }
    let untimed = demand.requests - demand.timed;
    if untimed > 0 && demand.timed > 0 {
        report.notes.push(format!(
            "{untimed} of {} requests have no timestamp: rate and gaps are of the others",
            demand.requests
        ));
    }
    // Outcomes come in the order they end, so it says nothing about them.
    if demand.out_of_order > 0 && report.kind == Kind::Trace {
        report
            .scalars
            .push(("out_of_order", Value::Count(demand.out_of_order)));
        report.notes.push(format!(
            "{} requests arrive before the line above them: gaps are taken in the order of time",
            demand.out_of_order
        ));
    }
    if let Err(late) = demand.gap {
        report.notes.push(format!(
            "gap_ms is left out: {late} arrivals are too far from their place in time to keep them all; \
             sort the input, or hold it with --exact-up-to all"
        ));
    }
    report.metrics.extend([
        ("input_length", demand.input_length),
        ("output_length", demand.output_length),
        ("gap_ms", demand.gap.unwrap_or_default()),
        ("session_turns", demand.turns),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report<'a>(lines: impl IntoIterator<Item = &'a String>) -> String {
        let mut summary = Summary::new(&Settings {
            block_size: Some(10),
            ..Settings::default()
        });
        for line in lines {
            let line = Line::parse("t", line).unwrap();
            let outcome = line.outcome().unwrap();
            summary.push(&line, outcome.as_ref()).unwrap();
        }
        serde_json::to_string(&summary.finish(None, None).unwrap()).unwrap()
    }

    prop_compose! {
        /// A line of a run, apart from its `seq`.
        fn outcome()(
            ids in prop::collection::vec(0u64..8, 1..5),
            sent in 0u64..1_000_000,
            late in 0u64..9_000,
            gaps in prop::collection::vec(0u64..50_000, 0..5),
            tokens in 1u64..9,
            session in 0u64..4,
            fate in 0u64..8,
        ) -> String {
            let ms = |micros: u64| micros as f64 / 1000.0;
            let gaps: Vec<String> = gaps.iter().map(|&gap| ms(gap).to_string()).collect();
            let error = match fate {
                0 => r#","error":{"kind":"timeout","message":""}"#,
                1 => r#","error":{"kind":"skipped","message":""}"#,
                _ => "",
            };
            format!(
                r#""timestamp":{0},"input_length":{1},"hash_ids":{ids:?},"session_id":{session},"scheduled_ms":{0},"due_ms":{0},"sent_ms":{2},"ttft_ms":5.125,"latency_ms":{3},"itl_ms":[{4}],"input_tokens":{1},"output_tokens":{tokens},"chunks":{5}{error}"#,
                ms(sent),
                ids.len() * 10,
                ms(sent + late),
                ms(late * 3),
                gaps.join(","),
                gaps.len() + 1,
            )
        }
    }

    proptest! {
        #[test]
        fn the_order_of_outcomes_does_not_matter(
            (lines, shuffled) in prop::collection::vec(outcome(), 0..20).prop_flat_map(|lines| {
                let numbered = lines.iter().enumerate();
                let numbered: Vec<String> = numbered
                    .map(|(seq, line)| format!(r#"{{"seq":{seq},{line}}}"#))
                    .collect();
                (Just(numbered.clone()), Just(numbered).prop_shuffle())
            })
        ) {
            prop_assert_eq!(report(&lines), report(&shuffled));
        }
    }
}
