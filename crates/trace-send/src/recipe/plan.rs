//! What a recipe comes to: a command for each stage.

use super::dataset::Dataset;
use super::flag::{is_typed, names, spelled, word, words};
use super::{fluxperf, server};
use crate::args::Args;
use crate::key;
use anyhow::{Context, anyhow, bail};
use clap::{CommandFactory, Parser};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};
use std::iter;
use trace_core::cli;

/// A file of stages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    #[serde(default)]
    global: Map<String, Value>,
    mock_server: Option<fluxperf::MockServer>,
    /// As if it were in `global`.
    vllm: Option<Value>,
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
    let mut recipe: Recipe = serde_saphyr::from_str(text).map_err(|error| {
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
    if let Some(vllm) = recipe.vllm.take() {
        recipe.global.entry("vllm").or_insert(vllm);
    }
    let outside = Outside {
        global: &recipe.global,
        mock: recipe.mock_server.as_ref(),
        typed,
        has_files,
    };
    let mut told = Vec::new();
    let mut plans = Vec::new();
    let mut names = HashSet::new();
    if stages.is_empty() {
        bail!("it has no stages");
    }
    for mut stage in stages {
        if let Some(other) = another(&stage.name, &names) {
            told.push(format!("a second stage {} is called {other}", stage.name));
            stage.name = other;
        }
        let name = stage.name.clone();
        names.insert(name.clone());
        let plan = outside.plan(stage, &mut told);
        plans.push(plan.with_context(|| format!("stage {name}"))?);
    }
    for words in told {
        trace_core::say!("trace-send: recipe: {words}");
    }
    share_stdin(&plans)?;
    append_telemetry(&mut plans);
    Ok(plans)
}

/// What else to call a stage whose `name` is among the `known`: outcomes of two
/// stages with one name would have one identity.
fn another(name: &str, known: &HashSet<String>) -> Option<String> {
    let more = (2..).map(|number| format!("{name}-{number}"));
    let free = |name: &String| !known.contains(name);
    known.contains(name).then(|| more.into_iter().find(free))?
}

/// What holds for every stage.
struct Outside<'a> {
    global: &'a Map<String, Value>,
    mock: Option<&'a fluxperf::MockServer>,
    typed: &'a [String],
    has_files: bool,
}

impl Plan {
    /// Whether nothing is sent, and so nobody need answer.
    pub(super) fn is_dry(&self) -> bool {
        self.arguments.iter().any(|word| word == "--dry-run")
    }
}

impl Plan {
    /// Look whether its command is one, and the files are there.
    ///
    /// # Errors
    /// What its run would say at once.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let typed = iter::once("trace-send").chain(self.arguments.iter().map(String::as_str));
        let args =
            Args::try_parse_from(typed).map_err(|error| anyhow!(cli::in_one_line(&error)))?;
        args.check()?;
        if let Some(dataset) = &self.dataset {
            dataset.find()?;
        } else if !self.reads_stdin {
            args.input.sources()?;
        }
        Ok(())
    }
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
        self.name_key(&mut flags, &env);
        let files = flags.remove("files").as_ref().map(words);
        let files = files.map(|files| files.ok_or_else(|| anyhow!("files: expected names")));
        let files = files.transpose()?.unwrap_or_default();
        let mut arguments = self.arguments(flags, &mut env)?;
        let server = stage.server.or(theirs.server);
        if let Some(settings) = server.as_ref().filter(|_| !self.types("wait-ready")) {
            arguments.push(format!("--wait-ready={}", settings.ready()));
        }
        arguments.push(format!("--stage={}", stage.name));
        arguments.extend(self.typed.iter().cloned());
        let mut dataset = theirs.dataset.filter(|_| !self.has_files);
        let reads_stdin = dataset.is_none() && files.is_empty() && !self.has_files;
        if !self.has_files {
            arguments.extend(files);
        }
        if let Some(dataset) = dataset.as_mut().filter(|_| self.types("requests")) {
            dataset.entries.clear();
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

    /// Whether the flag `long` is typed.
    fn types(&self, long: &str) -> bool {
        let argument = named(long);
        argument.is_some_and(|argument| is_typed(&argument, self.typed))
    }

    /// Let a key that `env` holds be sent, unless another is named: who writes
    /// it here knows where it goes.
    fn name_key(&self, flags: &mut Map<String, Value>, env: &[(String, String)]) {
        let given = |(name, key): &(String, String)| name == key::USUAL && !key.is_empty();
        let known = ["api_key_env", "api-key-env", "api_key_file", "api-key-file"];
        let elsewhere = known.iter().any(|name| flags.contains_key(*name))
            || self.types("api-key-env")
            || self.types("api-key-file");
        if env.iter().any(given) && !elsewhere {
            flags.insert("api-key-env".to_owned(), Value::from(key::USUAL));
        }
    }

    /// `flags` as they would be typed, but for those that are typed. Header
    /// fields go to `env`, where nobody else can read them.
    fn arguments(
        &self,
        flags: Map<String, Value>,
        env: &mut Vec<(String, String)>,
    ) -> anyhow::Result<Vec<String>> {
        let mut arguments = Vec::new();
        for (key, value) in flags {
            let key = key.replace('_', "-");
            let argument = named(&key)
                .filter(|_| key != "recipe" && key != "stage")
                .ok_or_else(|| anyhow!("{key:?} is no flag of trace-send"))?;
            if is_typed(&argument, self.typed) {
                continue;
            }
            if key == "header" {
                let fields = words(&value).ok_or_else(|| anyhow!("header: expected fields"))?;
                let fields = crate::route::header(&fields)?;
                env.push(("TRACE_SEND_HEADER".to_owned(), fields.join("\n")));
            } else {
                arguments.extend(spelled(&argument, &key, &value)?);
            }
        }
        Ok(arguments)
    }
}

/// The flag that is called `long`, be it by another name.
fn named(long: &str) -> Option<clap::Arg> {
    let command = Args::command();
    let is_it = |known: &&clap::Arg| names(known).any(|name| name == long);
    command.get_arguments().find(is_it).cloned()
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
