//! The command line, in groups as --help shows them.

mod body;
mod judge;
mod load;
mod runs;
mod server;
mod session;
mod values;
mod watch;

use anyhow::bail;
pub(crate) use body::BodyArgs;
use judge::JudgeArgs;
use load::LoadArgs;
use runs::RunsArgs;
pub(crate) use server::ServerArgs;
use session::SessionArgs;
use std::path::PathBuf;
use trace_core::cli::InputArgs;
use watch::WatchArgs;

const EXAMPLES: &str = "\
Examples:
  trace-send --url http://localhost:8000/v1/completions trace.jsonl > out.jsonl
  trace-synth rate --rate 5 --duration 1m | trace-send --url mock: | trace-stats
  trace-send --url https://api.example.com --concurrency 64 --model m day.jsonl
  trace-send --url http://localhost:8000 --speed 10 --max-concurrency 256 \\
    day.jsonl
  trace-send --recipe stages.yaml > outcomes.jsonl
  trace-send --url mock: -c 1,4,16 -n 50 trace.jsonl \\
    | trace-stats --by concurrency
  trace-send --url mock: --search rate=10..2000 --slo ttft_ms=200 trace.jsonl \\
    > tried.jsonl

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
///
/// Times of answers are those at which the kernel got their bytes, over TCP on
/// Linux, TLS and HTTP/2 included, whether or not this process ran then;
/// elsewhere, and over a unix socket, those at which it learnt of them, and the
/// summary says for how many. Tokens that are read together (an itl_ms of 0)
/// have the time of the last. The summary also says how long answers lay before
/// they were read.
#[derive(Debug, clap::Parser)]
#[command(name = "trace-send", version, about, long_about, after_help = EXAMPLES)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// The traces to send.
    #[command(flatten)]
    pub input: InputArgs,

    /// Run the stages in the YAML file FILE one after the other
    ///
    /// A key of a stage or of `global` is the long name of a flag; `files`
    /// names the traces, `env` sets the environment, `server: {command: …,
    /// ready: 5m}` starts a server for the stage. Flags beside --recipe win.
    /// FluxPerf's recipes are understood.
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,

    /// Send nothing: write each line with its seq and scheduled_ms, and tell
    /// what would be sent
    #[arg(long, conflicts_with = "search")]
    pub dry_run: bool,

    /// Leave itl_ms out of the outcomes
    #[arg(long)]
    pub no_itl: bool,

    /// Whom to ask, and how to get there.
    #[command(flatten)]
    pub server: ServerArgs,

    /// When requests leave, and how many.
    #[command(flatten)]
    pub load: LoadArgs,

    /// One input sent in several runs, or in parts.
    #[command(flatten)]
    pub runs: RunsArgs,

    /// What a run is held to.
    #[command(flatten)]
    pub judge: JudgeArgs,

    /// What a request is made of.
    #[command(flatten)]
    pub body: BodyArgs,

    /// What goes before a turn, and who waits for whom.
    #[command(flatten)]
    pub session: SessionArgs,

    /// What is looked at while requests are sent.
    #[command(flatten)]
    pub watch: WatchArgs,
}

impl Args {
    /// See that flags that need one another are there.
    ///
    /// # Errors
    /// Those that are not, and what would have no effect.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let (load, searches) = (&self.load, self.judge.search.is_some());
        let levels = load.concurrency.len().max(1);
        if load.requests.len() > levels {
            let counts = load.requests.len();
            bail!("--requests has {counts} numbers, and --concurrency has {levels} levels");
        }
        if load.ramp_up.is_some() && load.rate.is_none() && load.concurrency.is_empty() && !searches
        {
            bail!("--ramp-up needs --rate or --concurrency: a trace has its own times");
        }
        Ok(())
    }

    /// Whether --between is given for one run.
    pub(crate) fn has_nothing_between(&self) -> bool {
        let levels = self.load.concurrency.len();
        let runs_once = levels < 2 && self.runs.rounds < 2 && self.judge.search.is_none();
        self.runs.between.is_some() && runs_once
    }
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
    fn flags_without_effect_are_refused() {
        for (flags, fits) in [
            ("-c 1,5 -n 10,20", true),
            ("-c 1,5 -n 10,20,30", false),
            ("-n 10,20", false),
            ("--ramp-up 5s", false),
            ("--ramp-up 5s --rate 3", true),
            ("--ramp-up 5s -c 3", true),
        ] {
            let all = ["trace-send", "--url", "mock:"].into_iter();
            let args = Args::try_parse_from(all.chain(flags.split(' '))).unwrap();
            assert_eq!(args.check().is_ok(), fits, "{flags}");
        }
    }

    #[test]
    fn a_number_below_zero_is_a_wrong_number_and_no_flag() {
        for flags in [["--rate", "-1"], ["--duration", "-5"], ["-n", "0"]] {
            let all = ["trace-send", "--url", "mock:"].iter().chain(&flags);
            let said = Args::try_parse_from(all).unwrap_err().to_string();
            assert!(said.starts_with("error: invalid value"), "{said}");
        }
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
