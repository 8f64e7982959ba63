//! Groups beside each other: a table per metric, one of rates, one of changes.

use super::sheet::{Sheet, cell};
use super::{Columns, figure};
use crate::by::{Change, METRICS};
use crate::report::{Report, Value};
use serde_json::value::RawValue;
use trace_core::quantile::Spread;

/// The metrics that are compared, as far as a group has them; of outcomes behind
/// those that change from round to round.
const OF_OUTCOMES: [&str; 2] = ["input_tokens", "output_tokens"];
const OF_REQUESTS: [&str; 4] = ["input_length", "output_length", "prefix_hit_rate", "gap_ms"];
/// The values that are compared, likewise.
const RATES: [&str; 9] = [
    "succeeded",
    "failed",
    "error_rate",
    "throughput_rps",
    "output_tps",
    "total_tps",
    "rate_rps",
    "sessions",
    "block_hit_rate",
];
const GOODPUT: [&str; 4] = ["good", "slo_attainment", "goodput_rps", "goodput_tps"];

/// The groups of `report` beside each other; nothing for fewer than two.
pub(super) fn sheets(report: &Report, columns: &Columns) -> Vec<Sheet> {
    let groups = &report.groups;
    if groups.len() < 2 {
        return Vec::new();
    }
    let is_run = groups.iter().any(|group| group.kind.as_str() == "outcomes");
    let (times, lengths): (&[&str], &[&str]) = if is_run {
        (&METRICS, &OF_OUTCOMES)
    } else {
        (&[], &OF_REQUESTS)
    };
    let names = times.iter().chain(lengths);
    let metrics = names.filter_map(|name| metric(groups, name, columns));
    let mut sheets: Vec<Sheet> = metrics.collect();
    let throughput = if is_run { &RATES[..6] } else { &RATES[6..] };
    sheets.extend(scalars("requests and throughput", groups, throughput));
    sheets.extend(scalars("goodput", groups, &GOODPUT));
    sheets.extend(changes(&report.changes));
    sheets
}

/// One metric of every group.
fn metric(groups: &[Report], name: &str, columns: &Columns) -> Option<Sheet> {
    let spreads: Vec<_> = groups.iter().map(|group| group.metric(name)).collect();
    // What no success has, as answers that were not streamed, is nothing to
    // compare; failures alone are shown by their latency.
    let measured = |spread: &&Spread| spread.count > 0 || name == "latency_ms";
    spreads.iter().flatten().find(|spread| measured(spread))?;
    let mut header = fields(groups);
    let names = header.len();
    header.extend(["count", "failed"].map(str::to_owned));
    header.extend(columns.names().map(str::to_owned));
    let rows = groups.iter().zip(&spreads).map(|(group, spread)| {
        let mut row = values(&group.by);
        match spread {
            Some(spread) => {
                row.extend([spread.count.to_string(), spread.censored.to_string()]);
                let figures = columns.figures(spread);
                row.extend(figures.map(|(name, value)| figure(spread, name, value)));
            }
            None => row.resize(header.len(), "-".to_owned()),
        }
        row
    });
    Some(Sheet {
        title: name.to_owned(),
        rows: rows.collect(),
        header,
        names,
    })
}

/// Requests and some values of every group, if any has one.
fn scalars(title: &str, groups: &[Report], names: &[&str]) -> Option<Sheet> {
    let has = |name: &&&str| groups.iter().any(|group| group.scalar(name).is_some());
    let shown: Vec<&str> = names.iter().filter(has).copied().collect();
    if shown.is_empty() {
        return None;
    }
    let mut header = fields(groups);
    let names = header.len();
    header.push("requests".to_owned());
    header.extend(shown.iter().map(|name| (*name).to_owned()));
    let rows = groups.iter().map(|group| {
        let mut row = values(&group.by);
        row.push(group.requests.to_string());
        row.extend(shown.iter().map(|name| match group.scalar(name) {
            Some(Value::Count(count)) => count.to_string(),
            Some(Value::Measure(value)) => cell(*value),
            _ => "-".to_owned(),
        }));
        row
    });
    Some(Sheet {
        title: title.to_owned(),
        rows: rows.collect(),
        header,
        names,
    })
}

/// What each round added to the one before.
fn changes(changes: &[Change]) -> Option<Sheet> {
    let first = changes.first()?;
    let mut header: Vec<String> = first.by.iter().map(|(name, _)| name.clone()).collect();
    header.extend(["rounds", "figure"].map(str::to_owned));
    let names = header.len();
    header.extend(["before", "after", "change"].map(str::to_owned));
    let rows = changes.iter().flat_map(|change| {
        let told = change.figures.iter();
        let told = told.filter(|(_, difference)| difference.is_told());
        told.map(move |(name, difference)| {
            let mut row = values(&change.by);
            row.push(format!("{}, {}", change.from, change.to));
            row.push(name.clone());
            row.extend([difference.from, difference.to].map(cell));
            row.push(difference.change.map_or("-".to_owned(), percent));
            row
        })
    });
    Some(Sheet {
        title: "round to round".to_owned(),
        rows: rows.collect(),
        header,
        names,
    })
}

fn percent(share: f64) -> String {
    format!("{:+.1}%", share * 100.0)
}

fn fields(groups: &[Report]) -> Vec<String> {
    let first = groups.first().into_iter();
    first
        .flat_map(|group| group.by.iter().map(|(name, _)| name.clone()))
        .collect()
}

fn values(by: &[(String, Box<RawValue>)]) -> Vec<String> {
    by.iter()
        .map(|(_, value)| super::bare(value.get()))
        .collect()
}
