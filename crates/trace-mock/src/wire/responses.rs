//! OpenAI's responses: named events, numbered, around one message of one text, or calls of tools.

use std::ops::Range;

use super::manner::Piece;
use super::{Form, Title, Usage, logprobs, put, put_number};

/// The members of the response object that never change, from its id on.
pub(super) fn head(title: &Title<'_>) -> Vec<u8> {
    let mut head = Vec::with_capacity(160 + title.model.len());
    put_number(&mut head, "{\"id\":\"resp_", title.number);
    put(&mut head, "\",\"object\":\"response\",\"created_at\":");
    put_number(&mut head, "", title.created.as_secs());
    put(
        &mut head,
        ",\"error\":null,\"incomplete_details\":null,\"model\":",
    );
    put(&mut head, title.model);
    put(&mut head, title.told);
    head
}

/// Events around a call but for its arguments: they are done, so is it, and the next one is added.
const EVENTS_BETWEEN_CALLS: u64 = 3;

/// Events before those of `step`.
fn events_before(form: &Form, step: u64) -> u64 {
    if !form.calls_tools() {
        return 4 + step;
    }
    let chunk = form.chunk;
    let pieces = form.pieces(0..form.tokens_of(step));
    let events = pieces.map(|Piece { place, tokens, .. }| {
        let arguments = tokens.end.div_ceil(chunk) - tokens.start / chunk;
        arguments + EVENTS_BETWEEN_CALLS * place.min(1)
    });
    3 + events.sum::<u64>()
}

fn push_event(name: &str, number: &mut u64, out: &mut Vec<u8>) {
    put(out, "event: ");
    put(out, name);
    put(out, "\ndata: {\"type\":\"");
    put(out, name);
    put_number(out, "\",\"sequence_number\":", *number);
    *number += 1;
}

/// Which item an event is about.
fn push_place(place: u64, out: &mut Vec<u8>) {
    put_number(out, ",\"output_index\":", place);
}

/// Which call an event is about.
fn push_call_place(form: &Form, place: u64, out: &mut Vec<u8>) {
    push_place(place, out);
    put_number(out, ",\"item_id\":\"fc_", form.number);
    put_number(out, "_", place);
    out.push(b'"');
}

/// Which part an event is about: the one of the one message.
fn push_part_place(form: &Form, out: &mut Vec<u8>) {
    push_place(0, out);
    put_number(out, ",\"item_id\":\"msg_", form.number);
    put(out, "\",\"content_index\":0");
}

/// A call, with its arguments as far as `tokens` of them go.
fn push_call(form: &Form, place: u64, status: &str, tokens: Range<u64>, out: &mut Vec<u8>) {
    for (before, number) in [("{\"id\":\"fc_", form.number), ("_", place)] {
        put_number(out, before, number);
    }
    put(out, "\",\"type\":\"function_call\",\"status\":\"");
    put(out, status);
    for (before, number) in [("\",\"call_id\":\"call_", form.number), ("_", place)] {
        put_number(out, before, number);
    }
    put(out, "\",\"name\":");
    push_name(form, place, out);
    put(out, ",\"arguments\":\"");
    form.push_text(tokens, out);
    put(out, "\"}");
}

fn push_name(form: &Form, place: u64, out: &mut Vec<u8>) {
    let call = usize::try_from(place)
        .ok()
        .and_then(|place| form.calls().get(place));
    put(out, call.map_or("null", |call| &call.name));
}

pub(super) fn push_start(form: &Form, out: &mut Vec<u8>) {
    let mut number = 0;
    for name in ["response.created", "response.in_progress"] {
        push_event(name, &mut number, out);
        put(out, ",\"response\":");
        push_response(form, "in_progress", None, out);
        put(out, "}\n\n");
    }
    if form.calls_tools() {
        return push_added(form, 0, &mut number, out);
    }
    push_event("response.output_item.added", &mut number, out);
    push_place(0, out);
    put_number(out, ",\"item\":{\"id\":\"msg_", form.number);
    put(
        out,
        "\",\"type\":\"message\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}}\n\n",
    );
    push_event("response.content_part.added", &mut number, out);
    push_part_place(form, out);
    put(
        out,
        ",\"part\":{\"type\":\"output_text\",\"text\":\"\",\"annotations\":[],\"logprobs\":[]}}\n\n",
    );
}

