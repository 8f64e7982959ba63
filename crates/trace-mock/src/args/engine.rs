//! Flags for when tokens leave.

use anyhow::anyhow;
use trace_core::{Micros, parse_duration};

use crate::engine::{Cost, Jitter, Limits};
use crate::profile::Profile;
use crate::settings::Model;

/// When tokens leave: by a fixed schedule, or by a model of an engine.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "When tokens leave")]
pub struct EngineArgs {
    /// Time from the arrival of a request to its first token: 50ms, 1.5s
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = parse_duration)]
    pub ttft: Micros,

    /// Time from each token to the next
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = parse_duration)]
    pub itl: Micros,

    /// Let time pass N times as fast
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,

    /// Let tokens come as a batching engine would give them: first tokens after queue + overhead +
    /// a for each prompt token that is not cached, further ones after b + c for each sequence of
    /// the batch + d for each token of their context. What is not named is 0. Any flag below turns
    /// the model on; without this one, overhead is --ttft and b is --itl
    #[arg(long, value_name = "overhead=T,a=T,b=T,c=T,d=T", conflicts_with_all = ["ttft", "itl"])]
    pub costs: Option<Cost>,

    /// Take costs, limits and the size of the KV cache from a profile: a YAML FILE,
    /// a100-llama-3.1-8b, h100-llama-3.1-8b, 4xh100-llama-3.1-70b or 2xh200-llama-3.1-70b. Those
    /// are computed from published figures, which others than their makers copied, and measured
    /// nowhere; --fit measures. --costs and the flags below win
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["ttft", "itl"])]
    pub profile: Option<String>,

    /// Sequences that run at once; others wait. The profile's or 256 if not said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_num_seqs: Option<u64>,

    /// Tokens of prompts and answers that one step computes. The profile's or 8192 if not said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_num_batched_tokens: Option<u64>,

    /// Give prompts whole steps of their own, for which the others wait
    #[arg(long)]
    pub no_chunked_prefill: bool,

    /// Order of the queue; priority is a field of requests, and lower goes first
    #[arg(long, value_name = "ORDER")]
    pub scheduling: Option<Scheduling>,

    /// Blocks of the KV cache, which holds what runs and the prompts that may be found again. As
    /// many as it takes if not said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub cache_blocks: Option<u64>,

    /// Compute every prompt whole, whatever is cached
    #[arg(long)]
    pub no_prefix_cache: bool,

    /// Keep prompts in the prefix cache, but forget answers: a next turn that holds one computes it
    /// again
    #[arg(long)]
    pub no_output_cache: bool,

    /// Scatter overheads and steps of an engine, or without one every TTFT and ITL, by factors:
    /// none, uniform:WIDTH, normal:SD or lognormal:SD, about 1. The profile's or none if not said
    #[arg(long, value_name = "DISTRIBUTION")]
    pub jitter: Option<Jitter>,
}

/// The order of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scheduling {
    /// First come, first served
    Fcfs,
    /// By the priority of the request, then by arrival
    Priority,
}

impl EngineArgs {
    /// TTFT and ITL where there is no engine.
    pub(crate) fn fixed(&self) -> (Micros, Micros) {
        let faster = |time: Micros| Micros::from_millis(time.as_millis() / self.speed);
        // What is too long for a time is as good as for ever.
        let faster = |time| faster(time).unwrap_or(time);
        (faster(self.ttft), faster(self.itl))
    }

    /// The engine, if there is one.
    pub(crate) fn model(&self, block_size: u64) -> anyhow::Result<Option<Model>> {
        let wanted = self.costs.is_some()
            || self.profile.is_some()
            || self.max_num_seqs.is_some()
            || self.max_num_batched_tokens.is_some()
            || self.no_chunked_prefill
            || self.scheduling.is_some()
            || self.cache_blocks.is_some()
            || self.no_prefix_cache
            || self.no_output_cache;
        if !wanted {
            return Ok(None);
        }
        let mut model = Model {
            cost: Cost {
                overhead_ms: self.ttft.as_millis(),
                step_ms: self.itl.as_millis(),
                ..Cost::default()
            },
            limits: Limits {
                block_size,
                ..Limits::default()
            },
            jitter: Jitter::None,
        };
        if let Some(name) = &self.profile {
            let profile = Profile::load(name).map_err(|reason| anyhow!(reason))?;
            model = Model {
                cost: profile.cost().map_err(|reason| anyhow!(reason))?,
                limits: profile.limits(block_size),
                jitter: profile.jitter().map_err(|reason| anyhow!(reason))?,
            };
        }
        let cost = self.costs.unwrap_or(model.cost);
        let limits = model.limits;
        Ok(Some(Model {
            cost: cost.times(1.0 / self.speed),
            limits: Limits {
                sequences: self.max_num_seqs.unwrap_or(limits.sequences),
                tokens: self.max_num_batched_tokens.unwrap_or(limits.tokens),
                chunked_prefill: !self.no_chunked_prefill,
                priority: self.scheduling == Some(Scheduling::Priority),
                block_size: limits.block_size,
                blocks: self.cache_blocks.unwrap_or(limits.blocks),
                prefix_caching: !self.no_prefix_cache,
                output_caching: !self.no_output_cache,
            },
            jitter: self.jitter.unwrap_or(model.jitter),
        }))
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (1e-3..=1e6).contains(&speed) => Ok(speed),
        _ => Err("a speed is a number from 0.001 to 1000000".into()),
    }
}
