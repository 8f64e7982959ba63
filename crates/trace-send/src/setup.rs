//! What a run needs before it begins: a server, a key, its input.

use crate::connect::{Connector, Version};
use crate::head::Heads;
use crate::prepare::Source;
use crate::select::{Done, Selection};
use crate::target::{self, Target};
use crate::telemetry::Gpus;
use crate::{Args, key, models, order, tls};
use anyhow::{Context, anyhow, bail};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use trace_core::cli::{self, InputArgs};
use trace_core::{Line, Reader};

/// The GPUs to watch, if that is wanted and there are any.
pub(crate) fn gpus(args: &Args) -> Option<Arc<Gpus>> {
    if !args.watch.gpu {
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
pub(crate) fn selection(args: &Args) -> anyhow::Result<Selection> {
    let done = match &args.runs.resume {
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
            let done = Done::read(&mut outcomes).context("--resume")?;
            cli::report_skipped("trace-send: --resume", &outcomes);
            if done.len() == 0 && outcomes.skipped() > 1 {
                bail!("--resume: {}: these are no outcomes", path.display());
            }
            done
        }
        None => Done::default(),
    };
    if args.runs.resume.is_some() {
        eprintln!("trace-send: {} requests are done already", done.len());
    }
    Ok(Selection {
        shard: args.runs.shard,
        done,
    })
}

/// The requests: as they are read for one run, from memory for several.
pub(crate) fn source(args: &Args, mut input: Reader<'static>) -> anyhow::Result<Source> {
    if args.load.concurrency.len() < 2 && args.runs.rounds < 2 && args.judge.search.is_none() {
        return Ok(Source::Stream(input));
    }
    let most = args.load.requests.iter().max().copied().unwrap_or(u64::MAX);
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
    if args.server.insecure {
        eprintln!("trace-send: --insecure: certificates are not checked, anybody may answer");
    }
    tls::Trust {
        ca: args.server.ca_cert.as_deref(),
        native: args.server.native_certs,
        blind: args.server.insecure,
        http2: args.server.http == Version::Http2,
    }
}

/// Tasks that run before the runtime looks again at the dispatcher, the timer
/// and the sockets: a quarter of a millisecond of answers that are read. The
/// usual 61 make a request that is due wait for three times as much.
const TASKS_AT_A_GO: u32 = 16;

/// One thread for everything that must be in time.
pub(crate) fn runtime() -> anyhow::Result<LocalRuntime> {
    Builder::new_current_thread()
        .enable_all()
        .event_interval(TASKS_AT_A_GO)
        .build_local(LocalOptions::default())
        .context("cannot start the runtime")
}

/// The mock inside, if the URL asks for it.
pub(crate) fn start_mock(args: &Args, url: &str) -> anyhow::Result<Option<trace_mock::Running>> {
    let Some(mut settings) = target::mock(url).map_err(|reason| anyhow!(reason))? else {
        return Ok(None);
    };
    settings.ttft = args.server.mock_ttft.unwrap_or(settings.ttft);
    settings.itl = args.server.mock_itl.unwrap_or(settings.itl);
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
pub(crate) async fn greet(
    args: &Args,
    connector: &Connector,
    target: &Target,
    heads: &Heads,
) -> Result<String, String> {
    let fields = heads.fields();
    if let Some(patience) = args.server.wait_ready {
        models::wait_ready(connector, target, fields, patience.into()).await?;
    }
    let model = match &args.server.model {
        Some(model) => model.clone(),
        None => models::first(connector, target, fields)
            .await
            .unwrap_or_else(|| "default".to_owned()),
    };
    if args.server.models_check {
        models::check(connector, target, fields, &model).await?;
    }
    Ok(model)
}

/// Writes the heads of requests to `target`.
///
/// # Errors
/// A key or a field that is none.
pub(crate) fn heads(args: &Args, target: &Target) -> anyhow::Result<Heads> {
    let server = &args.server;
    let (fields, key) = (header(&server.header)?, key(args, target)?);
    let run_id = args.runs.run_id.clone().unwrap_or_else(new_run_id);
    Heads::new(
        target,
        &fields,
        key.as_deref(),
        &run_id,
        server.new_connections,
    )
    .and_then(|heads| heads.name_sessions(&server.session_header))
    .map_err(|reason| anyhow!(reason))
}

/// Opens connections to `target`.
///
/// # Errors
/// Certificates that cannot be read, a name that no certificate can have.
pub(crate) fn connector(args: &Args, target: &Target) -> anyhow::Result<Connector> {
    let config = target.tls.then(|| tls::config(trust(args))).transpose()?;
    let unix = args.server.unix_socket.clone();
    Connector::new(target, config, unix, args.server.http)
        .map_err(|failure| anyhow!(failure.message))
}

/// The key to show `target`, if there is one. Where one goes that nobody
/// named is said.
///
/// # Errors
/// As [`key::named`].
fn key(args: &Args, target: &Target) -> anyhow::Result<Option<String>> {
    let server = &args.server;
    if server.api_key_env.as_deref() == Some("") {
        return Ok(None);
    }
    if let Some(key) = key::named(server)? {
        return Ok(Some(key));
    }
    let there = std::env::var(key::USUAL).ok();
    let (key, said) = key::usual(there, target, server.unix_socket.is_some());
    if let Some(said) = said.filter(|_| !args.dry_run) {
        eprintln!("trace-send: {said}");
    }
    Ok(key)
}

/// The header `fields` that were asked for, those in files too. What is not a
/// file may be several, a line each, as the environment has them.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn header(fields: &[String]) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for field in fields {
        let text = match field.strip_prefix('@') {
            Some(path) => {
                std::fs::read_to_string(path).with_context(|| format!("--header @{path}"))?
            }
            None => field.clone(),
        };
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        all.extend(lines.map(str::to_owned));
    }
    Ok(all)
}

/// An id that no other run has.
fn new_run_id() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:x}-{:x}", now.as_micros(), std::process::id())
}
