//! The cache object: hit rates by capacity, and how it is printed.

use super::capacity::GIB;
use super::curve::Rate;
use crate::format::{plain, rounded};
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::io::Write;

/// Hit rates of a trace against capacity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CacheReport {
    /// What this object is: always `cache`.
    pub kind: &'static str,
    /// Tokens in a full block.
    pub block_size: u64,
    /// Bytes that a token takes in the cache, if it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_token: Option<f64>,
    /// Whether a partial last block was left out.
    pub full_blocks_only: bool,
    /// Lines read.
    pub requests: u64,
    /// Lines among them that have no ids and take no part.
    pub requests_without_ids: u64,
    /// Block accesses: ids of all lines together.
    pub blocks: u64,
    /// Different ids.
    pub distinct_blocks: u64,
    /// Prompt tokens of the lines that have ids.
    pub tokens: u64,
    /// One curve per policy, number of replicas and routing.
    pub curves: Vec<CurveReport>,
    /// What a reader should know before believing the numbers, in sentences.
    pub notes: Vec<String>,
}

/// The curve of one cache, or of several replicas behind a router.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurveReport {
    /// What goes first when the cache is full.
    pub policy: String,
    /// Number of caches of that capacity.
    pub replicas: u32,
    /// How requests are spread over them; none for a single cache.
    pub routing: Option<String>,
    /// By capacity, ascending.
    pub curve: Vec<PointReport>,
}

/// What a cache of one capacity has.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PointReport {
    /// Capacity of each cache in blocks.
    pub blocks: u64,
    /// The same in GiB, if the bytes of a token are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gib: Option<f64>,
    /// Hit rates in blocks and tokens.
    #[serde(flatten)]
    pub rate: Rate,
}

impl CurveReport {
    /// `lru`, or `lru × 4 round-robin`.
    pub fn title(&self) -> String {
        match &self.routing {
            Some(routing) => format!("{} × {} {routing}", self.policy, self.replicas),
            None => self.policy.clone(),
        }
    }
}

impl CacheReport {
    /// Bytes in a block, if those of a token are known.
    pub fn bytes_per_block(&self) -> Option<f64> {
        self.bytes_per_token
            .map(|bytes| bytes * self.block_size as f64)
    }

    /// The point at `blocks`.
    pub fn point(&self, blocks: u64, rate: Rate) -> PointReport {
        let gib = self
            .bytes_per_block()
            .map(|bytes| bytes * blocks as f64 / GIB);
        PointReport { blocks, gib, rate }
    }
}

/// How the cache object is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns, for reading
    #[default]
    Table,
    /// One object with every number, unrounded; `trace-plot cache` reads it
    Json,
    /// One row per curve and capacity, unrounded
    Csv,
}

/// Print `report`.
///
/// # Errors
///
/// Those of writing.
pub fn print(report: &CacheReport, format: Format, output: &mut impl Write) -> anyhow::Result<()> {
    match format {
        Format::Table => output.write_all(page(report).as_bytes())?,
        Format::Json => {
            let mut json = serde_json::to_vec_pretty(report)?;
            json.push(b'\n');
            output.write_all(&json)?;
        }
        Format::Csv => output.write_all(&csv(report)?)?,
    }
    output.flush()?;
    Ok(())
}

fn page(report: &CacheReport) -> String {
    let mut page = format!(
        "cache: {} requests, {} accesses to {} blocks of {} tokens\n",
        report.requests, report.blocks, report.distinct_blocks, report.block_size
    );
    type Figure = fn(&Rate) -> Option<f64>;
    let parts: [(&str, Figure); 2] = [
        ("hit rate by block", |rate| rate.hit_rate),
        ("hit rate by token", |rate| rate.token_hit_rate),
    ];
    for (title, figure) in parts {
        page.push_str(&format!("\n{title}\n"));
        for line in table(report, figure).lines() {
            page.push_str(line.trim_end());
            page.push('\n');
        }
    }
    if !report.notes.is_empty() {
        page.push('\n');
    }
    for note in &report.notes {
        page.push_str(note);
        page.push('\n');
    }
    page
}

/// Capacities down, curves across.
fn table(report: &CacheReport, figure: fn(&Rate) -> Option<f64>) -> Table {
    let mut table = Table::new();
    let mut header = vec!["blocks".to_owned()];
    if report.bytes_per_token.is_some() {
        header.push("GiB".to_owned());
    }
    header.extend(report.curves.iter().map(CurveReport::title));
    table.set_header(header);
    let points = report.curves.first().map_or(&[][..], |curve| &curve.curve);
    for (at, point) in points.iter().enumerate() {
        let mut row = vec![point.blocks.to_string()];
        row.extend(point.gib.map(rounded));
        row.extend(report.curves.iter().map(|curve| {
            let value = curve.curve.get(at).and_then(|point| figure(&point.rate));
            value.map_or("-".to_owned(), |value| format!("{value:.4}"))
        }));
        table.add_row(row);
    }
    let mut table = plain(table, CellAlignment::Right);
    if let Some(first) = table.column_mut(0) {
        first.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn csv(report: &CacheReport) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "policy",
        "replicas",
        "routing",
        "blocks",
        "gib",
        "hit_rate",
        "token_hit_rate",
    ])?;
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for curve in &report.curves {
        for point in &curve.curve {
            writer.write_record([
                curve.policy.clone(),
                curve.replicas.to_string(),
                curve.routing.clone().unwrap_or_default(),
                point.blocks.to_string(),
                number(point.gib),
                number(point.rate.hit_rate),
                number(point.rate.token_hit_rate),
            ])?;
        }
    }
    Ok(writer.into_inner()?)
}
