//! Rates and lengths, row by row.

use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::args::MAX_RATE;
use crate::grafana::fit::Lognormal;
use crate::grafana::table::Table;

/// What the tables of a dashboard say together.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Seconds at which each row begins, the first at 0.
    pub starts: Vec<f64>,
    /// Seconds at which the last row ends.
    pub end: f64,
    /// Requests per second of each row.
    pub rates: Vec<f64>,
    /// Distribution of prompt lengths in each row, if there is a table.
    pub inputs: Option<Vec<Lognormal>>,
    /// Distribution of response lengths in each row, if there is a table.
    pub outputs: Option<Vec<Lognormal>>,
    /// What was left out, in words.
    pub notes: Vec<String>,
}

/// What one file says of each row of traffic.
struct Lengths {
    rows: Vec<Option<Lognormal>>,
    name: String,
}

impl Statistics {
    /// Successes per second, and percentiles of lengths.
    ///
    /// # Errors
    /// A table that cannot be read, lacks a column, or does not fit to the
    /// traffic.
    pub fn maas(
        traffic: &Path,
        prompt: Option<&Path>,
        completion: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let traffic = Table::read(traffic)?;
        let success = traffic
            .column("Success")
            .with_context(|| format!("{}:1:1: there is no column Success", traffic.name))?;
        let rates: Vec<f64> = traffic.rows.iter().map(|row| row.1[success]).collect();
        let lengths = |path: Option<&Path>| {
            let table = path.map(Table::read).transpose()?;
            let read = table.map(|table| percentiles(&traffic, &rates, &table));
            read.transpose()
        };
        let (inputs, outputs) = (lengths(prompt)?, lengths(completion)?);
        Self::new(&traffic, rates, inputs, outputs)
    }

    /// Requests per second, and bytes received and sent per second.
    ///
    /// # Errors
    /// As [`maas`](Self::maas).
    pub fn cloudide(
        traffic: &Path,
        received: Option<&Path>,
        sent: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let traffic = Table::read(traffic)?;
        ensure!(
            !traffic.names.is_empty(),
            "{}:1:1: there is no column after Time",
            traffic.name
        );
        let rates: Vec<f64> = traffic.rows.iter().map(|row| row.1[0]).collect();
        let lengths = |path: Option<&Path>, column| {
            let table = path.map(Table::read).transpose()?;
            let read = table.map(|table| bytes(&traffic, &rates, &table, column));
            read.transpose()
        };
        let inputs = lengths(received, "recv_bytes")?;
        let outputs = lengths(sent, "sent_bytes")?;
        Self::new(&traffic, rates, inputs, outputs)
    }

    fn new(
        traffic: &Table,
        mut rates: Vec<f64>,
        inputs: Option<Lengths>,
        outputs: Option<Lengths>,
    ) -> anyhow::Result<Self> {
        let times = traffic.times()?;
        let mut gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_by(f64::total_cmp);
        let Some(&usual) = gaps.get(gaps.len() / 2) else {
            bail!(
                "{} has one row only, which could last any time",
                traffic.name
            );
        };
        let starts: Vec<f64> = times.iter().map(|time| time - times[0]).collect();
        let end = starts[starts.len() - 1] + usual;
        let mut notes = Vec::new();
        for lengths in [&inputs, &outputs].into_iter().flatten() {
            let mut left_out = 0;
            for (rate, row) in rates.iter_mut().zip(&lengths.rows) {
                if row.is_none() && *rate > 0.0 {
                    *rate = 0.0;
                    left_out += 1;
                }
            }
            if left_out > 0 {
                notes.push(format!(
                    "left out {left_out} of {} rows of {} for which {} has no lengths",
                    rates.len(),
                    traffic.name,
                    lengths.name
                ));
            }
        }
        ensure!(
            rates.iter().any(|&rate| rate > 0.0),
            "{}: no row has a request{}",
            traffic.name,
            if notes.is_empty() { "" } else { " and lengths" }
        );
        // What no request will ask for may be anything.
        let filled = |lengths: Lengths| -> Vec<Lognormal> {
            let rows = lengths.rows.into_iter();
            rows.map(|row| row.unwrap_or(Lognormal::always(1.0)))
                .collect()
        };
        Ok(Self {
            starts,
            end,
            rates,
            inputs: inputs.map(filled),
            outputs: outputs.map(filled),
            notes,
        })
    }