/// The event that begins a call.
fn push_added(form: &Form, place: u64, number: &mut u64, out: &mut Vec<u8>) {
    push_event("response.output_item.added", number, out);
    push_place(place, out);
    put(out, ",\"item\":");
    push_call(form, place, "in_progress", 0..0, out);
    put(out, "}\n\n");
}

/// The events that end a call.
fn push_called(form: &Form, place: u64, number: &mut u64, out: &mut Vec<u8>) {
    let mut pieces = form.pieces(0..form.plan.tokens);
    let piece = pieces.find(|piece| piece.place == place);
    let (tokens, whole) = piece.map_or((0..0, false), |piece| (piece.tokens.clone(), piece.ends()));
    push_event("response.function_call_arguments.done", number, out);
    push_call_place(form, place, out);
    put(out, ",\"name\":");
    push_name(form, place, out);
    put(out, ",\"arguments\":\"");
    form.push_text(tokens.clone(), out);
    put(out, "\"}\n\n");
    push_event("response.output_item.done", number, out);
    push_place(place, out);
    put(out, ",\"item\":");
    push_call(form, place, call_status(whole), tokens, out);
    put(out, "}\n\n");
}

pub(super) fn push_delta(form: &Form, step: u64, tokens: Range<u64>, out: &mut Vec<u8>) {
    let mut number = events_before(form, step);
    if !form.calls_tools() {
        push_event("response.output_text.delta", &mut number, out);
        push_part_place(form, out);
        push_logprobs(form, tokens.clone(), out);
        return push_text_delta(form, tokens, out);
    }
    for piece in form.pieces(tokens) {
        if piece.follows() {
            push_called(form, piece.place - 1, &mut number, out);
            push_added(form, piece.place, &mut number, out);
        }
        push_event("response.function_call_arguments.delta", &mut number, out);
        push_call_place(form, piece.place, out);
        push_text_delta(form, piece.tokens, out);
    }
}

fn push_text_delta(form: &Form, tokens: Range<u64>, out: &mut Vec<u8>) {
    put(out, ",\"delta\":\"");
    form.push_text(tokens, out);
    put(out, "\"}\n\n");
}

pub(super) fn push_end(form: &Form, usage: Option<Usage>, out: &mut Vec<u8>) {
    let mut number = events_before(form, form.steps());
    if form.calls_tools() {
        push_called(form, form.last_call(), &mut number, out);
    } else {
        push_said(form, &mut number, out);
    }
    let status = status(form);
    let name = if status == "completed" {
        "response.completed"
    } else {
        "response.incomplete"
    };
    push_event(name, &mut number, out);
    put(out, ",\"response\":");
    push_response(form, status, usage, out);
    put(out, "}\n\n");
}

/// The events that end a message.
fn push_said(form: &Form, number: &mut u64, out: &mut Vec<u8>) {
    push_event("response.output_text.done", number, out);
    push_part_place(form, out);
    push_logprobs(form, 0..form.plan.tokens, out);
    put(out, ",\"text\":\"");
    form.push_all(out);
    put(out, "\"}\n\n");
    push_event("response.content_part.done", number, out);
    push_part_place(form, out);
    put(out, ",\"part\":");
    push_part(form, out);
    put(out, "}\n\n");
    push_event("response.output_item.done", number, out);
    push_place(0, out);
    put(out, ",\"item\":");
    push_message(form, out);
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

/// A call that was cut is incomplete, too.
fn call_status(whole: bool) -> &'static str {
    if whole { "completed" } else { "incomplete" }
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
        push_items(form, out);
    }
    put(out, "],\"usage\":");
    match usage {
        Some(usage) => push_usage(usage, out),
        None => put(out, "null"),
    }
    out.push(b'}');
}

