//! What is looked at while requests are sent.

use super::values::positive_duration;
use std::path::PathBuf;
use trace_core::time::Micros;

/// What is looked at while requests are sent.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Telemetry")]
pub struct WatchArgs {
    /// Write what the server's metrics and the GPUs say during the run to FILE
    #[arg(long, value_name = "FILE")]
    pub telemetry: Option<PathBuf>,

    /// Leave what FILE holds: another stage of a recipe wrote it.
    #[arg(long, hide = true, requires = "telemetry")]
    pub telemetry_append: bool,

    /// Page of Prometheus metrics to sample; repeatable
    #[arg(long, value_name = "URL", requires = "telemetry")]
    pub prometheus_url: Vec<String>,

    /// Metrics to keep, all by default; a name may end in *
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        requires = "prometheus_url"
    )]
    pub prometheus_metrics: Vec<String>,

    /// Time between two samples of the metrics
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = positive_duration)]
    pub telemetry_interval: Micros,

    /// Watch this machine's NVIDIA GPUs: their memory is gpu_memory_mb of
    /// every outcome
    #[arg(long)]
    pub gpu: bool,
}