    /// Divide all rates by `scale`.
    ///
    /// # Errors
    /// A rate that is too high then.
    pub fn divide_rates(&mut self, scale: f64) -> anyhow::Result<()> {
        for rate in &mut self.rates {
            *rate /= scale;
            ensure!(
                *rate <= MAX_RATE,
                "{rate} requests/s are more than {MAX_RATE}"
            );
        }
        Ok(())
    }
}

/// Which row of `table` belongs to each row of `traffic`: that of the same
/// time, or in the same place if it tells no times.
fn partners(traffic: &Table, table: &Table) -> anyhow::Result<Vec<Option<usize>>> {
    if table.times.is_none() {
        ensure!(
            table.rows.len() == traffic.rows.len(),
            "{} has {} rows and {} has {}; without a column Time there must be equally many",
            table.name,
            table.rows.len(),
            traffic.name,
            traffic.rows.len()
        );
        return Ok((0..table.rows.len()).map(Some).collect());
    }
    let times = table.times()?;
    let same = |time: &f64| times.binary_search_by(|other| other.total_cmp(time)).ok();
    Ok(traffic.times()?.iter().map(same).collect())
}

/// The distributions that `table` has percentiles of.
fn percentiles(traffic: &Table, rates: &[f64], table: &Table) -> anyhow::Result<Lengths> {
    let name = &table.name;
    let mut columns: Vec<(f64, usize)> = Vec::new();
    for (column, title) in table.names.iter().enumerate() {
        let percent = title.strip_prefix('P').and_then(|p| p.parse::<f64>().ok());
        if let Some(percent) = percent {
            let share = percent / 100.0;
            ensure!(
                share > 0.0 && share < 1.0,
                "{name}:1:1: {title} is not a percentile between 0 and 100"
            );
            columns.push((share, column));
        }
    }
    columns.sort_by(|a, b| a.0.total_cmp(&b.0));
    let is_unique = columns.windows(2).all(|pair| pair[0].0 < pair[1].0);
    ensure!(is_unique, "{name}:1:1: a percentile is there twice");
    ensure!(
        columns.len() >= 2 && columns[0].0 == 0.5,
        "{name}:1:1: there are no columns P50, P70, P90 and P99 (or P50, P70 and P99)"
    );
    let mut rows = Vec::with_capacity(rates.len());
    for (partner, rate) in partners(traffic, table)?.into_iter().zip(rates) {
        let Some((line, numbers)) = partner.map(|partner| &table.rows[partner]) else {
            rows.push(None);
            continue;
        };
        let points: Vec<_> = columns
            .iter()
            .map(|&(share, column)| (share, numbers[column]))
            .collect();
        ensure!(
            points.windows(2).all(|pair| pair[0].1 <= pair[1].1),
            "{name}:{line}:1: percentiles fall from one to the next"
        );
        let is_idle = points.iter().all(|point| point.1 == 0.0) && *rate == 0.0;
        ensure!(
            is_idle || points[0].1 > 0.0,
            "{name}:{line}:1: P50 is 0 while there are {rate} requests/s"
        );
        rows.push((!is_idle).then(|| Lognormal::fit(&points)));
    }
    Ok(Lengths {
        rows,
        name: name.clone(),
    })
}

/// The bytes of each request in the columns of `table` that begin with
/// `title`.
fn bytes(traffic: &Table, rates: &[f64], table: &Table, title: &str) -> anyhow::Result<Lengths> {
    let name = &table.name;
    let labelled = format!("{title}.rate@");
    let is_ours = |column: &String| column == title || column.starts_with(&labelled);
    let columns: Vec<usize> = (0..table.names.len())
        .filter(|&column| is_ours(&table.names[column]))
        .collect();
    ensure!(
        !columns.is_empty(),
        "{name}:1:1: there is no column {title} or {labelled}…"
    );
    table.times()?;
    let rows = partners(traffic, table)?.into_iter().zip(rates);
    let rows = rows.map(|(partner, &rate)| {
        let numbers = &table.rows[partner?].1;
        let bytes: f64 = columns.iter().map(|&column| numbers[column]).sum();
        (bytes > 0.0 && rate > 0.0).then(|| Lognormal::always(bytes / rate))
    });
    Ok(Lengths {
        rows: rows.collect(),
        name: format!("{title} in {name}"),
    })
}
