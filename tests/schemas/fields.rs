//! The code and the schemas know the same fields and the same words.

use super::{Judge, properties, schema};
use serde_json::Value;
use trace_core::{ErrorKind, Field, TokenSource};

#[test]
fn the_code_and_the_schemas_know_the_same_fields() {
    let [request, outcome] = ["request", "outcome"].map(properties);
    for name in &request {
        let field = Field::from_name(name.as_bytes());
        assert!(
            field.is_some_and(|field| !field.is_outcome()),
            "{name} is no field of a request"
        );
    }
    for name in outcome.difference(&request) {
        let field = Field::from_name(name.as_bytes());
        assert!(
            field.is_some_and(Field::is_outcome),
            "{name} is no field of an outcome"
        );
    }
    // Written from the code, they name no field but those of the schemas.
    let full = full_line();
    let full = full.as_object().unwrap();
    for name in full.keys() {
        assert!(outcome.contains(name), "no schema describes {name}");
    }
    for name in &outcome {
        assert!(full.contains_key(name), "the code does not write {name}");
    }
}

/// A line with every field the code can write.
fn full_line() -> Value {
    use trace_core::{Failure, Micros, Outcome, Request, SessionId};
    let time = Some(Micros::from_micros(1_500));
    let raw = |json: &str| serde_json::from_str(json).unwrap();
    let request = Request {
        timestamp: time,
        input_length: Some(1),
        output_length: Some(1),
        hash_ids: Some(vec![u64::MAX]),
        session_id: Some(SessionId::Number(-1)),
        delay: time,
        model: Some("m".to_owned()),
        text_input: Some("t".to_owned()),
        messages: raw("[]"),
        tools: raw("[]"),
        payload: raw("{}"),
        extra: raw("{}"),
        source: Some("s".to_owned()),
    };
    let outcome = Outcome {
        seq: Some(0),
        round: Some(1),
        concurrency: Some(1),
        stage: Some("warm".to_owned()),
        scheduled_ms: time,
        due_ms: time,
        sent_ms: time,
        lateness_ms: time,
        queue_ms: time,
        sent_unix_ms: time,
        connect_ms: time,
        ttft_ms: time,
        first_content_ms: time,
        last_token_ms: time,
        latency_ms: time,
        tpot_ms: time,
        itl_ms: Some(vec![Micros::ZERO]),
        input_tokens: Some(1),
        cached_tokens: Some(1),
        output_tokens: Some(1),
        reasoning_tokens: Some(1),
        token_source: Some(TokenSource::Usage),
        chunks: Some(1),
        status: Some(200),
        error: Some(Failure {
            kind: ErrorKind::Http,
            message: String::new(),
        }),
        attempts: Some(2),
        gpu_memory_mb: Some(0.5),
    };
    let mut line = Vec::new();
    request.append_to(&mut line);
    outcome.append_to(&mut line);
    serde_json::from_slice(&line).unwrap()
}

#[test]
fn a_line_with_every_field_validates() {
    Judge::of("request").accept(&full_line());
    Judge::of("outcome").know(&full_line());
}

#[test]
fn the_lists_of_words_are_those_of_the_code() {
    let outcome = schema("outcome");
    let properties = &outcome["properties"];
    let listed = |list: &Value| -> Vec<String> {
        let words = list["enum"].as_array().unwrap().iter();
        words
            .filter_map(|w| w.as_str().map(str::to_owned))
            .collect()
    };
    let kinds = &properties["error"]["properties"]["kind"];
    assert_eq!(listed(kinds), ErrorKind::ALL.map(ErrorKind::as_str));
    for kind in ErrorKind::ALL {
        let word = format!("{}: ", kind.as_str());
        assert!(
            kinds["description"].as_str().unwrap().contains(&word),
            "{word}"
        );
    }
    let sources = [
        TokenSource::Usage,
        TokenSource::Tokenizer,
        TokenSource::Chunks,
    ];
    assert_eq!(
        listed(&properties["token_source"]),
        sources.map(TokenSource::as_str)
    );
}
