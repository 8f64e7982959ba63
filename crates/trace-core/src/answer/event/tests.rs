use super::*;
use proptest::prelude::*;

fn event(json: &str) -> Event {
    Event::parse(json.as_bytes(), false).unwrap()
}

#[test]
fn a_completion_chunk_with_text_is_output() {
    let chunk = event(
        r#"{"id":"1","object":"text_completion","choices":[{"index":0,"text":" word","finish_reason":null}]}"#,
    );
    assert_eq!(
        chunk,
        Event {
            content: true,
            ..Event::default()
        }
    );
}

#[test]
fn role_empty_progress_and_usage_chunks_are_no_output() {
    for json in [
        r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#,
        r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":null}]}"#,
        r#"{"choices":[{"text":""}],"prompt_progress":{"total":10,"processed":5}}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":1}}"#,
        r#"{"choices":null,"error":null,"usage":null}"#,
        r#"{"choices":[{"delta":{"tool_calls":[],"content":[]}}]}"#,
    ] {
        assert!(!event(json).has_output(), "{json}");
        assert_eq!(event(json).error, None, "{json}");
    }
}

#[test]
fn usage_may_ride_in_the_finish_chunk() {
    let chunk = event(
        r#"{"choices":[{"text":"x","finish_reason":"length"}],"usage":{"completion_tokens":8,"prompt_tokens":9.0,
           "total_tokens":17,"prompt_tokens_details":{"cached_tokens":4}},"timings":{"cache_n":4}}"#,
    );
    assert!(chunk.content && chunk.finished);
    assert_eq!(
        chunk.usage,
        Usage {
            input: Some(9),
            cached: Some(4),
            output: Some(8),
            ..Usage::default()
        }
    );
}

