//! Replays a request trace against an LLM server and times every answer.
//!
//! ```text
//! trace-synth rate --rate 5 --duration 1m | trace-send --url http://localhost:8000 | trace-stats
//! ```
//!
//! Requests come in, one to a line; each goes out again as soon as it has
//! ended, with what happened to it ([`Outcome`](trace_core::Outcome)).
//!
//! # Three threads
//!
//! ```text
//! input → prepare: read, make the prompt, serialise ─ bytes ahead of time ─┐
//!         send: wait, write, stamp what comes back  ←──────────────────────┘
//! output ← results: format, write, flush            ← outcomes
//! ```
//!
//! Each hands over through a channel with a bound in bytes, so a slow pipe
//! slows the reading, not the memory. The thread that sends runs a
//! current-thread runtime and does nothing else: no prompt, no
//! JSON of a request, and in the normal case no connecting stands between a
//! deadline and its write. It sleeps on a kernel timer to some ten
//! microseconds ([`trace_core::clock`]), and connections are opened ahead of
//! the requests that will need them, three connect times before.
//!
//! Where one core is not enough, `--threads` makes several threads that send.
//! Each is as the one above: a runtime, a schedule, connections and sessions of
//! its own. They share the thread that prepares, which gives a request to the
//! thread where the fewest wait, the thread that writes, and a few counters.
//!
//! # What the times mean
//!
//! `sent_ms` is read from the clock just before the write, or before
//! connecting where no connection was at hand (`connect_ms` is there then, and
//! is part of `ttft_ms` and `latency_ms`, as it is for any user of the
//! server).
//!
//! A piece of an answer has the time at which the kernel got its last byte,
//! over TCP on Linux, below TLS and in HTTP/2, too: a client that is kept from
//! running measures no less truly for it. The kernel goes by the wall clock, so
//! its times are carried over to the run's own, and none is believed while the
//! wall clock is being set. Where the kernel tells none (unix sockets, other
//! systems) it is the time at which the runtime learns of the piece, before it
//! is read. The summary counts the answers that have such a time, and says how
//! long answers lay before they were read.
//!
//! Pieces that wait for this process together have the time of the last of
//! them, however small they are read: the kernel joins what lies in a socket
//! and keeps the later time. So a first token that was read together with
//! others seems later than it came, by at most what came between it and them,
//! which is less than this process was kept from reading; such tokens have
//! `itl_ms` of 0 between them. On a connection of HTTP/2 it is all streams
//! whose pieces are read together.
//!
//! `lateness_ms` is what this client added to the schedule; when one request
//! in a hundred is more than 5 ms late the run is called client-limited. A
//! slot of a closed loop is free when an answer has been read; the next turn
//! of a session counts from when it had come.
//!
//! The thread that sends is watched too: above nine tenths of a core at work
//! the run is client-limited as well, and --threads or --shard divides it.
//!
//! # Tokens
//!
//! The server's `usage` counts. Where it tells nothing, the tokenizer in use
//! counts the text of the answer and of the prompt, on the thread that writes
//! outcomes, and `token_source` says so; the names and arguments of the calls
//! of tools are text. An answer with more output than is counted (4 MiB) has a
//! token for each chunk, and so has, until it is written, any that nobody
//! counted: for `--slo tpot_ms` and the live line.
//!
//! # Sessions
//!
//! The turns of a session go in line order, each at the later of its time and
//! the end of the one before plus its `delay`. With live history a turn begins
//! with what the run itself has said and heard; a line that has only a length
//! adds as much as its `input_length` is above the turn before and its answer.
//!
//! # Several runs
//!
//! Levels of `--concurrency`, `--rounds` and a `--search` make several runs
//! over one input, marked by `concurrency`, `round` and `stage` on their
//! outcomes. Moments count from the beginning of the first.
//!
//! A connection that lay idle may be closed by the server just as it is used.
//! If nothing of an answer had come, the request is sent once more on a new
//! connection: `sent_ms` stays that of the first attempt, `attempts` is 2,
//! and the summary counts them: `--by attempts` of `trace-stats` tells them
//! apart. Nothing else is tried again unless `--retries` says so, which shows
//! as `attempts`, too.
//!
//! # Failures
//!
//! Every request that was sent has one line. `error.kind` is one of
//! [`ErrorKind`](trace_core::ErrorKind): `connect` (refused, unreachable, no
//! such name), `tls`, `exhausted` (this side has no more ports or
//! descriptors), `timeout`, `http` (a status other than 2xx), `content` (not
//! a stream and not JSON), `stream` (cut, broken, or an error in it), `empty`
//! (complete, without output), `cancelled` (^C), `skipped` (an earlier turn failed), `request` (the line cannot be
//! asked of this endpoint). What was measured before a failure stays on the
//! line; `latency_ms` is then the time until it was known.

pub mod answer;
mod args;
mod arrival;
mod between;
mod bodies;
mod body;
mod budget;
mod campaign;
mod channel;
mod clock;
mod connect;
mod crew;
mod dispatch;
mod dry;
mod endpoint;
mod engine;
pub mod exposition;
mod feed;
mod fetch;
mod flight;
mod head;
mod hearing;
mod history;
pub mod http;
mod key;
pub mod lateness;
mod leg;
mod limits;
mod live;
mod members;
mod metric;
mod models;
mod order;
mod outlook;
mod pace;
mod pool;
mod prepare;
mod recipe;
mod reins;
mod results;
mod route;

