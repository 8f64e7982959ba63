use super::*;
use proptest::prelude::*;

fn event(json: &str) -> Event {
    Event::parse(json.as_bytes()).unwrap()
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
            output: Some(8)
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
            output: Some(7)
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
        assert!(Event::parse(json.as_bytes()).is_err(), "{json}");
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
        let _ = Event::parse(&bytes);
        let _ = error_message(&bytes);
    }
}
