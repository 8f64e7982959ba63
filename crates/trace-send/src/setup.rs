//! What a run needs before it begins: its input, a runtime, GPUs to watch.

use crate::prepare::Source;
use crate::select::{Done, Selection};
use crate::telemetry::Gpus;
use crate::{Args, order};
use anyhow::{Context, anyhow, bail};
use std::sync::Arc;
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
            trace_core::say!("trace-send: --gpu: no GPU is watched: {why}");
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
        trace_core::say!("trace-send: {} requests are done already", done.len());
    }
    Ok(Selection {
        shard: args.runs.shard,
        done,
    })
}

/// The requests: as they are read for one run, from memory for several.
pub(crate) fn source(args: &Args, mut input: Reader<'static>) -> anyhow::Result<Source> {
    if args.load.concurrency.len() < 2 && args.runs.rounds < 2 && args.judge.search.is_none() {
        return Ok(Source::Stream(Box::new(input)));
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
