//! A JSON Schema → a small value that it allows.
//!
//! Knows what clients use to shape answers and the arguments of tools: types, properties, items,
//! `enum`, `const`, `anyOf`, `oneOf`, `allOf`, `$ref` within the schema, bounds of numbers and
//! lengths, and the usual formats. A `pattern` is not followed.

use serde_json::Value;

/// Deeper than this a schema refers to itself.
const MAX_DEPTH: usize = 24;

/// The most items or characters that a schema gets, whatever it asks for.
const MOST: u64 = 256;

/// A JSON text, and where in it words may be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) before: String,
    /// What follows the place for words; all of it stands before where there is none.
    pub(crate) after: Option<String>,
}

impl Sample {
    /// An object, as one has it that follows no schema.
    pub(crate) fn object() -> Sample {
        Sample {
            before: "{\"answer\":\"".into(),
            after: Some("\"}".into()),
        }
    }

    /// A value that `schema` allows.
    pub(crate) fn of(schema: &Value) -> Sample {
        let mut maker = Maker {
            root: schema,
            out: String::new(),
            gap: None,
        };
        maker.value(schema, 0);
        let Maker { mut out, gap, .. } = maker;
        let after = gap.map(|gap| out.split_off(gap));
        Sample { before: out, after }
    }
}

struct Maker<'a> {
    root: &'a Value,
    out: String,
    /// Where the first string is that may have any text.
    gap: Option<usize>,
}

impl Maker<'_> {
    fn value(&mut self, schema: &Value, depth: usize) {
        if depth > MAX_DEPTH {
            return self.out.push_str("null");
        }
        if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
            let target = path
                .strip_prefix('#')
                .and_then(|path| self.root.pointer(path));
            return match target {
                Some(target) => self.value(&target.clone(), depth + 1),
                None => self.out.push_str("null"),
            };
        }
        if let Some(value) = schema.get("const").or_else(|| schema.pointer("/enum/0")) {
            return self.out.push_str(&value.to_string());
        }
        for name in ["anyOf", "oneOf", "allOf"] {
            let Some(choices) = schema.get(name).and_then(Value::as_array) else {
                continue;
            };
            let solid = choices.iter().find(|choice| kind(choice) != "null");
            if let Some(choice) = solid.or(choices.first()) {
                return self.value(choice, depth + 1);
            }
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "string" => self.string(schema),
            "integer" | "number" => self.out.push_str(&number(schema)),
            "boolean" => self.out.push_str("true"),
            _ => self.out.push_str("null"),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) {
        let none = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let properties = properties.unwrap_or(&none);
        let required = schema.get("required").and_then(Value::as_array);
        let names: Vec<&str> = match required {
            Some(names) => names.iter().filter_map(Value::as_str).collect(),
            None => properties.keys().map(String::as_str).collect(),
        };
        self.out.push('{');
        for (at, name) in names.into_iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.out.push_str(&Value::from(name).to_string());
            self.out.push(':');
            self.value(properties.get(name).unwrap_or(&Value::Null), depth + 1);
        }
        self.out.push('}');
    }

    fn array(&mut self, schema: &Value, depth: usize) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let count = bound("minItems").unwrap_or(1).clamp(1, MOST);
        let count = count.min(bound("maxItems").unwrap_or(MOST));
        let first = schema.get("prefixItems").and_then(Value::as_array);
        self.out.push('[');
        for at in 0..count {
            if at > 0 {
                self.out.push(',');
            }
            let place = usize::try_from(at).unwrap_or(usize::MAX);
            let item = first.and_then(|first| first.get(place));
            self.value(
                item.or(schema.get("items")).unwrap_or(&Value::Null),
                depth + 1,
            );
        }
        self.out.push(']');
    }

    fn string(&mut self, schema: &Value) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let usual = match schema.get("format").and_then(Value::as_str) {
            Some("date-time") => Some("2026-01-01T00:00:00Z"),
            Some("date") => Some("2026-01-01"),
            Some("time") => Some("00:00:00Z"),
            Some("email") => Some("a@example.com"),
            Some("uuid") => Some("00000000-0000-4000-8000-000000000000"),
            Some("uri" | "url") => Some("http://example.com/"),
            _ => None,
        };
        self.out.push('"');
        if let Some(text) = usual {
            self.out.push_str(text);
        } else {
            let least = bound("minLength").unwrap_or(4).min(MOST);
            let length = least.min(bound("maxLength").unwrap_or(MOST));
            self.out
                .extend("text".chars().cycle().take(length as usize));
            if self.gap.is_none() && bound("maxLength").is_none() && schema.get("pattern").is_none()
            {
                self.gap = Some(self.out.len());
            }
        }
        self.out.push('"');
    }
}

