//! Read the trace, choose the slices, print them.

use super::args::{Args, Format};
use super::slice::{Demands, Pick, Slice};
use crate::format::{plain, rounded};
use anyhow::{Context, bail};
use clap::ValueEnum;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::io::Write;
use trace_core::cli::{self, Progress};
use trace_core::quantile;
use trace_core::{Line, Micros, Reader};

/// The slices of a trace.
#[derive(Debug, Serialize)]
struct Report {
    /// What this object is: always `windows`.
    kind: &'static str,
    #[serde(serialize_with = "quantile::number")]
    length_ms: Option<f64>,
    windows: Vec<Chosen>,
}

#[derive(Debug, Serialize)]
struct Chosen {
    name: Pick,
    #[serde(serialize_with = "quantile::number")]
    from_ms: Option<f64>,
    #[serde(serialize_with = "quantile::number")]
    to_ms: Option<f64>,
    requests: u64,
    #[serde(serialize_with = "quantile::number")]
    rate_rps: Option<f64>,
    #[serde(serialize_with = "quantile::number")]
    variation: Option<f64>,
    #[serde(serialize_with = "quantile::number")]
    distance: Option<f64>,
    flags: String,
}

/// Print the slices of `input` on `output`. Gives the exit code.
///
/// # Errors
///
/// Those of reading and writing; a trace shorter than a slice.
pub fn run(args: &Args, input: &mut Reader<'_>, mut output: impl Write) -> anyhow::Result<u8> {
    let slices = slices(args.length, input)?;
    let picks = match args.pick {
        Some(pick) => vec![pick],
        None => Pick::value_variants().to_vec(),
    };
    let mut chosen = Vec::new();
    for pick in picks {
        let Some(slice) = pick.of(&slices) else {
            bail!(
                "no slice to call {}: no request has what it is judged by",
                pick.name()
            );
        };
        chosen.push(choice(pick, slice, args.length));
    }
    let page = match (args.pick, args.format) {
        (_, Format::Json) => {
            let report = Report {
                kind: "windows",
                length_ms: Some(args.length.as_millis()),
                windows: chosen,
            };
            let mut json = serde_json::to_string_pretty(&report)?;
            json.push('\n');
            json
        }
        (Some(_), Format::Table) => chosen
            .iter()
            .map(|slice| format!("{}\n", slice.flags))
            .collect(),
        (None, Format::Table) => page(&chosen),
    };
    output
        .write_all(page.as_bytes())
        .and_then(|()| output.flush())
        .context("cannot write the slices")?;
    Ok(cli::DONE)
}

/// More windows than this are not looked at.
const MOST_SLICES: u64 = 1_000_000;

fn slices(length: Micros, input: &mut Reader<'_>) -> anyhow::Result<Vec<Slice>> {
    let mut demands = Demands::default();
    let mut progress = Progress::new("trace-stats: read", None);
    let mut line = Line::default();
    let mut lines = 0u64;
    while input.read(&mut line)? {
        let request = &line.request;
        // Not when a run has sent it: flags of trace-convert cut by timestamp.
        if let Some(arrival) = request.timestamp {
            demands.push(arrival, request.input_length, request.output_length);
        }
        lines += 1;
        if lines.is_multiple_of(4096) {
            progress.set(lines, "lines");
        }
    }
    progress.finish();
    let Some((first, last)) = demands.ends() else {
        bail!("no request has a timestamp: there is no time to slice");
    };
    let duration = last.saturating_sub(first);
    if duration < length {
        bail!(
            "the trace lasts {} s, less than a slice of {} s",
            rounded(duration.as_secs()),
            rounded(length.as_secs())
        );
    }
    // A slice is looked at for each tenth of its length.
    if duration.as_micros() / length.as_micros().div_ceil(10) > MOST_SLICES {
        bail!(
            "slices of {} s are too many in {} s; a longer --length helps",
            rounded(length.as_secs()),
            rounded(duration.as_secs())
        );
    }
    Ok(demands.slices(length))
}

fn choice(name: Pick, slice: Slice, length: Micros) -> Chosen {
    Chosen {
        name,
        from_ms: Some(slice.from.as_millis()),
        to_ms: Some(slice.to.as_millis()),
        requests: slice.requests,
        rate_rps: Some(slice.requests as f64 / length.as_secs()),
        variation: slice.variation,
        distance: slice.distance,
        flags: slice.flags(),
    }
}

fn page(chosen: &[Chosen]) -> String {
    let mut table = Table::new();
    table.set_header(["", "requests", "rate_rps", "variation", "distance", "flags"]);
    for slice in chosen {
        let number = |value: Option<f64>| value.map_or("-".to_owned(), rounded);
        table.add_row([
            slice.name.name().to_owned(),
            slice.requests.to_string(),
            number(slice.rate_rps),
            number(slice.variation),
            number(slice.distance),
            slice.flags.clone(),
        ]);
    }
    let mut table = plain(table, CellAlignment::Right);
    if let Some(flags) = table.column_mut(5) {
        flags.set_cell_alignment(CellAlignment::Left);
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    lines.concat()
}
