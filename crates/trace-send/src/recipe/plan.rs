//! What a recipe comes to: a command for each stage.

use super::dataset::Dataset;
use super::flag::{is_typed, spelled, word, words};
use super::{fluxperf, server};
use crate::args::Args;
use crate::key;
use anyhow::{Context, anyhow, bail};
use clap::CommandFactory;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

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
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) server: Option<server::Settings>,
    /// What is fed to it.
    pub(super) dataset: Option<Dataset>,
    /// Whether it reads what is fed to the recipe.
    reads_stdin: bool,
}

/// The commands of the recipe `text`. `has_files` says that traces are among
/// what was `typed`.
///
/// # Errors
/// What in it is no recipe.
pub(super) fn plans(text: &str, typed: &[String], has_files: bool) -> anyhow::Result<Vec<Plan>> {
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
    let outside = Outside {
        global: &recipe.global,
        mock: recipe.mock_server.as_ref(),
        typed,
        has_files,
    };
    let mut told = Vec::new();
    let mut plans = Vec::new();
    for stage in stages {
        let name = stage.name.clone();
        let plan = outside.plan(stage, &mut told);
        plans.push(plan.with_context(|| format!("stage {name}"))?);
    }
    for words in told {
        eprintln!("trace-send: recipe: {words}");
    }
    share_stdin(&plans)?;
    append_telemetry(&mut plans);
    Ok(plans)
}

/// What holds for every stage.
struct Outside<'a> {
    global: &'a Map<String, Value>,
    mock: Option<&'a fluxperf::MockServer>,
    typed: &'a [String],
    has_files: bool,
}

impl Outside<'_> {
    fn plan(&self, mut stage: Stage, told: &mut Vec<String>) -> anyhow::Result<Plan> {
        let mut flags = self.global.clone();
        flags.append(&mut stage.flags);
        let theirs = fluxperf::translate(&mut flags, self.mock, told)?;
        let mut env = theirs.env;
        for (key, value) in &stage.env {
            let value = word(value).ok_or_else(|| anyhow!("env {key}: expected a string"))?;
            env.push((key.clone(), value));
        }
        // Who writes it here knows where it goes.
        let given = |(name, key): &(String, String)| name == key::USUAL && !key.is_empty();
        let named = ["api_key_env", "api-key-env", "api_key_file", "api-key-file"];
        let mut typed = self.typed.iter();
        if env.iter().any(given)
            && !named.iter().any(|name| flags.contains_key(*name))
            && !typed.any(|typed| typed.starts_with("--api-key"))
        {
            flags.insert("api-key-env".to_owned(), Value::from(key::USUAL));
        }
        let server = stage.server.or(theirs.server);
        let (mut arguments, mut files) = (Vec::new(), Vec::new());
        let known = Args::command();
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
            if is_typed(argument, self.typed) {
                continue;
            }
            if key == "header" {
                let fields = words(&value).ok_or_else(|| anyhow!("header: expected fields"))?;
                let fields = crate::setup::header(&fields)?;
                env.push(("TRACE_SEND_HEADER".to_owned(), fields.join("\n")));
            } else {
                arguments.extend(spelled(argument, &key, &value)?);
            }
        }
        if let Some(settings) = &server
            && !self
                .typed
                .iter()
                .any(|typed| typed.starts_with("--wait-ready"))
        {
            arguments.push(format!("--wait-ready={}", settings.ready()));
        }
        arguments.push(format!("--stage={}", stage.name));
        arguments.extend(self.typed.iter().cloned());
        let mut dataset = theirs.dataset.filter(|_| !self.has_files);
        let reads_stdin = dataset.is_none() && files.is_empty() && !self.has_files;
        if !self.has_files {
            arguments.extend(files);
        }
        if let Some(dataset) = &mut dataset {
            let requests = known
                .get_arguments()
                .find(|a| a.get_long() == Some("requests"));
            if requests.is_some_and(|argument| is_typed(argument, self.typed)) {
                dataset.entries.clear();
            }
        }
        Ok(Plan {
            name: stage.name,
            arguments,
            env,
            server,
            dataset,
            reads_stdin,
        })
    }
}

/// See that no more than one stage reads stdin.
fn share_stdin(plans: &[Plan]) -> anyhow::Result<()> {
    match plans.iter().filter(|plan| plan.reads_stdin).nth(1) {
        Some(plan) => bail!(
            "stage {}: it has no files, and stdin, which an earlier stage reads, can be read only once",
            plan.name
        ),
        None => Ok(()),
    }
}

/// Let stages that name one file for telemetry fill it one after the other.
fn append_telemetry(plans: &mut [Plan]) {
    let mut begun: Vec<String> = Vec::new();
    for plan in plans {
        let Some(file) = telemetry(&plan.arguments) else {
            continue;
        };
        if begun.iter().any(|earlier| earlier == file) {
            plan.arguments.insert(0, "--telemetry-append".to_owned());
        } else {
            begun.push(file.to_owned());
        }
    }
}

/// The file that `arguments` name for telemetry.
fn telemetry(arguments: &[String]) -> Option<&str> {
    let next = arguments.iter().skip(1).map(String::as_str).chain([""]);
    let mut named = arguments.iter().zip(next).filter_map(|(word, next)| {
        let rest = word.strip_prefix("--telemetry")?;
        if rest.is_empty() {
            Some(next)
        } else {
            rest.strip_prefix('=')
        }
    });
    named.next()
}

#[cfg(test)]
mod tests;
