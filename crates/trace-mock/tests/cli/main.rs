//! The binary as a client and a shell see it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod answer;
mod api;
mod asked;
mod clients;
mod engine;
mod fault;
mod harness;
mod hostile;
mod line;
mod offer;
mod ordered;
mod process;
mod proxy;
mod record;
mod secure;
mod shape;

const PROMPT: &str = r#"{"prompt":"one two three","max_tokens":4}"#;
const STREAM: &str = r#"{"prompt":"one two three","max_tokens":4,"stream":true,"stream_options":{"include_usage":true}}"#;
