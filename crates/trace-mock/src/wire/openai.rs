//! OpenAI's completions and chats.

use std::ops::Range;

use super::{Form, Title, Usage, put, put_number};
use crate::api::Api;

/// How a stream ends.
const DONE: &str = "data: [DONE]\n\n";

/// From the beginning of an event, or of the whole answer, up to the array of choices.
pub(super) fn head(title: &Title<'_>) -> Vec<u8> {
    let (id, object) = match (title.api, title.stream) {
        (Api::Chat, true) => ("data: {\"id\":\"chatcmpl-", "chat.completion.chunk"),
        (Api::Chat, false) => ("{\"id\":\"chatcmpl-", "chat.completion"),
        (_, true) => ("data: {\"id\":\"cmpl-", "text_completion"),
        (_, false) => ("{\"id\":\"cmpl-", "text_completion"),
    };
    let mut head = Vec::with_capacity(128 + title.model.len());
    put_number(&mut head, id, title.number);
    put(&mut head, "\",\"object\":\"");
    put(&mut head, object);
    put_number(&mut head, "\",\"created\":", title.created.as_secs());
    put(&mut head, ",\"model\":");
    put(&mut head, title.model);
    put(&mut head, ",\"choices\":[");
    head
}

/// The first events of a chat, which have the role and no text.
pub(super) fn push_roles(form: &Form, out: &mut Vec<u8>) {
    for choice in 0..form.choices {
        push_head(form, choice, out);
        put(out, ",\"delta\":{\"role\":\"assistant\",\"content\":\"\"}");
        put(out, ",\"logprobs\":null,\"finish_reason\":null}]}\n\n");
    }
}

/// An event with `tokens` for each choice.
pub(super) fn push_delta(form: &Form, tokens: Range<u64>, last: bool, out: &mut Vec<u8>) {
    let (before, after) = match (form.api, tokens.is_empty()) {
        (Api::Chat, true) => (",\"delta\":{", "}"),
        (Api::Chat, false) => (",\"delta\":{\"content\":\"", "\"}"),
        _ => (",\"text\":\"", "\""),
    };
    let reason = match (last, form.is_cut()) {
        (false, _) => ",\"logprobs\":null,\"finish_reason\":null}]}\n\n",
        (true, true) => ",\"logprobs\":null,\"finish_reason\":\"length\"}]}\n\n",
        (true, false) => ",\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n",
    };
    for choice in 0..form.choices {
        push_head(form, choice, out);
        put(out, before);
        form.push_text(tokens.clone(), out);
        put(out, after);
        put(out, reason);
    }
}

fn push_head(form: &Form, choice: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&form.head);
    put_number(out, "{\"index\":", choice);
}

/// What comes after the last token: usage, if wanted, and the end mark.
pub(super) fn push_end(form: &Form, usage: Option<Usage>, out: &mut Vec<u8>) {
    if let Some(usage) = usage {
        out.extend_from_slice(&form.head);
        out.push(b']');
        push_usage(usage, out);
        put(out, "}\n\n");
    }
    put(out, DONE);
}

pub(super) fn whole(form: &Form, usage: Option<Usage>) -> Vec<u8> {
    let (before, after) = match form.api {
        Api::Chat => (",\"message\":{\"role\":\"assistant\",\"content\":\"", "\"}"),
        _ => (",\"text\":\"", "\""),
    };
    let reason = if form.is_cut() { "length" } else { "stop" };
    let mut out = form.head.clone();
    for choice in 0..form.choices {
        if choice > 0 {
            out.push(b',');
        }
        put_number(&mut out, "{\"index\":", choice);
        put(&mut out, before);
        form.push_all(&mut out);
        put(&mut out, after);
        put(&mut out, ",\"logprobs\":null,\"finish_reason\":\"");
        put(&mut out, reason);
        put(&mut out, "\"}");
    }
    out.push(b']');
    if let Some(usage) = usage {
        push_usage(usage, &mut out);
    }
    out.push(b'}');
    out
}

