//! Draws a request trace or its outcomes as PNG and SVG.
//!
//! ```text
//! trace-send --url http://localhost:8000/v1/completions trace.jsonl \
//!   | tee outcomes.jsonl | trace-plot --out report/
//! ```
//!
//! Lines come in, each kind of plot ([`kinds`]) counts what it needs from them,
//! and makes a [`figure::Figure`] of its counts: numbers and words, no pixels.
//! [`draw`] gives it a form with plotters, [`picture`] turns that into files.
//! A new kind of plot is a file in `kinds` and a line in [`kinds::KINDS`].
//!
//! plotters draws (it is what people who know Rust look for), but only as
//! SVG: its bitmaps space letters unevenly and have jagged thin lines, so the
//! PNG is made from the SVG by resvg. Ticks, labels and room are ours, since
//! plotters cuts off labels at the edge and knows no clock.

mod args;
pub mod axis;
pub mod bins;
pub mod canvas;
pub mod distribution;
pub mod draw;
pub mod ending;
pub mod figure;
pub mod font;
pub mod group;
pub mod histogram;
pub mod kinds;
pub mod number;
pub mod output;
pub mod picture;
pub mod preset;
pub mod theme;
pub mod thin;
pub mod whole;

use anyhow::{Result, bail};
use trace_core::{
    Line, Reader,
    cli::{self, Progress},
};

pub use crate::args::{Args, Plan, ThemeName};
use crate::{
    figure::Figure,
    group::Groups,
    kinds::{Kind, Nothing, Plot, Sample, Settings},
    output::Output,
    picture::Press,
};

/// Read what `args` name, draw it, and write the pictures.
///
/// # Errors
/// Bad usage, bad input, nothing to draw, or a file that cannot be written.
pub fn run(args: &Args) -> Result<u8> {
    if let Some(whole) = args.whole()? {
        return whole::run(&whole, &args.by, args.block_size.block_size, args.scale);
    }
    let plan = args.plan()?;
    plan.input.outlast_interrupt()?;
    let mut input = plan.input.open()?;
    let figures = figures(
        &plan.kinds,
        &plan.settings,
        &plan.by,
        &mut input,
        args.skip_invalid,
    )?;
    cli::report_skipped("trace-plot", &input);
    if !plan.named && figures.iter().all(|(_, figure)| figure.is_err()) {
        let reasons = figures.iter().filter_map(|(kind, figure)| {
            figure
                .as_ref()
                .err()
                .map(|nothing| format!("{}: {nothing}", kind.name))
        });
        bail!(
            "nothing to draw: {}",
            reasons.collect::<Vec<_>>().join("; ")
        );
    }
    let ran = figures
        .iter()
        .any(|(kind, figure)| kind.name != "rate" && figure.is_ok());
    let press = Press::new();
    let mut written = Vec::new();
    for (kind, figure) in figures {
        match figure {
            Ok(figure) => {
                let picture = press.picture(&figure, &plan.look)?;
                let name = plan
                    .preset
                    .map_or(kind.name, |preset| preset.file(kind.name, ran));
                written.extend(plan.output.write(name, &picture, args.scale)?);
            }
            Err(nothing) if plan.named => bail!("nothing to draw: {}: {nothing}", kind.name),
            Err(nothing) => eprintln!("trace-plot: no {}: {nothing}", kind.name),
        }
    }
    if matches!(plan.output, Output::Directory(..)) {
        let written: Vec<_> = written
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        eprintln!("trace-plot: wrote {}", written.join(" "));
    }
    Ok(cli::DONE)
}

/// The figures of `kinds` from one pass over `input`, or why there is none.
///
/// Requests are told apart by the field `by`. Outcomes that cannot be read
/// are counted and left out if `skip_invalid` says so.
///
/// # Errors
/// Bad input, or an input without lines.
pub fn figures<'k>(
    kinds: &[&'k Kind],
    settings: &Settings,
    by: &str,
    input: &mut Reader<'_>,
    skip_invalid: bool,
) -> Result<Vec<(&'k Kind, Result<Figure, Nothing>)>> {
    let mut plots: Vec<(&Kind, Box<dyn Plot>)> = kinds
        .iter()
        .map(|&kind| (kind, (kind.new)(settings)))
        .collect();
    let mut groups = Groups::by(by);
    let mut progress = Progress::new("lines", None);
    let mut line = Line::default();
    let (mut count, mut skipped) = (0_u64, 0_u64);
    let mut first = None;
    while input.read(&mut line)? {
        let outcome = match line.outcome() {
            Ok(outcome) => outcome,
            Err(error) if skip_invalid => {
                skipped += 1;
                first.get_or_insert(error);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let group = groups.of(&line);
        let sample = Sample {
            group,
            request: &line.request,
            outcome: outcome.as_ref(),
        };
        for (_, plot) in &mut plots {
            plot.add(&sample)?;
        }
        count += 1;
        if count % 4_096 == 0 {
            progress.set(count, "");
        }
    }
    progress.finish();
    if let Some(first) = first {
        eprintln!("trace-plot: skipped {skipped} outcomes that cannot be read, the first: {first}");
    }
    if count == 0 {
        bail!("nothing to draw: the input has no requests");
    }
    Ok(plots
        .iter()
        .map(|(kind, plot)| (*kind, plot.figure(&groups)))
        .collect())
}
