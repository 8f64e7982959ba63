//! Anthropic's messages: named events around one block of text.

use std::ops::Range;

use super::{Form, Usage, put, put_number};

pub(super) fn push_start(form: &Form, out: &mut Vec<u8>) {
    put(
        out,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":",
    );
    push_message(form, false, None, out);
    put(
        out,
        "}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,",
    );
    put(out, "\"content_block\":");
    match form.call() {
        Some(name) => push_call(form, name, "{}", out),
        None => put(out, "{\"type\":\"text\",\"text\":\"\"}"),
    }
    put(out, "}\n\n");
    put(out, "event: ping\ndata: {\"type\":\"ping\"}\n\n");
}

pub(super) fn push_delta(form: &Form, tokens: Range<u64>, out: &mut Vec<u8>) {
    if tokens.is_empty() {
        return;
    }
    put(
        out,
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
    );
    put(
        out,
        match form.call() {
            Some(_) => "\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"",
            None => "\"delta\":{\"type\":\"text_delta\",\"text\":\"",
        },
    );
    form.push_text(tokens, out);
    put(out, "\"}}\n\n");
}

pub(super) fn push_end(form: &Form, usage: Option<Usage>, out: &mut Vec<u8>) {
    put(
        out,
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    );
    put(
        out,
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"",
    );
    put(out, reason(form));
    put(out, "\",\"stop_sequence\":null}");
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
    match (form.is_cut(), form.call()) {
        (true, _) => "max_tokens",
        (false, Some(_)) => "tool_use",
        (false, None) => "end_turn",
    }
}

/// The block of a call with its `input`.
fn push_call(form: &Form, name: &str, input: &str, out: &mut Vec<u8>) {
    put_number(out, "{\"type\":\"tool_use\",\"id\":\"toolu_", form.number);
    put(out, "\",\"name\":");
    put(out, name);
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
        if let Some(name) = form.call() {
            // Arguments that were cut short are no object.
            let input = form.spoken().filter(|_| !form.is_cut());
            push_call(form, name, input.unwrap_or("{}"), out);
        } else {
            put(out, "{\"type\":\"text\",\"text\":\"");
            form.push_all(out);
            put(out, "\"}");
        }
        put(out, "],\"stop_reason\":\"");
        put(out, reason(form));
        out.push(b'"');
    } else {
        put(out, "],\"stop_reason\":null");
    }
    put(out, ",\"stop_sequence\":null");
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
    use super::super::tests::{bytes, events, form, whole};
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
    fn the_whole_message_is_one_object() {
        let json = whole(&form(Api::Messages, false, 1, 2));
        assert_eq!(
            (&json["id"], &json["content"][0]["text"]),
            (&"msg_7".into(), &" the time".into())
        );
        assert_eq!(json["usage"]["input_tokens"], 1);
    }
}