fn push_items(form: &Form, out: &mut Vec<u8>) {
    if !form.calls_tools() {
        return push_message(form, out);
    }
    for piece in form.pieces(0..form.plan.tokens) {
        if piece.place > 0 {
            out.push(b',');
        }
        let status = call_status(piece.ends());
        push_call(form, piece.place, status, piece.tokens, out);
    }
}

fn push_message(form: &Form, out: &mut Vec<u8>) {
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
    put(out, "\",\"annotations\":[]");
    push_logprobs(form, 0..form.plan.tokens, out);
    out.push(b'}');
}

/// What is told of the probabilities of `tokens`, if that is wanted.
fn push_logprobs(form: &Form, tokens: Range<u64>, out: &mut Vec<u8>) {
    put(out, ",\"logprobs\":");
    match form.manner().and_then(|manner| manner.logprobs) {
        Some(alternatives) => logprobs::push_entries(form, alternatives, tokens, out),
        None => put(out, "[]"),
    }
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
    use super::super::tests::{bytes, calling, events, form, whole};
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
    fn each_call_is_an_item_that_is_done_before_the_next() {
        let names: &[&str] = &["a", "b", "a"];
        for chunk in [1, 2, 3, 100] {
            for cut in [None, Some(4), Some(7)] {
                let events = events(&bytes(
                    &calling(Api::Responses, true, names, cut).in_chunks(chunk),
                ));
                let mut open = Vec::new();
                let mut texts = vec![String::new(); 3];
                for (number, (name, data)) in events.iter().enumerate() {
                    assert_eq!(data["sequence_number"], number, "{chunk} {cut:?} {name}");
                    let place = || usize::try_from(data["output_index"].as_u64().unwrap()).unwrap();
                    match name.as_str() {
                        "response.output_item.added" => open.push(place()),
                        "response.output_item.done" => assert_eq!(open.pop(), Some(place())),
                        "response.function_call_arguments.delta" => {
                            assert_eq!(open.last(), Some(&place()));
                            texts[place()] += data["delta"].as_str().unwrap();
                        }
                        _ => {}
                    }
                }
                assert!(open.is_empty());
                let end = &events.last().unwrap().1["response"];
                let items = end["output"].as_array().unwrap();
                for (item, text) in items.iter().zip(&texts) {
                    assert_eq!(item["arguments"], text.as_str());
                }
                let begun = texts.iter().filter(|text| !text.is_empty());
                assert_eq!(items.len(), begun.count());
                assert!(cut.is_some() || items.len() == 3 && items[1]["name"] == "b");
            }
        }
    }

    #[test]
    fn the_whole_response_is_one_object() {
        let json = whole(&form(Api::Responses, false, 1, 2));
        assert_eq!(
            (&json["id"], &json["status"]),
            (&"resp_7".into(), &"incomplete".into())
        );
        assert_eq!(json["usage"]["total_tokens"], 8);
        assert_eq!(
            json["tools"],
            serde_json::json!([7]),
            "as the request has them"
        );
    }

    #[test]
    fn the_probabilities_of_tokens_are_told_where_they_are_wanted() {
        let manner = super::super::Manner {
            logprobs: Some(2),
            ..super::super::Manner::default()
        };
        let form = form(Api::Responses, true, 1, 2).with_manner(manner);
        let json = whole(&form);
        let told = &json["output"][0]["content"][0]["logprobs"];
        assert_eq!(told[1]["token"], " time");
        assert_eq!(told[1]["top_logprobs"].as_array().unwrap().len(), 2);
        let events = events(&bytes(&form));
        assert_eq!(events[4].1["logprobs"][0]["token"], " the");
        assert_eq!(events[6].1["logprobs"], *told);
    }
}