pub mod schedule;
mod search;
mod secret;
mod select;
mod setup;
mod signals;
mod slo;
mod socket;
mod start;
mod stop;
mod tally;
mod target;
mod telemetry;
mod tls;
mod track;
mod uncounted;
mod wake;
mod warmup;
mod work;

pub use args::Args;
pub use bodies::PromptAs;
pub use endpoint::Endpoint;
pub use reins::{Reins, Watch};

use anyhow::{Context, anyhow};
use bodies::Bodies;
use campaign::Campaign;
use limits::Limits;
use prepare::Preparer;
use results::Results;
use route::Route;
use setup::{gpus, runtime, selection, source};
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use telemetry::Telemetry;
use trace_core::{Reader, cli};

/// Run the stages of `recipe`, which `args` name, each a process of its own
/// with this program. `typed` are the arguments as they were typed, the
/// program left out.
///
/// # Errors
/// A recipe that is none, and a stage that could not do its job.
pub fn cook(recipe: &std::path::Path, args: &Args, typed: &[String]) -> anyhow::Result<u8> {
    recipe::run(recipe, args, typed)
}

/// The arguments of each stage of the recipe that `text` is: what
/// `trace-send --recipe` runs, one after the other.
///
/// # Errors
/// What in it is no recipe.
pub fn stages(text: &str) -> anyhow::Result<Vec<Vec<String>>> {
    recipe::stages(text)
}

/// Send the requests of `input` as `args` says, and write their outcomes to
/// `output`.
///
/// # Errors
/// Flags that do not fit, a line that is no request, an output that cannot be
/// written. What was sent before has its outcome written.
pub fn run(
    args: &Args,
    input: Reader<'static>,
    output: impl Write + Send + 'static,
) -> anyhow::Result<u8> {
    run_with(args, input, output, None)
}

/// [`run`], held by `reins` if there are any: then ^C is theirs to hear.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    args: &Args,
    input: Reader<'static>,
    output: impl Write + Send + 'static,
    reins: Option<&Reins>,
) -> anyhow::Result<u8> {
    args.check()?;
    if args.has_nothing_between() {
        trace_core::say!("trace-send: --between: there is one run, so nothing is between two");
    }
    trace_core::descriptors::prepare();
    let route = Route::find(args)?;
    let mut bodies = Bodies::new(&args.body, route.target.endpoint)?;
    let runtime = runtime()?;
    bodies.model = runtime.block_on(route.model(args))?;
    let preparer = Preparer::new(args, bodies, Arc::clone(&route.heads), selection(args)?);
    let preparer = Arc::new(preparer);
    let source = source(args, input)?;
    if args.dry_run {
        let done = dry::run(args, &preparer, source, output);
        tell_of_repairs(&preparer);
        return done;
    }
    let limits = Limits {
        outlook: Arc::clone(&preparer.outlook),
        gpus: gpus(args),
        reins: reins.cloned(),
        ..Limits::new(args, route.target.endpoint, Arc::clone(&route.heads))
    };
    let telemetry = Telemetry::start(args, Arc::clone(&limits.began), limits.gpus.clone())?;
    if let Some(count) = args.load.warmup {
        runtime.block_on(warmup::run(count, &preparer, &route.connector, &limits))?;
    }
    let tokenizer = preparer.bodies.prompts.tokenizer().clone();
    let results = Arc::new(Results::start(output, tokenizer).context("cannot start a thread")?);
    let campaign = Campaign {
        args,
        preparer: Arc::clone(&preparer),
        connector: Rc::clone(&route.connector),
        results: Arc::clone(&results),
        limits,
    };
    let verdict = runtime.block_on(campaign.run(source));
    let sampled = telemetry.map_or(Ok(()), Telemetry::finish);
    tell_of_repairs(&preparer);
    let written = runtime.block_on(finish(&results, reins.is_some()));
    runtime.shutdown_background();
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(cli::DONE),
        Err(error) => return Err(anyhow!("cannot write outcomes: {}", connect::plain(&error))),
        Ok(()) => {}
    }
    let verdict = verdict?;
    sampled?;
    Ok(verdict.code())
}

/// Say how many turns had to be repaired, if any had.
fn tell_of_repairs(preparer: &Preparer) {
    let repaired = preparer.repaired.load(Ordering::Relaxed);
    if repaired > 0 {
        trace_core::say!(
            "trace-send: {repaired} turns would have added less than a token and got one: their input_length is not above the turn before and its answer"
        );
    }
}

/// Everything that was measured is written before this returns, unless it is
/// interrupted: a pipe that nobody reads would keep us here.
/// Who holds the reins of a run reads its outcomes, too.
async fn finish(results: &Results, held: bool) -> io::Result<()> {
    if held {
        return results.finish().await;
    }
    let mut signals = signals::Signals::new()?;
    signals
        .unless_stopped(results.finish())
        .await
        .unwrap_or(Ok(()))
}
