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
//! current-thread runtime and shares nothing else: no lock, no prompt, no
//! JSON of a request, and in the normal case no connecting stands between a
//! deadline and its write. It sleeps on a kernel timer to some ten
//! microseconds ([`trace_core::clock`]), and connections are opened ahead of
//! the requests that will need them, three connect times before.
//!
//! # What the times mean
//!
//! `sent_ms` is read from the clock just before the write, or before
//! connecting where no connection was at hand (`connect_ms` is there then, and
//! is part of `ttft_ms` and `latency_ms`, as it is for any user of the
//! server). A piece of an answer is stamped when the read that brought it
//! returns, before it is decoded. `lateness_ms` is what this client added to
//! the schedule; when one request in a hundred is more than 5 ms late the
//! run is called client-limited.
//!
//! The thread that sends is watched too: above nine tenths of a core at work
//! the run is client-limited as well, and --shard divides it.
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
//! connection: `sent_ms` stays that of the first attempt, `connect_ms` is
//! there, and the summary counts them. Nothing else is tried again unless
//! `--retries` says so, which shows as `attempts`.
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
mod between;
mod bodies;
mod body;
mod budget;
mod campaign;
mod channel;
mod clock;
mod connect;
mod content;
mod dispatch;
mod dry;
mod endpoint;
mod engine;
pub mod event;
pub mod exposition;
mod fetch;
mod flight;
mod head;
mod history;
pub mod http;
pub mod lateness;
mod leg;
mod members;
mod models;
pub mod ndjson;
mod order;
mod pace;
mod pool;
mod prepare;
mod recipe;
mod results;
pub mod schedule;
mod search;
mod secret;
mod select;
mod slo;
mod socket;
pub mod sse;
mod start;
mod tally;
mod target;
mod telemetry;
mod tls;
mod wake;
mod warmup;

pub use args::Args;
pub use bodies::PromptAs;
pub use endpoint::Endpoint;

use answer::Wanted;
use anyhow::{Context, anyhow};
use bodies::Bodies;
use campaign::{Campaign, Verdict};
use connect::{Connector, Version};
use engine::Limits;
use head::Heads;
use leg::Label;
use members::Members;
use prepare::{Preparer, Source};
use results::Results;
use select::{Done, Selection};
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use target::Target;
use telemetry::{Gpus, Telemetry};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use trace_core::cli::{self, InputArgs};
use trace_core::{Line, Reader};
use trace_prompt::Prompts;

