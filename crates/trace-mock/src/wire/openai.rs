//! OpenAI's completions and chats.

use std::ops::Range;

use super::{Form, Title, Usage, logprobs, put, put_number};
use crate::api::Api;
use crate::speech::Call;

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

/// The first events of a chat, which have the role and no text, or begin the call of a tool.
pub(super) fn push_roles(form: &Form, out: &mut Vec<u8>) {
    for choice in 0..form.choices {
        push_head(form, choice, out);
        put(out, ",\"delta\":{\"role\":\"assistant\",\"content\":");
        if let Some(first) = form.calls().first() {
            put(out, "null,\"tool_calls\":[{\"index\":0,");
            push_call(form, (choice, 0), first, out);
            put(out, "\"}}]}");
        } else {
            put(out, "\"\"}");
        }
        put(out, ",\"logprobs\":null,\"finish_reason\":null}]");
        push_running(form, 0, out);
        put(out, "}\n\n");
    }
}

/// The call of a tool at its place in a choice, up to its arguments.
fn push_call(form: &Form, (choice, place): (u64, u64), call: &Call, out: &mut Vec<u8>) {
    put_number(out, "\"id\":\"call_", form.number);
    put_number(out, "_", choice);
    put_number(out, "_", place);
    put(out, "\",\"type\":\"function\",\"function\":{\"name\":");
    put(out, &call.name);
    put(out, ",\"arguments\":\"");
}

/// An event with `tokens` for each choice.
pub(super) fn push_delta(form: &Form, tokens: Range<u64>, last: bool, out: &mut Vec<u8>) {
    for choice in 0..form.choices {
        push_head(form, choice, out);
        push_said(form, choice, tokens.clone(), out);
        put(out, ",\"logprobs\":");
        logprobs::push(form, choice, tokens.clone(), out);
        if last {
            put(out, ",\"finish_reason\":\"");
            put(out, reason(form));
            put(out, "\"}]");
        } else {
            put(out, ",\"finish_reason\":null}]");
        }
        push_running(form, tokens.end, out);
        put(out, "}\n\n");
    }
}

/// What `tokens` say in an event of a choice.
fn push_said(form: &Form, choice: u64, tokens: Range<u64>, out: &mut Vec<u8>) {
    if form.api != Api::Chat {
        put(out, ",\"text\":\"");
        if tokens.start == 0 {
            push_echo(form, choice, out);
        }
        form.push_text(tokens, out);
        return out.push(b'"');
    }
    put(out, ",\"delta\":{");
    if tokens.is_empty() {
        // An answer without any.
    } else if form.calls_tools() {
        put(out, "\"tool_calls\":[");
        for (at, piece) in form.pieces(tokens).enumerate() {
            put_number(
                out,
                if at > 0 {
                    ",{\"index\":"
                } else {
                    "{\"index\":"
                },
                piece.place,
            );
            out.push(b',');
            if piece.follows() {
                push_call(form, (choice, piece.place), piece.call, out);
            } else {
                put(out, "\"function\":{\"arguments\":\"");
            }
            form.push_text(piece.tokens, out);
            put(out, "\"}}");
        }
        out.push(b']');
    } else {
        put(out, "\"content\":\"");
        form.push_text(tokens, out);
        out.push(b'"');
    }
    out.push(b'}');
}

fn push_head(form: &Form, choice: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&form.head);
    put_number(out, "{\"index\":", choice);
}

/// The prompt, where it stands before the answer.
fn push_echo(form: &Form, choice: u64, out: &mut Vec<u8>) {
    if let Some(echo) = form.echo(choice) {
        echo.push(0..echo.len(), out);
    }
}

/// The usage so far, if each event tells it.
fn push_running(form: &Form, tokens: u64, out: &mut Vec<u8>) {
    if form.manner().is_some_and(|manner| manner.running_usage) {
        let usage = Usage {
            prompt: form.prompt_tokens,
            completion: tokens,
            cached: None,
        };
        push_usage(usage, out);
    }
}

