//! The report for a page: GitHub's tables.

use super::{figure, headline, printable, scalars};
use crate::cache;
use crate::report::Report;
use trace_core::quantile::{self, Spread};

/// The whole page.
pub(super) fn page(report: &Report) -> String {
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
        let rules = ["---:"; 12];
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
    let scalars = scalars(report);
    if !scalars.is_empty() {
        page.push('\n');
        push_row(page, ["name", "value"]);
        push_row(page, ["---", "---"]);
        for (name, words) in scalars {
            push_row(page, [name, &cell(&words)]);
        }
    }
    if !report.notes.is_empty() {
        page.push('\n');
        for note in &report.notes {
            page.push_str(&format!("- {}\n", cell(note)));
        }
    }
}

fn push_row<'a>(page: &mut String, cells: impl IntoIterator<Item = &'a str>) {
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