#[test]
fn reasoning_is_told_from_content() {
    let delta = |delta: &str| event(&format!(r#"{{"choices":[{{"delta":{{{delta}}}}}]}}"#));
    for name in ["reasoning_content", "reasoning", "thinking"] {
        let thought = delta(&format!(r#""content":null,"{name}":"hm""#));
        assert!(thought.reasoning && !thought.content, "{name}");
    }
    assert!(delta(r#""content":"a","reasoning":"b""#).content);
    assert!(delta(r#""tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]"#).content);
    assert!(delta(r#""content":[{"type":"text","text":"hi"}]"#).content);
}

#[test]
fn the_lines_of_ollama_are_read() {
    assert!(event(r#"{"model":"m","response":"a","done":false}"#).content);
    assert!(!event(r#"{"model":"m","response":null,"done":false}"#).has_output());
    assert!(event(r#"{"message":{"role":"assistant","content":"a"},"done":false}"#).content);
    let last = event(r#"{"response":"","done":true,"prompt_eval_count":5,"eval_count":7}"#);
    assert!(last.finished && !last.has_output());
    assert_eq!(
        last.usage,
        Usage {
            input: Some(5),
            cached: None,
            output: Some(7),
            ..Usage::default()
        }
    );
}

#[test]
fn errors_are_found_in_every_style() {
    let error = |json| event(json).error;
    assert_eq!(
        error(r#"{"error":{"code":400,"message":"too long\n!"}}"#).as_deref(),
        Some("too long !")
    );
    assert_eq!(
        error(r#"{"error":"no such model"}"#).as_deref(),
        Some("no such model")
    );
    assert_eq!(
        error(r#"{"object":"error","message":"boom","code":1}"#).as_deref(),
        Some("boom")
    );
    assert_eq!(
        error(r#"{"error":{"code":1}}"#).as_deref(),
        Some("error without a message")
    );
    let gave_up = r#"{"choices":[{"text":"a","finish_reason":"error"}]}"#;
    assert_eq!(error(gave_up).as_deref(), Some("finish reason error"));
    assert_eq!(error_message(br#"{"detail":"Not Found"}"#), "Not Found");
    assert_eq!(error_message(b"<html>\n <b>oops</b>"), "<html> <b>oops</b>");
    assert_eq!(
        error_message("ä".repeat(400).as_bytes()).chars().count(),
        101
    );
}

#[test]
fn what_is_no_object_is_an_error() {
    for json in [
        "", "[1]", "null", "3", "-3", "\"x\"", "true", "{", "{} {}", "[DONE]", "\u{0}",
    ] {
        assert!(Event::parse(json.as_bytes(), false).is_err(), "{json}");
    }
}

proptest! {
    #[test]
    fn unexpected_types_are_as_if_they_were_not_there(
        key in prop::sample::select(vec!["choices", "usage", "response", "message", "done", "eval_count", "object"]),
        value in prop::sample::select(vec!["null", "true", "-1", "1.5", "{}", "[]", "[[{}]]", "\"\"", "{\"text\":{}}", "[{\"delta\":7}]"]),
    ) {
        let json = format!("{{\"{key}\":{value}}}");
        prop_assert!(!event(&json).has_output());
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Event::parse(&bytes, true);
        let _ = error_message(&bytes);
    }
}

/// Content, reasoning, finished and text of an event.
fn told(json: &str) -> (bool, bool, bool, String) {
    let event = Event::parse(json.as_bytes(), true).unwrap();
    assert_eq!(event.error, None, "{json}");
    (event.content, event.reasoning, event.finished, event.text)
}

#[test]
fn responses_tell_by_their_type_what_a_delta_is() {
    for (json, expected) in [
        (
            r#"{"type":"response.output_text.delta","delta":"ab"}"#,
            (true, false, false, "ab".to_owned()),
        ),
        (
            r#"{"delta":"ab","type":"response.reasoning_summary_text.delta"}"#,
            (false, true, false, String::new()),
        ),
        (
            r#"{"type":"response.output_text.done","text":"ab"}"#,
            (false, false, false, String::new()),
        ),
        (
            r#"{"type":"response.created","response":{"output":[],"usage":null,"error":null}}"#,
            (false, false, false, String::new()),
        ),
    ] {
        assert_eq!(told(json), expected, "{json}");
    }
    let end = r#"{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2}}}}"#;
    let event = Event::parse(end.as_bytes(), false).unwrap();
    assert!(event.finished);
    let usage = event.usage;
    assert_eq!(
        (usage.prompt(), usage.cached, usage.output, usage.reasoning),
        (Some(7), Some(4), Some(5), Some(2))
    );
    let failed =
        r#"{"type":"response.failed","response":{"error":{"code":"x","message":"no room"}}}"#;
    let event = Event::parse(failed.as_bytes(), false).unwrap();
    assert_eq!(event.error.as_deref(), Some("no room"));
    let whole = r#"{"object":"response","output":[{"type":"reasoning","summary":[{"text":"hm"}]},{"type":"message","content":[{"type":"output_text","text":"ab"}]}]}"#;
    assert_eq!(told(whole), (true, true, false, "ab".to_owned()));
}

#[test]
fn anthropic_counts_its_cache_beside_the_input() {
    let start = r#"{"type":"message_start","message":{"role":"assistant","content":[],"usage":{"input_tokens":3,"cache_creation_input_tokens":10,"cache_read_input_tokens":20,"output_tokens":1}}}"#;
    let event = Event::parse(start.as_bytes(), true).unwrap();
    assert!(!event.has_output());
    assert_eq!(
        (event.usage.prompt(), event.usage.cached),
        (Some(33), Some(20))
    );
    for (json, expected) in [
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"ab"}}"#,
            (true, false, false, "ab".to_owned()),
        ),
        (
            r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            (false, true, false, String::new()),
        ),
        (
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}"#,
            (false, false, true, String::new()),
        ),
        (
            r#"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#,
            (false, false, false, String::new()),
        ),
        (
            r#"{"type":"message_stop"}"#,
            (false, false, true, String::new()),
        ),
        (r#"{"type":"ping"}"#, (false, false, false, String::new())),
        (
            r#"{"type":"message","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"ab"}],"stop_reason":"end_turn"}"#,
            (true, true, true, "ab".to_owned()),
        ),
    ] {
        assert_eq!(told(json), expected, "{json}");
    }
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let event = Event::parse(error.as_bytes(), false).unwrap();
    assert_eq!(event.error.as_deref(), Some("Overloaded"));
}

#[test]
fn tgi_says_everything_twice_and_it_counts_once() {
    let token = r#"{"index":1,"token":{"id":5,"text":" a","logprob":-1.5,"special":false},"generated_text":null,"details":null}"#;
    assert_eq!(told(token), (true, false, false, " a".to_owned()));
    let last = r#"{"token":{"text":" b"},"generated_text":" a b","details":{"finish_reason":"length","generated_tokens":2,"input_length":9}}"#;
    assert_eq!(told(last), (true, false, true, " b".to_owned()));
    let usage = Event::parse(last.as_bytes(), false).unwrap().usage;
    assert_eq!((usage.output, usage.input), (Some(2), Some(9)));
    let whole = r#"{"generated_text":" a b","details":{"generated_tokens":2}}"#;
    assert_eq!(told(whole), (true, false, true, " a b".to_owned()));
}

#[test]
fn a_call_is_output_by_its_name_and_what_is_handed_over() {
    for (json, call) in [
        (
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":""}}]}}]}"#,
            "f",
        ),
        (
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\": 1}"}}]}}]}"#,
            r#"{"a": 1}"#,
        ),
        (
            r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":""}}]}}]}"#,
            "",
        ),
        (
            r#"{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"a": [1]}}},{"function":{"name":"g","arguments":null}}]}}"#,
            r#"f{"a": [1]}g"#,
        ),
        (
            r#"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"a"}}"#,
            "{\"a",
        ),
        (
            r#"{"content":[{"type":"tool_use","name":"f","input":{}}]}"#,
            "f{}",
        ),
        (
            r#"{"type":"response.function_call_arguments.delta","delta":"ab"}"#,
            "ab",
        ),
        (
            r#"{"output":[{"type":"function_call","name":"f","arguments":"{}"}]}"#,
            "f{}",
        ),
    ] {
        let event = Event::parse(json.as_bytes(), true).unwrap();
        assert_eq!((&*event.call, event.content), (call, !call.is_empty()));
        assert_eq!(event.text, "", "{json}");
        assert_eq!(self::event(json).content, event.content, "{json}");
    }
}

#[test]
fn a_vector_is_an_answer() {
    for vector in ["[0.5,-1]", "\"AAAA\""] {
        let json = format!(
            r#"{{"data":[{{"embedding":{vector},"index":0}}],"usage":{{"prompt_tokens":3}}}}"#
        );
        let event = Event::parse(json.as_bytes(), false).unwrap();
        assert!(event.content && event.usage.input == Some(3), "{json}");
    }
}
