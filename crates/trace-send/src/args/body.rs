//! What a request is made of.

use crate::bodies::PromptAs;
use trace_core::cli::{BlockSizeArg, SeedArg};
use trace_prompt::TokenizerArg;

/// What a request is made of.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Requests")]
pub struct BodyArgs {
    /// Member of every request body; VALUE is JSON, else a string; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub extra: Vec<String>,

    /// Ask for whole answers instead of streams; they have no ttft_ms
    #[arg(long)]
    pub no_stream: bool,

    /// Ask for exactly output_length tokens (vLLM, SGLang, llama.cpp)
    #[arg(long)]
    pub ignore_eos: bool,

    /// Ask for at least output_length tokens (vLLM, SGLang, TensorRT-LLM)
    #[arg(long)]
    pub min_tokens: bool,

    /// What a prompt is sent as: its text, or the ids of its tokens, which
    /// completions endpoints take and which need no tokenizing there
    #[arg(long, value_name = "WHAT", value_enum, default_value = "text")]
    pub prompt_as: PromptAs,

    /// The block size of `hash_ids`.
    #[command(flatten)]
    pub block_size: BlockSizeArg,

    /// Whose tokens prompts have as many of as the lines say.
    #[command(flatten)]
    pub tokenizer: TokenizerArg,

    /// The seed of prompt text.
    #[command(flatten)]
    pub seed: SeedArg,
}