/// Run the stages of the recipe that `args` names, each a process of its own
/// with this program. `typed` are the arguments as they were typed, the
/// program left out.
///
/// # Errors
/// A recipe that is none, and a stage that could not do its job.
pub fn cook(recipe: &std::path::Path, typed: &[String]) -> anyhow::Result<u8> {
    recipe::run(recipe, typed)
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
    let url = args.url.as_deref().unwrap_or_default();
    raise_descriptor_limit();
    let server = start_mock(args, url)?;
    let url = server
        .as_ref()
        .map_or_else(|| url.to_owned(), trace_mock::Running::url);
    let target = Target::parse(&url, args.endpoint_type).map_err(|reason| anyhow!(reason))?;
    let extra = Members::from_flags(&args.extra).map_err(|reason| anyhow!(reason))?;
    let run_id = args.run_id.clone().unwrap_or_else(new_run_id);
    let key = key(args)?;
    let key = key.as_deref();
    let heads = Heads::new(&target, &args.header, key, &run_id, args.new_connections)
        .and_then(|heads| heads.name_sessions(&args.session_header))
        .map_err(|reason| anyhow!(reason))?;
    let config = target.tls.then(|| tls::config(trust(args))).transpose()?;
    let connector = Connector::new(&target, config, args.unix_socket.clone(), args.http);
    let connector = Rc::new(connector.map_err(|failure| anyhow!(failure.message))?);

    let runtime = runtime()?;
    let secrets = heads.secrets().clone();
    let model = if args.dry_run {
        args.model.clone().unwrap_or_else(|| "default".to_owned())
    } else {
        runtime
            .block_on(greet(args, &connector, &target, &heads))
            .map_err(|reason| anyhow!(secrets.redact(reason)))?
    };
    let bodies = Bodies {
        endpoint: target.endpoint,
        model,
        stream: !args.no_stream,
        ignore_eos: args.ignore_eos,
        min_tokens: args.min_tokens,
        extra,
        prompts: Prompts::with(&args.tokenizer.load()?, args.seed.seed)?
            .block_size(args.block_size.block_size),
        prompt_as: args.prompt_as,
    };
    bodies.check()?;
    let heads = Arc::new(heads);
    let preparer = Arc::new(Preparer {
        bodies,
        heads: Arc::clone(&heads),
        history: args.history,
        turns: args.turns,
        counting: args.max_context_tokens.is_some(),
        selection: selection(args)?,
        repaired: AtomicU64::new(0),
    });
    let source = source(args, input)?;
    if args.dry_run {
        return dry::run(args, &preparer, source, output);
    }
    let began = Arc::new(OnceLock::new());
    let gpus = gpus(args);
    let telemetry = Telemetry::start(args, Arc::clone(&began), gpus.clone())?;
    let limits = Limits {
        timeout: args.timeout.into(),
        wanted: Wanted {
            gaps: !args.no_itl,
            text: false,
            silent: target.endpoint.is_silent(),
        },
        until: args.duration,
        open_loop: true,
        new_connections: args.new_connections,
        secrets,
        retries: args.retries,
        slos: args.slo.clone(),
        stops: args.stop_on.clone(),
        label: Label::default(),
        first: None,
        began: Arc::clone(&began),
        gpus: gpus.clone(),
        heads,
    };
    if let Some(count) = args.warmup {
        let warm = warmup::run(count, &preparer, &connector, &limits);
        runtime.block_on(warm)?;
    }
    let results = Rc::new(Results::start(output).context("cannot start a thread")?);
    let campaign = Campaign {
        args,
        preparer: Arc::clone(&preparer),
        connector,
        results: Rc::clone(&results),
        limits,
    };
    let verdict = runtime.block_on(campaign.run(source));
    let sampled = telemetry.map_or(Ok(()), Telemetry::finish);
    let repaired = preparer.repaired.load(Ordering::Relaxed);
    if repaired > 0 {
        eprintln!(
            "trace-send: {repaired} turns would have added less than a token and got one: their input_length is not above the turn before and its answer"
        );
    }
    let output = runtime.block_on(finish(&results));
    runtime.shutdown_background();
    match output {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(cli::DONE),
        Err(error) => return Err(anyhow!("cannot write outcomes: {}", connect::plain(&error))),
        Ok(()) => {}
    }
    let verdict = verdict?;
    sampled?;
    Ok(match verdict {
        Verdict {
            interrupted: true, ..
        } => cli::INTERRUPTED,
        Verdict { no: true, .. } => cli::NO,
        _ => cli::DONE,
    })
}

/// Everything that was measured is written before this returns, unless it is
/// interrupted: a pipe that nobody reads would keep us here.
async fn finish(results: &Results) -> io::Result<()> {
    let mut signals = dispatch::Signals::new()?;
    signals
        .unless_stopped(results.finish())
        .await
        .unwrap_or(Ok(()))
}

/// The GPUs to watch, if that is wanted and there are any.
fn gpus(args: &Args) -> Option<Arc<Gpus>> {
    if !args.gpu {
        return None;
    }
    match Gpus::find() {
        Ok(gpus) => Some(Arc::new(gpus)),
        Err(why) => {
            eprintln!("trace-send: --gpu: no GPU is watched: {why}");
            None
        }
    }
}

