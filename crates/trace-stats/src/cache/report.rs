//! The cache object: hit rates by capacity, and how it is printed.

use super::capacity::{GIB, ladder};
use super::curve::Rate;
use super::distance::Distances;
use super::policy::Policy;
use super::row::Rows;
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
    /// Share of the blocks that estimates were made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<f64>,
    /// Blocks in that sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampled_blocks: Option<u64>,
    /// Lines read.
    pub requests: u64,
    /// Lines among them that have no ids and take no part.
    pub requests_without_ids: u64,
    /// Block accesses: ids of all lines together.
    pub blocks: u64,
    /// Different ids; not known of a sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct_blocks: Option<u64>,
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
    /// Error (one standard deviation) of the hit rate by block, if it was estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hit_rate_error: Option<f64>,
    /// Error (one standard deviation) of the hit rate by token, if it was estimated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_hit_rate_error: Option<f64>,
    /// Tokens given to the busiest replica over the mean, if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imbalance: Option<f64>,
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
    /// A report on blocks of `block_size` tokens with nothing in it.
    pub fn new(block_size: u64) -> Self {
        Self {
            kind: "cache",
            block_size,
            bytes_per_token: None,
            full_blocks_only: false,
            sample: None,
            sampled_blocks: None,
            requests: 0,
            requests_without_ids: 0,
            blocks: 0,
            distinct_blocks: None,
            tokens: 0,
            curves: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The report on one LRU cache that met `requests`, at round capacities.
    pub fn lru(requests: u64, block_size: u64, rows: &Rows, distances: &Distances) -> Self {
        let curve = distances.curve();
        let mut report = Self {
            requests,
            blocks: curve.asked.blocks,
            tokens: curve.asked.tokens,
            distinct_blocks: Some(rows.distinct().into()),
            ..Self::new(block_size)
        };
        let capacities = ladder(curve.saturation(), 3);
        let points = capacities
            .iter()
            .map(|&blocks| report.point(blocks, curve.at(blocks)));
        let points = points.collect();
        report.curves.push(CurveReport {
            policy: Policy::Lru.name().to_owned(),
            replicas: 1,
            routing: None,
            curve: points,
        });
        report
    }

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
        PointReport {
            blocks,
            gib,
            rate,
            hit_rate_error: None,
            token_hit_rate_error: None,
            imbalance: None,
        }
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

/// The report for people.
pub(crate) fn page(report: &CacheReport) -> String {
    let distinct = match (report.distinct_blocks, report.sampled_blocks) {
        (Some(distinct), _) => format!("{distinct} blocks"),
        (None, Some(sampled)) => format!("blocks, {sampled} of them sampled,"),
        (None, None) => "blocks".to_owned(),
    };
    let mut page = format!(
        "cache: {} requests, {} accesses to {distinct} of {} tokens\n",
        report.requests, report.blocks, report.block_size
    );
    let points = || report.curves.iter().flat_map(|curve| &curve.curve);
    push_part(&mut page, report, "hit rate by block", |point| {
        share(point.rate.hit_rate, point.hit_rate_error)
    });
    push_part(&mut page, report, "hit rate by token", |point| {
        share(point.rate.token_hit_rate, point.token_hit_rate_error)
    });
    if points().any(|point| point.imbalance.is_some()) {
        let title = "tokens of the busiest replica over the mean";
        push_part(&mut page, report, title, |point| {
            point
                .imbalance
                .map_or("-".to_owned(), |load| format!("{load:.3}"))
        });
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

/// `0.1234`, or `0.1234 ± 0.0012`.
fn share(rate: Option<f64>, error: Option<f64>) -> String {
    match (rate, error) {
        (Some(rate), Some(error)) => format!("{rate:.4} ± {error:.4}"),
        (Some(rate), None) => format!("{rate:.4}"),
        (None, _) => "-".to_owned(),
    }
}

fn push_part(
    page: &mut String,
    report: &CacheReport,
    title: &str,
    figure: impl Fn(&PointReport) -> String,
) {
    page.push_str(&format!("\n{title}\n"));
    for line in table(report, figure).lines() {
        page.push_str(line.trim_end());
        page.push('\n');
    }
}

/// Capacities down, curves across.
fn table(report: &CacheReport, figure: impl Fn(&PointReport) -> String) -> Table {
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
            let point = curve.curve.get(at);
            point.map_or("-".to_owned(), &figure)
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
        "hit_rate_error",
        "token_hit_rate_error",
        "imbalance",
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
                number(point.hit_rate_error),
                number(point.token_hit_rate_error),
                number(point.imbalance),
            ])?;
        }
    }
    Ok(writer.into_inner()?)
}
