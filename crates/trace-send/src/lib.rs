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
//! A connection that lay idle may be closed by the server just as it is used.
//! If nothing of an answer had come, the request is sent once more on a new
//! connection: `sent_ms` stays that of the first attempt, `connect_ms` is
//! there, and the summary counts them. Nothing else is ever retried.
//!
//! # Failures
//!
//! Every request that was sent has one line. `error.kind` is one of
//! [`ErrorKind`](trace_core::ErrorKind): `connect` (refused, unreachable, no
//! such name), `tls`, `exhausted` (this side has no more ports or
//! descriptors), `timeout`, `http` (a status other than 2xx), `content` (not
//! a stream and not JSON), `stream` (cut, broken, or an error in it), `empty`
//! (complete, without output), `cancelled` (^C), `request` (the line cannot be
//! asked of this endpoint). What was measured before a failure stays on the
//! line; `latency_ms` is then the time until it was known.

pub mod answer;
mod args;
mod bodies;
mod body;
mod budget;
mod channel;
mod clock;
mod connect;
mod content;
mod dispatch;
mod endpoint;
mod engine;
pub mod event;
mod fetch;
mod flight;
mod head;
pub mod http;
pub mod lateness;
mod members;
mod models;
pub mod ndjson;
mod order;
mod pool;
mod prepare;
mod results;
pub mod schedule;
mod secret;
mod socket;
pub mod sse;
mod tally;
mod target;
mod tls;
mod wake;

pub use args::Args;
pub use bodies::PromptAs;
pub use endpoint::Endpoint;

use answer::Wanted;
use anyhow::{Context, anyhow};
use bodies::Bodies;
use budget::Budget;
use connect::{Connector, Version};
use dispatch::{Ended, Feed, Item, Pace};
use engine::Limits;
use head::Heads;
use members::Members;
use prepare::Preparer;
use results::Results;
use std::io::{self, Write};
use std::rc::Rc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};
use target::Target;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use trace_core::{Reader, cli};
use trace_prompt::Prompts;

/// Bytes of requests that are made ready ahead.
const AHEAD: usize = 16 << 20;

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
    raise_descriptor_limit();
    let server = start_mock(args)?;
    let url = server
        .as_ref()
        .map_or_else(|| args.url.clone(), trace_mock::Running::url);
    let target = Target::parse(&url, args.endpoint_type).map_err(|reason| anyhow!(reason))?;
    let extra = Members::from_flags(&args.extra).map_err(|reason| anyhow!(reason))?;
    let run_id = args.run_id.clone().unwrap_or_else(new_run_id);
    let key = key(args)?;
    let key = key.as_deref();
    let heads = Heads::new(&target, &args.header, key, &run_id, args.new_connections)
        .map_err(|reason| anyhow!(reason))?;
    let config = target.tls.then(|| tls::config(trust(args))).transpose()?;
    let connector = Connector::new(&target, config, args.unix_socket.clone(), args.http);
    let connector = Rc::new(connector.map_err(|failure| anyhow!(failure.message))?);

    let runtime = runtime()?;
    let secrets = heads.secrets().clone();
    let model = runtime
        .block_on(greet(args, &connector, &target, &heads))
        .map_err(|reason| anyhow!(secrets.redact(reason)))?;
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
    let preparer = Preparer {
        bodies,
        heads,
        speed: args.speed,
        closed_loop: args.concurrency.is_some(),
        align_first: args.align_first,
        limit: args.limit,
    };
    let limits = Limits {
        timeout: args.timeout.into(),
        wanted: Wanted {
            gaps: !args.no_itl,
            text: false,
            silent: target.endpoint.is_silent(),
        },
        until: args.duration,
        open_loop: args.concurrency.is_none(),
        new_connections: args.new_connections,
        secrets: secrets.clone(),
    };
    let pace = args
        .concurrency
        .map_or(Pace::Open(args.max_concurrency), Pace::Closed);
    let feed = prepare(preparer, input).context("cannot start a thread")?;
    let results = Results::start(output).context("cannot start a thread")?;
    let ended = runtime.block_on(dispatch::run(
        limits,
        pace,
        connector,
        feed,
        results,
        args.drain.into(),
    ));
    runtime.shutdown_background();
    finish(ended.context("cannot set a timer")?)
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

/// Say how it went.
fn finish(ended: Ended) -> anyhow::Result<u8> {
    if let Err(error) = &ended.output
        && error.kind() == io::ErrorKind::BrokenPipe
    {
        return Ok(cli::DONE);
    }
    // Where nothing could be sent, the reason says it all.
    if ended.input.is_ok() || ended.tally.ended > 0 {
        for line in ended.tally.report(ended.never_sent) {
            eprintln!("trace-send: {line}");
        }
    }
    if let Err(error) = ended.output {
        return Err(anyhow!("cannot write outcomes: {}", connect::plain(&error)));
    }
    ended.input?;
    Ok(if ended.interrupted {
        cli::INTERRUPTED
    } else {
        cli::DONE
    })
}

/// Prepare the requests of `input` on a thread of their own.
fn prepare(preparer: Preparer, mut input: Reader<'static>) -> io::Result<Feed> {
    let (sender, items) = tokio::sync::mpsc::unbounded_channel();
    let budget = Budget::new(AHEAD);
    let paying = budget.clone();
    let thread = thread::Builder::new()
        .name("prepare".into())
        .spawn(move || {
            let ended = preparer.run(&mut input, |request, timing| {
                paying.pay(request.cost())
                    && sender
                        .send(Item::Request(Box::new(request), timing))
                        .is_ok()
            });
            cli::report_skipped("trace-send", &input);
            // Nobody listens after an interrupt.
            let _ = sender.send(Item::End(ended));
        })?;
    Ok(Feed {
        items,
        budget,
        maker: thread.thread().clone(),
    })
}

/// The mock inside, if the URL asks for it.
fn start_mock(args: &Args) -> anyhow::Result<Option<trace_mock::Running>> {
    let Some(mut settings) = target::mock(&args.url).map_err(|reason| anyhow!(reason))? else {
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
