//! Read both traces, print how far apart they are, and judge.

use super::args::{Args, Format};
use super::comparison::{Comparison, Side};
use super::profile::Profile;
use super::service::{self, Contest, Run};
use super::tolerance::{self, Beyond};
use crate::format::{plain, rounded};
use anyhow::{Context, bail};
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::io::Write;
use trace_core::cli::{self, InputArgs};
use trace_core::quantile::Spread;
use trace_core::{Line, Outcome};

/// Compare what `args` name, on `output`. Gives the exit code: 1 if a
/// difference is beyond its tolerance.
///
/// # Errors
///
/// Those of the arguments, of reading and of writing.
pub fn run(args: &Args, mut output: impl Write) -> anyhow::Result<u8> {
    let tolerances = tolerance::parse_all(&args.tolerance)?;
    let [a, b] = read(args)?;
    let are_outcomes = a.run.tried() > 0 && b.run.tried() > 0;
    let (page, beyond) = if are_outcomes && !args.requests {
        let how = (args.resamples, args.confidence.get(), args.seed.seed);
        let mut contest = Contest::new((a.name, &a.run), (b.name, &b.run), how);
        contest.beyond = tolerance::judge(&contest.differences, &tolerances)?;
        let page = printed(args.format, &contest, || service::page(&contest))?;
        (page, contest.beyond)
    } else {
        let mut capacities = args.capacities.clone();
        capacities.sort_unstable();
        capacities.dedup();
        let block_size = args.block_size.block_size;
        let (a, b) = ((a.name, a.profile), (b.name, b.profile));
        let mut comparison = Comparison::new(a, b, block_size, &capacities);
        comparison.beyond = tolerance::judge(&comparison.differences, &tolerances)?;
        let page = printed(args.format, &comparison, || page(&comparison))?;
        (page, comparison.beyond)
    };
    let mut page = page;
    if args.format == Format::Table {
        push_verdict(&mut page, !tolerances.is_empty(), &beyond);
    }
    output
        .write_all(page.as_bytes())
        .and_then(|()| output.flush())
        .context("cannot write the comparison")?;
    Ok(if beyond.is_empty() {
        cli::DONE
    } else {
        cli::NO
    })
}

/// What was read of one side.
struct Input {
    name: String,
    profile: Profile,
    run: Run,
}

fn read(args: &Args) -> anyhow::Result<[Input; 2]> {
    let both = InputArgs {
        files: vec![args.a.clone(), args.b.clone()],
        skip_invalid: args.skip_invalid,
    };
    both.outlast_interrupt()?;
    let mut sides = Vec::new();
    for (mut input, name) in both.open_each()?.into_iter().zip(&both.files) {
        let mut run = Run::default();
        let see = |line: &Line, outcome: &Outcome| run.push(service::prompt(line), outcome);
        let profile = Profile::read_with(&mut input, args.block_size.block_size, see)?;
        cli::report_skipped("trace-stats", &input);
        if profile.requests == 0 {
            bail!("{name} holds no requests");
        }
        let name = name.clone();
        sides.push(Input { name, profile, run });
    }
    let (Some(b), Some(a)) = (sides.pop(), sides.pop()) else {
        bail!("two traces are compared");
    };
    Ok([a, b])
}

fn printed(
    format: Format,
    object: &impl Serialize,
    page: impl FnOnce() -> String,
) -> anyhow::Result<String> {
    Ok(match format {
        Format::Table => page(),
        Format::Json => serde_json::to_string_pretty(object)? + "\n",
    })
}

