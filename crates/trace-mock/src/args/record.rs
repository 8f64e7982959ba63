//! Flags for what is written down.

use trace_core::{BLOCK_TOKENS, Streams};

use crate::settings::Recording;

/// What is written down.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What is written down")]
pub struct RecordArgs {
    /// Tokens of a block of hash_ids, and of the cache of --cache-blocks
    #[arg(long, value_name = "N", default_value_t = BLOCK_TOKENS, value_parser = clap::value_parser!(u64).range(1..=u64::from(u32::MAX)))]
    pub block_size: u64,

    /// Leave hash_ids out of the records
    #[arg(long)]
    pub no_hash_ids: bool,

    /// Make hash_ids hashes under TEXT, so that recordings made apart agree on them. Without it
    /// they are numbers in the order of first sight. Neither tells any text
    #[arg(long, value_name = "TEXT")]
    pub salt: Option<String>,

    /// Header whose value is the session_id
    #[arg(long, value_name = "NAME", default_value = "x-session-id")]
    pub session_header: String,

    /// Also give requests without that header a session_id, where prompts begin with the whole of
    /// an earlier one
    #[arg(long)]
    pub sessions_by_prefix: bool,

    /// Write prompts too: text_input, messages with tools, or else the payload
    #[arg(long)]
    pub keep_text: bool,
}

impl RecordArgs {
    pub(crate) fn recording(&self) -> Recording {
        Recording {
            hash_ids: !self.no_hash_ids,
            block_size: self.block_size,
            salt: self.salt.as_deref().map(key),
            session_header: self.session_header.clone(),
            sessions_by_prefix: self.sessions_by_prefix,
            keep_text: self.keep_text,
        }
    }
}

/// A key for any text.
fn key(salt: &str) -> [u8; 16] {
    use trace_core::seed::below;

    let mut random = Streams::new(0).stream(salt);
    std::array::from_fn(|_| below(&mut random, 256) as u8)
}
