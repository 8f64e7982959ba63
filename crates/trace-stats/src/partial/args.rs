//! What was typed about parts of a run, and about how exact to be.

use trace_core::quantile::EXACT_VALUES;

/// Flags about parts.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Large inputs")]
pub struct PartArgs {
    /// Print one line that adds up with those of other parts, instead of a
    /// report
    ///
    /// Everything about prefixes is left out, since it needs the whole trace in
    /// its order.
    #[arg(long, conflicts_with_all = ["cache", "format"])]
    pub partial: bool,

    /// Read lines of --partial and report on all parts together
    ///
    /// In any order. The parts must have been counted with the same flags, which
    /// need not be repeated. With --partial, print their sum as one line again.
    /// A line of more than 1 GiB is refused.
    #[arg(long, conflicts_with_all = ["by", "cache", "no_prefix", "exact_up_to", "skip_invalid", "slo", "slo_file"])]
    pub combine: bool,

    /// Distinct values of a metric up to which its quantiles are exact
    ///
    /// Beyond it they are those of a sketch, within 0.05 % of the exact ones;
    /// count, mean, std, min and max stay exact. `all` keeps every value.
    #[arg(long, value_name = "N|all", default_value_t = EXACT_VALUES.to_string())]
    pub exact_up_to: String,
}

impl PartArgs {
    /// The number that `--exact-up-to` names.
    ///
    /// # Errors
    ///
    /// If it names none.
    pub fn limit(&self) -> anyhow::Result<usize> {
        let limit = match self.exact_up_to.as_str() {
            "all" => Some(usize::MAX),
            number => number.parse().ok(),
        };
        limit.ok_or_else(|| {
            anyhow::anyhow!(
                "--exact-up-to {:?}: expected a number or `all`",
                self.exact_up_to
            )
        })
    }
}