fn reason(form: &Form) -> &'static str {
    match (form.is_cut(), form.calls_tools()) {
        (true, _) => "length",
        (false, true) => "tool_calls",
        (false, false) => "stop",
    }
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
    let mut out = form.head.clone();
    for choice in 0..form.choices {
        if choice > 0 {
            out.push(b',');
        }
        put_number(&mut out, "{\"index\":", choice);
        push_message(form, choice, &mut out);
        put(&mut out, ",\"logprobs\":");
        logprobs::push(form, choice, 0..form.plan.tokens, &mut out);
        put(&mut out, ",\"finish_reason\":\"");
        put(&mut out, reason(form));
        put(&mut out, "\"}");
    }
    out.push(b']');
    if let Some(usage) = usage {
        push_usage(usage, &mut out);
    }
    out.push(b'}');
    out
}

/// What a choice of the whole answer says.
fn push_message(form: &Form, choice: u64, out: &mut Vec<u8>) {
    if form.api != Api::Chat {
        put(out, ",\"text\":\"");
        push_echo(form, choice, out);
        form.push_all(out);
        return out.push(b'"');
    }
    put(out, ",\"message\":{\"role\":\"assistant\",\"content\":");
    if form.calls_tools() {
        put(out, "null,\"tool_calls\":[");
        for piece in form.pieces(0..form.plan.tokens) {
            put(out, if piece.place > 0 { ",{" } else { "{" });
            push_call(form, (choice, piece.place), piece.call, out);
            form.push_text(piece.tokens, out);
            put(out, "\"}}");
        }
        put(out, "]}");
    } else {
        out.push(b'"');
        form.push_all(out);
        put(out, "\"}");
    }
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

    use super::super::tests::{bytes, calling, events, form, whole};
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
    fn the_call_of_a_tool_begins_with_its_name_and_streams_its_arguments() {
        let form = calling(Api::Chat, true, &["weather"], None);
        let chunks = stream(&form);
        let first = &chunks[0]["choices"][0]["delta"];
        assert_eq!(first["content"], Value::Null);
        assert_eq!(
            first["tool_calls"],
            json!([{"index": 0, "id": "call_7_0_0", "type": "function",
                "function": {"name": "weather", "arguments": ""}}])
        );
        let calls = chunks.iter().filter_map(|chunk| {
            chunk
                .pointer("/choices/0/delta/tool_calls/0/function/arguments")?
                .as_str()
        });
        assert_eq!(calls.collect::<String>(), "{\"city\":\"text\"}");
        let last = &chunks[chunks.len() - 2]["choices"][0];
        assert_eq!(last["finish_reason"], "tool_calls");
    }

    #[test]
    fn several_calls_are_told_apart_by_their_index() {
        for chunk in [1, 3, 100] {
            let form = calling(Api::Chat, true, &["a", "b", "a"], None).in_chunks(chunk);
            let (mut names, mut texts) = (vec![Value::Null; 3], vec![String::new(); 3]);
            for chunk in stream(&form) {
                let calls = chunk["choices"][0]["delta"]["tool_calls"].clone();
                for call in calls.as_array().into_iter().flatten() {
                    let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
                    texts[at] += call["function"]["arguments"].as_str().unwrap();
                    if let Some(name) = call["function"].get("name") {
                        assert_eq!(names[at].take(), Value::Null, "a call begins once");
                        names[at] = name.clone();
                        assert_eq!(call["id"], format!("call_7_0_{at}"));
                    }
                }
            }
            assert_eq!(names, ["a", "b", "a"]);
            let form = calling(Api::Chat, false, &["a", "b", "a"], None);
            let message = whole(&form)["choices"][0]["message"].clone();
            for (at, text) in texts.iter().enumerate() {
                assert_eq!(text, "{\"city\":\"text\"}");
                let call = &message["tool_calls"][at];
                assert_eq!(
                    call["function"],
                    json!({"name": names[at], "arguments": text})
                );
            }
        }
        let cut = whole(&calling(Api::Chat, false, &["a", "b"], Some(2)));
        let message = &cut["choices"][0]["message"];
        assert_eq!(message["tool_calls"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn every_chunk_may_tell_the_usage_so_far() {
        let manner = super::super::Manner {
            running_usage: true,
            ..super::super::Manner::default()
        };
        let chunks = stream(&form(Api::Chat, true, 1, 2).with_manner(manner));
        let completed = chunks
            .iter()
            .map(|chunk| &chunk["usage"]["completion_tokens"]);
        assert_eq!(completed.collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn several_tokens_may_share_a_chunk() {
        let chunks = stream(&form(Api::Completions, true, 1, 3).in_chunks(2));
        assert_eq!(texts(&chunks[..2], "text"), [" the time", " of"]);
    }
}
