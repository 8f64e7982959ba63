//! The command line.

mod engine;
mod fault;
mod forward;
mod record;

use std::path::PathBuf;

use anyhow::anyhow;
use trace_core::cli::SeedArg;
use trace_core::{Micros, parse_duration};
use trace_prompt::TokenizerArg;

use crate::ask::MAX_OUTPUT_TOKENS;
use crate::origins::Origins;
use crate::settings::{Adapter, Identity, Settings};
use crate::turn::KeepAlive;

pub use engine::EngineArgs;
pub use fault::FaultArgs;
pub use forward::ForwardArgs;
pub use record::RecordArgs;

const EXAMPLES: &str = "\
Examples:
  trace-mock --ttft 50ms --itl 10ms > seen.jsonl
  trace-mock --costs overhead=5ms,a=33us,b=6ms,c=20us,d=40ns \\
    --cache-blocks 50000 --block-size 16
  trace-mock --profile h100-llama-3.1-8b --block-size 16 > seen.jsonl
  trace-mock --fit outcomes.jsonl > ours.yaml && trace-mock --profile ours.yaml
  trace-mock --port 0 --fault 429@0.05 --fault stall-mid@0.01
  trace-mock --upstream http://localhost:9000 --sessions-by-prefix > seen.jsonl
  trace-mock --upstream https://llm.example.com --upstream-ca ca.pem > out.jsonl
  curl -N http://127.0.0.1:8000/v1/completions \\
    -d '{\"prompt\":\"hi\",\"max_tokens\":5,\"stream\":true}'

Serves OpenAI's completions, chat completions, responses and embeddings and Anthropic's messages
under /v1, text-generation-inference's /generate and /generate_stream, Ollama's /api/generate and
/api/chat; /v1/models, /health, /ready, /metrics in vLLM's names, /tokenize, /detokenize and
/reset_prefix_cache.

Ends on ^C or SIGTERM with status 0: it accepts no more, lets running answers go on for up to five
seconds (a second signal cuts them), and writes the last records. Memory: some 14 KB for an open
stream, and 70 bytes for each different block of prompts while hash_ids or a cache are wanted: 2 GB
for a million requests of 30 new blocks each.";

/// An LLM server that needs no GPU, and writes down what it receives
///
/// Answers as the usual APIs do, streamed or whole, with tokens that come when --ttft and --itl
/// say, or when a model of an engine does. Each request becomes a line of a trace on stdout when it
/// ends.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "trace-mock", version, about, after_help = EXAMPLES)]
pub struct Args {
    /// Name or address to listen at
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub host: String,

    /// Port to listen at; 0 takes any free one. The address is printed on stderr
    #[arg(short, long, value_name = "PORT", default_value_t = 8000)]
    pub port: u16,

    /// Speak TLS with the certificate in this PEM file, and those up to a root behind it
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Key of the certificate, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Model on offer, for each time this is given; the first answers where none is asked for
    #[arg(long = "model", value_name = "NAME", default_value = "mock")]
    pub models: Vec<String>,

    /// LoRA adapter on offer, for each time this is given: asked for like a model, and told with the
    /// MODEL it adapts, the first if not said. POST /v1/load_lora_adapter and /v1/unload_lora_adapter
    /// change what is on offer
    #[arg(long = "lora", value_name = "NAME[=MODEL]")]
    pub adapters: Vec<Adapter>,

    /// Refuse models that are not on offer, with 404; else any name answers
    #[arg(long)]
    pub strict_models: bool,

    /// Key that a request must have, for each time this is given; others get 401
    #[arg(long = "api-key", value_name = "KEY")]
    pub api_keys: Vec<String>,

