//! Lines told apart by the values of some of their fields.

use crate::report::Report;
use crate::summary::Summary;
use serde_json::value::RawValue;
use std::cmp::Ordering;
use std::collections::HashMap;
use trace_core::{Line, Outcome};

/// One summary per combination of values of `fields`.
#[derive(Debug)]
pub struct Groups {
    fields: Vec<String>,
    block_size: Option<u64>,
    /// By the JSON of the values, one line each.
    summaries: HashMap<Vec<u8>, Summary>,
    key: Vec<u8>,
}

impl Groups {
    /// Groups by `fields`; prefix statistics as in [`Summary::new`].
    pub fn new(fields: &[String], block_size: Option<u64>) -> Self {
        Self {
            fields: fields.to_vec(),
            block_size,
            summaries: HashMap::new(),
            key: Vec::new(),
        }
    }

    /// Take the next line; a field that it lacks is `null`.
    ///
    /// # Errors
    ///
    /// Those of [`Summary::push`].
    pub fn push(&mut self, line: &Line, outcome: Option<&Outcome>) -> anyhow::Result<()> {
        if self.fields.is_empty() {
            return Ok(());
        }
        self.key.clear();
        for field in &self.fields {
            // A line break cannot stand in a line, so it ends a value.
            self.key
                .extend_from_slice(line.raw(field).unwrap_or(b"null"));
            self.key.push(b'\n');
        }
        if !self.summaries.contains_key(&self.key) {
            let summary = Summary::new(self.block_size);
            self.summaries.insert(self.key.clone(), summary);
        }
        let summary = self.summaries.get_mut(&self.key);
        summary.expect("it was just put there").push(line, outcome)
    }

    /// One report per group, in the order of their values.
    ///
    /// # Errors
    ///
    /// Those of [`Summary::finish`].
    pub fn finish(self) -> anyhow::Result<Vec<Report>> {
        let mut reports = Vec::with_capacity(self.summaries.len());
        for (key, summary) in self.summaries {
            let mut report = summary.finish()?;
            let values = key.split(|&byte| byte == b'\n');
            for (field, value) in self.fields.iter().zip(values) {
                let value = RawValue::from_string(String::from_utf8(value.to_vec())?)?;
                report.by.push((field.clone(), value));
            }
            reports.push(report);
        }
        reports.sort_by(|a, b| {
            let pairs = a.by.iter().zip(&b.by);
            let order = pairs.map(|((_, a), (_, b))| by_value(a.get(), b.get()));
            order.fold(Ordering::Equal, Ordering::then)
        });
        Ok(reports)
    }
}

/// Numbers by size, then everything else by its text.
fn by_value(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_in_the_order_of_their_values() {
        let fields = ["concurrency".to_owned(), "tag".to_owned()];
        let mut groups = Groups::new(&fields, None);
        for line in [
            r#"{"input_length":1,"concurrency":16,"tag":"b"}"#,
            r#"{"input_length":1,"concurrency":4}"#,
            r#"{"input_length":1,"concurrency":16,"tag":"a"}"#,
            r#"{"input_length":1,"concurrency":4}"#,
        ] {
            let line = Line::parse("t", line).unwrap();
            let outcome = line.outcome().unwrap();
            groups.push(&line, outcome.as_ref()).unwrap();
        }
        let reports = groups.finish().unwrap();
        let found: Vec<_> = reports
            .iter()
            .map(|report| (report.title(), report.requests))
            .collect();
        assert_eq!(
            found,
            [
                ("concurrency = 4, tag = null".to_owned(), 2),
                ("concurrency = 16, tag = \"a\"".to_owned(), 1),
                ("concurrency = 16, tag = \"b\"".to_owned(), 1),
            ]
        );
    }
}
