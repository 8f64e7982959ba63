//! OpenAI's responses: named events, numbered, around one message of one text, or the call of a tool.

use std::ops::Range;

use super::{Form, Title, Usage, put, put_number};

/// The members of the response object that never change, from its id on.
pub(super) fn head(title: &Title<'_>) -> Vec<u8> {
    let mut head = Vec::with_capacity(160 + title.model.len());
    put_number(&mut head, "{\"id\":\"resp_", title.number);
    put(&mut head, "\",\"object\":\"response\",\"created_at\":");
    put_number(&mut head, "", title.created.as_secs());
    put(
        &mut head,
        ",\"error\":null,\"incomplete_details\":null,\"instructions\":null,\"metadata\":{},\"model\":",
    );
    put(&mut head, title.model);
    put(
        &mut head,
        ",\"parallel_tool_calls\":true,\"temperature\":1.0,\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1.0",
    );
    head
}

/// Events before the first token.
fn opening(form: &Form) -> u64 {
    if form.call().is_some() { 3 } else { 4 }
}

fn push_event(name: &str, number: u64, out: &mut Vec<u8>) {
    put(out, "event: ");
    put(out, name);
    put(out, "\ndata: {\"type\":\"");
    put(out, name);
    put_number(out, "\",\"sequence_number\":", number);
}

/// Where an event belongs: the one item, and the one part of it.
fn push_place(form: &Form, part: bool, out: &mut Vec<u8>) {
    put(out, ",\"output_index\":0");
    if part && form.call().is_some() {
        put_number(out, ",\"item_id\":\"fc_", form.number);
        out.push(b'"');
    } else if part {
        put_number(out, ",\"item_id\":\"msg_", form.number);
        put(out, "\",\"content_index\":0");
    }
}

/// A call, with its arguments as far as `tokens` of them go.
fn push_call(form: &Form, name: &str, status: &str, tokens: Range<u64>, out: &mut Vec<u8>) {
    put_number(out, "{\"id\":\"fc_", form.number);
    put(out, "\",\"type\":\"function_call\",\"status\":\"");
    put(out, status);
    put_number(out, "\",\"call_id\":\"call_", form.number);
    put(out, "_0\",\"name\":");
    put(out, name);
    put(out, ",\"arguments\":\"");
    form.push_text(tokens, out);
    put(out, "\"}");
}

pub(super) fn push_start(form: &Form, out: &mut Vec<u8>) {
    for (number, name) in ["response.created", "response.in_progress"]
        .into_iter()
        .enumerate()
    {
        push_event(name, number as u64, out);
        put(out, ",\"response\":");
        push_response(form, "in_progress", None, out);
        put(out, "}\n\n");
    }
    push_event("response.output_item.added", 2, out);
    push_place(form, false, out);
    if let Some(name) = form.call() {
        put(out, ",\"item\":");
        push_call(form, name, "in_progress", 0..0, out);
        return put(out, "}\n\n");
    }
    put_number(out, ",\"item\":{\"id\":\"msg_", form.number);
    put(
        out,
        "\",\"type\":\"message\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}}\n\n",
    );
    push_event("response.content_part.added", 3, out);
    push_place(form, true, out);
    put(
        out,
        ",\"part\":{\"type\":\"output_text\",\"text\":\"\",\"annotations\":[]}}\n\n",
    );
}

pub(super) fn push_delta(form: &Form, step: u64, tokens: Range<u64>, out: &mut Vec<u8>) {
    let number = opening(form) + step;
    if form.call().is_some() {
        push_event("response.function_call_arguments.delta", number, out);
        push_place(form, true, out);
    } else {
        push_event("response.output_text.delta", number, out);
        push_place(form, true, out);
        put(out, ",\"logprobs\":[]");
    }
    put(out, ",\"delta\":\"");
    form.push_text(tokens, out);
    put(out, "\"}\n\n");
}