    /// Not ready for so long: /ready and requests for answers get 503
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = parse_duration)]
    pub startup_delay: Micros,

    /// Close connections that have been idle for so long behind an answer, as vLLM does after 5s; else
    /// they are the client's to keep
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub keep_alive: Option<Micros>,

    /// Close connections behind their Nth request
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub keep_alive_requests: Option<u64>,

    /// Tokens of an answer whose request has no limit
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(..=MAX_OUTPUT_TOKENS))]
    pub output_tokens: u64,

    /// Chance at each token that an answer ends by itself, after min_tokens of the request and
    /// unless it says ignore_eos
    #[arg(long, value_name = "CHANCE", default_value_t = 0.0, value_parser = chance)]
    pub eos_rate: f64,

    /// Chance that an answer calls a tool that its request offers, where the request leaves that
    /// open. One that must be called always is; its arguments follow its schema
    #[arg(long, value_name = "CHANCE", default_value_t = 0.0, value_parser = chance)]
    pub tool_call_rate: f64,

    /// Calls in an answer that calls tools: of those on offer one after the other, over and over. One
    /// where the request names a tool, or wants no parallel calls
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub tool_calls: u32,

    /// Pages that browsers may let ask: their origins, with commas in between or as a JSON array;
    /// * for any, none for no page
    #[arg(long, value_name = "ORIGINS", default_value = "*")]
    pub allowed_origins: Origins,

    /// Most tokens of a prompt and its answer together; more are refused as too long
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_model_len: Option<u64>,

    /// Numbers of an embedding whose request does not say how many
    #[arg(long, value_name = "N", default_value_t = 768, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub embedding_dimensions: u64,

    /// How tokens are counted.
    #[command(flatten)]
    pub tokenizer: TokenizerArg,

    /// Serve nothing, but estimate the costs of the engine that gave the outcomes in FILE, such as
    /// trace-send wrote, and print them as a profile with how well they fit; what they do not tell
    /// is left out and said on stderr. Holds them: 80 MB for a million, and 4 bytes for each token
    /// with itl_ms. Several runs, one after the other in FILE, tell more than one: at a rate for
    /// b, c and d, and with --concurrency 1 for the overhead
    #[arg(long, value_name = "FILE")]
    pub fit: Option<String>,

    /// Where randomness starts.
    #[command(flatten)]
    pub seed: SeedArg,

    /// When tokens leave.
    #[command(flatten)]
    pub engine: EngineArgs,

    /// What goes wrong.
    #[command(flatten)]
    pub fault: FaultArgs,

    /// What is written down.
    #[command(flatten)]
    pub record: RecordArgs,

    /// Who answers instead.
    #[command(flatten)]
    pub forward: ForwardArgs,
}

impl Args {
    /// What these flags ask for.
    ///
    /// # Errors
    ///
    /// What cannot be: a file that is not what it should be, or flags that contradict each other.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        let faults = self.fault.faults()?;
        faults.check().map_err(|reason| anyhow!(reason))?;
        let (ttft, itl) = self.engine.fixed();
        let record = self.record.recording();
        Ok(Settings {
            host: self.host.clone(),
            port: self.port,
            ttft,
            itl,
            jitter: self.engine.jitter.unwrap_or_default(),
            engine: self.engine.model(record.block_size)?,
            output_tokens: self.output_tokens,
            eos_rate: self.eos_rate,
            tool_call_rate: self.tool_call_rate,
            tool_calls: self.tool_calls,
            origins: self.allowed_origins.clone(),
            max_model_len: self.max_model_len,
            embedding_dimensions: self.embedding_dimensions,
            models: self.models.clone(),
            adapters: self.adapters.clone(),
            strict_models: self.strict_models,
            api_keys: self.api_keys.clone(),
            startup_delay: self.startup_delay,
            keep_alive: KeepAlive {
                idle: self.keep_alive,
                requests: self.keep_alive_requests,
            },
            tls: self.identity(),
            upstream: self.forward.forward(),
            faults,
            seed: self.seed.seed,
            tokenizer: self.tokenizer.tokenizer.clone(),
            record,
        })
    }
}

impl Args {
    fn identity(&self) -> Option<Identity> {
        Some(Identity {
            certificate: self.tls_cert.clone()?,
            key: self.tls_key.clone()?,
        })
    }
}

fn chance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(chance) if (0.0..=1.0).contains(&chance) => Ok(chance),
        _ => Err("a chance is a number from 0 to 1".into()),
    }
}
