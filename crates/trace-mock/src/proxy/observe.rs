//! What an answer says as it passes: when its tokens came, and what it tells of their number.
//!
//! Reads server-sent events and lines of JSON of every API that the mock itself speaks. What it
//! does not understand it lets pass.

use std::time::Instant;

use serde_json::Value;
use trace_core::Micros;

/// Bytes of a line that are kept while its end has not come. Longer ones pass unread.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Bytes of an answer in one piece that are kept to read its usage.
const MAX_WHOLE_BYTES: usize = 16 << 20;

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `data:` lines, or lines of JSON.
    Lines,
    /// One JSON object.
    Whole,
    /// Not at all.
    Other,
}

impl Kind {
    /// How to read a body of this media type.
    pub(crate) fn of(media: &str) -> Kind {
        match media.split(';').next().unwrap_or_default().trim() {
            "text/event-stream" | "application/x-ndjson" => Kind::Lines,
            "application/json" => Kind::Whole,
            _ => Kind::Other,
        }
    }
}

/// What an answer has said so far.
#[derive(Debug)]
pub(crate) struct Observer {
    kind: Kind,
    /// A line without its end, or all of it.
    left: Vec<u8>,
    /// When each chunk with output came.
    pub(crate) chunks: Vec<Instant>,
    /// The text of those chunks.
    pub(crate) text: String,
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) cached_tokens: Option<u64>,
    /// An error that came within the stream.
    pub(crate) error: Option<String>,
}

impl Observer {
    pub(crate) fn new(kind: Kind) -> Observer {
        Observer {
            kind,
            left: Vec::new(),
            chunks: Vec::new(),
            text: String::new(),
            input_tokens: None,
            output_tokens: None,
            cached_tokens: None,
            error: None,
        }
    }

    /// Look at `bytes` that came at `now`.
    pub(crate) fn pass(&mut self, mut bytes: &[u8], now: Instant) {
        match self.kind {
            Kind::Other => {}
            Kind::Whole => {
                if self.left.len() + bytes.len() <= MAX_WHOLE_BYTES {
                    self.left.extend_from_slice(bytes);
                } else {
                    self.kind = Kind::Other;
                }
            }
            Kind::Lines => {
                while let Some(end) = memchr::memchr(b'\n', bytes) {
                    let (line, rest) = bytes.split_at(end);
                    if self.left.is_empty() {
                        self.line(line, now);
                    } else {
                        let mut left = std::mem::take(&mut self.left);
                        left.extend_from_slice(line);
                        self.line(&left, now);
                        left.clear();
                        self.left = left;
                    }
                    bytes = &rest[1..];
                }
                if self.left.len() + bytes.len() <= MAX_LINE_BYTES {
                    self.left.extend_from_slice(bytes);
                }
            }
        }
    }

    /// Look at what is left when the body ends.
    pub(crate) fn end(&mut self) {
        if self.kind == Kind::Whole
            && let Ok(json) = serde_json::from_slice(&std::mem::take(&mut self.left))
        {
            self.count(&json);
        }
    }

    /// Whether it streamed, and nothing that is output.
    pub(crate) fn is_empty(&self) -> bool {
        self.kind == Kind::Lines && self.chunks.is_empty()
    }

    fn line(&mut self, line: &[u8], now: Instant) {
        let data = line.strip_prefix(b"data:").unwrap_or(line).trim_ascii();
        if !data.starts_with(b"{") {
            return;
        }
        let Ok(json) = serde_json::from_slice::<Value>(data) else {
            return;
        };
        let before = self.text.len();
        push_output(&json, &mut self.text);
        if self.text.len() > before {
            self.chunks.push(now);
        }
        self.count(&json);
        if let Some(error) = json.get("error").filter(|error| !error.is_null()) {
            let message = error.get("message").unwrap_or(error);
            self.error = Some(
                message
                    .as_str()
                    .map_or_else(|| message.to_string(), str::to_owned),
            );
        }
    }

