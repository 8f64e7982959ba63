//! FluxPerf's keys as flags of ours.

use super::dataset::Dataset;
use super::flag::words;
use super::{server, slo_file};
use crate::endpoint::Endpoint;
use crate::key;
use anyhow::{Context, anyhow, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// FluxPerf's own mock: ours answers in its place.
#[derive(Debug, Deserialize)]
pub(super) struct MockServer {
    #[serde(default)]
    enabled: bool,
}

/// What FluxPerf says and no flag can.
#[derive(Debug, Default)]
pub(super) struct Theirs {
    /// A key, which may not be an argument.
    pub(super) env: Vec<(String, String)>,
    /// A server to start.
    pub(super) server: Option<server::Settings>,
    /// What is sent.
    pub(super) dataset: Option<Dataset>,
}

/// Keys that say nothing here, and why.
const SILENT: [(&str, &str); 12] = [
    ("output", OUTCOMES),
    ("output_dir", OUTCOMES),
    ("save_requests", "every outcome is the request's line"),
    ("debug", "there is nothing like it"),
    ("debug_verbose", "there is nothing like it"),
    ("debug_log_dir", "there is nothing like it"),
    ("tokenizer_name", TOKENS),
    ("tokenizer_trust_remote_code", TOKENS),
    ("tokenizer_revision", TOKENS),
    ("mock_host", INSIDE),
    ("mock_port", INSIDE),
    ("mock_server", "what is meant is mock_server beside global"),
];

const OUTCOMES: &str = "outcomes go to stdout";
const TOKENS: &str = "tokens are counted by the server; see --tokenizer";
const INSIDE: &str = "the mock inside listens at a free port";

/// Put flags of ours in place of FluxPerf's keys. What is lost is `told`.
///
/// # Errors
/// A value that means nothing.
pub(super) fn translate(
    flags: &mut Map<String, Value>,
    mock: Option<&MockServer>,
    told: &mut Vec<String>,
) -> anyhow::Result<Theirs> {
    // YAML's way to say nothing.
    flags.retain(|_, value| !value.is_null());
    let folder = flags.get("output_dir").and_then(Value::as_str);
    let folder = folder.map(str::to_owned);
    for (key, why) in SILENT {
        if flags.remove(key).is_some() {
            tell(told, format!("{key} is left out: {why}"));
        }
    }
    place(flags, mock, told);
    rounds(flags)?;
    tokens(flags)?;
    // A bare number is seconds there and here; ours is read with its unit.
    if let Some(Value::Number(seconds)) = flags.get("timeout") {
        let seconds = format!("{seconds}s");
        flags.insert("timeout".to_owned(), json!(seconds));
    }
    // A key in an argument could be read by anybody on the machine.
    let key = taken_text(flags, "api_key", "a string")?;
    let dataset = dataset(flags)?;
    if dataset
        .as_ref()
        .is_some_and(|set| set.most_tokens.is_some())
    {
        tell(
            told,
            "longer prompts than max_input_length are left out; FluxPerf would cut them".to_owned(),
        );
    }
    reset(flags, told);
    telemetry(flags, folder, told)?;
    if let Some(path) = taken_text(flags, "slo_file", "a name")? {
        let text = std::fs::read_to_string(&path).with_context(|| format!("slo_file {path}"))?;
        let slos = slo_file::slos(&text, told).with_context(|| format!("slo_file {path}"))?;
        flags.insert("slo".to_owned(), json!(slos));
    }
    Ok(Theirs {
        env: Vec::from_iter(key.map(|key| (key::USUAL.to_owned(), key))),
        server: server(flags)?,
        dataset,
    })
}

/// Tell `words`, once.
fn tell(told: &mut Vec<String>, words: String) {
    if !told.contains(&words) {
        told.push(words);
    }
}

/// The text at `key`, taken away.
fn taken_text(
    flags: &mut Map<String, Value>,
    key: &str,
    expected: &str,
) -> anyhow::Result<Option<String>> {
    match flags.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => bail!("{key}: expected {expected}"),
    }
}

/// Who is asked.
fn place(flags: &mut Map<String, Value>, mock: Option<&MockServer>, told: &mut Vec<String>) {
    if let Some(url) = flags.remove("endpoint") {
        flags.insert("url".to_owned(), url);
        is_chat(flags);
    }
    if mock.is_some_and(|mock| mock.enabled) {
        if flags.insert("url".to_owned(), json!("mock:")).is_some() {
            tell(
                told,
                "mock_server is enabled, so the endpoint is not asked".to_owned(),
            );
        }
        is_chat(flags);
    }
}

/// Levels and rounds, and the order of the second.
fn rounds(flags: &mut Map<String, Value>) -> anyhow::Result<()> {
    if let Some(levels) = flags.remove("concurrency_levels") {
        flags.insert("concurrency".to_owned(), levels);
    }
    match flags.remove("mode").as_ref().map(Value::as_str) {
        None | Some(Some("multi_turn")) => {}
        Some(Some("dual_round")) => {
            flags.insert("rounds".to_owned(), json!(2));
        }
        Some(mode) => bail!("mode {mode:?}: expected dual_round or multi_turn"),
    }
    let shuffled = flags.remove("shuffle_round2") != Some(json!(false));
    if flags.remove("no_shuffle_round2") == Some(json!(true)) || !shuffled {
        flags.insert("no_shuffle".to_owned(), json!(true));
    }
    Ok(())
}

