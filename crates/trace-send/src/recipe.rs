//! A recipe: stages in a YAML file, each a command of its own.
//!
//! ```yaml
//! global:
//!   url: http://localhost:8000/v1/chat/completions
//!   rounds: 2
//! stages:
//!   - name: short
//!     files: [short.jsonl]
//!     concurrency: [1, 8, 64]
//!     requests: [20, 80, 320]
//!     env: {OPENAI_API_KEY: none}
//!     server: {command: "vllm serve m --port 8000", ready: 5m}
//! ```
//!
//! A key is the long name of a flag, with `_` or `-`; a list repeats the flag
//! or joins its values, as the flag has it. `global` holds for every stage,
//! what a stage says wins over it, and what is typed beside `--recipe` wins
//! over both. `env` is the environment of the stage and of its server. Each
//! stage is a run of this program: its outcomes carry the name as `stage`.
//! Keys and header fields go to it by its environment, since arguments can be
//! read by anybody on the machine.
//!
//! # FluxPerf
//!
//! FluxPerf's recipes are taken too, and its datasets are read as
//! `trace-convert` reads them. Its documentation and its code contradict each
//! other in places. What holds here:
//!
//! | FluxPerf | here |
//! |---|---|
//! | `mode`: the documentation's default is `dual_round`, the code's `multi_turn` | `multi_turn` |
//! | a stage's `dataset`, `max_output_tokens`, `min_output_tokens` win over flags that are typed, contrary to a comment there | what is typed wins |
//! | `num_samples` shorter than `concurrency_levels` is an index out of range | the last number holds for the rest |
//! | every level draws a sample of its own, without a seed | every level has the first `num_samples` entries, so that levels compare |
//! | `vllm.startup_command` is documented and never read | with `auto_restart` it starts a server for the stage |
//! | `env` is set in the client, and so in the mock inside alone | it is set for the stage and its server |
//! | an SLO file is `slo: {ttft_ms: 5}` in the documentation, `constraints: {ttft_ms: {max: 5}}` in the code, and one without its keys lets everything pass | both are read, and one without either is an error |
//! | of two stages with one name the later replaces the earlier | both run, the second `a` as `a-2`; stages of suites are `suite/stage` |
//! | the cache is also emptied once at the end | only between two runs |
//!
//! What has no counterpart is said on stderr.

mod dataset;
mod flag;
mod fluxperf;
mod plan;
mod server;
mod slo_file;

use crate::args::Args;
use crate::signals::Signals;
use anyhow::{Context, anyhow, bail};
use dataset::Dataset;
use plan::{Plan, plans};
use server::Server;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use trace_core::cli;

/// Run the stages of the recipe at `path` one after the other. `typed` is
/// what was typed, and `args` what that means.
///
/// # Errors
/// A recipe that is none, and a stage that could not do its job.
pub(crate) fn run(path: &Path, args: &Args, typed: &[String]) -> anyhow::Result<u8> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("--recipe {name}"))?;
    let typed = flag::without_recipe(typed);
    let has_files = !args.input.files.is_empty();
    let plans =
        plans(&text, &typed, has_files).map_err(|error| anyhow!("--recipe {name}: {error:#}"))?;
    // Now rather than after the hours that the stages before it take.
    for plan in &plans {
        let stage = || format!("--recipe {name}: stage {}", plan.name);
        plan.check().with_context(stage)?;
    }
    let mut no = false;
    for plan in plans {
        trace_core::say!("trace-send: stage {}", plan.name);
        let status =
            stage(&plan).with_context(|| format!("--recipe {name}: stage {}", plan.name))?;
        match status.code() {
            Some(0) => {}
            Some(1) => no = true,
            Some(130) => return Ok(cli::INTERRUPTED),
            _ => bail!("--recipe {name}: stage {} ended with {status}", plan.name),
        }
    }
    Ok(if no { cli::NO } else { cli::DONE })
}

/// The arguments of each stage of the recipe that `text` is.
///
/// # Errors
/// What in it is no recipe.
pub(crate) fn stages(text: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let plans = plans(text, &[], false)?;
    Ok(plans.into_iter().map(|plan| plan.arguments).collect())
}

/// Run one stage, with its server around it.
fn stage(plan: &Plan) -> anyhow::Result<ExitStatus> {
    let dataset = plan.dataset.as_ref().map(Dataset::read).transpose()?;
    let server = plan.server.as_ref().filter(|_| !plan.is_dry());
    let mut server = server
        .map(|server| Server::start(server, &plan.env))
        .transpose()?;
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.args(&plan.arguments);
    command.envs(plan.env.iter().map(|(key, value)| (key, value)));
    let mut trace = None;
    if let Some(read) = dataset {
        command.args(read.arguments).stdin(Stdio::piped());
        trace = Some(read.trace);
    }
    patient(&mut command, trace, server.as_mut())
}

/// How often a server is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Feed `trace` to `command` and wait for its end, leaving ^C to it: it drains.
/// It is ended if its `server` has ended as none should.
fn patient(
    command: &mut Command,
    trace: Option<Vec<u8>>,
    mut server: Option<&mut Server>,
) -> anyhow::Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Once a signal is listened for, it does not end this process.
        let _signals = Signals::new()?;
        let mut child = command.spawn()?;
        let id = child.id();
        if let (Some(mut stdin), Some(trace)) = (child.stdin.take(), trace) {
            // One that has ended wants no more of it, and says why itself.
            std::thread::spawn(move || {
                let _ = stdin.write_all(&trace);
            });
        }
        let mut ending = tokio::task::spawn_blocking(move || child.wait());
        let mut fallen = None;
        let status = loop {
            if let Ok(ended) = tokio::time::timeout(LOOK, &mut ending).await {
                break ended??;
            }
            let server = server.as_mut().filter(|_| fallen.is_none());
            fallen = fallen.or(server.and_then(|server| server.fallen()));
            if fallen.is_some() {
                server::end(id);
            }
        };
        match fallen {
            Some(how) => bail!("its server ended with {how}"),
            None => Ok(status),
        }
    })
}
