//! What was typed after `prefixes`.

use crate::format::Format;
use trace_core::cli::{BlockSizeArg, InputArgs};

/// What the prompts of a trace share: context, hit rates, tree, turns
///
/// The rows of the plain report, and beside them the true prefixes, the shape
/// of the tree they form, and the conversations that follow from it, said or
/// not. Outcomes are taken in the order of the input they came from.
#[derive(Debug, Clone, clap::Parser)]
#[command(after_help = MORE)]
pub struct Args {
    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub input: InputArgs,

    /// Also give the hit rate of an LRU cache against its capacity, exact, from
    /// the same pass
    #[arg(long)]
    pub cache: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "shared with the other tools")]
    pub block_size: BlockSizeArg,

    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    pub format: Format,
}

const MORE: &str = "\
Rows of the analyzers that people compare with (Dynamo, AIPerf):
  context_length        blocks that another request has at the same place, earlier
                        or later, in tokens; the whole prompt if all are shared
  unique_prompt_length  the rest of the prompt
  prefix_hit_rate       leading blocks that an earlier request had, as a share; its
                        mean is the hit rate by request, block_hit_rate and
                        token_hit_rate are those by block and by token

True prefixes, in tokens:
  cached_prefix_length  the longest beginning that an earlier request has too: what
                        an infinite cache would have held
  shared_prefix_length  the longest beginning that any other request has too

The tree of prefixes:
  roots                 different first blocks; prefix_groups of them are shared
  group_requests        requests behind each shared first block
  group_depth           blocks down to the deepest one that two requests share
  fan_out               ways to go on behind each of the blocks (forks) with several

Turns: a request continues an earlier one if its prompt goes on behind the last
full block of that one's, and that block was new when it came.
  conversation_turns    requests of each conversation
  turn_gap_ms           from the arrival of the request that is continued
  turn_growth           tokens beyond its prompt

Memory, for a million requests:
  140 MB, and 4 to 24 bytes for each distinct block id, with --cache 5 more; for
  outcomes another 112 MB and 4 bytes for each block.

Examples:
  trace-stats prefixes conversation.jsonl
  trace-stats prefixes --cache --format json conversation.jsonl \\
    | jq .cache.curves
  trace-stats prefixes --block-size 16 qwen.jsonl";