fn push_usage(usage: Usage, out: &mut Vec<u8>) {
    put_number(out, ",\"usage\":{\"prompt_tokens\":", usage.prompt);
    put_number(out, ",\"completion_tokens\":", usage.completion);
    let total = usage.prompt.saturating_add(usage.completion);
    put_number(out, ",\"total_tokens\":", total);
    if let Some(cached) = usage.cached {
        put_number(
            out,
            ",\"prompt_tokens_details\":{\"cached_tokens\":",
            cached,
        );
        out.push(b'}');
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::{bytes, events, form, whole};
    use super::*;

    fn stream(form: &Form) -> Vec<Value> {
        let text = bytes(form);
        let text = text.strip_suffix(DONE).unwrap();
        events(text).into_iter().map(|(_, data)| data).collect()
    }

    fn texts(chunks: &[Value], member: &str) -> Vec<Value> {
        chunks
            .iter()
            .map(|chunk| chunk["choices"][0][member].clone())
            .collect()
    }

    #[test]
    fn a_completion_streams_a_chunk_per_token_and_then_usage() {
        let chunks = stream(&form(Api::Completions, true, 1, 3));
        assert_eq!(chunks.len(), 4);
        assert_eq!(texts(&chunks[..3], "text"), [" the", " time", " of"]);
        let reasons = [Value::Null, Value::Null, "length".into()];
        assert_eq!(texts(&chunks[..3], "finish_reason"), reasons);
        assert_eq!(chunks[3]["choices"], json!([]));
        assert_eq!(chunks[3]["usage"]["total_tokens"], 8);
        assert_eq!(
            chunks[3]["usage"]["prompt_tokens_details"]["cached_tokens"],
            4
        );
        assert_eq!(chunks[0]["object"], "text_completion");
        let named = |chunk: &Value| chunk["id"] == "cmpl-7" && chunk["model"] == "m";
        assert!(chunks.iter().all(named));
    }

    #[test]
    fn a_chat_begins_with_the_role_and_no_text() {
        let chunks = stream(&form(Api::Chat, true, 1, 3));
        assert_eq!(chunks.len(), 5);
        let deltas = texts(&chunks[..4], "delta");
        assert_eq!(deltas[0], json!({"role": "assistant", "content": ""}));
        assert_eq!(deltas[1], json!({"content": " the"}));
        assert_eq!(chunks[3]["choices"][0]["finish_reason"], "length");
        assert!(
            chunks
                .iter()
                .all(|chunk| chunk["object"] == "chat.completion.chunk")
        );
    }

    #[test]
    fn an_answer_of_no_tokens_still_says_that_it_is_over() {
        let chunks = stream(&form(Api::Completions, true, 1, 0));
        assert_eq!(chunks.len(), 2);
        assert_eq!(chunks[0]["choices"][0]["text"], "");
        assert_eq!(chunks[0]["choices"][0]["finish_reason"], "length");
        let chunks = stream(&form(Api::Chat, true, 1, 0));
        assert_eq!(chunks.len(), 3);
        assert_eq!(chunks[1]["choices"][0]["delta"], json!({}));
    }

    #[test]
    fn every_choice_gets_every_token() {
        let chunks = stream(&form(Api::Completions, true, 2, 3));
        assert_eq!(texts(&chunks[..6], "index"), [0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn the_whole_answer_is_one_object() {
        let json = whole(&form(Api::Chat, false, 2, 3));
        assert_eq!(json["object"], "chat.completion");
        assert_eq!(json["choices"][1]["message"]["content"], " the time of");
        assert_eq!(json["choices"][1]["index"], 1);
        assert_eq!(json["usage"]["completion_tokens"], 3);
        let form = form(Api::Completions, false, 1, 3);
        let json: Value =
            serde_json::from_slice(&form.whole(&super::super::End::default())).unwrap();
        assert_eq!(json["choices"][0]["text"], " the time of");
        assert_eq!(json["choices"][0]["finish_reason"], "length");
        assert!(json.get("usage").is_none());
    }

    #[test]
    fn several_tokens_may_share_a_chunk() {
        let chunks = stream(&form(Api::Completions, true, 1, 3).in_chunks(2));
        assert_eq!(texts(&chunks[..2], "text"), [" the time", " of"]);
    }
}
