//! The schemas of what is read here agree with the code.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jsonschema::Validator;
use serde_json::{Value, json};
use std::path::Path;
use trace_synth::curve_file::Curve;
use trace_synth::pattern::series::Config;

fn validator(name: &str) -> Validator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let text = std::fs::read_to_string(folder.join(format!("{name}.schema.json"))).unwrap();
    jsonschema::draft202012::new(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// `good` with the value at `pointer` replaced, or taken away.
fn changed(good: &Value, pointer: &str, value: Option<Value>) -> Value {
    let mut bad = good.clone();
    match value {
        Some(value) => *bad.pointer_mut(pointer).unwrap() = value,
        None => {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let parent = bad.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            parent.remove(key).unwrap();
        }
    }
    bad
}

#[test]
fn a_curve_is_what_its_schema_says() {
    let schema = validator("curve");
    let text = std::fs::read_to_string("tests/data/curve.json").unwrap();
    let good: Value = serde_json::from_str(&text).unwrap();
    assert!(schema.is_valid(&good));
    let read = Curve::parse("curve", &text).unwrap();
    let written = serde_json::to_value(&read).unwrap();
    assert!(schema.is_valid(&written), "{written}");
    for (pointer, value) in [
        ("/version", Some(json!(2))),
        ("/version", None),
        ("/duration_ms", Some(json!(0))),
        ("/duration_ms", Some(json!("60s"))),
        ("/duration_ms", Some(json!(1e13))),
        ("/models", None),
        ("/models/0/name", None),
        ("/models/0/interpolation", Some(json!("spline"))),
        ("/models/0/interpolation", None),
        ("/models/0/points", None),
        ("/models/0/points/0/rate", Some(json!(-1))),
        ("/models/0/points/0/rate", Some(json!(2e9))),
        ("/models/0/points/0/t_ms", Some(json!(-1))),
        ("/models/0/points/0/t_ms", None),
    ] {
        let bad = changed(&good, pointer, value);
        assert!(!schema.is_valid(&bad), "{pointer}: {bad}");
        assert!(
            Curve::parse("curve", &bad.to_string()).is_err(),
            "{pointer}"
        );
    }
}

#[test]
fn a_pattern_is_what_its_schema_says() {
    let schema = validator("pattern");
    let good = json!({"fluctuate": 2, "mean": 6, "noise": 0.1, "period_len_ms": 300_000, "only_rise": false});
    let is_read = |value: &Value| {
        let config = serde_json::from_value::<Config>(value.clone());
        config.is_ok_and(|config| config.check().is_ok())
    };
    assert!(schema.is_valid(&good) && is_read(&good));
    for key in ["fluctuate", "mean", "noise", "period_len_ms", "only_rise"] {
        for value in [None, Some(json!("x"))] {
            let bad = changed(&good, &format!("/{key}"), value);
            assert!(!schema.is_valid(&bad) && !is_read(&bad), "{bad}");
        }
    }
    for (key, value) in [("mean", -1), ("noise", -1), ("period_len_ms", 0)] {
        let bad = changed(&good, &format!("/{key}"), Some(json!(value)));
        assert!(!schema.is_valid(&bad) && !is_read(&bad), "{bad}");
    }
    let mut more = good;
    more["colour"] = json!("red");
    assert!(!schema.is_valid(&more) && !is_read(&more));
}
