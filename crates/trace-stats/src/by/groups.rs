//! Lines told apart by the values of some of their fields.

use super::key::{self, Key};
use super::turns::Turns;
use crate::partial::Settings;
use crate::report::Report;
use crate::summary::Summary;
use anyhow::bail;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use trace_core::{Line, Micros, Outcome};

/// One summary per combination of values of the keys.
#[derive(Debug)]
pub struct Groups {
    settings: Settings,
    keys: Vec<Key>,
    turns: Option<Turns>,
    /// By the JSON of the values, one line each.
    summaries: HashMap<Vec<u8>, Summary>,
    values: Vec<u8>,
}

impl Groups {
    /// Groups by what `settings` name, each counted as those say.
    pub fn new(settings: &Settings) -> Self {
        let keys = settings.by.iter();
        let keys: Vec<Key> = keys.map(|name| Key::new(name, &settings.buckets)).collect();
        Self {
            // The cache is measured over everything only.
            settings: Settings {
                cache: false,
                ..settings.clone()
            },
            turns: keys.iter().any(Key::is_turn).then(Turns::default),
            keys,
            summaries: HashMap::new(),
            values: Vec::new(),
        }
    }

    /// Take the next line; what it lacks is `null`.
    ///
    /// # Errors
    ///
    /// More groups than are allowed; those of [`Summary::push`].
    pub fn push(&mut self, line: &Line, outcome: Option<&Outcome>) -> anyhow::Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let turn = self.turns.as_mut().and_then(|turns| turns.next(line));
        self.values.clear();
        for key in &self.keys {
            // A line break cannot stand in a line, so it ends a value.
            key.push_value(line, turn, &mut self.values);
            self.values.push(b'\n');
        }
        if !self.summaries.contains_key(&self.values) {
            self.open_group()?;
        }
        let summary = self.summaries.get_mut(&self.values);
        summary.expect("it was just put there").push(line, outcome)
    }

    fn open_group(&mut self) -> anyhow::Result<()> {
        if self.summaries.len() >= self.settings.max_groups {
            bail!(
                "--by {} makes more than {} groups; --max-groups allows more",
                self.settings.by.join(","),
                self.settings.max_groups
            );
        }
        let summary = Summary::new(&self.settings);
        self.summaries.insert(self.values.clone(), summary);
        Ok(())
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
    pub fn finish(self, until: Option<Micros>) -> anyhow::Result<Vec<Report>> {
        let mut reports = Vec::with_capacity(self.summaries.len());
        for (key, summary) in self.summaries {
            let mut report = summary.finish(self.settings.confidence, until)?;
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

/// What to say of the fields that no line has, in sentences.
pub fn warnings(groups: &[Report]) -> Vec<String> {
    let Some(first) = groups.first() else {
        return Vec::new();
    };
    let absent = |at: &usize| groups.iter().all(|group| group.by[*at].1.get() == "null");
    let absent = (0..first.by.len()).filter(absent);
    absent.map(|at| key::warning(&first.by[at].0)).collect()
}

/// Numbers by size, then everything else by its text, digits in it by size.
fn by_value(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => by_digits(a, b).then_with(|| a.cmp(b)),
    }
}

/// `1024..2048` after `512..1024`, and `gpt-10` after `gpt-4`.
fn by_digits(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let ((x, x_rest), (y, y_rest)) = match (head(a), head(b)) {
            (Some(x), Some(y)) => (x, y),
            (x, y) => return x.is_some().cmp(&y.is_some()),
        };
        let size = |text: &str| text.trim_start_matches('0').len();
        let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if is_number(x) && is_number(y) {
            let digits = |text| -> &str { str::trim_start_matches(text, '0') };
            size(x).cmp(&size(y)).then(digits(x).cmp(digits(y)))
        } else {
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (x_rest, y_rest);
    }
}

/// A run of digits or of anything else at the head of `text`, and the rest.
fn head(text: &str) -> Option<(&str, &str)> {
    let digit = text.chars().next()?.is_ascii_digit();
    let end = text.find(|c: char| c.is_ascii_digit() != digit);
    Some(text.split_at(end.unwrap_or(text.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(by: &str, most: usize) -> Groups {
        Groups::new(&Settings {
            by: by.split(',').map(str::to_owned).collect(),
            max_groups: most,
            ..Settings::default()
        })
    }

    fn push(groups: &mut Groups, text: &str) -> anyhow::Result<()> {
        let line = Line::parse("t", text).unwrap();
        groups.push(&line, line.outcome().unwrap().as_ref())
    }

    #[test]
    fn there_are_no_more_groups_than_allowed() {
        let mut groups = groups("tag", 2);
        for tag in [1, 2, 1] {
            push(&mut groups, &format!(r#"{{"input_length":1,"tag":{tag}}}"#)).unwrap();
        }
        let error = push(&mut groups, r#"{"input_length":1,"tag":3}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--by tag makes more than 2 groups; --max-groups allows more"
        );
    }

    #[test]
    fn digits_in_text_are_compared_by_size() {
        let mut names = [
            "\"gpt-10\"",
            "\"1024..2048\"",
            "\"gpt-4\"",
            "\"512..1024\"",
            "\"gpt\"",
        ];
        names.sort_by(|a, b| by_value(a, b));
        let sorted = [
            "\"512..1024\"",
            "\"1024..2048\"",
            "\"gpt\"",
            "\"gpt-4\"",
            "\"gpt-10\"",
        ];
        assert_eq!(names, sorted);
    }

    #[test]
    fn groups_come_in_the_order_of_their_values() {
        let mut groups = groups("concurrency,tag", 10);
        for line in [
            r#"{"input_length":1,"concurrency":16,"tag":"b"}"#,
            r#"{"input_length":1,"concurrency":4}"#,
            r#"{"input_length":1,"concurrency":16,"tag":"a"}"#,
            r#"{"input_length":1,"concurrency":4}"#,
        ] {
            push(&mut groups, line).unwrap();
        }
        let reports = groups.finish(None).unwrap();
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
