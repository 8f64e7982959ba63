//! Anthropic's messages: named events around one block of text, or one for each call of a tool.

use std::ops::Range;

use super::{Form, Usage, put, put_number};
use crate::speech::Call;

pub(super) fn push_start(form: &Form, out: &mut Vec<u8>) {
    put(
        out,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":",
    );
    push_message(form, false, None, out);
    put(out, "}\n\n");
    push_block_start(form, 0, form.calls().first(), out);
    put(out, "event: ping\ndata: {\"type\":\"ping\"}\n\n");
}

/// The event that begins a block: of a call, or of text.
fn push_block_start(form: &Form, place: u64, call: Option<&Call>, out: &mut Vec<u8>) {
    put_number(
        out,
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":",
        place,
    );
    put(out, ",\"content_block\":");
    match call {
        Some(call) => push_call(form, place, call, "{}", out),
        None => put(out, "{\"type\":\"text\",\"text\":\"\"}"),
    }
    put(out, "}\n\n");
}

/// The event that ends a block.
fn push_block_stop(place: u64, out: &mut Vec<u8>) {
    put_number(
        out,
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":",
        place,
    );
    put(out, "}\n\n");
}

pub(super) fn push_delta(form: &Form, tokens: Range<u64>, out: &mut Vec<u8>) {
    if tokens.is_empty() {
        return;
    }
    if !form.calls_tools() {
        let delta = ",\"delta\":{\"type\":\"text_delta\",\"text\":\"";
        return push_block_delta(form, 0, delta, tokens, out);
    }
    for piece in form.pieces(tokens) {
        if piece.follows() {
            push_block_stop(piece.place - 1, out);
            push_block_start(form, piece.place, Some(piece.call), out);
        }
        let delta = ",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"";
        push_block_delta(form, piece.place, delta, piece.tokens, out);
    }
}

fn push_block_delta(form: &Form, place: u64, delta: &str, tokens: Range<u64>, out: &mut Vec<u8>) {
    put_number(
        out,
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":",
        place,
    );
    put(out, delta);
    form.push_text(tokens, out);
    put(out, "\"}}\n\n");
}

pub(super) fn push_end(form: &Form, usage: Option<Usage>, out: &mut Vec<u8>) {
    push_block_stop(form.last_call(), out);
    put(
        out,
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"",
    );
    put(out, reason(form));
    put(out, "\",\"stop_sequence\":");
    put(out, form.stop().unwrap_or("null"));
    out.push(b'}');
    if let Some(usage) = usage {
        put(out, ",\"usage\":");
        push_usage(usage, out);
    }
    put(
        out,
        "}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
}

pub(super) fn whole(form: &Form, usage: Option<Usage>) -> Vec<u8> {
    let mut out = Vec::new();
    push_message(form, true, usage, &mut out);
    out
}

fn reason(form: &Form) -> &'static str {
    match (form.is_cut(), form.calls_tools()) {
        _ if form.stop().is_some() => "stop_sequence",
        (true, _) => "max_tokens",
        (false, true) => "tool_use",
        (false, false) => "end_turn",
    }
}

/// The block of a call with its `input`.
fn push_call(form: &Form, place: u64, call: &Call, input: &str, out: &mut Vec<u8>) {
    put_number(out, "{\"type\":\"tool_use\",\"id\":\"toolu_", form.number);
    put_number(out, "_", place);
    put(out, "\",\"name\":");
    put(out, &call.name);
    put(out, ",\"input\":");
    put(out, input);
    out.push(b'}');
}

fn push_message(form: &Form, over: bool, usage: Option<Usage>, out: &mut Vec<u8>) {
    put_number(out, "{\"id\":\"msg_", form.number);
    put(
        out,
        "\",\"type\":\"message\",\"role\":\"assistant\",\"model\":",
    );
    out.extend_from_slice(&form.head);
    put(out, ",\"content\":[");
    if over {
        push_content(form, out);
        put(out, "],\"stop_reason\":\"");
        put(out, reason(form));
        out.push(b'"');
    } else {
        put(out, "],\"stop_reason\":null");
    }
    put(out, ",\"stop_sequence\":");
    put(out, form.stop().filter(|_| over).unwrap_or("null"));
    let begun = Usage {
        prompt: form.prompt_tokens,
        ..Usage::default()
    };
    if let Some(usage) = usage.or((!over).then_some(begun)) {
        put(out, ",\"usage\":");
        push_usage(usage, out);
    }
    out.push(b'}');
}

