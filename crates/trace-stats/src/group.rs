//! Lines told apart by the values of some of their fields.

use crate::partial::Settings;
use crate::report::Report;
use crate::summary::Summary;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use trace_core::{Line, Outcome};

/// One summary per combination of values of `fields`.
#[derive(Debug)]
pub struct Groups {
    settings: Settings,
    /// By the JSON of the values, one line each.
    summaries: HashMap<Vec<u8>, Summary>,
    key: Vec<u8>,
}

impl Groups {
    /// Groups by the fields of `settings`, each counted as those say.
    pub fn new(settings: &Settings) -> Self {
        Self {
            // The cache is measured over everything only.
            settings: Settings {
                cache: false,
                ..settings.clone()
            },
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
        if self.settings.by.is_empty() {
            return Ok(());
        }
        self.key.clear();
        for field in &self.settings.by {
            // A line break cannot stand in a line, so it ends a value.
            self.key
                .extend_from_slice(line.raw(field).unwrap_or(b"null"));
            self.key.push(b'\n');
        }
        if !self.summaries.contains_key(&self.key) {
            let summary = Summary::new(&self.settings);
            self.summaries.insert(self.key.clone(), summary);
        }
        let summary = self.summaries.get_mut(&self.key);
        summary.expect("it was just put there").push(line, outcome)
    }

    /// The groups of a partial line.
    ///
    /// # Errors
    ///
    /// A name that is not that of such a group.
    pub(crate) fn of(
        settings: &Settings,
        summaries: BTreeMap<String, Summary>,
    ) -> Result<Self, String> {
        let mut groups = Self::new(settings);
        for (key, summary) in summaries {
            let values = key.split_terminator('\n');
            let valid = values
                .clone()
                .all(|value| serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok());
            if !valid || values.count() != settings.by.len() || !key.ends_with('\n') {
                return Err(format!("no group has the name {key:?}"));
            }
            groups.summaries.insert(key.into_bytes(), summary);
        }
        Ok(groups)
    }

    /// Take all that another has collected.
    pub fn append(&mut self, other: Self) {
        for (key, summary) in other.summaries {
            match self.summaries.get_mut(&key) {
                Some(known) => known.append(summary),
                None => {
                    self.summaries.insert(key, summary);
                }
            }
        }
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
            for (field, value) in self.settings.by.iter().zip(values) {
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

/// On a partial line, a group has the JSON of its values for a name, a line
/// break behind each.
impl Serialize for Groups {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let groups = self.summaries.iter();
        let groups: BTreeMap<_, _> = groups
            .map(|(key, summary)| (String::from_utf8_lossy(key), summary))
            .collect();
        groups.serialize(serializer)
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
        let mut groups = Groups::new(&Settings {
            by: fields.to_vec(),
            ..Settings::default()
        });
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
