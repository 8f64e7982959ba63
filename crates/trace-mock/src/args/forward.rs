//! Flags for a recording proxy.

use std::path::PathBuf;

use trace_core::{Micros, parse_duration};

use crate::settings::Forward;

/// Who answers instead.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "In front of a server")]
pub struct ForwardArgs {
    /// Pass every request on to the server at URL, and record what happened: outcomes as trace-send
    /// writes them, with the output_length that came. Counting, sessions and text are as without
    /// it; no other flag has a say in the answers
    #[arg(long, value_name = "URL", conflicts_with_all = ["ttft", "itl", "costs", "profile", "faults", "fault_plan", "keep_alive", "keep_alive_requests"])]
    pub upstream: Option<String>,

    /// Trust the certificates in this PEM file, besides Mozilla's, for an https URL
    #[arg(long, value_name = "FILE", requires = "upstream")]
    pub upstream_ca: Option<PathBuf>,

    /// Do not verify the certificate of the server
    #[arg(long, requires = "upstream", conflicts_with = "upstream_ca")]
    pub insecure: bool,

    /// Look for bytes without sleeping for so long after the last came; 0 never does. Saves two
    /// wake-ups of a machine that is idle in between, up to 0.1 ms each, for a core while it looks. It
    /// lets go of one that others want, too [default: 100ms; 0 on a machine with one core]
    #[arg(long, value_name = "DURATION", requires = "upstream", value_parser = parse_duration)]
    pub busy_poll: Option<Micros>,
}

impl ForwardArgs {
    pub(crate) fn forward(&self) -> Option<Forward> {
        self.upstream.as_ref().map(|url| Forward {
            url: url.clone(),
            ca: self.upstream_ca.clone(),
            insecure: self.insecure,
            busy_poll: self.busy_poll,
        })
    }
}
