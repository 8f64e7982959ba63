//! The command line.

use crate::bodies::PromptAs;
use crate::connect::Version;
use crate::endpoint::Endpoint;
use crate::history::OnFailure;
use crate::prepare::{History, TurnLengths};
use crate::search::Search;
use crate::select::Shard;
use crate::slo::{Slo, Stop};
use std::path::PathBuf;
use trace_core::cli::{BlockSizeArg, InputArgs, SeedArg};
use trace_core::time::{Micros, parse_duration};
use trace_prompt::TokenizerArg;

const EXAMPLES: &str = "\
Examples:
  trace-send --url http://localhost:8000/v1/completions trace.jsonl > outcomes.jsonl
  trace-synth rate --rate 5 --duration 1m | trace-send --url mock: | trace-stats
  trace-send --url https://api.example.com --concurrency 64 --model m trace.jsonl
  trace-send --url http://localhost:8000 --speed 10 --max-concurrency 256 day.jsonl
  trace-send --recipe stages.yaml > outcomes.jsonl
  trace-send --url mock: -c 1,4,16 -n 50 trace.jsonl | trace-stats --by concurrency
  trace-send --url mock: --search rate=10..2000 --slo ttft_ms=200 trace.jsonl > tried.jsonl

Results are data: requests that fail have their line too, and the exit code is 0.
It is 1 if --stop-on fired, --search found nothing or --strict-clock was broken,
2 if the job could not be done, 130 after ^C.";

/// Replay a request trace against an LLM server and time every answer
///
/// Reads requests (one JSON object per line), sends each at its timestamp
/// (open loop) or keeps N in flight (--concurrency), and writes each line with
/// what happened to it as soon as it has ended. Memory is bounded by what is
/// in flight. Only when an input begins with an outcome line is it held whole,
/// to send its requests in their order, or when there is more than one run (levels,
/// rounds, a search): some 1 GB per million requests.
#[derive(Debug, clap::Parser)]
#[command(name = "trace-send", version, about, long_about, after_help = EXAMPLES)]
pub struct Args {
    /// The traces to send.
    #[command(flatten)]
    pub input: InputArgs,

    /// Where to send: http://, https://, or mock: for a server inside
    ///
    /// A URL without a path, or with /v1 alone, gets the endpoint's own path.
    /// mock:?ttft=50ms&itl=10ms&tokens=64 sets the mock's times, and the length
    /// of answers that are not asked for one.
    #[arg(short, long, value_name = "URL", required_unless_present = "recipe")]
    pub url: Option<String>,

    /// Run the stages in the YAML file FILE one after the other
    ///
    /// A key of a stage or of `global` is the long name of a flag; `files`
    /// names the traces, `env` sets the environment, `server: {command: …,
    /// ready: 5m}` starts a server for the stage. Flags beside --recipe win.
    /// FluxPerf's recipes are understood.
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,

    /// What the server is asked for; by default as the URL's path says
    #[arg(long, value_name = "TYPE")]
    pub endpoint_type: Option<Endpoint>,

    /// Model of lines that name none; by default the first that /v1/models
    /// lists, else "default"
    #[arg(short, long, value_name = "NAME")]
    pub model: Option<String>,

