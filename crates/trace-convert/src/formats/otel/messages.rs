//! The prompt of a span, in every form that instrumentations write.

use super::attributes::{Attributes, text};
use crate::json::Members;
use crate::report::{Kind, Report};
use serde_json::value::RawValue;

/// Messages of which each part is an attribute: what stands before the number,
/// and between that and `role` or `content`.
const NUMBERED: [(&str, &str); 2] = [
    ("gen_ai.prompt.", "."),
    ("llm.input_messages.", ".message."),
];

/// Attributes that hold messages whole.
const WHOLE: [&str; 2] = ["gen_ai.input.messages", "gen_ai.prompt"];

/// What the model was told apart from them.
const INSTRUCTIONS: &str = "gen_ai.system_instructions";

/// Whether an attribute of that name is part of the messages.
pub(super) fn is_part(key: &str) -> bool {
    let numbered = NUMBERED.iter().any(|(before, _)| key.starts_with(before));
    numbered || WHOLE.contains(&key) || key == INSTRUCTIONS
}

/// The messages of the prompt as endpoints take them; none where there are
/// none that can be read.
pub(super) fn of(attributes: &Attributes, report: &mut Report) -> Option<Box<RawValue>> {
    let Some((_, raw)) = attributes.get(&WHOLE) else {
        let mut shapes = NUMBERED.iter();
        return shapes.find_map(|shape| numbered(attributes, *shape));
    };
    let instructions = instructions(attributes, report);
    let messages = list(&spelled(raw), instructions.as_deref(), report);
    if messages.is_none() {
        // Exporters cut long attributes short, and older ones write plain text.
        let reason = "prompts that are no JSON list of messages, such as ones cut short";
        report.count(Kind::Noted, reason, 1);
    }
    messages
}

/// The JSON of an attribute, which may stand in a string.
fn spelled(raw: &[u8]) -> Vec<u8> {
    let spelled = serde_json::from_slice::<String>(raw).ok();
    let json = spelled.as_deref().map_or(raw, str::as_bytes);
    json.trim_ascii().to_vec()
}

/// The text of the instructions.
fn instructions(attributes: &Attributes, report: &mut Report) -> Option<String> {
    let (_, raw) = attributes.get(&[INSTRUCTIONS])?;
    let json = spelled(raw);
    match serde_json::from_slice::<Vec<Members<'_>>>(&json) {
        Ok(parts) => Some(said(&parts, report)),
        Err(_) => text(raw),
    }
}

/// A list of messages, if `json` is one, behind the instructions.
fn list(json: &[u8], instructions: Option<&str>, report: &mut Report) -> Option<Box<RawValue>> {
    let all: Vec<Members<'_>> = serde_json::from_slice(json).ok()?;
    let parts = all.iter().any(|message| message.get("parts").is_some());
    if !parts && instructions.is_none() {
        return serde_json::from_slice(json).ok();
    }
    let mut messages = String::new();
    if let Some(instructions) = instructions {
        push_message(&mut messages, "system", instructions);
    }
    for message in &all {
        // The conventions' own form: parts with a type and a content.
        let Some(parts) = message.get("parts") else {
            messages.push(if messages.is_empty() { '[' } else { ',' });
            let members = message.0.iter().map(|(name, raw)| (&**name, *raw));
            messages.push_str(&String::from_utf8(crate::json::object(members)).ok()?);
            continue;
        };
        let role = text(message.get("role")?)?;
        let parts: Vec<Members<'_>> = serde_json::from_slice(parts).ok()?;
        push_message(&mut messages, &role, &said(&parts, report));
    }
    closed(messages)
}

/// The text of the parts of a message.
fn said(parts: &[Members<'_>], report: &mut Report) -> String {
    let mut said = String::new();
    for part in parts {
        let content = part.get("content").or_else(|| part.get("response"));
        match content.and_then(text) {
            Some(content) => said.push_str(&content),
            None => report.count(Kind::Dropped, "parts of messages that are no text", 1),
        }
    }
    said
}

/// Messages of which each part is an attribute.
fn numbered(attributes: &Attributes, (before, between): (&str, &str)) -> Option<Box<RawValue>> {
    let part = |number: u64, name: &str| {
        let (_, raw) = attributes.get(&[&format!("{before}{number}{between}{name}")])?;
        text(raw)
    };
    let mut json = String::new();
    for number in 0.. {
        let Some(role) = part(number, "role") else {
            break;
        };
        // One that calls a tool may say nothing.
        let content = part(number, "content").unwrap_or_default();
        push_message(&mut json, &role, &content);
    }
    closed(json)
}

/// Append a message to an array that is not closed yet.
fn push_message(json: &mut String, role: &str, content: &str) {
    json.push(if json.is_empty() { '[' } else { ',' });
    let mut message = b"{\"role\":".to_vec();
    trace_core::push_string(&mut message, role);
    message.extend_from_slice(b",\"content\":");
    trace_core::push_string(&mut message, content);
    message.push(b'}');
    json.push_str(&String::from_utf8_lossy(&message));
}

/// The array, if there is anything in it.
fn closed(mut json: String) -> Option<Box<RawValue>> {
    if json.is_empty() {
        return None;
    }
    json.push(']');
    RawValue::from_string(json).ok()
}