/// Which requests are this run's.
fn selection(args: &Args) -> anyhow::Result<Selection> {
    let done = match &args.resume {
        Some(path) => {
            let earlier =
                InputArgs {
                    files: vec![path.as_os_str().to_owned().into_string().map_err(|_| {
                        anyhow!("--resume: {} is no name in UTF-8", path.display())
                    })?],
                    // A run that was killed may have left half a line.
                    skip_invalid: true,
                };
            let mut outcomes = earlier.open().context("--resume")?;
            Done::read(&mut outcomes).context("--resume")?
        }
        None => Done::default(),
    };
    if args.resume.is_some() {
        eprintln!("trace-send: {} requests are done already", done.len());
    }
    Ok(Selection {
        shard: args.shard,
        done,
    })
}

/// The requests: as they are read for one run, from memory for several.
fn source(args: &Args, mut input: Reader<'static>) -> anyhow::Result<Source> {
    if args.concurrency.len() < 2 && args.rounds < 2 && args.search.is_none() {
        return Ok(Source::Stream(input));
    }
    let most = args.requests.iter().max().copied().unwrap_or(u64::MAX);
    let mut lines = Vec::new();
    let mut line = Line::default();
    while (lines.len() as u64) < most && input.read(&mut line)? {
        if lines.is_empty() && line.is_outcome() {
            lines = order::restored(std::mem::take(&mut line), &mut input)?;
            break;
        }
        lines.push(std::mem::take(&mut line));
    }
    cli::report_skipped("trace-send", &input);
    Ok(Source::Held(Arc::new(lines)))
}

/// Whom to trust, which is said when it is everybody.
fn trust(args: &Args) -> tls::Trust<'_> {
    if args.insecure {
        eprintln!("trace-send: --insecure: certificates are not checked, anybody may answer");
    }
    tls::Trust {
        ca: args.ca_cert.as_deref(),
        native: args.native_certs,
        blind: args.insecure,
        http2: args.http == Version::Http2,
    }
}

/// One thread for everything that must be in time.
fn runtime() -> anyhow::Result<LocalRuntime> {
    Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .context("cannot start the runtime")
}

/// The mock inside, if the URL asks for it.
fn start_mock(args: &Args, url: &str) -> anyhow::Result<Option<trace_mock::Running>> {
    let Some(mut settings) = target::mock(url).map_err(|reason| anyhow!(reason))? else {
        return Ok(None);
    };
    settings.ttft = args.mock_ttft.unwrap_or(settings.ttft);
    settings.itl = args.mock_itl.unwrap_or(settings.itl);
    let server = trace_mock::start(&settings, None).context("cannot start the mock")?;
    eprintln!(
        "trace-send: no server is asked: the mock inside answers at {}, ttft {} ms, itl {} ms",
        server.url(),
        settings.ttft,
        settings.itl
    );
    Ok(Some(server))
}

/// See that the server is there, as far as the flags ask for it. Gives the
/// model of lines that name none.
async fn greet(
    args: &Args,
    connector: &Connector,
    target: &Target,
    heads: &Heads,
) -> Result<String, String> {
    let fields = heads.fields();
    if let Some(patience) = args.wait_ready {
        models::wait_ready(connector, target, fields, patience.into()).await?;
    }
    let model = match &args.model {
        Some(model) => model.clone(),
        None => models::first(connector, target, fields)
            .await
            .unwrap_or_else(|| "default".to_owned()),
    };
    if args.models_check {
        models::check(connector, target, fields, &model).await?;
    }
    Ok(model)
}

/// The key to show, if there is one.
fn key(args: &Args) -> anyhow::Result<Option<String>> {
    let key = match &args.api_key_file {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| format!("--api-key-file {}", path.display()))?;
            Some(text.trim().to_owned())
        }
        None => args.api_key.clone(),
    };
    Ok(key.filter(|key| !key.is_empty()))
}

/// An id that no other run has.
fn new_run_id() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:x}-{:x}", now.as_micros(), std::process::id())
}

/// A connection takes a descriptor, and the usual limit is a thousand.
fn raise_descriptor_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        // If it cannot be raised, requests say so when it is reached.
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                maximum: limit.maximum,
            },
        );
    }
}
