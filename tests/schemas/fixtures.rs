//! Lines made by hand, right and wrong.

use super::Judge;
use crate::harness::{self, fixture, records};

#[test]
fn every_fixture_validates() {
    let (request, outcome) = (Judge::of("request"), Judge::of("outcome"));
    let data = harness::root().join("tests/data");
    for file in std::fs::read_dir(data).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let lines = std::fs::read_to_string(fixture(&name)).unwrap();
        assert!(
            lines.lines().count() <= 20,
            "{name} is longer than a hand can make it"
        );
        let judge = if name.ends_with(".outcomes.jsonl") {
            &outcome
        } else {
            &request
        };
        records(&lines).iter().for_each(|line| judge.accept(line));
    }
}

#[test]
fn what_is_wrong_does_not_validate() {
    let request = Judge::of("request");
    for wrong in [
        r#"{"timestamp":1}"#,
        r#"{"timestamp":-1,"input_length":1}"#,
        r#"{"timestamp":"1","input_length":1}"#,
        r#"{"input_length":1.5}"#,
        r#"{"input_length":1,"hash_ids":[-1]}"#,
        r#"{"input_length":1,"session_id":true}"#,
        r#"{"messages":{}}"#,
        "[]",
    ] {
        let object = serde_json::from_str(wrong).unwrap();
        assert!(!request.validator.is_valid(&object), "{wrong}");
    }
    let outcome = Judge::of("outcome");
    for wrong in [
        r#"{"input_length":1}"#,
        r#"{"input_length":1,"seq":0,"error":{"kind":"bored","message":""}}"#,
        r#"{"input_length":1,"seq":0,"ttft_ms":-1}"#,
    ] {
        let object = serde_json::from_str(wrong).unwrap();
        assert!(!outcome.validator.is_valid(&object), "{wrong}");
    }
}