/// A file for what Prometheus says, in the `folder` for output, where none is
/// named.
fn telemetry(
    flags: &mut Map<String, Value>,
    folder: Option<String>,
    told: &mut Vec<String>,
) -> anyhow::Result<()> {
    if !flags.contains_key("prometheus_url") || flags.contains_key("telemetry") {
        return Ok(());
    }
    let mut file = "telemetry.jsonl".to_owned();
    if let Some(folder) = folder {
        std::fs::create_dir_all(&folder).with_context(|| format!("output_dir {folder}"))?;
        file = format!("{folder}/{file}");
    }
    tell(
        told,
        format!("what prometheus_url says is written to {file}"),
    );
    flags.insert("telemetry".to_owned(), json!(file));
    Ok(())
}

/// The server to start.
fn server(flags: &mut Map<String, Value>) -> anyhow::Result<Option<server::Settings>> {
    let Some(vllm) = flags.remove("vllm") else {
        return Ok(None);
    };
    let vllm: Vllm = serde_json::from_value(vllm).context("vllm")?;
    let command = vllm.startup_command.filter(|_| vllm.auto_restart);
    Ok(command.map(server::Settings::new))
}

#[derive(Debug, Deserialize)]
struct Vllm {
    #[serde(default)]
    auto_restart: bool,
    startup_command: Option<String>,
}

/// FluxPerf knows chats alone: a URL that does not say otherwise is one.
fn is_chat(flags: &mut Map<String, Value>) {
    let url = flags.get("url").and_then(Value::as_str).unwrap_or_default();
    let path = url.split(['?', '#']).next().unwrap_or_default();
    if Endpoint::of(path.trim_end_matches('/')).is_none() {
        flags
            .entry("endpoint_type")
            .or_insert_with(|| json!("chat"));
    }
}

/// The lengths of answers, as members of every body.
fn tokens(flags: &mut Map<String, Value>) -> anyhow::Result<()> {
    for (key, name) in [
        ("max_output_tokens", "max_tokens"),
        ("min_output_tokens", "min_tokens"),
    ] {
        if let Some(tokens) = flags.remove(key) {
            if !tokens.is_u64() {
                bail!("{key}: expected a number of tokens");
            }
            let extra = flags.entry("extra").or_insert_with(|| json!([]));
            if !extra.is_array() {
                *extra = json!([extra.take()]);
            }
            let extra = extra.as_array_mut().context("extra: expected a list")?;
            extra.push(json!(format!("{name}={tokens}")));
        }
    }
    Ok(())
}

/// The file to send and how much of it, if FluxPerf's keys say so.
fn dataset(flags: &mut Map<String, Value>) -> anyhow::Result<Option<Dataset>> {
    let number = |value: &Value, key: &str| {
        let words = words(value).unwrap_or_default();
        let numbers: Option<Vec<u64>> = words.iter().map(|word| word.parse().ok()).collect();
        numbers
            .filter(|numbers| !numbers.is_empty())
            .ok_or_else(|| anyhow!("{key}: expected numbers"))
    };
    let samples = flags.remove("num_samples");
    let longest = flags.remove("max_input_length");
    let Some(path) = taken_text(flags, "dataset", "a name")? else {
        if let Some(samples) = samples {
            flags.insert("requests".to_owned(), samples);
        }
        return match longest {
            Some(_) => Err(anyhow!(
                "max_input_length goes with a dataset; use trace-convert --max-input-length"
            )),
            None => Ok(None),
        };
    };
    let entries = samples
        .map(|value| number(&value, "num_samples"))
        .transpose()?;
    let longest = longest
        .map(|value| number(&value, "max_input_length"))
        .transpose()?;
    Ok(Some(Dataset {
        path,
        entries: entries.unwrap_or_default(),
        most_tokens: longest.and_then(|numbers| numbers.first().copied()),
    }))
}

/// The URL that empties the cache, and when it is asked.
fn reset(flags: &mut Map<String, Value>, told: &mut Vec<String>) {
    let url = flags.remove("reset_cache_url");
    let yes = |value: Option<Value>| value == Some(json!(true));
    let rounds = yes(flags.remove("reset_cache_between_rounds"));
    let levels = yes(flags.remove("reset_cache_between_concurrency"));
    let Some(url) = url else { return };
    if !rounds && !levels {
        tell(told, "reset_cache_url is not asked: neither reset_cache_between_rounds nor reset_cache_between_concurrency is true".to_owned());
        return;
    }
    let which = match (rounds, levels) {
        (true, true) => "all",
        (true, false) => "rounds",
        _ => "levels",
    };
    flags.insert("between".to_owned(), url);
    flags.insert("between_which".to_owned(), json!(which));
}
