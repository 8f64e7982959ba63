//! Which requests of a run count: those scheduled in its windows.

use super::Span;
use super::load::Load;
use super::mser::warm_up;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use trace_core::{Line, Micros, Outcome};

/// What `--window` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The steady state of each level, wherever it is.
    Auto,
    /// A stretch of the run.
    Span(Span),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            span => span.parse().map(Self::Span),
        }
    }
}

/// A level of a sweep: stage, concurrency and round, as far as a run has them.
pub type Level = (Option<String>, Option<u64>, Option<u64>);

/// Which requests count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Windows {
    /// All of them.
    #[default]
    All,
    /// Those of one stretch.
    Span(Span),
    /// Those of one stretch of each level.
    #[serde(skip)]
    Levels(Arc<BTreeMap<Level, Steady>>),
}

/// What was found about a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Steady {
    /// Where it is steady; everything, if that was not found.
    pub span: Span,
    /// Whether it was found.
    pub found: bool,
    /// Requests of the level.
    pub requests: usize,
}

impl Windows {
    /// Whether the request of `line` counts: one that is scheduled, or else
    /// arrives, in its window. One that says no time is in none.
    pub fn holds(&self, line: &Line, outcome: Option<&Outcome>) -> bool {
        if *self == Self::All {
            return true;
        }
        let scheduled = outcome.and_then(scheduled).or(line.request.timestamp);
        let span = match (self, outcome) {
            (Self::Span(span), _) => Some(span),
            (Self::Levels(levels), Some(outcome)) => {
                levels.get(&level(outcome)).map(|steady| &steady.span)
            }
            _ => None,
        };
        span.zip(scheduled)
            .is_some_and(|(span, scheduled)| span.holds(scheduled))
    }

    /// Where the window of `outcome` begins and where it ends, as far as it does:
    /// throughput is per time in between, since what is answered later is not
    /// compensated by what began before.
    pub fn ends(&self, outcome: &Outcome) -> (Option<Micros>, Option<Micros>) {
        let span = match self {
            Self::All => return (None, None),
            Self::Span(span) => span,
            Self::Levels(levels) => match levels.get(&level(outcome)) {
                Some(steady) if steady.found => &steady.span,
                _ => return (None, None),
            },
        };
        (Some(span.from), span.to)
    }

    /// Until when a run that ended `at` that time was looked at, if that is said:
    /// a window does not end with the last request scheduled in it.
    pub fn until(&self, at: Option<Micros>) -> Option<Micros> {
        match self {
            Self::Span(span) => span.to.zip(at).map(|(to, at)| to.min(at)),
            Self::All | Self::Levels(_) => None,
        }
    }

    /// The windows in words, one line each.
    pub fn in_words(&self) -> Vec<String> {
        match self {
            Self::All => Vec::new(),
            Self::Span(span) => vec![format!(
                "only requests scheduled from {} of the run",
                span.in_words()
            )],
            Self::Levels(levels) => levels.iter().map(told).collect(),
        }
    }
}