    /// Take the numbers of tokens that `json` tells, by whatever names.
    fn count(&mut self, json: &Value) {
        for usage in [
            json.get("usage"),
            json.pointer("/message/usage"),
            json.pointer("/response/usage"),
        ]
        .into_iter()
        .flatten()
        {
            let number =
                |names: [&str; 2]| names.iter().find_map(|name| usage.pointer(name)?.as_u64());
            let input = number(["/prompt_tokens", "/input_tokens"]);
            let cached = number([
                "/prompt_tokens_details/cached_tokens",
                "/input_tokens_details/cached_tokens",
            ]);
            // Anthropic's input is without what was cached.
            let apart = usage.get("cache_read_input_tokens").and_then(Value::as_u64);
            let input = input.map(|input| input + apart.unwrap_or(0));
            self.input_tokens = input.or(self.input_tokens);
            self.cached_tokens = cached.or(apart).or(self.cached_tokens);
            let output = number(["/completion_tokens", "/output_tokens"]);
            self.output_tokens = output.or(self.output_tokens);
        }
        let number = |name: &str| json.pointer(name).and_then(Value::as_u64);
        self.input_tokens = number("/prompt_eval_count")
            .or_else(|| number("/details/input_length"))
            .or(self.input_tokens);
        self.output_tokens = number("/eval_count")
            .or_else(|| number("/details/generated_tokens"))
            .or(self.output_tokens);
    }

    /// Gaps between chunks.
    pub(crate) fn gaps(&self) -> Vec<Micros> {
        let gaps = self.chunks.windows(2);
        gaps.map(|pair| Micros::from(pair[1] - pair[0])).collect()
    }
}

/// Append the output of an event: text or reasoning, of any choice.
fn push_output(json: &Value, text: &mut String) {
    let mut push =
        |value: Option<&Value>| text.push_str(value.and_then(Value::as_str).unwrap_or_default());
    if let Some(choices) = json.get("choices").and_then(Value::as_array) {
        for choice in choices {
            push(choice.get("text"));
            for name in [
                "/delta/reasoning_content",
                "/delta/reasoning",
                "/delta/content",
            ] {
                push(choice.pointer(name));
            }
        }
        return;
    }
    match json.get("type").and_then(Value::as_str) {
        Some("content_block_delta") => {
            push(json.pointer("/delta/text"));
            push(json.pointer("/delta/thinking"));
        }
        Some("response.output_text.delta" | "response.reasoning_text.delta") => {
            push(json.get("delta"));
        }
        Some(_) => {}
        None => {
            push(json.pointer("/token/text"));
            push(json.pointer("/message/thinking"));
            push(json.pointer("/message/content"));
            push(json.get("response"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Api;
    use crate::wire::tests::{bytes, form, whole};

    fn observe(kind: Kind, text: &str, piece: usize) -> Observer {
        let mut observer = Observer::new(kind);
        for piece in text.as_bytes().chunks(piece) {
            observer.pass(piece, Instant::now());
        }
        observer.end();
        observer
    }

    #[test]
    fn every_api_is_understood_in_any_pieces() {
        for api in [
            Api::Completions,
            Api::Chat,
            Api::Responses,
            Api::Messages,
            Api::OllamaChat,
            Api::OllamaGenerate,
            Api::GenerateStream,
        ] {
            let text = bytes(&form(api, true, 1, 3));
            for piece in [1, 7, 100_000] {
                let seen = observe(Kind::Lines, &text, piece);
                assert_eq!(
                    (seen.text.as_str(), seen.chunks.len()),
                    (" the time of", 3),
                    "{api:?}"
                );
                assert_eq!(
                    (seen.input_tokens, seen.output_tokens),
                    (Some(5), Some(3)),
                    "{api:?}"
                );
                assert_eq!(seen.error, None);
            }
        }
    }

    #[test]
    fn a_whole_answer_tells_its_usage() {
        for api in [
            Api::Completions,
            Api::Responses,
            Api::Messages,
            Api::OllamaChat,
            Api::Generate,
        ] {
            let text = whole(&form(api, false, 1, 3)).to_string();
            let seen = observe(Kind::Whole, &text, 50);
            assert_eq!(
                (seen.input_tokens, seen.output_tokens),
                (Some(5), Some(3)),
                "{api:?}"
            );
        }
        let chat = observe(
            Kind::Whole,
            &whole(&form(Api::Chat, false, 1, 3)).to_string(),
            9,
        );
        assert_eq!(chat.cached_tokens, Some(4));
    }

    #[test]
    fn roles_progress_and_usage_are_no_output() {
        let text = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\n\n\
            : ping\n\ndata: {\"choices\":[{\"text\":\"\"}]}\n\ndata: [DONE]\n\n";
        assert!(observe(Kind::Lines, text, 10).chunks.is_empty());
    }

    #[test]
    fn an_error_within_a_stream_is_seen() {
        let text = "data: {\"error\":{\"message\":\"out of memory\"}}\n\n";
        assert_eq!(
            observe(Kind::Lines, text, 10).error.as_deref(),
            Some("out of memory")
        );
    }

    #[test]
    fn reasoning_is_output() {
        let text = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
        assert_eq!(observe(Kind::Lines, text, 10).text, "hm");
    }
}
