//! What an answer says as it passes: when its tokens came, and what it tells of their number.
//!
//! Reads server-sent events and lines of JSON of every API that the mock itself speaks. What it
//! does not understand it lets pass.

use std::time::Instant;

use serde_json::Value;
use trace_core::Micros;

use super::events::Events;

/// Bytes of an answer in one piece that are kept to read its usage.
const MAX_WHOLE_BYTES: usize = 16 << 20;

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Server-sent events.
    Events,
    /// Lines of JSON.
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
            "text/event-stream" => Kind::Events,
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/jsonlines"
            | "application/json-lines"
            | "application/stream+json" => Kind::Lines,
            "application/json" => Kind::Whole,
            _ => Kind::Other,
        }
    }

    fn streams(self) -> bool {
        matches!(self, Kind::Events | Kind::Lines)
    }
}

/// What an answer has said so far.
#[derive(Debug)]
pub(crate) struct Observer {
    kind: Kind,
    events: Events,
    /// An answer in one piece, as far as it has come.
    whole: Vec<u8>,
    /// Whether the end mark has come, which nothing follows.
    pub(crate) done: bool,
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
            events: Events::new(kind == Kind::Lines),
            whole: Vec::new(),
            done: false,
            chunks: Vec::new(),
            text: String::new(),
            input_tokens: None,
            output_tokens: None,
            cached_tokens: None,
            error: None,
        }
    }

    /// Look at `bytes` that came at `now`.
    pub(crate) fn pass(&mut self, bytes: &[u8], now: Instant) {
        match self.kind {
            Kind::Other => {}
            Kind::Whole => {
                if self.whole.len() + bytes.len() <= MAX_WHOLE_BYTES {
                    self.whole.extend_from_slice(bytes);
                } else {
                    self.kind = Kind::Other;
                }
            }
            Kind::Events | Kind::Lines => {
                let mut events = std::mem::take(&mut self.events);
                events.take(bytes, |name, data| self.event(name, data, now));
                self.events = events;
            }
        }
    }

    /// Look at what is left when the body ended, at `now`.
    pub(crate) fn end(&mut self, now: Instant) {
        if self.kind.streams() {
            // What stands at the end counts without a line behind it.
            self.pass(b"\n\n", now);
        } else if self.kind == Kind::Whole
            && let Ok(json) = serde_json::from_slice(&std::mem::take(&mut self.whole))
        {
            self.count(&json);
        }
    }

    /// Whether it streamed.
    pub(crate) fn streams(&self) -> bool {
        self.kind.streams()
    }

    /// Whether it streamed, and nothing that is output.
    pub(crate) fn is_empty(&self) -> bool {
        self.streams() && self.chunks.is_empty()
    }

    fn event(&mut self, name: &[u8], data: &[u8], now: Instant) {
        match (name, data) {
            _ if self.done => {}
            (_, b"") => {}
            (_, b"[DONE]") => self.done = true,
            (name, data) => match serde_json::from_slice::<Value>(data) {
                Ok(json @ Value::Object(_)) => {
                    self.chunk(&json, now);
                    if name == b"error" {
                        self.fail(message(&json));
                    }
                }
                _ if name == b"error" => self.fail(String::from_utf8_lossy(data).into_owned()),
                _ => self.fail("a chunk that is not a JSON object".to_owned()),
            },
        }
    }

    fn chunk(&mut self, json: &Value, now: Instant) {
        let before = self.text.len();
        push_output(json, &mut self.text);
        if self.text.len() > before {
            self.chunks.push(now);
        }
        self.count(json);
        if let Some(error) = json.get("error").filter(|error| !error.is_null()) {
            self.fail(message(error));
        }
    }

    /// The first failure is the one that is told.
    fn fail(&mut self, message: String) {
        self.error.get_or_insert(message);
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
            let cached = cached.or(number(["/cached_tokens", "/prompt_cache_hit_tokens"]));
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

/// What an error says, an object with a message or something else.
fn message(error: &Value) -> String {
    let said = error.get("error").unwrap_or(error);
    let said = said.get("message").unwrap_or(said);
    said.as_str()
        .map_or_else(|| said.to_string(), str::to_owned)
}

/// Append the output of an event: text, reasoning or the call of a tool, of any choice.
fn push_output(json: &Value, text: &mut String) {
    if let Some(choices) = json.get("choices").and_then(Value::as_array) {
        for choice in choices {
            push(choice.get("text"), text);
            for name in ["reasoning_content", "reasoning", "content", "refusal"] {
                push(
                    choice.pointer("/delta").and_then(|delta| delta.get(name)),
                    text,
                );
            }
            push_calls(choice.pointer("/delta/tool_calls"), text);
        }
        return;
    }
    let (names, calls): (&[&str], _) = match json.get("type").and_then(Value::as_str) {
        Some("content_block_delta") => (
            &["/delta/text", "/delta/thinking", "/delta/partial_json"],
            None,
        ),
        Some(
            "response.output_text.delta"
            | "response.reasoning_text.delta"
            | "response.reasoning_summary_text.delta"
            | "response.refusal.delta"
            | "response.function_call_arguments.delta",
        ) => (&["/delta"], None),
        Some(_) => (&[], None),
        None => (
            &[
                "/token/text",
                "/message/thinking",
                "/message/content",
                "/thinking",
                "/response",
            ],
            json.pointer("/message/tool_calls"),
        ),
    };
    for name in names {
        push(json.pointer(name), text);
    }
    push_calls(calls, text);
}

fn push(value: Option<&Value>, text: &mut String) {
    text.push_str(value.and_then(Value::as_str).unwrap_or_default());
}

/// Append the names and arguments of calls.
fn push_calls(calls: Option<&Value>, text: &mut String) {
    for call in calls.and_then(Value::as_array).into_iter().flatten() {
        push(call.pointer("/function/name"), text);
        match call.pointer("/function/arguments") {
            Some(Value::Object(arguments)) => {
                text.push_str(&serde_json::to_string(arguments).unwrap_or_default());
            }
            arguments => push(arguments, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Api;
    use crate::wire::tests::{bytes, calling, form, whole};

    fn observe(kind: Kind, text: &str, piece: usize) -> Observer {
        let mut observer = Observer::new(kind);
        for piece in text.as_bytes().chunks(piece) {
            observer.pass(piece, Instant::now());
        }
        observer.end(Instant::now());
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
            let form = form(api, true, 1, 3);
            let (text, kind) = (bytes(&form), Kind::of(form.stream_type()));
            for piece in [1, 7, 100_000] {
                let seen = observe(kind, &text, piece);
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
        assert!(observe(Kind::Events, text, 10).chunks.is_empty());
    }

    #[test]
    fn an_error_within_a_stream_is_seen() {
        let text = "data: {\"error\":{\"message\":\"out of memory\"}}\n\n";
        assert_eq!(
            observe(Kind::Events, text, 10).error.as_deref(),
            Some("out of memory")
        );
    }

    #[test]
    fn the_call_of_a_tool_is_output() {
        for api in [Api::Chat, Api::Responses, Api::Messages, Api::OllamaChat] {
            let form = calling(api, true, &["a", "b"], None);
            let seen = observe(Kind::of(form.stream_type()), &bytes(&form), 100);
            assert!(seen.chunks.len() >= 2, "{api:?}");
            assert_eq!(seen.error, None);
        }
    }

    #[test]
    fn what_is_no_stream_of_an_answer_fails_unless_it_is_behind_the_end() {
        let good = "data: {\"choices\":[{\"text\":\"a\"}]}\n\n";
        for (bad, why) in [
            ("data: {\"choices\":[{\"te", "not a JSON object"),
            ("data: 7\n\n", "not a JSON object"),
            ("event: error\ndata: {\"message\":\"over\"}\n\n", "over"),
            ("event: error\ndata: gone\n\n", "gone"),
        ] {
            let seen = observe(Kind::Events, &format!("{good}{bad}"), 9);
            assert!(seen.error.unwrap().contains(why), "{bad}");
            let seen = observe(Kind::Events, &format!("{good}data: [DONE]\n\n{bad}"), 9);
            assert!(seen.done && seen.error.is_none(), "{bad}");
        }
    }

    #[test]
    fn cached_tokens_are_found_where_some_servers_put_them() {
        let text = r#"{"usage":{"prompt_tokens":5,"completion_tokens":1,"cached_tokens":4}}"#;
        assert_eq!(observe(Kind::Whole, text, 9).cached_tokens, Some(4));
    }

    #[test]
    fn reasoning_is_output() {
        let text = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
        assert_eq!(observe(Kind::Events, text, 10).text, "hm");
    }
}