/// The comparison for people.
fn page(comparison: &Comparison) -> String {
    let side = |letter: &str, side: &Side| {
        let plural = if side.requests == 1 { "" } else { "s" };
        let mut line = format!("{letter}: {} request{plural}", side.requests);
        if let Some(ms) = side.duration_ms {
            line.push_str(&format!(" over {} s", rounded(ms / 1_000.0)));
        }
        if let Some(rate) = side.rate_rps {
            line.push_str(&format!(", {}/s", rounded(rate)));
        }
        format!("{line} ({})\n", side.name)
    };
    let mut page = side("A", &comparison.a) + &side("B", &comparison.b);
    push_table(&mut page, &metrics(comparison));
    let correlations = comparison.correlations.iter();
    let correlations = correlations.map(|pair| (pair.name.to_owned(), pair.a, pair.b));
    push_table(&mut page, &figures("correlation", correlations, apart));
    let windows = comparison.dispersion.iter();
    let windows = windows.map(|window| (window.title(), window.a, window.b));
    push_table(&mut page, &figures("dispersion", windows, relative));
    let rates = comparison.hit_rates.iter();
    let rates = rates.map(|pair| (pair.name.to_owned(), pair.a, pair.b));
    let lru = comparison.lru.iter();
    let lru = lru.map(|point| (format!("lru {}", point.blocks), point.a, point.b));
    push_table(&mut page, &figures("hit rate", rates.chain(lru), apart));
    page
}

/// Which differences are beyond their tolerance, if any was `judged`.
fn push_verdict(page: &mut String, judged: bool, beyond: &[Beyond]) {
    if judged && beyond.is_empty() {
        page.push_str("\nwithin every tolerance\n");
    }
    if !beyond.is_empty() {
        page.push_str("\nbeyond tolerance\n");
    }
    for beyond in beyond {
        let found = match beyond.difference {
            Some(difference) => rounded(difference),
            None => "only one of the two has it".to_owned(),
        };
        page.push_str(&format!(
            "{}: {found}, allowed {}\n",
            beyond.name,
            rounded(beyond.tolerance)
        ));
    }
}

fn metrics(comparison: &Comparison) -> Table {
    let mut table = Table::new();
    table.set_header([
        "",
        "mean A",
        "mean B",
        "std A",
        "std B",
        "p50 A",
        "p50 B",
        "p99 A",
        "p99 B",
        "ks",
        "wasserstein",
    ]);
    for metric in &comparison.metrics {
        let figures: [fn(&Spread) -> Option<f64>; 4] =
            [|s| s.mean, |s| s.std, |s| s.p50, |s| s.p99];
        let mut row = vec![metric.name.to_owned()];
        row.extend(figures.iter().flat_map(|figure| {
            [figure(&metric.a), figure(&metric.b)]
                .map(|value| value.map_or("-".to_owned(), rounded))
        }));
        row.push(metric.ks.map_or("-".to_owned(), |ks| format!("{ks:.4}")));
        row.push(metric.wasserstein.map_or("-".to_owned(), rounded));
        table.add_row(row);
    }
    plain(table, CellAlignment::Right)
}

type Figure = (String, Option<f64>, Option<f64>);

fn figures(
    title: &str,
    figures: impl Iterator<Item = Figure>,
    difference: fn(f64, f64) -> String,
) -> Table {
    let mut table = Table::new();
    table.set_header([title, "A", "B", "B − A"]);
    for (name, a, b) in figures.filter(|(_, a, b)| a.is_some() || b.is_some()) {
        let number =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
        let apart = a.zip(b).map(|(a, b)| difference(a, b));
        table.add_row([name, number(a), number(b), apart.unwrap_or("-".to_owned())]);
    }
    plain(table, CellAlignment::Right)
}

fn apart(a: f64, b: f64) -> String {
    format!("{:+.4}", b - a)
}

fn relative(a: f64, b: f64) -> String {
    if a == 0.0 {
        return "-".to_owned();
    }
    format!("{:+.1} %", 100.0 * (b - a) / a)
}

/// A table with rows, after an empty line.
fn push_table(page: &mut String, table: &Table) {
    if table.row_count() == 0 {
        return;
    }
    page.push('\n');
    for line in table.lines() {
        page.push_str(line.trim_end());
        page.push('\n');
    }
}
