//! FluxPerf's keys as flags of ours.

use super::server;
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// FluxPerf's own mock: ours answers in its place.
#[derive(Debug, Deserialize)]
pub(super) struct MockServer {
    #[serde(default)]
    enabled: bool,
}

/// Keys with the same meaning and another name.
const RENAMED: [(&str, &str); 4] = [
    ("endpoint", "url"),
    ("concurrency_levels", "concurrency"),
    ("num_samples", "requests"),
    ("dataset", "files"),
];

/// Keys that say nothing here.
const SILENT: [&str; 11] = [
    "output",
    "output_dir",
    "save_requests",
    "debug",
    "debug_verbose",
    "debug_log_dir",
    "tokenizer_name",
    "tokenizer_trust_remote_code",
    "tokenizer_revision",
    "max_input_length",
    "mock_server",
];

/// Put flags of ours in place of FluxPerf's keys.
///
/// # Errors
/// A value that means nothing.
pub(super) fn translate(
    flags: &mut Map<String, Value>,
    mock: Option<&MockServer>,
    env: &mut Vec<(String, String)>,
    server: &mut Option<server::Settings>,
) -> anyhow::Result<()> {
    for (theirs, ours) in RENAMED {
        if let Some(value) = flags.remove(theirs) {
            flags.insert(ours.to_owned(), value);
        }
    }
    for key in SILENT {
        if flags.remove(key).is_some() {
            eprintln!("trace-send: recipe: {key} has no counterpart here and is left out");
        }
    }
    if mock.is_some_and(|mock| mock.enabled) {
        flags.entry("url").or_insert_with(|| json!("mock:"));
    }
    match flags.remove("mode").as_ref().map(Value::as_str) {
        None | Some(Some("multi_turn")) => {}
        Some(Some("dual_round")) => {
            flags.insert("rounds".to_owned(), json!(2));
        }
        Some(mode) => bail!("mode {mode:?}: expected dual_round or multi_turn"),
    }
    if flags.remove("shuffle_round2") == Some(json!(false)) {
        flags.insert("no_shuffle".to_owned(), json!(true));
    }
    for (key, name) in [
        ("max_output_tokens", "max_tokens"),
        ("min_output_tokens", "min_tokens"),
    ] {
        if let Some(tokens) = flags.remove(key).filter(|tokens| !tokens.is_null()) {
            let extra = flags.entry("extra").or_insert_with(|| json!([]));
            let Value::Array(extra) = extra else {
                bail!("extra: expected a list");
            };
            extra.push(json!(format!("{name}={tokens}")));
        }
    }
    // A bare number is seconds there and here; ours is read with its unit.
    if let Some(Value::Number(seconds)) = flags.get("timeout") {
        let seconds = format!("{seconds}s");
        flags.insert("timeout".to_owned(), json!(seconds));
    }
    // A key in an argument could be read by anybody on the machine.
    if let Some(Value::String(key)) = flags.remove("api_key") {
        env.push(("OPENAI_API_KEY".to_owned(), key));
    }
    reset(flags);
    if let Some(path) = flags.remove("slo_file") {
        let Value::String(path) = path else {
            bail!("slo_file: expected a name");
        };
        let text = std::fs::read_to_string(&path).with_context(|| format!("slo_file {path}"))?;
        let slos = slos(&text).with_context(|| format!("slo_file {path}"))?;
        flags.insert("slo".to_owned(), json!(slos));
    }
    if let Some(vllm) = flags.remove("vllm") {
        let vllm: Vllm = serde_json::from_value(vllm).context("vllm")?;
        if let (true, Some(command), None) = (vllm.auto_restart, vllm.startup_command, &*server) {
            *server = Some(server::Settings::new(command));
        }
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Vllm {
    #[serde(default)]
    auto_restart: bool,
    startup_command: Option<String>,
}

/// The URL that empties the cache, and when it is asked.
fn reset(flags: &mut Map<String, Value>) {
    let url = flags.remove("reset_cache_url");
    let yes = |value: Option<Value>| value == Some(json!(true));
    let rounds = yes(flags.remove("reset_cache_between_rounds"));
    let levels = yes(flags.remove("reset_cache_between_concurrency"));
    let Some(url) = url.filter(|_| rounds || levels) else {
        return;
    };
    if rounds != levels {
        eprintln!(
            "trace-send: recipe: the cache is reset between all runs, be it rounds or levels"
        );
    }
    flags.insert("between".to_owned(), url);
}

/// Limits as ours: a maximum of the mean gap is one of the time per token.
fn slos(text: &str) -> anyhow::Result<Vec<String>> {
    #[derive(Deserialize)]
    struct File {
        constraints: Map<String, Value>,
    }
    let file: File = serde_saphyr::from_str(text)?;
    let mut slos = Vec::new();
    for (metric, limit) in file.constraints {
        let ours = match metric.as_str() {
            "ttft_ms" | "latency_ms" => metric.as_str(),
            "itl_ms" => "tpot_ms",
            _ => {
                eprintln!(
                    "trace-send: recipe: no limit on {metric} can be set here; it is left out"
                );
                continue;
            }
        };
        match limit.get("max").and_then(Value::as_f64) {
            Some(limit) => slos.push(format!("{ours}={limit}")),
            None => bail!("{metric}: expected a max"),
        }
    }
    Ok(slos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_taken_over_as_far_as_they_go() {
        let text = "name: x\nconstraints:\n  ttft_ms: {max: 500}\n  itl_ms: {max: 50.5}\n  output_token_throughput: {min: 3}\n";
        assert_eq!(slos(text).unwrap(), ["tpot_ms=50.5", "ttft_ms=500"]);
        assert!(slos("constraints: {ttft_ms: {min: 1}}").is_err());
    }
}
