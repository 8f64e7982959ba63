//! Which models a server has, and whether it is there at all.

use crate::connect::Connector;
use crate::fetch::{Question, fetch};
use crate::target::Target;
use serde::Deserialize;
use std::time::{Duration, Instant};
use trace_core::answer::error_message;

/// The longest that asking may take when nobody insists; the run waits for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest that asking may take when the answer matters.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at a server that is not ready.
const PAUSE: Duration = Duration::from_millis(200);

/// The first model in the server's list, if it gives one.
pub(crate) async fn first(connector: &Connector, target: &Target, fields: &[u8]) -> Option<String> {
    let said = fetch(connector, question(fields, &target.models_path(), PATIENCE))
        .await
        .ok()?;
    let names = (said.status == 200).then(|| names(&said.body))??;
    names.into_iter().next()
}

/// See that the server lists `model`.
///
/// # Errors
/// What it lists instead, or why it lists nothing.
pub(crate) async fn check(
    connector: &Connector,
    target: &Target,
    fields: &[u8],
    model: &str,
) -> Result<(), String> {
    let path = target.models_path();
    let said = fetch(connector, question(fields, &path, LONG_PATIENCE))
        .await
        .map_err(|failure| format!("--models-check: {}", failure.message))?;
    if said.status != 200 {
        let why = error_message(&said.body);
        return Err(format!(
            "--models-check: {path}: status {}: {why}",
            said.status
        ));
    }
    let names = names(&said.body)
        .ok_or_else(|| format!("--models-check: {path} gives no list of models"))?;
    if names.iter().any(|name| name == model) {
        return Ok(());
    }
    const SHOWN: usize = 5;
    let mut list = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        list.push_str(", …");
    }
    Err(format!(
        "--models-check: the server has no model {model:?}; it has {list}"
    ))
}

/// Where servers say whether they are up: vLLM, SGLang, TGI and llama.cpp at
/// `/health`, others at `/ready`. Some list their models before that.
const HEALTH: [&str; 2] = ["/health", "/ready"];

/// Wait until the server lists its models and says that it is up, wherever it
/// says so: that it has no such page is an answer, too.
///
/// # Errors
/// What it last said, if it has not until `patience` is over.
pub(crate) async fn wait_ready(
    connector: &Connector,
    target: &Target,
    fields: &[u8],
    patience: Duration,
) -> Result<(), String> {
    let begun = Instant::now();
    let models = target.models_path();
    let mut pages = [models.as_str()].into_iter().chain(HEALTH).peekable();
    while let Some(path) = pages.peek() {
        let left = patience.saturating_sub(begun.elapsed()).max(PAUSE);
        let asked = question(fields, path, left.min(LONG_PATIENCE));
        let why = match fetch(connector, asked).await {
            Ok(said) if said.status < 500 => {
                pages.next();
                continue;
            }
            Ok(said) => format!(
                "{path}: status {}: {}",
                said.status,
                error_message(&said.body)
            ),
            Err(failure) => failure.message,
        };
        if begun.elapsed() + PAUSE > patience {
            return Err(format!(
                "--wait-ready: not ready after {} s: {why}",
                patience.as_secs_f64()
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

fn question<'a>(fields: &'a [u8], path: &'a str, patience: Duration) -> Question<'a> {
    Question {
        method: "GET",
        path,
        fields,
        patience,
        most: 1 << 20,
    }
}

/// The models in a list of OpenAI's, Ollama's or TGI's making.
fn names(body: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        data: Vec<Id>,
        #[serde(default)]
        models: Vec<Name>,
        model_id: Option<String>,
    }
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    let list: List = serde_json::from_slice(body).ok()?;
    let listed = list.data.into_iter().map(|model| model.id);
    let named = list.models.into_iter().map(|model| model.name);
    let mut names: Vec<_> = listed.chain(named).chain(list.model_id).collect();
    // llama.cpp lists each of its models both ways.
    let mut known = std::collections::HashSet::new();
    names.retain(|name| known.insert(name.clone()));
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_every_make_are_read() {
        let first = |body: &str| names(body.as_bytes()).map(|names| names[0].clone());
        let openai = r#"{"object":"list","data":[{"id":"a","x":1},{"id":"b"}]}"#;
        assert_eq!(first(openai).as_deref(), Some("a"));
        assert_eq!(first(r#"{"models":[{"name":"o"}]}"#).as_deref(), Some("o"));
        assert_eq!(first(r#"{"model_id":"t"}"#).as_deref(), Some("t"));
        let both = br#"{"models":[{"name":"t"}],"data":[{"id":"t"}]}"#;
        assert_eq!(names(both), Some(vec!["t".to_owned()]));
        assert_eq!(first(r#"{"data":[]}"#), None);
        assert_eq!(first("<html>"), None);
    }
}
