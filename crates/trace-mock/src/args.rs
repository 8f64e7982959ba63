//! The command line.

use trace_core::{Micros, parse_duration};

use crate::ask::MAX_OUTPUT_TOKENS;
use crate::fault::Fault;
use crate::settings::Settings;

const EXAMPLES: &str = "\
Examples:
  trace-mock --ttft 50ms --itl 10ms > seen.jsonl
  trace-mock --port 0 --fault 429
  curl -N http://127.0.0.1:8000/v1/completions -d '{\"prompt\":\"hi\",\"max_tokens\":5,\"stream\":true}'

Ends on ^C or SIGTERM with status 0: it accepts no more, lets running answers go on for up to five
seconds (a second signal cuts them), and writes the last records.";

/// An LLM server that needs no GPU, and writes down what it receives
///
/// Answers OpenAI's completions and chat completions, streamed or whole, with tokens that come
/// when --ttft and --itl say. Each request becomes a line of a trace on stdout when it ends.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "trace-mock", version, about, after_help = EXAMPLES)]
pub struct Args {
    /// Name or address to listen at
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub host: String,

    /// Port to listen at; 0 takes any free one. The address is printed on stderr
    #[arg(short, long, value_name = "PORT", default_value_t = 8000)]
    pub port: u16,

    /// Time from the arrival of a request to its first token: 50ms, 1.5s
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = parse_duration)]
    pub ttft: Micros,

    /// Time from each token to the next
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = parse_duration)]
    pub itl: Micros,

    /// Tokens of an answer whose request has no max_tokens
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(..=MAX_OUTPUT_TOKENS))]
    pub output_tokens: u64,

    /// Model on offer; requests may name any other, and it answers too
    #[arg(long, value_name = "NAME", default_value = "mock")]
    pub model: String,

    /// Let every request fail in one way: a status of 400 to 599, html, stall, stall-mid, cut,
    /// empty, garbage, no-usage or bytes. A request's header `x-mock-fault: KIND|none` wins
    #[arg(long, value_name = "KIND")]
    pub fault: Option<Fault>,
}

impl From<&Args> for Settings {
    fn from(args: &Args) -> Settings {
        Settings {
            host: args.host.clone(),
            port: args.port,
            ttft: args.ttft,
            itl: args.itl,
            output_tokens: args.output_tokens,
            models: vec![args.model.clone()],
            fault: args.fault,
        }
    }
}
