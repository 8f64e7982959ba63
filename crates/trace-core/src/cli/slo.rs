//! The clock that answers are judged by.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

/// The moment from which times to the first token and to the end are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SloClock {
    /// When the trace wanted it sent, as the user sees it
    #[default]
    Scheduled,
    /// When it was sent, as the server sees it
    Sent,
}

impl SloClock {
    /// Its name, as typed and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sent => "sent",
        }
    }
}

/// The clock that answers are judged by, as typed.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct SloClockArg {
    /// From when on an answer is judged: `scheduled`, when the trace wanted it
    /// sent (in a closed loop, when its slot became free), or `sent`
    #[arg(
        long,
        value_enum,
        value_name = "CLOCK",
        default_value_t,
        hide_possible_values = true
    )]
    pub slo_clock: SloClock,
}
