//! What goes before a turn, and who waits for whom.

use super::values::at_least_one;
use crate::history::OnFailure;
use crate::prepare::{History, TurnLengths};

/// What goes before a turn, and who waits for whom.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Sessions")]
pub struct SessionArgs {
    /// What goes before a turn of a session: live by default for text_input
    /// and for --turns delta, else recorded. Live history is held in memory,
    /// some 4 bytes a token
    #[arg(long, value_name = "WHAT")]
    pub history: Option<History>,

    /// What the lengths of turns count
    #[arg(long, value_name = "WHAT", default_value = "whole")]
    pub turns: TurnLengths,

    /// Sessions under way at most; waiting for one to end shows as queue_ms
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub max_sessions: Option<usize>,

    /// Drop the oldest turns of a live history where a prompt would be longer
    #[arg(long, value_name = "TOKENS")]
    pub max_context_tokens: Option<u64>,

    /// What becomes of a session after a turn that failed
    #[arg(long, value_name = "WHAT", default_value = "continue")]
    pub on_failed_turn: OnFailure,
}
