//! A table that Grafana exported.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::grafana::moment;

/// Rows that are held, of one file.
const MOST_ROWS: usize = 10_000_000;

/// Columns of numbers, by name, perhaps against time.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Where it comes from, for messages.
    pub name: String,
    /// Seconds, each more than the one before; nothing without that column.
    pub times: Option<Vec<f64>>,
    /// Where they stand in the file.
    time: Option<usize>,
    /// The other columns.
    pub names: Vec<String>,
    /// What stands in each row and in which line, in the order of `names`.
    pub rows: Vec<(u64, Vec<f64>)>,
}

impl Table {
    /// The table in the file at `path`.
    ///
    /// A column of the name `Time` tells when; all others are numbers, with
    /// `undefined`, `null`, `NaN` and nothing at all as 0: Grafana writes them
    /// where nothing was measured.
    ///
    /// # Errors
    /// A file that cannot be read or is no such table, and a time or number
    /// that cannot be; the message names the line.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(BufReader::new(file));
        let header = reader.headers().map_err(|error| bad(&name, &error))?;
        let mut table = Self::headed(name, header)?;
        let mut record = csv::StringRecord::new();
        while reader
            .read_record(&mut record)
            .map_err(|error| bad(&table.name, &error))?
        {
            table.push(&record)?;
        }
        ensure!(!table.rows.is_empty(), "{} has no rows", table.name);
        if let Some(time) = table.time {
            table.names.remove(time);
        }
        Ok(table)
    }

    /// A table without rows.
    fn headed(name: String, header: &csv::StringRecord) -> anyhow::Result<Self> {
        let title = |title: &str| {
            let title = title.trim_start_matches('\u{feff}').trim_matches('"');
            title.to_owned()
        };
        let names: Vec<String> = header.iter().map(title).collect();
        ensure!(
            names.iter().any(|title| !title.is_empty()),
            "{name}:1:1: there is no heading"
        );
        let time = names.iter().position(|title| title == "Time");
        Ok(Self {
            name,
            times: time.map(|_| Vec::new()),
            time,
            names,
            rows: Vec::new(),
        })
    }

    /// Take the next row.
    fn push(&mut self, record: &csv::StringRecord) -> anyhow::Result<()> {
        let (name, line) = (&self.name, record.position().map_or(0, csv::Position::line));
        ensure!(
            self.rows.len() < MOST_ROWS,
            "{name}:{line}:1: more than {MOST_ROWS} rows"
        );
        let mut numbers = Vec::with_capacity(self.names.len());
        for (column, text) in record.iter().enumerate() {
            let place = || format!("{name}:{line}: column {:?}", self.names[column]);
            match &mut self.times {
                Some(times) if self.time == Some(column) => {
                    let seconds = moment::seconds(text);
                    let seconds =
                        seconds.with_context(|| format!("{}: {text:?} is not a time", place()))?;
                    if times.last().is_some_and(|&last| last >= seconds) {
                        bail!("{}: {text} is not later than the row before", place());
                    }
                    times.push(seconds);
                }
                _ => {
                    let number = number(text);
                    numbers.push(number.with_context(|| {
                        format!("{}: {text:?} is not a number of at least 0", place())
                    })?);
                }
            }
        }
        self.rows.push((line, numbers));
        Ok(())
    }

    /// The place of the column `title`.
    pub fn column(&self, title: &str) -> Option<usize> {
        self.names.iter().position(|name| name == title)
    }

    /// When rows are; an error names the file.
    ///
    /// # Errors
    /// A table without that column.
    pub fn times(&self) -> anyhow::Result<&[f64]> {
        let times = self.times.as_deref();
        times.with_context(|| format!("{}:1:1: there is no column Time", self.name))
    }
}

fn number(text: &str) -> Option<f64> {
    if matches!(text, "" | "undefined" | "null" | "NaN") {
        return Some(0.0);
    }
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

fn bad(name: &str, error: &csv::Error) -> anyhow::Error {
    let line = error.position().map_or(1, csv::Position::line);
    let reason = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "this is not text".to_owned(),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} columns where the heading has {expected_len}"),
        csv::ErrorKind::Io(error) => return anyhow::anyhow!("cannot read {name}: {error}"),
        _ => error.to_string(),
    };
    anyhow::anyhow!("{name}:{line}:1: {reason}")
}
