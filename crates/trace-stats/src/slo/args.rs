//! What was typed about objectives.

use super::{Constraint, Slo, file};
use crate::results::Measure;
use anyhow::bail;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use trace_core::Outcome;

/// Which answers are good.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Objectives")]
pub struct Args {
    /// Count as good the answers whose NAME is at most VALUE, or at least
    /// VALUE for request_output_tps; may be given several times, and a
    /// good answer keeps every one. A VALUE is in the unit that NAME says
    #[arg(
        long,
        value_name = "NAME=VALUE",
        value_delimiter = ',',
        conflicts_with = "combine"
    )]
    pub slo: Vec<Constraint>,

    /// The same from a YAML file, `constraints: {ttft_ms: {max: 500}}` or
    /// `slo: {ttft_ms: 500}`; --slo of the same NAME wins
    #[arg(long, value_name = "FILE", conflicts_with = "combine")]
    pub slo_file: Option<PathBuf>,

    /// From when on an answer is judged: `scheduled`, when the trace wanted it
    /// sent (in a closed loop, when its slot became free), or `sent`
    #[arg(
        long,
        value_enum,
        value_name = "CLOCK",
        default_value_t,
        hide_possible_values = true
    )]
    pub slo_clock: Clock,
}

/// The moment from which times to the first token and to the end are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// When the trace wanted it sent, as the user sees it
    #[default]
    Scheduled,
    /// When it was sent, as the server sees it
    Sent,
}

impl Clock {
    /// Its name in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sent => "sent",
        }
    }

    /// `measure` of `outcome` by this clock; an outcome that does not tell when
    /// it was scheduled counts from when it was sent.
    pub(super) fn read(self, measure: Measure, outcome: &Outcome) -> Option<f64> {
        let scheduled = match (self, measure) {
            (Self::Scheduled, Measure::Ttft) => Measure::UserTtft.of(outcome),
            (Self::Scheduled, Measure::Latency) => Measure::UserLatency.of(outcome),
            (Self::Scheduled, Measure::FirstContent) => {
                let waited = outcome.sent_ms.zip(outcome.scheduled_ms);
                let waited = waited.map(|(sent, due)| sent.saturating_sub(due).as_millis());
                waited.and_then(|waited| Some(measure.of(outcome)? + waited))
            }
            _ => None,
        };
        scheduled.or_else(|| measure.of(outcome))
    }
}

impl Args {
    /// The objectives, if any are asked for.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is none of objectives, located; a NAME
    /// that is bounded twice by flags.
    pub fn slo(&self) -> anyhow::Result<Option<Slo>> {
        let mut slo = match &self.slo_file {
            Some(path) => file::read(path, self.slo_clock)?,
            None => Slo {
                name: None,
                clock: self.slo_clock,
                constraints: Vec::new(),
            },
        };
        for (index, constraint) in self.slo.iter().enumerate() {
            let quantity = constraint.quantity;
            if self.slo[..index].iter().any(|c| c.quantity == quantity) {
                bail!("--slo {}: given twice", quantity.name());
            }
            slo.set(*constraint);
        }
        Ok((!slo.constraints.is_empty()).then_some(slo))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::fixture::{ms, served};

    #[test]
    fn the_scheduled_clock_includes_the_wait() {
        let outcome = Outcome {
            first_content_ms: ms(60.0),
            ..served(100.0, 130.0, 50.0, 80.0)
        };
        let read = |clock: Clock, measure| clock.read(measure, &outcome);
        assert_eq!(read(Clock::Sent, Measure::Ttft), Some(50.0));
        assert_eq!(read(Clock::Scheduled, Measure::Ttft), Some(80.0));
        assert_eq!(read(Clock::Scheduled, Measure::FirstContent), Some(90.0));
        assert_eq!(read(Clock::Scheduled, Measure::Latency), Some(110.0));
        let unscheduled = Outcome {
            scheduled_ms: None,
            ..outcome
        };
        let ttft = Clock::Scheduled.read(Measure::Ttft, &unscheduled);
        assert_eq!(ttft, Some(50.0));
    }

    #[test]
    fn a_name_is_bounded_once() {
        let args = Args {
            slo: vec!["ttft_ms=5".parse().unwrap(), "ttft_ms=6".parse().unwrap()],
            ..Args::default()
        };
        let error = args.slo().unwrap_err().to_string();
        assert_eq!(error, "--slo ttft_ms: given twice");
        assert_eq!(Args::default().slo().unwrap(), None);
    }
}
