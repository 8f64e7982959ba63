//! `trace-stats cache`: read the trace once, print the curves.

use super::args::Args;
use super::capacity::ladder;
use super::curve::Hits;
use super::fleet::{Fleet, Setup};
use super::policy::Policy;
use super::report::{self, CacheReport, CurveReport, PointReport};
use super::routing::{Routed, Routing};
use super::row::Rows;
use super::sample::Sample;
use crate::input::each_prompt;
use anyhow::{Context, bail};
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
    let mut report = match args.sample {
        Some(rate) => estimate(args, rate, chosen, input)?,
        None => count(args, chosen, input)?,
    };
    if report.requests_without_ids > 0 {
        report.notes.insert(
            0,
            format!(
                "{} of {} requests have no hash_ids and take no part",
                report.requests_without_ids, report.requests
            ),
        );
    }
    Ok(report)
}

/// A fleet for every combination that was asked for; the `report` notes those that
/// there are none of.
///
/// # Errors
///
/// Nothing that can be measured.
fn fleets(
    args: &Args,
    chosen: Option<&[u64]>,
    report: &mut CacheReport,
) -> anyhow::Result<Vec<Fleet>> {
    let mut fleets = Vec::new();
    for setup in args.setups() {
        match setup.is_undefined() {
            Some(why) => report.notes.push(format!("left out: {why}")),
            None => fleets.push(Fleet::new(setup, chosen.unwrap_or_default())),
        }
    }
    if fleets.is_empty() {
        bail!("nothing to measure: {}", report.notes.join("; "));
    }
    if chosen.is_none()
        && let Some(fleet) = fleets.iter().find(|fleet| !fleet.setup().is_exact())
    {
        bail!(
            "{} is simulated at chosen sizes: name them with --capacities",
            title(&fleet.setup())
        );
    }
    Ok(fleets)
}

/// Every curve over all blocks.
fn count(
    args: &Args,
    chosen: Option<Vec<u64>>,
    input: &mut Reader<'_>,
) -> anyhow::Result<CacheReport> {
    let mut report = args.report();
    let mut fleets = fleets(args, chosen.as_deref(), &mut report)?;
    let mut rows = Rows::new(report.block_size, report.full_blocks_only);
    let mut asked = Hits::default();
    let mut without_ids = 0;
    report.requests = each_prompt(input, |prompt| {
        if prompt.ids.is_empty() {
            without_ids += 1;
            return Ok(());
        }
        let request = Routed {
            row: rows.row(prompt.input_length, prompt.ids)?,
            output_length: prompt.output_length.unwrap_or(0),
            arrival: prompt.arrival,
        };
        asked.add(request.row.asked());
        fleets.iter_mut().try_for_each(|fleet| fleet.push(&request))
    })?;
    report.requests_without_ids = without_ids;
    report.blocks = asked.blocks;
    report.tokens = asked.tokens;
    report.distinct_blocks = Some(rows.distinct().into());
    report
        .notes
        .extend(without_length(&report, rows.without_length()));
    let capacities = chosen.unwrap_or_else(|| {
        let curves = fleets.iter().filter_map(Fleet::curve);
        let end = curves.map(|curve| curve.saturation()).max();
        ladder(end.unwrap_or(1), args.per_decade)
    });
    for fleet in &fleets {
        let setup = fleet.setup();
        let points = fleet.points(&capacities);
        let points = points.into_iter().map(|point| PointReport {
            imbalance: point.imbalance,
            ..report.point(point.blocks, point.rate)
        });
        let curve = points.collect();
        report.curves.push(CurveReport {
            policy: setup.policy.name().to_owned(),
            replicas: setup.replicas,
            routing: (setup.replicas > 1).then(|| setup.routing.name().to_owned()),
            curve,
        });
    }
    Ok(report)
}

/// The LRU curve from a sample of the blocks.
fn estimate(
    args: &Args,
    rate: f64,
    chosen: Option<Vec<u64>>,
    input: &mut Reader<'_>,
) -> anyhow::Result<CacheReport> {
    if args.policy != [Policy::Lru] || args.replicas != [1] {
        bail!("--sample estimates lru of a single cache; leave --policy and --replicas out");
    }
    let mut report = args.report();
    let mut sample = Sample::new(rate, report.block_size, report.full_blocks_only);
    let mut without_ids = 0;
    report.requests = each_prompt(input, |prompt| {
        without_ids += u64::from(prompt.ids.is_empty());
        sample.push(prompt.input_length, prompt.ids)
    })?;
    report.requests_without_ids = without_ids;
    report.blocks = sample.asked().blocks;
    report.tokens = sample.asked().tokens;
    report.sample = Some(rate);
    report.sampled_blocks = Some(sample.distinct().into());
    report
        .notes
        .extend(without_length(&report, sample.without_length()));
    report.notes.push(format!(
        "estimated from a sample of {rate} of the blocks; ± is the error (one standard deviation), from eight \
         samples of an eighth of that; a capacity stands for those around it, ±{:.0} % at 10000 blocks, less \
         with its square root; below some {:.0} blocks nothing is resolved",
        100.0 / (10_000.0 * rate).sqrt(),
        (10.0 / rate).ceil()
    ));
    let sampled = sample.finish();
    let capacities = chosen.unwrap_or_else(|| ladder(sampled.saturation(), args.per_decade));
    let points = capacities.iter().map(|&blocks| {
        let found = sampled.at(blocks);
        PointReport {
            hit_rate_error: found.hit_rate_error,
            token_hit_rate_error: found.token_hit_rate_error,
            ..report.point(blocks, found.rate)
        }
    });
    let curve = points.collect();
    report.curves.push(CurveReport {
        policy: Policy::Lru.name().to_owned(),
        replicas: 1,
        routing: None,
        curve,
    });
    Ok(report)
}

fn without_length(report: &CacheReport, count: u64) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "{count} of {} requests have hash_ids without input_length: they count by block only",
            report.requests
        )
    })
}

fn title(setup: &Setup) -> String {
    let policy = setup.policy.name();
    if setup.replicas == 1 {
        return policy.to_owned();
    }
    format!(
        "{policy} on {} replicas behind {}",
        setup.replicas,
        setup.routing.name()
    )
}

impl Args {
    /// A report with nothing in it but what was asked.
    fn report(&self) -> CacheReport {
        CacheReport {
            bytes_per_token: self.bytes_per_token,
            full_blocks_only: self.full_blocks_only,
            ..CacheReport::new(self.block_size.block_size)
        }
    }

    /// Every combination that was asked for; a single cache needs no router.
    fn setups(&self) -> Vec<Setup> {
        let mut setups: Vec<Setup> = Vec::new();
        for &policy in &self.policy {
            for &replicas in &self.replicas {
                for &routing in &self.routing {
                    let setup = Setup {
                        policy,
                        replicas,
                        routing: if replicas == 1 {
                            Routing::RoundRobin
                        } else {
                            routing
                        },
                        window: self.load_window,
                    };
                    if !setups.contains(&setup) {
                        setups.push(setup);
                    }
                }
            }
        }
        setups
    }

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
