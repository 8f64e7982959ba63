//! What was typed about objectives.

use super::{Constraint, Slo, file};
use anyhow::bail;
use std::path::PathBuf;
use trace_core::cli::SloClockArg;

/// Which answers are good.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Objectives")]
pub struct Args {
    /// Count as good the answers whose NAME is at most VALUE, or at least
    /// VALUE for request_output_tps; may be given several times, and a
    /// good answer keeps every one. A VALUE is in the unit that NAME says
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    pub slo: Vec<Constraint>,

    /// The same from a YAML file, `constraints: {ttft_ms: {max: 500}}` or
    /// `slo: {ttft_ms: 500}`; --slo of the same NAME wins
    #[arg(long, value_name = "FILE")]
    pub slo_file: Option<PathBuf>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub clock: SloClockArg,
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
            Some(path) => file::read(path, self.clock.slo_clock)?,
            None => Slo {
                name: None,
                clock: self.clock.slo_clock,
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
