//! The report for a page: GitHub's tables.

use super::sheet::Sheet;
use super::{Columns, between, comparison, figure, headline, objectives, printable, scalars};
use crate::report::Report;
use crate::{assertion, cache};
use std::fmt::Display;
use trace_core::quantile::{self, Spread};

/// The whole page.
pub(super) fn page(report: &Report, columns: &Columns) -> String {
    let mut page = format!("## {}\n", headline(report));
    push_block(&mut page, report);
    if let Some(cache) = &report.cache {
        page.push_str(&format!("\n```text\n{}```\n", cache::report::page(cache)));
    }
    page.push_str(&format!(
        "\nQuantiles: {}; std: population.\n",
        quantile::DEFINITION
    ));
    for group in &report.groups {
        page.push_str(&format!(
            "\n### {}\n\n{}\n",
            cell(&group.title()),
            headline(group)
        ));
        push_block(&mut page, group);
    }
    for sheet in comparison::sheets(report, columns) {
        page.push_str(&format!("\n### {}\n", cell(&sheet.title)));
        push_sheet(&mut page, &sheet);
    }
    push_assertions(&mut page, report);
    page
}

fn push_block(page: &mut String, report: &Report) {
    if !report.metrics.is_empty() {
        page.push('\n');
        let names = Spread::default().figures().map(|(name, _)| name);
        push_row(
            page,
            ["metric", "count", "censored"].into_iter().chain(names),
        );
        let rules = ["---:"; 13];
        push_row(page, ["---"].into_iter().chain(rules));
        for (name, spread) in &report.metrics {
            let counts = [
                (*name).to_owned(),
                spread.count.to_string(),
                spread.censored.to_string(),
            ];
            let figures = spread.figures();
            let figures = figures.map(|(name, value)| figure(spread, name, value));
            push_row(page, counts.iter().chain(&figures).map(String::as_str));
        }
    }
    if let Some(confidence) = &report.confidence {
        page.push('\n');
        let columns = ["mean", "p25", "p50", "p75", "p90", "p95", "p99", "p99.9"];
        let percent = format!("{} %", 100.0 * confidence.level.get());
        push_row(page, std::iter::once(percent.as_str()).chain(columns));
        push_row(page, ["---"].into_iter().chain(["---:"; 8]));
        for (name, figures) in &confidence.metrics {
            let cell = |wanted: &str| {
                let mut named = figures.named();
                let ends = named.find(|(name, _)| *name == wanted);
                ends.map_or("-".to_owned(), |(_, ends)| between(ends))
            };
            let cells = columns.map(cell);
            push_row(
                page,
                std::iter::once(*name).chain(cells.iter().map(String::as_str)),
            );
        }
    }
    let scalars = scalars(report);
    if !scalars.is_empty() {
        page.push('\n');
        push_row(page, ["name", "value"]);
        push_row(page, ["---", "---"]);
        for (name, words) in scalars {
            push_row(page, [name, &cell(&words)]);
        }
    }
    if let Some(sheet) = objectives::sheet(report) {
        page.push_str(&format!("\n{}:\n", cell(&sheet.title)));
        push_sheet(page, &sheet);
    }
    if !report.notes.is_empty() {
        page.push('\n');
        for note in &report.notes {
            page.push_str(&format!("- {}\n", cell(note)));
        }
    }
}

fn push_sheet(page: &mut String, sheet: &Sheet) {
    page.push('\n');
    push_row(page, sheet.header.iter().map(|name| cell(name)));
    let rules = (0..sheet.header.len()).map(|i| if i < sheet.names { "---" } else { "---:" });
    push_row(page, rules);
    for row in &sheet.rows {
        push_row(page, row.iter().map(|text| cell(text)));
    }
}

fn push_assertions(page: &mut String, report: &Report) {
    let mut judged = assertion::all(report).peekable();
    if judged.peek().is_some() {
        page.push_str("\n### assertions\n\n");
    }
    for (group, judged) in judged {
        let mark = if judged.passed() {
            "passed"
        } else {
            "**failed**"
        };
        let group = if group.is_empty() {
            group
        } else {
            format!("{group}: ")
        };
        let words = cell(&format!("{group}{}", judged.in_words()));
        page.push_str(&format!("- {mark}: {words}\n"));
    }
}

fn push_row(page: &mut String, cells: impl IntoIterator<Item = impl Display>) {
    page.push('|');
    for cell in cells {
        page.push_str(&format!(" {cell} |"));
    }
    page.push('\n');
}

/// Text that stays inside its cell.
fn cell(text: &str) -> String {
    printable(text).replace('|', "\\|")
}
