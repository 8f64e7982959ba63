//! What was typed about assertions.

use super::Assertion;

/// What must hold.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Objectives")]
pub struct Args {
    /// End with 1 unless it holds: METRIC.FIGURE or VALUE of the report, one of
    /// < <= > >= == !=, and a number, as 'ttft_ms.p99<500' or 'error_rate<1%'
    ///
    /// May be given several times. With --by it must hold in each group. A
    /// quantile that failed requests reach is infinite, and what no request has
    /// fails. The JSON report (--format json) has every name: metrics by their
    /// figures, counts by key as errors.http, objectives as
    /// slo.ttft_ms.attainment.
    #[arg(long = "assert", value_name = "ASSERTION", conflicts_with = "partial")]
    pub assertions: Vec<Assertion>,
}
