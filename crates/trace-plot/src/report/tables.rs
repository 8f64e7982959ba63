//! The numbers of a report as tables of HTML.

use std::fmt::Write as _;

use trace_stats::{Report, Value, report};

use crate::{markup::escaped, number};

/// Groups that have room beside one another; more are told below.
const ABREAST: usize = 12;

/// What a reader compares first, with the figure of each metric.
const COMPARED: &[(&str, &[&str])] = &[
    ("ttft_ms", &["mean", "p50", "p99"]),
    ("user_ttft_ms", &["p99"]),
    ("tpot_ms", &["mean", "p50", "p99"]),
    ("itl_ms", &["p50", "p99"]),
    ("latency_ms", &["mean", "p50", "p99"]),
    ("user_latency_ms", &["p99"]),
    ("lateness_ms", &["p99"]),
    ("queue_ms", &["p99"]),
    ("input_length", &["mean", "p99"]),
    ("output_length", &["mean", "p99"]),
    ("output_tokens", &["mean"]),
    ("gap_ms", &["mean"]),
];

/// Every metric of `report`, a row each.
pub(super) fn metrics(report: &Report) -> String {
    if report.metrics.is_empty() {
        return String::new();
    }
    let censored = report.metrics.iter().any(|(_, spread)| spread.censored > 0);
    let mut table = "<div class=scroll><table><thead><tr><th>metric<th>count".to_owned();
    if censored {
        table.push_str("<th>failed");
    }
    for name in FIGURES {
        push(&mut table, format_args!("<th>{name}"));
    }
    table.push_str("<tbody>");
    for (name, spread) in &report.metrics {
        push(
            &mut table,
            format_args!(
                "<tr><th>{}<td>{}",
                escaped(name),
                number::exact(spread.count)
            ),
        );
        if censored {
            push(
                &mut table,
                format_args!("<td>{}", number::exact(spread.censored)),
            );
        }
        for figure in FIGURES {
            push(
                &mut table,
                format_args!("<td>{}", words(report::figure(spread, figure))),
            );
        }
    }
    table.push_str("</table></div>");
    table
}

/// Every single value of `report`, a row each.
pub(super) fn scalars(report: &Report) -> String {
    let mut table = "<table class=facts><tbody>".to_owned();
    for (name, value) in &report.scalars {
        if let Some(words) = value_words(value) {
            let (name, words) = (escaped(name), escaped(&words));
            push(&mut table, format_args!("<tr><th>{name}<td>{words}"));
        }
    }
    table.push_str("</table>");
    table
}

/// The groups of `report` beside one another, each change against the first;
/// nothing if there are fewer than two.
pub(super) fn comparison(report: &Report) -> String {
    let groups = &report.groups[..report.groups.len().min(ABREAST)];
    if groups.len() < 2 {
        return String::new();
    }
    let mut table = "<div class=scroll><table><thead><tr><th>".to_owned();
    for group in groups {
        push(&mut table, format_args!("<th>{}", escaped(&heading(group))));
    }
    table.push_str("<tbody>");
    row(&mut table, "requests", groups, |group| {
        Some(group.requests as f64)
    });
    row(&mut table, "duration_ms", groups, |group| group.duration_ms);
    let scalars = report.scalars.iter();
    for (name, _) in scalars.filter(|(name, _)| !name.contains("limit")) {
        row(&mut table, name, groups, |group| group.number(name));
    }
    for (name, figures) in COMPARED {
        for figure in *figures {
            row(&mut table, &format!("{name} {figure}"), groups, |group| {
                group.figure(name, figure)
            });
        }
    }
    table.push_str("</table></div>");
    if report.groups.len() > ABREAST {
        let more = report.groups.len() - ABREAST;
        push(
            &mut table,
            format_args!("<p>{more} further groups are not shown."),
        );
    }
    table
}

/// What stands above the numbers of `group`: the bare name of a run or a model.
fn heading(group: &Report) -> String {
    let name = match group.by.as_slice() {
        [(_, value)] => serde_json::from_str(value.get()).ok(),
        _ => None,
    };
    name.filter(|name: &String| !name.is_empty())
        .unwrap_or_else(|| group.title())
}

/// A row of one figure of all `groups`, unless no group has it.
fn row(table: &mut String, name: &str, groups: &[Report], figure: impl Fn(&Report) -> Option<f64>) {
    let figures: Vec<Option<f64>> = groups.iter().map(figure).collect();
    if figures.iter().all(Option::is_none) {
        return;
    }
    push(table, format_args!("<tr><th>{}", escaped(name)));
    for (place, figure) in figures.iter().enumerate() {
        push(table, format_args!("<td>{}", words(*figure)));
        if let (1.., Some(now), Some(first)) = (place, figure, figures[0])
            && let Some(change) = change(first, *now)
        {
            push(table, format_args!(" <small>{change}</small>"));
        }
    }
}

/// `+12 %`; nothing where a share says nothing.
fn change(first: f64, now: f64) -> Option<String> {
    let share = (now - first) / first * 100.0;
    if first <= 0.0 || !share.is_finite() {
        return None;
    }
    Some(match share {
        share if share.abs() < 0.05 => "±0 %".to_owned(),
        share if share.abs() < 10.0 => format!("{share:+.1} %"),
        share => format!("{share:+.0} %"),
    })
}

const FIGURES: [&str; 8] = ["mean", "std", "min", "p50", "p90", "p95", "p99", "max"];

/// A figure that may be undefined.
fn words(figure: Option<f64>) -> String {
    figure.map_or("–".to_owned(), rounded)
}

/// Whole numbers whole, others with four significant digits.
fn rounded(value: f64) -> String {
    match value.abs() {
        size if size.is_infinite() => "inf".to_owned(),
        size if size < 1e15 && value.fract() == 0.0 || (1e4..1e15).contains(&size) => {
            let sign = if value < 0.0 { "-" } else { "" };
            format!("{sign}{}", number::exact(size.round() as u64))
        }
        size if size >= 1e3 => format!("{value:.1}"),
        size if size >= 100.0 => format!("{value:.2}"),
        size if size >= 1.0 => format!("{value:.3}"),
        size if size >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

fn value_words(value: &Value) -> Option<String> {
    Some(match value {
        Value::Count(count) => number::exact(*count),
        Value::Measure(measure) => rounded((*measure)?),
        Value::Verdict(verdict) => if (*verdict)? { "yes" } else { "no" }.to_owned(),
        Value::Word(word) => (*word).to_owned(),
        Value::Counts(counts) if counts.is_empty() => return None,
        Value::Counts(counts) => {
            let counts = counts.iter();
            let words: Vec<String> = counts
                .map(|(name, &count)| format!("{name} {}", number::exact(count)))
                .collect();
            words.join(", ")
        }
        // they are among the notes
        _ => return None,
    })
}

fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("writing to a string");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_against_the_first() {
        assert_eq!(change(100.0, 112.4).as_deref(), Some("+12 %"));
        assert_eq!(change(100.0, 98.5).as_deref(), Some("-1.5 %"));
        assert_eq!(change(100.0, 100.0).as_deref(), Some("±0 %"));
        assert_eq!(change(0.0, 3.0), None);
        assert_eq!(change(3.0, f64::INFINITY), None);
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let all = [12_031.0, 1_234.56, 0.044_51, 0.0, -3.0, 99_999.7];
        let all = all.map(rounded);
        assert_eq!(all, ["12,031", "1234.6", "0.0445", "0", "-3", "100,000"]);
    }
}
