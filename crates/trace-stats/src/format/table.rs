//! The report for people: aligned columns, no lines.

use super::sheet::Sheet;
use super::{Columns, between, comparison, figure, headline, objectives, printable, scalars};
use crate::cache;
use crate::confidence::Intervals;
use crate::report::Report;
use comfy_table::{CellAlignment, Table, presets};
use trace_core::quantile;

/// The whole page.
pub(super) fn page(report: &Report, columns: &Columns) -> String {
    let mut page = block(report, columns);
    for group in &report.groups {
        page.push('\n');
        page.push_str(&printable(&group.title()));
        page.push('\n');
        page.push_str(&block(group, columns));
    }
    for sheet in comparison::sheets(report, columns) {
        page.push('\n');
        push_sheet(&mut page, &sheet);
    }
    if let Some(cache) = &report.cache {
        page.push('\n');
        page.push_str(&cache::report::page(cache));
    }
    page.push_str(&format!(
        "\nquantiles: {}; std: population\n",
        quantile::DEFINITION
    ));
    page
}

fn block(report: &Report, columns: &Columns) -> String {
    let mut block = headline(report);
    block.push('\n');
    if !report.metrics.is_empty() {
        block.push('\n');
        push_table(&mut block, &metrics(report, columns));
    }
    if let Some(confidence) = &report.confidence {
        block.push('\n');
        push_table(&mut block, &intervals(confidence, &columns.estimated()));
    }
    let scalars = scalars(report);
    if !scalars.is_empty() {
        let mut table = Table::new();
        for (name, words) in scalars {
            table.add_row([name, words.as_str()]);
        }
        block.push('\n');
        push_table(&mut block, &plain(table, CellAlignment::Left));
    }
    if let Some(sheet) = objectives::sheet(report) {
        block.push('\n');
        push_sheet(&mut block, &sheet);
    }
    if !report.notes.is_empty() {
        block.push('\n');
        for note in &report.notes {
            block.push_str(note);
            block.push('\n');
        }
    }
    block
}

fn metrics(report: &Report, columns: &Columns) -> Table {
    let mut table = Table::new();
    let censored = report.metrics.iter().any(|(_, spread)| spread.censored > 0);
    let mut header = vec!["", "count"];
    if censored {
        header.push("failed");
    }
    header.extend(columns.names());
    table.set_header(header);
    for (name, spread) in &report.metrics {
        let mut row = vec![(*name).to_owned(), spread.count.to_string()];
        if censored {
            row.push(spread.censored.to_string());
        }
        let figures = columns.figures(spread);
        row.extend(figures.map(|(name, value)| figure(spread, name, value)));
        table.add_row(row);
    }
    plain(table, CellAlignment::Right)
}

fn intervals(confidence: &Intervals, columns: &[&str]) -> Table {
    let mut table = Table::new();
    let percent = format!("{} %", 100.0 * confidence.level.get());
    table.set_header(std::iter::once(percent.as_str()).chain(columns.iter().copied()));
    for (name, figures) in &confidence.metrics {
        let cell = |wanted: &str| {
            let mut named = figures.named();
            let ends = named.find(|(name, _)| *name == wanted);
            ends.map_or("-".to_owned(), |(_, ends)| between(ends))
        };
        table.add_row(
            std::iter::once((*name).to_owned()).chain(columns.iter().map(|name| cell(name))),
        );
    }
    plain(table, CellAlignment::Right)
}

/// No lines, two spaces between columns; all but the first aligned as said.
pub(crate) fn plain(mut table: Table, alignment: CellAlignment) -> Table {
    table.load_style(presets::NOTHING);
    let columns = table.column_count();
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index + 1 < columns { 2 } else { 0 }));
        if index > 0 {
            column.set_cell_alignment(alignment);
        }
    }
    table
}

fn push_sheet(page: &mut String, sheet: &Sheet) {
    page.push_str(&printable(&sheet.title));
    page.push('\n');
    let mut table = Table::new();
    table.set_header(&sheet.header);
    for row in &sheet.rows {
        table.add_row(row.iter().map(|cell| printable(cell)));
    }
    let mut table = plain(table, CellAlignment::Right);
    for column in table.column_iter_mut().take(sheet.names) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    push_table(page, &table);
}

fn push_table(page: &mut String, table: &Table) {
    for line in table.lines() {
        page.push_str(line.trim_end());
        page.push('\n');
    }
}