/// The blocks of a whole message.
fn push_content(form: &Form, out: &mut Vec<u8>) {
    if !form.calls_tools() {
        put(out, "{\"type\":\"text\",\"text\":\"");
        form.push_all(out);
        return put(out, "\"}");
    }
    for piece in form.pieces(0..form.plan.tokens) {
        if piece.place > 0 {
            out.push(b',');
        }
        // Arguments that were cut short are no object.
        let input = if piece.ends() {
            form.spoken(piece.tokens)
        } else {
            "{}"
        };
        push_call(form, piece.place, piece.call, input, out);
    }
}

/// Anthropic counts what came from the cache apart from the other tokens of the prompt.
fn push_usage(usage: Usage, out: &mut Vec<u8>) {
    let cached = usage.cached.unwrap_or(0);
    put_number(
        out,
        "{\"input_tokens\":",
        usage.prompt.saturating_sub(cached),
    );
    put(out, ",\"cache_creation_input_tokens\":0");
    put_number(out, ",\"cache_read_input_tokens\":", cached);
    put_number(out, ",\"output_tokens\":", usage.completion);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::{bytes, calling, events, form, whole};
    use crate::api::Api;

    #[test]
    fn a_stream_is_a_message_around_a_block_of_deltas() {
        let events = events(&bytes(&form(Api::Messages, true, 1, 2)));
        let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ];
        assert_eq!(names, expected);
        assert!(
            events
                .iter()
                .all(|(name, data)| data["type"] == name.as_str())
        );
        assert_eq!(events[0].1["message"]["usage"]["input_tokens"], 5);
        assert_eq!(events[4].1["delta"]["text"], " time");
        assert_eq!(events[6].1["usage"]["output_tokens"], 3);
        assert_eq!(events[6].1["usage"]["cache_read_input_tokens"], 4);
        assert_eq!(events[6].1["delta"]["stop_reason"], "max_tokens");
    }

    #[test]
    fn each_call_is_a_block() {
        for chunk in [1, 3, 100] {
            let form = calling(Api::Messages, true, &["a", "b"], None).in_chunks(chunk);
            let events = events(&bytes(&form));
            let places = |kind: &str| -> Vec<Value> {
                let of_kind = events.iter().filter(|(name, _)| name == kind);
                of_kind.map(|(_, data)| data["index"].clone()).collect()
            };
            assert_eq!(places("content_block_start"), [0, 1]);
            assert_eq!(places("content_block_stop"), [0, 1]);
            let mut texts = [String::new(), String::new()];
            for (_, data) in &events {
                if let Some(text) = data.pointer("/delta/partial_json") {
                    texts[usize::from(data["index"] == 1)] += text.as_str().unwrap();
                }
            }
            assert_eq!(texts[0], texts[1]);
            let json = whole(&form);
            assert_eq!(json["content"][1]["name"], "b");
            assert_eq!(json["content"][1]["input"].to_string(), texts[1]);
            assert_eq!(json["stop_reason"], "tool_use");
        }
        let cut = whole(&calling(Api::Messages, true, &["a", "b"], Some(2)));
        assert_eq!(cut["content"][0]["input"], json!({}));
        assert_eq!(cut["content"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn the_whole_message_is_one_object() {
        let json = whole(&form(Api::Messages, false, 1, 2));
        assert_eq!(
            (&json["id"], &json["content"][0]["text"]),
            (&"msg_7".into(), &" the time".into())
        );
        assert_eq!(json["usage"]["input_tokens"], 1);
    }

    #[test]
    fn the_string_that_ended_it_is_told() {
        let manner = super::super::Manner {
            stop: Some("\" of\"".into()),
            ..super::super::Manner::default()
        };
        let form = form(Api::Messages, true, 1, 2).with_manner(manner);
        let json = whole(&form);
        let events = events(&bytes(&form));
        assert_eq!(events[0].1["message"]["stop_sequence"], Value::Null);
        for end in [&json, &events[6].1["delta"]] {
            assert_eq!(
                (&end["stop_reason"], &end["stop_sequence"]),
                (&"stop_sequence".into(), &" of".into())
            );
        }
    }
}
