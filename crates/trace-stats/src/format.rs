//! A report on paper: for people, for programs, for spreadsheets, for pages.

mod columns;
mod comparison;
mod csv;
mod markdown;
mod objectives;
mod prometheus;
mod sheet;
mod table;

pub use columns::{Columns, Quantile};
pub(crate) use table::plain;

use crate::confidence::Ends;
use crate::report::{Report, Value, is_infinite};
use std::io::Write;
use trace_core::quantile::Spread;

/// How the report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns, for reading
    #[default]
    Table,
    /// One object with every number, unrounded
    Json,
    /// One row per metric or value, unrounded
    Csv,
    /// A table for a page or a pull request
    Markdown,
    /// Text that Prometheus scrapes or the node exporter's textfile collector
    /// reads; times in seconds, groups as labels
    Prometheus,
}

/// Print `report` to `output`, and to `notes` what the format has no place for;
/// a table has `columns`, the other formats every figure.
///
/// # Errors
///
/// Those of writing.
pub fn print(
    report: &Report,
    format: Format,
    columns: &Columns,
    output: &mut impl Write,
    notes: &mut impl Write,
) -> anyhow::Result<()> {
    match format {
        Format::Table => output.write_all(table::page(report, columns).as_bytes())?,
        Format::Markdown => output.write_all(markdown::page(report, columns).as_bytes())?,
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(report)?;
            json.push(b'\n');
            output.write_all(&json)?;
        }
        Format::Csv => {
            output.write_all(&csv::page(report)?)?;
            push_notes(report, notes)?;
        }
        Format::Prometheus => {
            output.write_all(prometheus::page(report).as_bytes())?;
            push_notes(report, notes)?;
        }
    }
    output.flush()?;
    Ok(())
}

/// What a format has no place for.
fn push_notes(report: &Report, notes: &mut impl Write) -> anyhow::Result<()> {
    for note in &report.notes {
        writeln!(notes, "trace-stats: {note}")?;
    }
    Ok(())
}

/// A JSON value without the quotes of a string.
fn bare(json: &str) -> String {
    match serde_json::from_str(json) {
        Ok(serde_json::Value::String(text)) => text,
        _ => json.to_owned(),
    }
}

/// A figure of `spread` for people: an undefined quantile is infinite if there
/// are censored values, everything else undefined is a dash.
pub(crate) fn figure(spread: &Spread, name: &str, value: Option<f64>) -> String {
    match value {
        Some(value) => rounded(value),
        None if is_infinite(spread, name) => "inf".to_owned(),
        None => "-".to_owned(),
    }
}

/// An interval for people; an end that the values do not give is a dash.
fn between((low, high): Ends) -> String {
    let end = |end: Option<f64>| end.map_or("-".to_owned(), rounded);
    format!("{}..{}", end(low), end(high))
}

/// Five or six significant digits, whole numbers whole.
pub(crate) fn rounded(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        format!("{value:.0}")
    } else if size >= 1e9 {
        format!("{value:.5e}")
    } else if size >= 1_000.0 {
        format!("{value:.1}")
    } else if size >= 100.0 {
        format!("{value:.2}")
    } else if size >= 1.0 {
        format!("{value:.3}")
    } else if size >= 0.001 {
        format!("{value:.4}")
    } else {
        format!("{value:.2e}")
    }
}

/// The first line: what was read, and how it went.
fn headline(report: &Report) -> String {
    let plural = if report.requests == 1 { "" } else { "s" };
    let mut line = format!(
        "{}: {} request{plural}",
        report.kind.as_str(),
        report.requests
    );
    if let Some(ms) = report.duration_ms {
        line.push_str(&format!(" over {} s", rounded(ms / 1_000.0)));
    }
    let count = |wanted: &str| {
        let scalars = report.scalars.iter();
        scalars.clone().find_map(|(name, value)| match value {
            Value::Count(count) if *name == wanted => Some(*count),
            _ => None,
        })
    };
    if let Some((succeeded, failed)) = count("succeeded").zip(count("failed")) {
        line.push_str(&format!(", {succeeded} succeeded, {failed} failed"));
    }
    line
}

/// The scalars for people: those that say something, each in words.
fn scalars(report: &Report) -> Vec<(&'static str, String)> {
    let shown = report.scalars.iter().filter_map(|(name, value)| {
        let words = match value {
            Value::Count(count) => count.to_string(),
            Value::Measure(value) => value.map_or("-".to_owned(), rounded),
            Value::Verdict(verdict) => match verdict {
                Some(true) => "yes".to_owned(),
                Some(false) => "no".to_owned(),
                None => "-".to_owned(),
            },
            Value::Word(word) => (*word).to_owned(),
            Value::Counts(counts) if counts.is_empty() => return None,
            Value::Counts(counts) => {
                let words = counts.iter();
                let words: Vec<String> = words
                    .map(|(name, count)| format!("{} {count}", printable(name)))
                    .collect();
                words.join(", ")
            }
            // They are among the notes, with their places.
            Value::Flaws(_) => return None,
        };
        Some((*name, words))
    });
    shown.collect()
}

/// `text` without control characters, which a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    let safe = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_what_matters() {
        let cases = [
            (0.0, "0"),
            (12_035.061, "12035.1"),
            (126_195.0, "126195"),
            (0.384_258, "0.3843"),
            (5.5, "5.500"),
            (-2.25, "-2.250"),
            (249.908, "249.91"),
            (0.000_012, "1.20e-5"),
            (1e9 + 0.5, "1.00000e9"),
        ];
        for (value, text) in cases {
            assert_eq!(rounded(value), text);
        }
    }

    #[test]
    fn terminals_are_not_given_orders() {
        assert_eq!(printable("a\u{1b}[2Jb\nä"), "a\\u{1b}[2Jb\\nä");
    }
}
