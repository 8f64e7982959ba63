//! What lines have in common, by name.

use super::Buckets;
use crate::suggest::suggest;
use serde_json::Value;
use trace_core::{Field, Line};

/// Something that a line has a value of.
#[derive(Debug, Clone)]
pub struct Key {
    name: String,
    buckets: Buckets,
}

/// Names beside those of fields.
const COMPUTED: [&str; 3] = ["turn", "length-bucket", "error.kind"];

impl Key {
    /// The key of that name; numbers in buckets are put in `buckets`.
    pub fn new(name: &str, buckets: &Buckets) -> Self {
        Self {
            name: name.to_owned(),
            buckets: buckets.clone(),
        }
    }

    /// Whether lines must be counted in their sessions for it.
    pub(super) fn is_turn(&self) -> bool {
        self.name == "turn"
    }

    /// Append the JSON of the value that `line`, the `turn` of its session, has
    /// of it; `null` if it has none.
    pub(super) fn push_value(&self, line: &Line, turn: Option<u64>, json: &mut Vec<u8>) {
        let before = json.len();
        match line.raw(&self.name) {
            Some(raw) => push_canonical(raw, json),
            None => self.push_computed(line, turn, json),
        }
        if json.len() == before {
            json.extend_from_slice(b"null");
        }
    }

    fn push_computed(&self, line: &Line, turn: Option<u64>, json: &mut Vec<u8>) {
        if self.is_turn() {
            if let Some(turn) = turn {
                json.extend_from_slice(turn.to_string().as_bytes());
            }
        } else if let Some(field) = self.name.strip_suffix("-bucket") {
            if let Some(number) = number(line, field) {
                let name = self.buckets.name(number);
                json.extend_from_slice(format!("\"{name}\"").as_bytes());
            }
        } else if let Some(value) = member(line, &self.name) {
            push_canonical(value.to_string().as_bytes(), json);
        }
    }
}

/// What to say of a name that no line has.
pub(super) fn warning(name: &str) -> String {
    let fields = Field::ALL.iter().map(|field| field.name());
    let hint = suggest(name, fields.chain(COMPUTED));
    format!("--by {name}: no line has it{hint}")
}

/// The number that `line` has in `field`; `length` is the prompt's.
fn number(line: &Line, field: &str) -> Option<f64> {
    let fields: &[&str] = match field {
        "length" => &["input_length", "input_tokens"],
        _ => &[field],
    };
    let found = fields.iter().find_map(|name| line.raw(name))?;
    serde_json::from_slice(found).ok()
}

/// The value at `path`, its names separated by dots, in a field of `line`.
fn member(line: &Line, path: &str) -> Option<Value> {
    let mut names = path.split('.');
    let mut value: Value = serde_json::from_slice(line.raw(names.next()?)?).ok()?;
    for name in names {
        value = value.get_mut(name)?.take();
    }
    Some(value)
}

/// Append `raw` so that equal values are equal text.
fn push_canonical(raw: &[u8], json: &mut Vec<u8>) {
    let plain_text = raw.first() == Some(&b'"') && !raw.contains(&b'\\');
    let plain_number = raw.iter().all(u8::is_ascii_digit);
    if plain_text || plain_number {
        json.extend_from_slice(raw);
        return;
    }
    match serde_json::from_slice::<Value>(raw) {
        // 1.0 and 1e0 are 1, as everywhere on a line.
        Ok(Value::Number(number)) => match number.as_f64() {
            Some(value) if value.fract() == 0.0 && value.abs() < 1e15 => {
                // Adding zero turns -0.0 into 0.0.
                json.extend_from_slice(format!("{:.0}", value + 0.0).as_bytes());
            }
            _ => json.extend_from_slice(number.to_string().as_bytes()),
        },
        Ok(value) => json.extend_from_slice(value.to_string().as_bytes()),
        Err(_) => json.extend_from_slice(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, text: &str) -> String {
        let mut json = Vec::new();
        let line = Line::parse("t", text).unwrap();
        Key::new(name, &Buckets::default()).push_value(&line, Some(7), &mut json);
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn a_key_is_any_field_or_a_member_of_one() {
        let line = r#"{"input_length":700,"tag":"b","extra":{"tenant":{"id":3.0}},"error":{"kind":"http","message":""}}"#;
        assert_eq!(value("tag", line), r#""b""#);
        assert_eq!(value("error.kind", line), r#""http""#);
        assert_eq!(value("extra.tenant.id", line), "3");
        assert_eq!(value("extra.tenant.name", line), "null");
        assert_eq!(value("length-bucket", line), r#""512..1024""#);
        assert_eq!(value("input_length-bucket", line), r#""512..1024""#);
        assert_eq!(value("tag-bucket", line), "null");
        assert_eq!(value("turn", line), "7");
    }

    #[test]
    fn the_lines_own_field_comes_first() {
        let line = r#"{"input_length":1,"turn":2,"a.b":3,"a":{"b":4}}"#;
        assert_eq!(value("turn", line), "2");
        assert_eq!(value("a.b", line), "3");
    }

    #[test]
    fn equal_values_are_one_group() {
        let of = |raw: &str| value("x", &format!(r#"{{"input_length":1,"x":{raw}}}"#));
        assert_eq!(of("1.0"), of("1"));
        assert_eq!(of("-2e0"), "-2");
        assert_eq!(of("-0.0"), of("0"));
        assert_eq!(of(r#""\u0061""#), of(r#""a""#));
        assert_eq!(of(r#"{ "a" : 1 }"#), of(r#"{"a":1}"#));
        assert_eq!(of("null"), "null");
        assert_ne!(of("1"), of(r#""1""#));
    }

    #[test]
    fn a_name_that_no_line_has_is_probably_another() {
        assert_eq!(
            warning("modle"),
            "--by modle: no line has it; did you mean model?"
        );
    }
}