/// The type of what `schema` allows.
fn kind(schema: &Value) -> &str {
    let solid = |kinds: &'_ Vec<Value>| {
        let mut kinds = kinds.iter().filter_map(Value::as_str);
        kinds.find(|kind| *kind != "null").map(str::to_owned)
    };
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => match solid(kinds).as_deref() {
            Some("object") => "object",
            Some("array") => "array",
            Some("string") => "string",
            Some("integer") => "integer",
            Some("number") => "number",
            Some("boolean") => "boolean",
            _ => "null",
        },
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ if ["$ref", "const", "enum", "anyOf", "oneOf", "allOf"]
            .iter()
            .any(|name| schema.get(name).is_some()) =>
        {
            "any"
        }
        _ => "null",
    }
}

/// A number within the bounds of `schema`: zero, or the nearest to it.
fn number(schema: &Value) -> String {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let above = bound("exclusiveMinimum").map(|least| libm::floor(least) + 1.0);
    let below = bound("exclusiveMaximum").map(|most| libm::ceil(most) - 1.0);
    let whole = kind(schema) == "integer";
    let least = bound("minimum").map(|least| if whole { libm::ceil(least) } else { least });
    let most = bound("maximum").map(|most| if whole { libm::floor(most) } else { most });
    let mut number = 0.0_f64;
    for most in [most, below].into_iter().flatten() {
        number = number.min(most);
    }
    for least in [least, above].into_iter().flatten() {
        number = number.max(least);
    }
    if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0) {
        number = libm::ceil(number / step) * step;
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(schema: &Value, words: &str) -> String {
        let Sample { before, after } = Sample::of(schema);
        match after {
            Some(after) => format!("{before}{words}{after}"),
            None => before,
        }
    }

    #[test]
    fn a_sample_is_what_the_schema_allows() {
        let schema = json!({
            "$defs": {"step": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}}},
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["celsius", "kelvin"]},
                "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 2},
                "note": {"type": ["null", "string"], "maxLength": 2},
                "when": {"type": "string", "format": "date"},
                "share": {"type": "number", "exclusiveMinimum": 0, "maximum": 5},
                "other": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
                "left": {"type": "string"}
            },
            "required": ["city", "unit", "steps", "note", "when", "share", "other"],
            "additionalProperties": false
        });
        let value: Value = serde_json::from_str(&text(&schema, " the time")).unwrap();
        assert_eq!(
            value,
            json!({"city": "text the time", "unit": "celsius", "steps": [{"n": 3}, {"n": 3}],
                "note": "te", "when": "2026-01-01", "share": 1, "other": true})
        );
        assert!(jsonschema::is_valid(&schema, &value));
    }

    #[test]
    fn one_that_refers_to_itself_ends() {
        let list = json!({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object",
            "properties": {"next": {"$ref": "#/$defs/node"}}}}});
        assert!(serde_json::from_str::<Value>(&text(&list, "")).is_ok());
        for schema in [
            json!(true),
            json!({}),
            json!({"$ref": "http://elsewhere"}),
            json!(7),
        ] {
            assert_eq!(text(&schema, "x"), "null");
        }
    }

    #[test]
    fn numbers_are_within_their_bounds() {
        for (schema, expected) in [
            (json!({"type": "integer", "maximum": -2}), "-2"),
            (json!({"type": "integer", "minimum": 2.5}), "3"),
            (
                json!({"type": "integer", "minimum": 7, "multipleOf": 5}),
                "10",
            ),
            (json!({"type": "number"}), "0"),
        ] {
            assert_eq!(text(&schema, ""), expected);
        }
    }
}
