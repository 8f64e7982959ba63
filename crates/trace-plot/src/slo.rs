//! What an answer has to keep to be good: the flags and the rules are those of
//! `trace-stats`, so that a picture and a number of goodput agree.

use std::path::PathBuf;

use anyhow::Result;
pub use trace_stats::slo::Slo;
use trace_stats::slo::{self, Clock, Constraint};

/// Which answers are good.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(skip)]
pub struct SloArgs {
    /// What a good answer keeps, for goodput, such as ttft_ms=500, as in
    /// trace-stats; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub slo: Vec<Constraint>,

    /// The same from a YAML file; --slo of the same NAME wins
    #[arg(long, value_name = "FILE")]
    pub slo_file: Option<PathBuf>,

    /// From when on an answer is judged: `scheduled` or `sent`
    #[arg(
        long,
        value_enum,
        value_name = "CLOCK",
        default_value_t,
        hide_possible_values = true
    )]
    pub slo_clock: Clock,
}

impl SloArgs {
    /// The objectives, if any are asked for.
    ///
    /// # Errors
    /// A file that cannot be read or is none of objectives; a name given twice.
    pub fn slo(&self) -> Result<Option<Slo>> {
        slo::Args {
            slo: self.slo.clone(),
            slo_file: self.slo_file.clone(),
            slo_clock: self.slo_clock,
        }
        .slo()
    }
}

/// The objectives in words: `ttft_ms ≤ 500, from the schedule`.
pub fn words(slo: &Slo) -> String {
    let bounds = slo.constraints.iter().flat_map(|constraint| {
        let name = constraint.quantity.name();
        let max = constraint.max.map(|max| format!("{name} ≤ {max}"));
        let min = constraint.min.map(|min| format!("{name} ≥ {min}"));
        max.into_iter().chain(min)
    });
    let clock = match slo.clock {
        Clock::Scheduled => "from the schedule",
        Clock::Sent => "from the send",
    };
    let bounds: Vec<String> = bounds.collect();
    format!("{}, {clock}", bounds.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_told_in_words() {
        let args = SloArgs {
            slo: vec![
                "ttft_ms=500".parse().unwrap(),
                "request_output_tps=20".parse().unwrap(),
            ],
            ..SloArgs::default()
        };
        let slo = args.slo().unwrap().unwrap();
        assert_eq!(
            words(&slo),
            "ttft_ms ≤ 500, request_output_tps ≥ 20, from the schedule"
        );
        assert!(SloArgs::default().slo().unwrap().is_none());
    }
}
