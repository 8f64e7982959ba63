//! Holds objects against one schema of ours.

use super::{id, properties, schema};
use crate::harness::records;
use jsonschema::{Registry, Validator};
use serde_json::Value;
use std::collections::BTreeSet;

/// Holds objects against one schema of ours.
pub(super) struct Judge {
    name: &'static str,
    pub(super) validator: Validator,
    /// The fields the schema describes.
    described: BTreeSet<String>,
}

impl Judge {
    pub(super) fn of(name: &'static str) -> Self {
        let request = schema("request");
        let registry = Registry::new().add(id(&request), request).unwrap();
        let registry = registry.prepare().unwrap();
        let schema = schema(name);
        let options = jsonschema::draft202012::options();
        let validator = options.with_registry(&registry).build(&schema).unwrap();
        Self {
            name,
            validator,
            described: properties(name),
        }
    }

    /// Fail unless `object` validates.
    pub(super) fn accept(&self, object: &Value) {
        let errors: Vec<String> = self
            .validator
            .iter_errors(object)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            errors.is_empty(),
            "no {}: {}\n{object}",
            self.name,
            errors.join("; ")
        );
    }

    /// Fail unless `object` validates and each of its fields is described.
    pub(super) fn know(&self, object: &Value) {
        self.accept(object);
        self.describes(object);
    }

    pub(super) fn describes(&self, object: &Value) {
        let fields = object.as_object().expect("a report or a line is an object");
        let unknown: Vec<_> = fields
            .keys()
            .filter(|&key| !self.described.contains(key))
            .collect();
        assert!(
            unknown.is_empty(),
            "schemas/{}.schema.json does not describe {unknown:?} of {object}",
            self.name
        );
    }

    pub(super) fn know_all(&self, lines: &str) {
        let lines = records(lines);
        assert!(!lines.is_empty(), "no {} was written", self.name);
        lines.iter().for_each(|line| self.know(line));
    }
}
