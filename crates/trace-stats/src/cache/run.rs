//! `trace-stats cache`: read the trace once, print the curves.

use super::args::Args;
use super::capacity::ladder;
use super::distance::{Distances, Order};
use super::input::each_prompt;
use super::report::{self, CacheReport, CurveReport};
use super::row::Rows;
use anyhow::Context;
use std::io::Write;
use trace_core::Reader;
use trace_core::cli;

/// Read `input` to its end and print the curves on `output`, and on `notes`
/// what is not part of them. Gives the exit code.
///
/// # Errors
///
/// Those of the arguments, of reading and of writing.
pub fn run(
    args: &Args,
    input: &mut Reader<'_>,
    mut output: impl Write,
    mut notes: impl Write,
) -> anyhow::Result<u8> {
    let report = measure(args, input)?;
    if report.blocks == 0 {
        writeln!(notes, "trace-stats: no request has hash_ids")?;
    }
    if args.format == report::Format::Csv {
        for note in &report.notes {
            writeln!(notes, "trace-stats: {note}")?;
        }
    }
    report::print(&report, args.format, &mut output).context("cannot write the curves")?;
    Ok(cli::DONE)
}

/// The curves that `args` ask for, of all requests of `input`.
///
/// # Errors
///
/// Those of the arguments and of reading.
pub fn measure(args: &Args, input: &mut Reader<'_>) -> anyhow::Result<CacheReport> {
    let chosen = args.chosen()?;
    let block_size = args.block_size.block_size;
    let mut rows = Rows::new(block_size, args.full_blocks_only);
    let mut distances = Distances::new(Order::Forward);
    let mut without_ids = 0;
    let requests = each_prompt(input, |prompt| {
        if prompt.ids.is_empty() {
            without_ids += 1;
            return Ok(());
        }
        distances.push(&rows.row(prompt.input_length, prompt.ids)?);
        Ok(())
    })?;
    let curve = distances.curve();
    let mut report = CacheReport {
        kind: "cache",
        block_size,
        bytes_per_token: args.bytes_per_token,
        full_blocks_only: args.full_blocks_only,
        requests,
        requests_without_ids: without_ids,
        blocks: curve.asked.blocks,
        distinct_blocks: rows.distinct().into(),
        tokens: curve.asked.tokens,
        curves: Vec::new(),
        notes: Vec::new(),
    };
    if without_ids > 0 {
        report.notes.push(format!(
            "{without_ids} of {requests} requests have no hash_ids and take no part"
        ));
    }
    if rows.without_length() > 0 {
        report.notes.push(format!(
            "{} of {requests} requests have hash_ids without input_length: they count by block only",
            rows.without_length()
        ));
    }
    let capacities = chosen.unwrap_or_else(|| ladder(curve.saturation(), args.per_decade));
    report.curves.push(CurveReport {
        policy: "lru".to_owned(),
        replicas: 1,
        routing: None,
        curve: capacities
            .iter()
            .map(|&blocks| report.point(blocks, curve.at(blocks)))
            .collect(),
    });
    Ok(report)
}

impl Args {
    /// The capacities in blocks, ascending, if any were named.
    fn chosen(&self) -> anyhow::Result<Option<Vec<u64>>> {
        if self.capacities.is_empty() {
            return Ok(None);
        }
        let block = self
            .bytes_per_token
            .map(|bytes| bytes * self.block_size.block_size as f64);
        let blocks = self
            .capacities
            .iter()
            .map(|capacity| capacity.blocks(block));
        let mut blocks = blocks
            .collect::<Result<Vec<u64>, String>>()
            .map_err(anyhow::Error::msg)
            .context("--capacities")?;
        blocks.sort_unstable();
        blocks.dedup();
        Ok(Some(blocks))
    }
}
