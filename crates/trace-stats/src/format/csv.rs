//! The report for spreadsheets: one row per metric or value.
//!
//! A metric fills the columns from `count` on, a value the column `value`.
//! Undefined is empty; a quantile that touches a failure is `inf`. With
//! groups, their fields come first, empty in the rows about everything and `null`
//! where the lines of a group have none.

use super::bare;
use crate::report::{Report, Value, is_infinite};
use crate::slo::Attainment;
use trace_core::quantile::Spread;

/// The whole page.
pub(super) fn page(report: &Report) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fields: Vec<&str> = match report.groups.first() {
        Some(group) => group.by.iter().map(|(field, _)| field.as_str()).collect(),
        None => Vec::new(),
    };
    let figures = Spread::default().figures().map(|(name, _)| name);
    let columns = ["metric", "value", "count", "censored"];
    writer.write_record(fields.iter().copied().chain(columns).chain(figures))?;
    for part in std::iter::once(report).chain(&report.groups) {
        let by: Vec<String> = match part.by.as_slice() {
            [] => vec![String::new(); fields.len()],
            by => by.iter().map(|(_, value)| bare(value.get())).collect(),
        };
        for (name, value) in values(part) {
            let row = by
                .iter()
                .map(String::as_str)
                .chain([name.as_str(), value.as_str()]);
            writer.write_record(row.chain([""; 13]))?;
        }
        for (name, spread) in &part.metrics {
            let counts = [
                (*name).to_owned(),
                String::new(),
                spread.count.to_string(),
                spread.censored.to_string(),
            ];
            let figures = spread.figures().map(|(name, value)| match value {
                Some(value) => value.to_string(),
                None if is_infinite(spread, name) => "inf".to_owned(),
                None => String::new(),
            });
            writer.write_record(by.iter().chain(&counts).chain(&figures))?;
        }
    }
    Ok(writer.into_inner()?)
}

/// Every value of the report by name, counts by kind as `errors.http`.
fn values(report: &Report) -> Vec<(String, String)> {
    let measure = |value: &Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let mut values = vec![
        ("kind".to_owned(), report.kind.as_str().to_owned()),
        ("requests".to_owned(), report.requests.to_string()),
        ("duration_ms".to_owned(), measure(&report.duration_ms)),
    ];
    for (name, value) in &report.scalars {
        let words = match value {
            Value::Count(count) => count.to_string(),
            Value::Measure(value) => measure(value),
            Value::Verdict(verdict) => verdict.map_or(String::new(), |verdict| verdict.to_string()),
            Value::Word(word) => (*word).to_owned(),
            Value::Counts(counts) => {
                let counts = counts.iter();
                values.extend(
                    counts.map(|(key, count)| (format!("{name}.{key}"), count.to_string())),
                );
                continue;
            }
            Value::Flaws(flaws) => {
                let flaws = flaws.iter();
                values.extend(
                    flaws.map(|(key, flaw)| (format!("{name}.{key}"), flaw.count.to_string())),
                );
                continue;
            }
        };
        values.push(((*name).to_owned(), words));
    }
    for (constraint, share) in report.slo.iter().flat_map(Attainment::each) {
        let name = constraint.quantity.name();
        values.extend(
            share
                .figures()
                .map(|(figure, value)| (format!("slo.{name}.{figure}"), measure(&value))),
        );
    }
    for judged in &report.assertions {
        values.push((judged.assertion.clone(), judged.passed().to_string()));
    }
    for (metric, figures) in report.confidence.iter().flat_map(|found| &found.metrics) {
        for (figure, (low, high)) in figures.named() {
            values.push((format!("confidence.{metric}.{figure}.low"), measure(&low)));
            values.push((format!("confidence.{metric}.{figure}.high"), measure(&high)));
        }
    }
    let curves = report.cache.iter().flat_map(|cache| &cache.curves);
    for (curve, point) in curves.flat_map(|curve| curve.curve.iter().map(move |p| (curve, p))) {
        let name = format!("cache.{}.{}", curve.policy, point.blocks);
        values.push((name, measure(&point.rate.hit_rate)));
    }
    values
}
