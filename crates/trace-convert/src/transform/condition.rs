//! Which requests are kept by the value of a field, or by their lengths.

use super::{Fate, Transform};
use crate::record::Record;
use crate::report::Report;
use std::ops::RangeInclusive;
use trace_core::push_string;

/// `FIELD=VALUE` or `FIELD!=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    field: String,
    value: String,
    equal: bool,
}

impl Condition {
    /// That `field` has this value.
    pub(crate) fn equals(field: &str, value: &str) -> Self {
        Self {
            field: field.to_owned(),
            value: value.to_owned(),
            equal: true,
        }
    }
}

/// The condition that `text` spells.
pub(crate) fn parse_condition(text: &str) -> Result<Condition, String> {
    let Some((field, value)) = text.split_once('=') else {
        return Err("expected FIELD=VALUE or FIELD!=VALUE".to_owned());
    };
    let (field, equal) = match field.strip_suffix('!') {
        Some(field) => (field, false),
        None => (field, true),
    };
    if field.is_empty() {
        return Err("expected the name of a field before =".to_owned());
    }
    Ok(Condition {
        field: field.to_owned(),
        value: value.to_owned(),
        equal,
    })
}

/// Keeps requests that meet every condition. A text is compared with the
/// string's content, anything else with its JSON; a missing field is unequal
/// to everything.
#[derive(Debug)]
pub(crate) struct Conditions {
    all: Vec<(Condition, Vec<u8>)>,
    json: Vec<u8>,
}

impl Conditions {
    /// All of these.
    pub(crate) fn new(conditions: Vec<Condition>) -> Self {
        let spelled = |condition: Condition| {
            let mut json = Vec::new();
            push_string(&mut json, &condition.value);
            (condition, json)
        };
        Self {
            all: conditions.into_iter().map(spelled).collect(),
            json: Vec::new(),
        }
    }
}

impl Transform for Conditions {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        for (condition, string) in &self.all {
            self.json.clear();
            let there = record.value(&condition.field, &mut self.json);
            let raw = self.json.as_slice();
            let same = there
                && (raw == string.as_slice()
                    || raw == condition.value.as_bytes()
                    // "\u0041" is A too.
                    || (raw.contains(&b'\\')
                        && serde_json::from_slice::<String>(raw).is_ok_and(|text| text == condition.value)));
            if same != condition.equal {
                let sign = if condition.equal { "=" } else { "!=" };
                report.drop_request(format!(
                    "without {}{sign}{}",
                    condition.field, condition.value
                ));
                return Ok(Fate::Dropped);
            }
        }
        Ok(Fate::Kept)
    }
}

/// Keeps requests whose lengths lie in a range. A missing length is kept.
#[derive(Debug)]
pub(crate) struct Lengths {
    pub(crate) input: RangeInclusive<u64>,
    pub(crate) output: RangeInclusive<u64>,
}

impl Transform for Lengths {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        let request = record.request();
        let outside = |length: Option<u64>, range: &RangeInclusive<u64>| {
            length.is_some_and(|length| !range.contains(&length))
        };
        let reason = if outside(request.input_length, &self.input) {
            "by their input_length"
        } else if outside(request.output_length, &self.output) {
            "by their output_length"
        } else {
            return Ok(Fate::Kept);
        };
        report.drop_request(reason);
        Ok(Fate::Dropped)
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::{convert, convert_with};

    const TRACE: &str = "{\"input_length\":1,\"output_length\":5,\"model\":\"a\",\"tier\":1}\n{\"input_length\":2,\"output_length\":6,\"model\":\"\\u0062\"}\n{\"input_length\":3}\n";

    fn lengths(flags: &str) -> String {
        let out = convert(flags, TRACE);
        out.lines().map(|line| &line[16..17]).collect()
    }

    #[test]
    fn conditions_compare_texts_and_numbers() {
        assert_eq!(lengths("--where model=a"), "1");
        assert_eq!(lengths("--where model=b"), "2");
        assert_eq!(lengths("--where model!=a"), "23");
        assert_eq!(lengths("--where tier=1"), "1");
        assert_eq!(lengths("--model a --where tier=2"), "");
    }

    #[test]
    fn lengths_outside_the_range_are_dropped_and_counted() {
        let (out, _, report) = convert_with("--min-input-length 2 --max-output-length 5", TRACE);
        assert_eq!(out, "{\"input_length\":3}\n");
        assert_eq!(report.dropped, 2);
        assert_eq!(report.read, report.written + report.dropped);
    }
}