pub(super) fn push_end(form: &Form, usage: Option<Usage>, out: &mut Vec<u8>) {
    let mut number = opening(form) + form.steps();
    let mut begin = |name: &str, part: bool, out: &mut Vec<u8>| {
        push_event(name, number, out);
        push_place(form, part, out);
        number += 1;
    };
    if let Some(name) = form.call() {
        begin("response.function_call_arguments.done", true, out);
        put(out, ",\"name\":");
        put(out, name);
        put(out, ",\"arguments\":\"");
        form.push_all(out);
        put(out, "\"}\n\n");
    } else {
        begin("response.output_text.done", true, out);
        put(out, ",\"logprobs\":[],\"text\":\"");
        form.push_all(out);
        put(out, "\"}\n\n");
        begin("response.content_part.done", true, out);
        put(out, ",\"part\":");
        push_part(form, out);
        put(out, "}\n\n");
    }
    begin("response.output_item.done", false, out);
    put(out, ",\"item\":");
    push_item(form, out);
    put(out, "}\n\n");
    let status = status(form);
    let name = if status == "completed" {
        "response.completed"
    } else {
        "response.incomplete"
    };
    push_event(name, number, out);
    put(out, ",\"response\":");
    push_response(form, status, usage, out);
    put(out, "}\n\n");
}

pub(super) fn whole(form: &Form, usage: Option<Usage>) -> Vec<u8> {
    let mut out = Vec::new();
    push_response(form, status(form), usage, &mut out);
    out
}

/// An answer that reached its limit is called incomplete.
fn status(form: &Form) -> &'static str {
    if form.is_cut() {
        "incomplete"
    } else {
        "completed"
    }
}

fn push_response(form: &Form, status: &str, usage: Option<Usage>, out: &mut Vec<u8>) {
    let running = status == "in_progress";
    let head = std::str::from_utf8(&form.head).expect("it was put together from text");
    if status == "incomplete" {
        let details = "\"incomplete_details\":{\"reason\":\"max_output_tokens\"}";
        put(
            out,
            &head.replacen("\"incomplete_details\":null", details, 1),
        );
    } else {
        put(out, head);
    }
    put(out, ",\"status\":\"");
    put(out, status);
    put(out, "\",\"output\":[");
    if !running {
        push_item(form, out);
    }
    put(out, "],\"usage\":");
    match usage {
        Some(usage) => push_usage(usage, out),
        None => put(out, "null"),
    }
    out.push(b'}');
}

fn push_item(form: &Form, out: &mut Vec<u8>) {
    if let Some(name) = form.call() {
        return push_call(form, name, status(form), 0..form.plan.tokens, out);
    }
    put_number(out, "{\"id\":\"msg_", form.number);
    put(out, "\",\"type\":\"message\",\"status\":\"");
    put(out, status(form));
    put(out, "\",\"role\":\"assistant\",\"content\":[");
    push_part(form, out);
    put(out, "]}");
}

fn push_part(form: &Form, out: &mut Vec<u8>) {
    put(out, "{\"type\":\"output_text\",\"text\":\"");
    form.push_all(out);
    put(out, "\",\"annotations\":[]}");
}

fn push_usage(usage: Usage, out: &mut Vec<u8>) {
    put_number(out, "{\"input_tokens\":", usage.prompt);
    put_number(
        out,
        ",\"input_tokens_details\":{\"cached_tokens\":",
        usage.cached.unwrap_or(0),
    );
    put_number(out, "},\"output_tokens\":", usage.completion);
    put(out, ",\"output_tokens_details\":{\"reasoning_tokens\":0}");
    let total = usage.prompt.saturating_add(usage.completion);
    put_number(out, ",\"total_tokens\":", total);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bytes, events, form, whole};
    use crate::api::Api;

    #[test]
    fn a_stream_opens_gives_deltas_and_closes_all_it_opened() {
        let events = events(&bytes(&form(Api::Responses, true, 1, 2)));
        let names: Vec<_> = events
            .iter()
            .map(|(name, _)| name.trim_start_matches("response."))
            .collect();
        let expected = [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "incomplete",
        ];
        assert_eq!(names, expected);
        for (number, (name, data)) in events.iter().enumerate() {
            assert_eq!(
                (&data["sequence_number"], &data["type"]),
                (&number.into(), &name.as_str().into())
            );
        }
        assert_eq!(events[5].1["delta"], " time");
        assert_eq!(events[6].1["text"], " the time");
        let end = &events[9].1["response"];
        assert_eq!(end["output"][0]["content"][0]["text"], " the time");
        assert_eq!(end["incomplete_details"]["reason"], "max_output_tokens");
        assert_eq!(end["usage"]["input_tokens_details"]["cached_tokens"], 4);
        assert_eq!(events[0].1["response"]["output"], serde_json::json!([]));
    }

    #[test]
    fn the_whole_response_is_one_object() {
        let json = whole(&form(Api::Responses, false, 1, 2));
        assert_eq!(
            (&json["id"], &json["status"]),
            (&"resp_7".into(), &"incomplete".into())
        );
        assert_eq!(json["usage"]["total_tokens"], 8);
    }
}
