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
//!
//! FluxPerf's recipes are taken too. Its documentation and its code contradict
//! each other in places; here `vllm.startup_command` does start a server,
//! `num_samples` shorter than the levels means the last for the rest, and the
//! default mode is `multi_turn`, as in its code. What has no counterpart is
//! said on stderr. Stages with the same name in two suites are told apart by
//! `suite/stage`.

mod fluxperf;
mod server;

use crate::args::Args;
use anyhow::{Context, anyhow, bail};
use clap::{ArgAction, CommandFactory};
use serde::Deserialize;
use serde_json::{Map, Value};
use server::Server;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use trace_core::cli;

/// A file of stages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    #[serde(default)]
    global: Map<String, Value>,
    mock_server: Option<fluxperf::MockServer>,
    stages: Option<Vec<Stage>>,
    suites: Option<Vec<Suite>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    name: String,
    stages: Vec<Stage>,
}

#[derive(Debug, Clone, Deserialize)]
struct Stage {
    name: String,
    #[serde(default)]
    env: BTreeMap<String, Value>,
    server: Option<server::Settings>,
    #[serde(flatten)]
    flags: Map<String, Value>,
}

/// A command that a stage is.
#[derive(Debug, PartialEq)]
struct Plan {
    name: String,
    arguments: Vec<String>,
    env: Vec<(String, String)>,
    server: Option<server::Settings>,
}

/// Run the stages of the recipe at `path` one after the other. `typed` is
/// what was typed.
///
/// # Errors
/// A recipe that is none, and a stage that could not do its job.
pub(crate) fn run(path: &Path, typed: &[String]) -> anyhow::Result<u8> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("--recipe {name}"))?;
    let typed = without_recipe(typed);
    let plans = plans(&text, &typed).map_err(|error| anyhow!("--recipe {name}: {error:#}"))?;
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut no = false;
    for plan in plans {
        eprintln!("trace-send: stage {}", plan.name);
        let server = plan
            .server
            .as_ref()
            .map(|server| Server::start(server, &plan.env));
        let server = server.transpose()?;
        let mut command = Command::new(&program);
        command.args(&plan.arguments).stdin(Stdio::inherit());
        command.envs(plan.env.iter().map(|(key, value)| (key, value)));
        let status = patient(&mut command)
            .with_context(|| format!("--recipe {name}: stage {}", plan.name))?;
        drop(server);
        match status.code() {
            Some(0) => {}
            Some(1) => no = true,
            Some(130) => return Ok(cli::INTERRUPTED),
            _ => bail!("--recipe {name}: stage {} ended with {status}", plan.name),
        }
    }
    Ok(if no { cli::NO } else { cli::DONE })
}

/// Wait for `command`, leaving ^C to it: it drains.
fn patient(command: &mut Command) -> std::io::Result<std::process::ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Once a signal is listened for, it does not end this process.
        let _signals = crate::signals::Signals::new()?;
        let mut child = command.spawn()?;
        tokio::task::spawn_blocking(move || child.wait()).await?
    })
}

/// The commands of the recipe `text`.
fn plans(text: &str, typed: &[String]) -> anyhow::Result<Vec<Plan>> {
    let recipe: Recipe = serde_saphyr::from_str(text).map_err(|error| {
        let words = error.to_string();
        anyhow!("{}", words.lines().next().unwrap_or("it is no YAML"))
    })?;
    let stages: Vec<Stage> = match (recipe.suites, recipe.stages) {
        (Some(suites), _) => suites
            .into_iter()
            .flat_map(|suite| {
                let named = move |stage: Stage| Stage {
                    name: format!("{}/{}", suite.name, stage.name),
                    ..stage
                };
                suite.stages.into_iter().map(named)
            })
            .collect(),
        (None, Some(stages)) => stages,
        (None, None) => bail!("it has no stages and no suites"),
    };
    let global = recipe.global;
    stages
        .into_iter()
        .map(|stage| {
            let name = stage.name.clone();
            plan(stage, &global, recipe.mock_server.as_ref(), typed)
                .with_context(|| format!("stage {name}"))
        })
        .collect()
}

fn plan(
    mut stage: Stage,
    global: &Map<String, Value>,
    mock: Option<&fluxperf::MockServer>,
    typed: &[String],
) -> anyhow::Result<Plan> {
    let mut flags = global.clone();
    flags.append(&mut stage.flags);
    let mut env = Vec::new();
    let mut server = stage.server;
    fluxperf::translate(&mut flags, mock, &mut env, &mut server)?;
    for (key, value) in &stage.env {
        env.push((
            key.clone(),
            word(value).ok_or_else(|| anyhow!("env {key}: expected a string"))?,
        ));
    }
    let known = Args::command();
    let mut arguments = Vec::new();
    let mut files = Vec::new();
    for (key, value) in flags {
        let key = key.replace('_', "-");
        if key == "files" {
            files = words(&value).ok_or_else(|| anyhow!("files: expected names"))?;
            continue;
        }
        let argument = known.get_arguments().find(|known| {
            known.get_long() == Some(&key)
                || known
                    .get_all_aliases()
                    .is_some_and(|all| all.contains(&key.as_str()))
        });
        let argument = argument
            .filter(|_| key != "recipe" && key != "stage")
            .ok_or_else(|| anyhow!("{key:?} is no flag of trace-send"))?;
        if !is_typed(argument, typed) {
            arguments.extend(spelled(argument, &key, &value)?);
        }
    }
    if let Some(settings) = &server
        && !typed.iter().any(|typed| typed.starts_with("--wait-ready"))
    {
        arguments.push(format!("--wait-ready={}", settings.ready()));
    }
    arguments.push(format!("--stage={}", stage.name));
    arguments.extend(typed.iter().cloned());
    arguments.extend(files);
    Ok(Plan {
        name: stage.name,
        arguments,
        env,
        server,
    })
}

