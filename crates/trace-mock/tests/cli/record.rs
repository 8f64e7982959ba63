//! What is written down of requests.

use serde_json::json;

use crate::harness::Mock;

fn complete(mock: &Mock, prompt: &str) {
    let body = format!(r#"{{"prompt":"{prompt}","max_tokens":1}}"#);
    mock.post("/v1/completions", "", &body);
}

#[test]
fn prompts_that_begin_alike_share_ids() {
    let mut mock = Mock::start(&["--block-size", "2"]);
    complete(&mock, "one two three");
    complete(&mock, "one two four five");
    assert_eq!(mock.record()["hash_ids"], json!([0, 1]));
    assert_eq!(mock.record()["hash_ids"], json!([0, 2]));
}

#[test]
fn salted_ids_agree_between_recordings_and_with_no_other_salt() {
    let ids = |salt: &str| {
        let mut mock = Mock::start(&["--block-size", "2", "--salt", salt]);
        complete(&mock, "one two three");
        mock.record()["hash_ids"].clone()
    };
    assert_eq!(ids("a"), ids("a"));
    assert_ne!(ids("a"), ids("b"));
    assert!(ids("a")[0].as_u64().unwrap() < 1 << 53);
}

#[test]
fn ids_can_be_left_out() {
    let mut mock = Mock::start(&["--no-hash-ids"]);
    complete(&mock, "one two three");
    assert!(mock.record().get("hash_ids").is_none());
}

#[test]
fn text_is_kept_only_if_asked_for() {
    let mut mock = Mock::start(&[]);
    complete(&mock, "hush");
    assert!(!mock.record().to_string().contains("hush"));
    let mut mock = Mock::start(&["--keep-text"]);
    complete(&mock, "say");
    assert_eq!(mock.record()["text_input"], "say");
    let messages = json!([{"role": "user", "content": "hi"}]);
    mock.post(
        "/v1/chat/completions",
        "",
        &json!({"messages": messages}).to_string(),
    );
    assert_eq!(mock.record()["messages"], messages);
}

#[test]
fn sessions_are_told_by_a_header_or_found_in_the_prompts() {
    let mut mock = Mock::start(&[
        "--block-size",
        "2",
        "--sessions-by-prefix",
        "--session-header",
        "X-Chat",
    ]);
    complete(&mock, "a b c d");
    complete(&mock, "a b c d e f");
    complete(&mock, "x y z");
    let body = r#"{"prompt":"a b c d e f g h","max_tokens":1}"#;
    mock.post("/v1/completions", "\r\nx-chat: mine", body);
    let sessions = [(); 4].map(|()| mock.record()["session_id"].clone());
    assert_eq!(
        sessions,
        ["0".into(), "0".into(), "1".into(), json!("mine")]
    );
}

#[test]
fn a_long_prompt_is_counted_like_a_short_one() {
    let mut mock = Mock::start(&[]);
    let prompt = "word ".repeat(40_000);
    complete(&mock, prompt.trim());
    let record = mock.record();
    assert_eq!(record["input_length"], 40_000);
    assert_eq!(record["hash_ids"].as_array().unwrap().len(), 79);
}
