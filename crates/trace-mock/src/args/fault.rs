//! Flags for what goes wrong.

use std::path::PathBuf;

use anyhow::{Context, anyhow};

use crate::fault::{Fault, Faults, parse_plan, parse_rate};

/// What goes wrong.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What goes wrong")]
pub struct FaultArgs {
    /// Let requests fail in one way, a share of them if a rate from 0 to 1 is given; may be given
    /// again. KIND is a status of 400 to 599 (or STATUS:RETRY-AFTER in seconds; a 429 says 1),
    /// html, reset, reset-head, stall, stall-mid, cut, truncate, empty, garbage, no-usage, bytes (7
    /// each) or bytes:BYTES, slow:BYTES-PER-SECOND, chunks:TOKENS, comments, big:BYTES, close or
    /// delay:DURATION. A request's header `x-mock-fault: KIND|none` wins
    #[arg(long = "fault", value_name = "KIND[@RATE]", value_parser = parse_rate)]
    pub faults: Vec<(Fault, f64)>,

    /// Let the first requests fail as FILE says, before --fault: a KIND or none on each line, with
    /// xN behind it for N requests; # begins a comment
    #[arg(long, value_name = "FILE")]
    pub fault_plan: Option<PathBuf>,
}

impl FaultArgs {
    pub(crate) fn faults(&self) -> anyhow::Result<Faults> {
        let plan = match &self.fault_plan {
            None => Vec::new(),
            Some(path) => {
                let name = path.display().to_string();
                let bytes = std::fs::read(path).with_context(|| format!("cannot open {name}"))?;
                let text = String::from_utf8(bytes)
                    .map_err(|err| anyhow!("{name}: not a fault plan: {err}"))?;
                parse_plan(&name, &text).map_err(|reason| anyhow!(reason))?
            }
        };
        Ok(Faults {
            plan,
            rates: self.faults.clone(),
        })
    }
}
