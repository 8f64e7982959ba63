//! The schemas name the fields of the code, and what tools write validates.
//!
//! [`judge`] holds objects against a schema, [`fields`] the schemas against the
//! code, [`fixtures`] hand-made lines against the schemas, [`outputs`] what the
//! tools write.

mod fields;
mod fixtures;
mod judge;
mod outputs;

use crate::harness;
use judge::Judge;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const SCHEMAS: &[&str] = &[
    "request",
    "outcome",
    "telemetry",
    "mock",
    "stats",
    "partial",
    "cache",
    "comparison",
    "contest",
    "telemetry-report",
    "lint",
    "windows",
    "curve",
    "profile",
    "round",
    "pattern",
    "convert",
];

/// The schema `name` as it lies in `schemas/`.
fn schema(name: &str) -> Value {
    let path = harness::root().join(format!("schemas/{name}.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn id(schema: &Value) -> String {
    schema["$id"]
        .as_str()
        .expect("a schema has an $id")
        .to_owned()
}

/// The fields that the schema `name` describes, those of a request included
/// where it builds on one.
fn properties(name: &str) -> BTreeSet<String> {
    let schema = schema(name);
    let own = match schema.get("properties") {
        Some(own) => own,
        None => &schema["$defs"]["report"]["properties"],
    };
    let mut names: BTreeSet<String> = own.as_object().unwrap().keys().cloned().collect();
    if schema.get("allOf").is_some() {
        names.extend(properties("request"));
    }
    names
}

#[test]
fn the_schemas_are_schemas() {
    for &name in SCHEMAS {
        let schema = schema(name);
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        assert!(id(&schema).ends_with(&format!("/schemas/{name}.schema.json")));
        Judge::of(name);
    }
    let files = std::fs::read_dir(harness::root().join("schemas")).unwrap();
    let files: BTreeSet<String> = files
        .filter_map(|file| file.unwrap().file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".schema.json").map(str::to_owned))
        .collect();
    let names = SCHEMAS.iter().map(|&name| name.to_owned());
    assert_eq!(files, names.collect(), "a schema is not tested");
    let readme = std::fs::read_to_string(harness::root().join("schemas/README.md")).unwrap();
    for name in SCHEMAS {
        let row = format!("\n| `{name}` | ");
        assert!(readme.contains(&row), "schemas/README.md has no {name}");
    }
}

#[test]
fn every_property_says_what_it_is() {
    fn look(name: &str, properties: &Map<String, Value>) {
        for (field, property) in properties {
            // In a spread and a flaw the names are the words of statistics.
            let plain = property.get("$ref").is_some() && property.as_object().unwrap().len() == 1;
            let text = property["description"].as_str().unwrap_or_default();
            assert!(
                plain && name == "stats" || text.ends_with('.'),
                "{name}.{field} has no description"
            );
            if field.ends_with("_ms") {
                let says = text.contains("illiseconds") || property.get("$ref").is_none();
                assert!(
                    says || name == "stats",
                    "{name}.{field} does not say its unit"
                );
            }
        }
    }
    for &name in SCHEMAS {
        let schema = schema(name);
        for holder in [&schema, &schema["$defs"]["report"]] {
            if let Some(properties) = holder.get("properties") {
                look(name, properties.as_object().unwrap());
            }
        }
    }
}