fn told((level, steady): (&Level, &Steady)) -> String {
    let (stage, concurrency, round) = level;
    let parts = [
        stage.as_ref().map(|stage| format!("stage {stage:?}")),
        concurrency.map(|concurrency| format!("concurrency {concurrency}")),
        round.map(|round| format!("round {round}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let of = if parts.is_empty() {
        "the run".to_owned()
    } else {
        parts.join(", ")
    };
    if !steady.found {
        return format!(
            "{of} has no steady state (MSER-5 on requests in flight): it still drifts at its end or is too short, so all its requests count"
        );
    }
    format!(
        "steady state of {of}: {} (MSER-5 on requests in flight, from either end); only requests scheduled in it count",
        steady.span.in_words()
    )
}

/// When it was wanted, or the next that is known.
fn scheduled(outcome: &Outcome) -> Option<Micros> {
    outcome.scheduled_ms.or(outcome.due_ms).or(outcome.sent_ms)
}

fn level(outcome: &Outcome) -> Level {
    (outcome.stage.clone(), outcome.concurrency, outcome.round)
}

/// Looks for the steady state of each level of a run.
#[derive(Debug, Default)]
pub struct Search {
    loads: BTreeMap<Level, Load>,
}

impl Search {
    /// The next outcome.
    pub fn push(&mut self, outcome: &Outcome) {
        self.loads.entry(level(outcome)).or_default().push(outcome);
    }

    /// The windows; `None` if there were no outcomes.
    pub fn windows(self) -> Option<Windows> {
        let levels = self.loads.into_iter();
        let levels: BTreeMap<Level, Steady> =
            levels.map(|(level, load)| (level, steady(&load))).collect();
        (!levels.is_empty()).then(|| Windows::Levels(Arc::new(levels)))
    }
}

/// The stretch of a level that neither belongs to how it began nor to how it
/// ended: the rule for warm-ups, from both ends.
fn steady(load: &Load) -> Steady {
    let everything = Span {
        from: Micros::ZERO,
        to: None,
    };
    let found = load.series().and_then(|series| {
        let begin = warm_up(&series.points)?;
        let rest: Vec<f64> = series.points[begin..].iter().rev().copied().collect();
        let end = series.points.len() - warm_up(&rest)?;
        let time = |point: usize| {
            let steps = series.step.as_micros() * point as u64;
            series.begin + Micros::from_micros(steps)
        };
        Some(Span {
            from: time(begin),
            // What follows the last point is scheduled at the very end.
            to: (end < series.points.len()).then(|| time(end)),
        })
    });
    Steady {
        span: found.unwrap_or(everything),
        found: found.is_some(),
        requests: load.requests(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(scheduled: u64, latency: u64, concurrency: u64) -> Outcome {
        let ms = |ms: u64| Some(Micros::from_micros(1_000 * ms));
        Outcome {
            scheduled_ms: ms(scheduled),
            sent_ms: ms(scheduled),
            latency_ms: ms(latency),
            concurrency: Some(concurrency),
            ..Outcome::default()
        }
    }

    #[test]
    fn each_level_has_a_window_of_its_own() {
        let mut search = Search::default();
        // Ten a second; at concurrency 8 the first 20 s are quick answers, the
        // last 10 s too.
        for at in 0..1_000_u64 {
            let warm = (200..900).contains(&at);
            search.push(&outcome(100 * at, if warm { 2_000 } else { 200 }, 8));
            search.push(&outcome(100 * at, 1_000, 4));
        }
        let windows = search.windows().unwrap();
        let line = Line::parse("t", r#"{"input_length":1}"#).unwrap();
        let holds = |scheduled, concurrency| {
            windows.holds(&line, Some(&outcome(scheduled, 1, concurrency)))
        };
        assert!(!holds(15_000, 8) && holds(30_000, 8) && holds(80_000, 8) && !holds(97_000, 8));
        assert!(holds(5_000, 4) && holds(99_000, 4));
        assert!(!holds(50_000, 16), "no such level");
        let words = windows.in_words();
        assert!(
            words[1].starts_with("steady state of concurrency 8: 2"),
            "{words:?}"
        );
    }

    #[test]
    fn a_run_that_drifts_keeps_everything_and_says_so() {
        let mut search = Search::default();
        for at in 0..500_u64 {
            search.push(&outcome(100 * at, 100 + 10 * at, 1));
        }
        let windows = search.windows().unwrap();
        assert!(windows.in_words()[0].contains("no steady state"));
        assert_eq!(windows.ends(&outcome(0, 1, 1)), (None, None));
    }

    #[test]
    fn requests_without_a_time_are_in_no_window() {
        let windows = Windows::Span("0..10s".parse().unwrap());
        let holds = |text: &str| {
            let line = Line::parse("t", text).unwrap();
            windows.holds(&line, line.outcome().unwrap().as_ref())
        };
        assert!(holds(r#"{"input_length":1,"timestamp":9999}"#));
        assert!(!holds(r#"{"input_length":1,"timestamp":10000}"#));
        assert!(!holds(r#"{"input_length":1}"#));
        // A run twice as fast as its trace: its own clock counts.
        assert!(holds(
            r#"{"input_length":1,"timestamp":15000,"scheduled_ms":7500}"#
        ));
    }
}