    /// Key to send as a bearer token, or as the endpoint wants it
    #[arg(
        long,
        value_name = "KEY",
        env = "OPENAI_API_KEY",
        hide_env_values = true
    )]
    pub api_key: Option<String>,

    /// File that holds the key to send
    #[arg(long, value_name = "FILE", conflicts_with = "api_key")]
    pub api_key_file: Option<PathBuf>,

    /// Fail unless the server lists the model
    #[arg(long)]
    pub models_check: bool,

    /// Wait up to DURATION for the server to answer before the run begins
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub wait_ready: Option<Micros>,

    /// Header field to send with every request; repeatable
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,

    /// Member of every request body; VALUE is JSON, else a string; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub extra: Vec<String>,

    /// Divide timestamps and delays by X
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,

    /// Count time from the first request's timestamp instead of from zero
    #[arg(long)]
    pub align_first: bool,

    /// Send R requests per second, evenly, whatever their timestamps say
    #[arg(long, value_name = "R", value_parser = speed, conflicts_with_all = ["concurrency", "align_first"])]
    pub rate: Option<f64>,

    /// Keep N requests in flight; timestamps are ignored (closed loop). Several
    /// levels are run one after the other
    #[arg(short, long, value_name = "N,…", value_delimiter = ',', value_parser = at_least_one)]
    pub concurrency: Vec<usize>,

    /// Reach the rate or the concurrency only after DURATION
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub ramp_up: Option<Micros>,

    /// Send everything N times at each level
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub rounds: u64,

    /// Keep the order of requests in later rounds; else it is drawn by --seed
    #[arg(long)]
    pub no_shuffle: bool,

    /// Between two runs, post to URL or run CMD by the shell
    #[arg(long, value_name = "URL|CMD")]
    pub between: Option<String>,

    /// Name that outcomes carry as their stage
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,

    /// Find the highest rate or concurrency that keeps every --slo:
    /// rate=LOW..HIGH or concurrency=LOW..HIGH
    #[arg(long, value_name = "WHAT=LOW..HIGH", requires = "slo", conflicts_with_all = ["concurrency", "rate", "rounds", "resume"])]
    pub search: Option<Search>,

    /// What an answer must keep to be good, such as ttft_ms=500; repeatable
    #[arg(long, value_name = "METRIC=MS")]
    pub slo: Vec<Slo>,

    /// Share of good answers at which a level holds
    #[arg(long, value_name = "SHARE", default_value_t = 0.99, value_parser = share)]
    pub good_share: f64,

    /// Send nothing more when a condition is met, such as error_rate>0.1;
    /// repeatable
    #[arg(long, value_name = "WHAT>NUMBER")]
    pub stop_on: Vec<Stop>,

    /// Try a request again up to N times if there was no connection, no
    /// answer, or status 429, 500, 502, 503 or 504
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub retries: u64,

    /// Let at most N requests be in flight in open loop; waiting for one to
    /// end shows as queue_ms
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with = "concurrency")]
    pub max_concurrency: Option<usize>,

    /// Longest time for one request, connecting included
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = positive_duration)]
    pub timeout: Micros,

    /// Send the first N lines; several numbers are one for each level
    #[arg(
        short = 'n',
        long,
        alias = "limit",
        value_name = "N,…",
        value_delimiter = ','
    )]
    pub requests: Vec<u64>,

    /// Send the I-th of N parts, from 0; the turns of a session stay together
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Leave out what has an outcome in FILE; the rest leaves at once, the
    /// first of it at time zero
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,

    /// Begin at TIME: 2026-01-02T03:04:05Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub start_at: Option<String>,

    /// Send nothing: write each line with its seq and scheduled_ms, and tell
    /// what would be sent
    #[arg(long, conflicts_with = "search")]
    pub dry_run: bool,

    /// Write what the server's metrics and the GPUs say during the run to FILE
    #[arg(long, value_name = "FILE")]
    pub telemetry: Option<PathBuf>,

    /// Page of Prometheus metrics to sample; repeatable
    #[arg(long, value_name = "URL", requires = "telemetry")]
    pub prometheus_url: Vec<String>,

    /// Metrics to keep, all by default; a name may end in *
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        requires = "prometheus_url"
    )]
    pub prometheus_metrics: Vec<String>,

    /// Time between two samples of the metrics
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = positive_duration)]
    pub telemetry_interval: Micros,

    /// Watch this machine's NVIDIA GPUs: their memory is gpu_memory_mb of
    /// every outcome
    #[arg(long)]
    pub gpu: bool,

    /// Send N requests of 64 tokens before the run, which are not in its
    /// results
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub warmup: Option<usize>,

    /// End with status 1 if the run was client-limited
    #[arg(long)]
    pub strict_clock: bool,

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

    /// Drop the oldest of a live history where a prompt would be longer
    #[arg(long, value_name = "TOKENS")]
    pub max_context_tokens: Option<u64>,

    /// Header field that tells a request's session; empty for none
    #[arg(long, value_name = "NAME", default_value = "x-session-id")]
    pub session_header: String,

    /// What becomes of a session after a turn that failed
    #[arg(long, value_name = "WHAT", default_value = "continue")]
    pub on_failed_turn: OnFailure,

    /// Send nothing after DURATION; what is in flight goes on to its end
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub duration: Option<Micros>,

    /// After ^C, wait this long for what is in flight
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    pub drain: Micros,

    /// Ask for whole answers instead of streams; they have no ttft_ms
    #[arg(long)]
    pub no_stream: bool,

    /// Ask for exactly output_length tokens (vLLM, SGLang, llama.cpp)
    #[arg(long)]
    pub ignore_eos: bool,

    /// Ask for at least output_length tokens (vLLM, SGLang, TensorRT-LLM)
    #[arg(long)]
    pub min_tokens: bool,

    /// Leave itl_ms out of the outcomes
    #[arg(long)]
    pub no_itl: bool,

    /// What x-request-id begins with, before the number of the line; by
    /// default made from the time and the process
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,

    /// HTTP version
    #[arg(long, value_name = "VERSION", default_value = "1.1")]
    pub http: Version,

    /// Connect to the unix socket at PATH instead of the URL's host
    #[arg(long, value_name = "PATH")]
    pub unix_socket: Option<PathBuf>,

    /// Open a connection for every request; connect_ms is part of its times
    #[arg(long)]
    pub new_connections: bool,

    /// Do not check certificates
    #[arg(long)]
    pub insecure: bool,

    /// Trust the certificates in the PEM file FILE, too
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,

    /// Trust the system's certificates instead of Mozilla's
    #[arg(long)]
    pub native_certs: bool,

    /// Time to first token of mock:
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub mock_ttft: Option<Micros>,

    /// Time between tokens of mock:
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub mock_itl: Option<Micros>,

    /// The block size of `hash_ids`.
    #[command(flatten)]
    pub block_size: BlockSizeArg,

    /// Whose tokens prompts have as many of as the lines say.
    #[command(flatten)]
    pub tokenizer: TokenizerArg,

    /// What a prompt is sent as: its text, or the ids of its tokens, which
    /// completions endpoints take and which need no tokenizing there
    #[arg(long, value_name = "WHAT", value_enum, default_value = "text")]
    pub prompt_as: PromptAs,

    /// The seed of prompt text.
    #[command(flatten)]
    pub seed: SeedArg,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| format!("{text:?} is not a number above zero"))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a number from 1 to 1000000"))
}

fn positive_duration(text: &str) -> Result<Micros, String> {
    match parse_duration(text)? {
        Micros::ZERO => Err("it must be above zero".to_owned()),
        duration => Ok(duration),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("{text:?} is not a number from 0 to 1"))
}

fn moment(text: &str) -> Result<String, String> {
    crate::start::parse(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_flags_fit_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn senseless_numbers_are_refused() {
        for flags in [
            ["--speed", "0"],
            ["--speed", "nan"],
            ["--concurrency", "0"],
            ["--timeout", "0"],
            ["--url", "a"],
        ] {
            let all = ["trace-send", "--url", "mock:"].iter().chain(&flags);
            assert!(Args::try_parse_from(all).is_err(), "{flags:?}");
        }
    }
}
