//! By what outcomes are judged.

use crate::slo::Slo;
use serde::{Deserialize, Serialize};

/// What is asked of outcomes, beside their times.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Leave failed requests out of quantiles and of attainment, instead of
    /// taking them for infinitely slow.
    pub successes_only: bool,
    /// What a good answer is.
    pub slo: Option<Slo>,
}