/// The flag `key` with `value` as it would be typed.
fn spelled(argument: &clap::Arg, key: &str, value: &Value) -> anyhow::Result<Vec<String>> {
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        return match value {
            Value::Bool(true) => Ok(vec![format!("--{key}")]),
            Value::Bool(false) | Value::Null => Ok(Vec::new()),
            _ => bail!("{key}: expected true or false"),
        };
    }
    if value.is_null() {
        return Ok(Vec::new());
    }
    let words = words(value).ok_or_else(|| anyhow!("{key}: expected a value or a list of them"))?;
    if words.len() > 1 && argument.get_value_delimiter().is_some() {
        return Ok(vec![format!("--{key}={}", words.join(","))]);
    }
    Ok(words.iter().map(|word| format!("--{key}={word}")).collect())
}

/// Whether `typed` has the flag.
fn is_typed(argument: &clap::Arg, typed: &[String]) -> bool {
    typed.iter().any(|word| {
        let long = argument.get_long().is_some_and(|long| {
            let rest = word
                .strip_prefix("--")
                .and_then(|word| word.strip_prefix(long));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        });
        let short = argument.get_short().is_some_and(|short| {
            word.strip_prefix('-')
                .is_some_and(|word| word.starts_with(short))
        });
        long || short
    })
}

/// What was typed beside `--recipe FILE`.
fn without_recipe(typed: &[String]) -> Vec<String> {
    let mut rest = Vec::new();
    let mut words = typed.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--recipe" => {
                words.next();
            }
            _ if word.starts_with("--recipe=") => {}
            _ => rest.push(word.clone()),
        }
    }
    rest
}

/// A scalar as it would be typed.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// A scalar or a list of them.
fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(word).collect(),
        value => word(value).map(|word| vec![word]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str, typed: &[&str]) -> Vec<String> {
        let typed: Vec<_> = typed.iter().map(|&word| word.to_owned()).collect();
        let mut plans = plans(text, &typed).unwrap();
        plans.remove(0).arguments
    }

    #[test]
    fn a_stage_wins_over_global_and_what_is_typed_over_both() {
        let text = "global: {url: 'mock:', timeout: 9s, no_itl: true}\nstages:\n- name: a\n  timeout: 5s\n  concurrency: [1, 2]\n  header: ['A: 1', 'B: 2']\n  files: [t.jsonl]\n";
        assert_eq!(
            arguments(text, &[]),
            [
                "--concurrency=1,2",
                "--header=A: 1",
                "--header=B: 2",
                "--no-itl",
                "--timeout=5s",
                "--url=mock:",
                "--stage=a",
                "t.jsonl"
            ]
        );
        assert_eq!(
            arguments(text, &["-c4", "--timeout", "1s"]),
            [
                "--header=A: 1",
                "--header=B: 2",
                "--no-itl",
                "--url=mock:",
                "--stage=a",
                "-c4",
                "--timeout",
                "1s",
                "t.jsonl"
            ]
        );
    }

    #[test]
    fn fluxperfs_words_are_understood() {
        let text = "global:\n  endpoint: http://h/v1/chat/completions\n  mode: dual_round\n  api_key: sk-1\n  max_output_tokens: 50\n  timeout: 300\n  reset_cache_url: http://h/reset\n  reset_cache_between_rounds: true\n  shuffle_round2: false\n  debug: true\nsuites:\n- name: s\n  stages:\n  - name: a\n    concurrency_levels: [1, 5]\n    num_samples: [10]\n    dataset: d.jsonl\n    max_output_tokens: 60\n    env: {X: 1}\n";
        let mut all = plans(text, &[]).unwrap();
        let plan = all.remove(0);
        assert_eq!(plan.name, "s/a");
        assert_eq!(
            plan.arguments,
            [
                "--between=http://h/reset",
                "--concurrency=1,5",
                "--extra=max_tokens=60",
                "--no-shuffle",
                "--requests=10",
                "--rounds=2",
                "--timeout=300s",
                "--url=http://h/v1/chat/completions",
                "--stage=s/a",
                "d.jsonl"
            ]
        );
        let key = ("OPENAI_API_KEY".to_owned(), "sk-1".to_owned());
        assert_eq!(plan.env, [key, ("X".to_owned(), "1".to_owned())]);
        let mocked = "mock_server: {enabled: true}\nglobal: {}\nstages: [{name: a, num_samples: 3, concurrency_levels: 1}]\n";
        assert!(arguments(mocked, &[]).contains(&"--url=mock:".to_owned()));
    }

    #[test]
    fn what_is_no_recipe_is_said() {
        let error = |text: &str| format!("{:#}", plans(text, &[]).unwrap_err());
        assert!(error("a: [").contains("line"), "{}", error("a: ["));
        assert_eq!(error("global: {}"), "it has no stages and no suites");
        let unknown = error("stages: [{name: a, urll: x}]");
        assert_eq!(unknown, "stage a: \"urll\" is no flag of trace-send");
        let wrong = error("stages: [{name: a, no_itl: 3}]");
        assert_eq!(wrong, "stage a: no-itl: expected true or false");
    }
}
