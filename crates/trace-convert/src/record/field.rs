//! The fields of a request, one by one.

use trace_core::{Field, Request, SessionId, push_integers, push_string};

/// The fields of a request, at their own index.
pub(super) const REQUEST_FIELDS: [Field; 13] = [
    Field::Timestamp,
    Field::InputLength,
    Field::OutputLength,
    Field::HashIds,
    Field::SessionId,
    Field::Delay,
    Field::Model,
    Field::TextInput,
    Field::Messages,
    Field::Tools,
    Field::Payload,
    Field::Extra,
    Field::Source,
];

/// Whether the request has this field.
pub(super) fn has_field(field: Field, request: &Request) -> bool {
    match field {
        Field::Timestamp => request.timestamp.is_some(),
        Field::InputLength => request.input_length.is_some(),
        Field::OutputLength => request.output_length.is_some(),
        Field::HashIds => request.hash_ids.is_some(),
        Field::SessionId => request.session_id.is_some(),
        Field::Delay => request.delay.is_some(),
        Field::Model => request.model.is_some(),
        Field::TextInput => request.text_input.is_some(),
        Field::Messages => request.messages.is_some(),
        Field::Tools => request.tools.is_some(),
        Field::Payload => request.payload.is_some(),
        Field::Extra => request.extra.is_some(),
        Field::Source => request.source.is_some(),
        _ => false,
    }
}

/// Append the JSON of a request's field; `false` when it is absent.
pub(super) fn push_field(field: Field, request: &Request, json: &mut Vec<u8>) -> bool {
    let integer = |value: Option<u64>, json: &mut Vec<u8>| {
        if let Some(value) = value {
            json.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        }
    };
    let text = |value: &Option<String>, json: &mut Vec<u8>| {
        if let Some(value) = value {
            push_string(json, value);
        }
    };
    let raw = |value: &Option<Box<serde_json::value::RawValue>>, json: &mut Vec<u8>| {
        if let Some(value) = value {
            json.extend_from_slice(value.get().as_bytes());
        }
    };
    let millis = |value: Option<trace_core::Micros>, json: &mut Vec<u8>| {
        if let Some(value) = value {
            value.push_millis(json);
        }
    };
    match field {
        Field::Timestamp => millis(request.timestamp, json),
        Field::Delay => millis(request.delay, json),
        Field::InputLength => integer(request.input_length, json),
        Field::OutputLength => integer(request.output_length, json),
        Field::HashIds => {
            if let Some(ids) = &request.hash_ids {
                push_integers(json, ids);
            }
        }
        Field::SessionId => match &request.session_id {
            Some(SessionId::Number(number)) => {
                json.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
            }
            Some(SessionId::Text(text)) => push_string(json, text),
            None => {}
        },
        Field::Model => text(&request.model, json),
        Field::TextInput => text(&request.text_input, json),
        Field::Source => text(&request.source, json),
        Field::Messages => raw(&request.messages, json),
        Field::Tools => raw(&request.tools, json),
        Field::Payload => raw(&request.payload, json),
        Field::Extra => raw(&request.extra, json),
        _ => return false,
    }
    has_field(field, request)
}
