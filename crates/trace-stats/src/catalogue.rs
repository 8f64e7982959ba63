//! What a report can hold, by name: its JSON schema, read.
//!
//! Whoever names a number, in an assertion, should be told at once if there is
//! none of that name, and a page of metrics needs a sentence on each. The
//! schema that the report is tested against has both.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Everything that a report can hold.
#[derive(Debug)]
pub struct Catalogue {
    /// Metrics, by name what they are.
    pub metrics: BTreeMap<String, String>,
    /// Values, likewise.
    pub scalars: BTreeMap<String, Scalar>,
}

/// A value of the report.
#[derive(Debug)]
pub struct Scalar {
    /// What it is, in a sentence.
    pub about: String,
    /// What kind of value.
    pub shape: Shape,
}

/// What kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A number, or yes or no.
    Number,
    /// Counts by name.
    Counts,
    /// A word.
    Word,
}

const SCHEMA: &str = include_str!("../stats.schema.json");

/// The catalogue of the stats report.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        Catalogue::of(&schema)
    });
    &CATALOGUE
}

impl Catalogue {
    fn of(schema: &Value) -> Self {
        let report = &schema["$defs"]["report"]["properties"];
        let about = |entry: &Value| {
            let text = entry["description"].as_str().unwrap_or_default();
            text.to_owned()
        };
        let metrics = members(&report["metrics"]["properties"]);
        let scalars = members(report).filter_map(|(name, entry)| {
            let scalar = Scalar {
                about: about(entry),
                shape: shape(entry)?,
            };
            Some((name.clone(), scalar))
        });
        Self {
            metrics: metrics
                .map(|(name, entry)| (name.clone(), about(entry)))
                .collect(),
            scalars: scalars.collect(),
        }
    }
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// What kind of value the schema says it is; none for one that is no value.
fn shape(entry: &Value) -> Option<Shape> {
    match entry["$ref"].as_str() {
        Some("#/$defs/count" | "#/$defs/measure") => return Some(Shape::Number),
        Some("#/$defs/counts") => return Some(Shape::Counts),
        _ => {}
    }
    // An object of counts with their places: what is flawed.
    if entry["additionalProperties"].is_object() && entry.get("properties").is_none() {
        return Some(Shape::Counts);
    }
    if entry.get("enum").is_some() {
        return Some(Shape::Word);
    }
    let kind = &entry["type"];
    let is = |wanted: &str| {
        kind == wanted
            || kind
                .as_array()
                .is_some_and(|all| all.contains(&wanted.into()))
    };
    (is("number") || is("integer") || is("boolean")).then_some(Shape::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Measure;
    use crate::slo::Quantity;

    #[test]
    fn the_catalogue_knows_what_is_what() {
        let catalogue = catalogue();
        assert!(catalogue.metrics["ttft_ms"].contains("first token"));
        let shape = |name: &str| catalogue.scalars.get(name).map(|scalar| scalar.shape);
        assert_eq!(shape("requests"), Some(Shape::Number));
        assert_eq!(shape("error_rate"), Some(Shape::Number));
        assert_eq!(shape("client_limited"), Some(Shape::Number));
        assert_eq!(shape("errors"), Some(Shape::Counts));
        assert_eq!(shape("itl_per"), Some(Shape::Word));
        assert_eq!(shape("flaws"), Some(Shape::Counts));
        assert_eq!(shape("metrics"), None);
        assert_eq!(shape("notes"), None);
    }

    #[test]
    fn every_measure_and_every_objective_is_in_it() {
        let measures = Measure::ALL.map(Measure::name);
        for name in measures
            .into_iter()
            .chain(Quantity::all().map(Quantity::name))
        {
            assert!(catalogue().metrics.contains_key(name), "{name}");
        }
    }
}
