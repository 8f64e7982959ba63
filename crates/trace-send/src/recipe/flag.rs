//! Keys of a recipe as flags that are typed.

use anyhow::{anyhow, bail};
use clap::ArgAction;
use serde_json::Value;

/// The flag `key` with `value` as it would be typed.
pub(super) fn spelled(
    argument: &clap::Arg,
    key: &str,
    value: &Value,
) -> anyhow::Result<Vec<String>> {
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

/// What a flag is called, long.
pub(super) fn names(argument: &clap::Arg) -> impl Iterator<Item = &str> {
    let aliases = argument.get_all_aliases().unwrap_or_default();
    argument.get_long().into_iter().chain(aliases)
}

/// Whether `typed` has the flag.
pub(super) fn is_typed(argument: &clap::Arg, typed: &[String]) -> bool {
    typed.iter().any(|word| {
        let long = names(argument).any(|long| {
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
pub(super) fn without_recipe(typed: &[String]) -> Vec<String> {
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
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// A scalar or a list of them.
pub(super) fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(word).collect(),
        value => word(value).map(|word| vec![word]),
    }
}
