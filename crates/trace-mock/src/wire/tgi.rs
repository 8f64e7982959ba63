//! text-generation-inference: an event per token, the last with the whole text and the details.

use std::ops::Range;

use super::{Form, put, put_number};
use crate::api::Api;

/// An event with `tokens`.
pub(super) fn push_delta(form: &Form, tokens: Range<u64>, last: bool, out: &mut Vec<u8>) {
    put_number(out, "data:{\"index\":", tokens.end);
    put(out, ",\"token\":");
    push_token(form, tokens, out);
    if last {
        put(out, ",\"generated_text\":\"");
        form.push_all(out);
        put(out, "\",\"details\":");
        push_details(form, out);
        put(out, "}\n\n");
    } else {
        put(out, ",\"generated_text\":null,\"details\":null}\n\n");
    }
}

fn push_details(form: &Form, out: &mut Vec<u8>) {
    put(out, "{\"finish_reason\":\"");
    put(
        out,
        match (form.is_cut(), form.stop()) {
            (true, _) => "length",
            (false, Some(_)) => "stop_sequence",
            (false, None) => "eos_token",
        },
    );
    put_number(out, "\",\"generated_tokens\":", form.plan.tokens);
    put_number(out, ",\"input_length\":", form.prompt_tokens);
    put(out, ",\"seed\":null,\"prefill\":[],\"tokens\":[");
    let told = form
        .manner()
        .is_some_and(|manner| manner.logprobs.is_some());
    if told && form.api != Api::GenerateStream {
        for at in 0..form.plan.tokens {
            if at > 0 {
                out.push(b',');
            }
            push_token(form, at..at + 1, out);
        }
    }
    put(out, "]}");
}

/// A token. Its id is that of no vocabulary: the place in the answer.
fn push_token(form: &Form, tokens: Range<u64>, out: &mut Vec<u8>) {
    put_number(out, "{\"id\":", tokens.end);
    put(out, ",\"text\":\"");
    form.push_text(tokens.clone(), out);
    // Without text it is what ends an answer.
    put(out, "\",\"logprob\":0.0,\"special\":");
    put(out, if tokens.is_empty() { "true}" } else { "false}" });
}

/// The same in an array, as `/` has it.
pub(super) fn whole_list(form: &Form) -> Vec<u8> {
    let mut out = whole(form);
    out.insert(0, b'[');
    out.push(b']');
    out
}

pub(super) fn whole(form: &Form) -> Vec<u8> {
    let mut out = b"{\"generated_text\":\"".to_vec();
    form.push_all(&mut out);
    put(&mut out, "\",\"details\":");
    push_details(form, &mut out);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::{bytes, events, form, whole};
    use crate::api::Api;

    #[test]
    fn either_is_an_array_when_whole_and_tells_each_token_if_asked() {
        let manner = super::super::Manner {
            logprobs: Some(0),
            ..super::super::Manner::default()
        };
        let form = form(Api::GenerateEither, false, 1, 2).with_manner(manner);
        let json = whole(&form)[0].clone();
        assert_eq!(json["generated_text"], " the time");
        assert_eq!(json["details"]["tokens"][1]["text"], " time");
        assert_eq!(json["details"]["prefill"], serde_json::json!([]));
    }

    #[test]
    fn the_last_event_has_the_whole_text() {
        let events = events(&bytes(&form(Api::GenerateStream, true, 1, 2)));
        let (first, last) = (&events[0].1, &events[1].1);
        assert_eq!(first["token"]["text"], " the");
        assert_eq!(
            (&first["generated_text"], &first["details"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(last["generated_text"], " the time");
        assert_eq!(last["details"]["generated_tokens"], 2);
        assert_eq!(last["details"]["input_length"], 5);
        assert_eq!(last["details"]["finish_reason"], "length");
        assert_eq!(
            whole(&form(Api::Generate, false, 1, 2))["generated_text"],
            " the time"
        );
    }
}
