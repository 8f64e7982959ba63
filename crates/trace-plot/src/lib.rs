//! Draws a request trace or its outcomes as PNG and SVG.
//!
//! ```text
//! trace-send --url http://localhost:8000/v1/completions trace.jsonl \
//!   | tee outcomes.jsonl | trace-plot --out report/
//! ```
//!
//! Lines come in, each kind of plot ([`kinds`]) counts what it needs from them,
//! and makes a [`figure::Sheet`] of its counts: numbers and words, no pixels.
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
pub mod cdf;
pub mod cell;
pub mod cloud;
mod destination;
pub mod distribution;
pub mod draw;
pub mod edges;
pub mod ending;
pub mod extent;
pub mod figure;
pub mod font;
mod frame;
pub mod frontier;
pub mod grid;
pub mod group;
mod help;
pub mod histogram;
pub mod kinds;
mod markup;
pub mod number;
pub mod output;
pub mod per;
pub mod picture;
mod plan;
pub mod preset;
pub mod report;
pub mod sample;
mod shapes;
pub mod slo;
mod summary;
pub mod term;
pub mod theme;
pub mod thin;
pub mod ticks;
pub mod whole;
mod words;

use std::path::PathBuf;

use anyhow::{Result, bail};
use trace_core::{
    Line, Outcome, Reader, ahead,
    cli::{self, Progress},
};

pub use crate::{
    args::{Args, ThemeName},
    plan::{Draw, Plan},
};
use crate::{
    figure::Sheet,
    group::Groups,
    kinds::{Kind, Nothing, Plot, Settings},
    output::Output,
    picture::Press,
    sample::Sample,
    whole::Task,
};

/// Read what `args` name, draw it, and write the pictures.
///
/// # Errors
/// Bad usage, bad input, nothing to draw, or a file that cannot be written.
pub fn run(args: &Args) -> Result<u8> {
    let plan = args.plan()?;
    plan.input.outlast_interrupt()?;
    if let Some(path) = &args.html {
        return report::write(args, &plan, path);
    }
    let (sheets, words) = all(args, &plan)?;
    match &plan.output {
        Some(output) => {
            let mut written = pictures(&sheets, args, &plan, output)?;
            written.extend(summary::write(&plan, output, &written, &words)?);
            tell(output, &written);
        }
        None => {
            let look = term::Look::of_stdout(plan.look.theme);
            term::print(sheets.iter().map(|(_, sheet)| sheet), &look)?;
        }
    }
    Ok(cli::DONE)
}

/// Every sheet of the plan, with its name, and what is said of them.
fn all(args: &Args, plan: &Plan) -> Result<(Sheets, Vec<String>)> {
    if let Draw::Whole(whole) = plan.draw {
        let sheet = (whole.sheet)(&Task {
            input: &plan.input,
            settings: &plan.settings,
            block_size: args.block_size.block_size,
            metrics: &args.metric,
        })?;
        return Ok((vec![(whole.name, sheet)], Vec::new()));
    }
    let mut input = plan.input.open()?;
    let mut drawn = sheets(&plan.draw.kinds(), &plan.settings, &mut input)?;
    cli::report_skipped("trace-plot", &input);
    let words = std::mem::take(&mut drawn.words);
    Ok((named(drawn, &plan.draw)?, words))
}

/// Sheets, each with the name of its file.
type Sheets = Vec<(&'static str, Sheet)>;

/// Write `sheets` as pictures, and give the files they are.
fn pictures(
    sheets: &[(&'static str, Sheet)],
    args: &Args,
    plan: &Plan,
    output: &Output,
) -> Result<Vec<PathBuf>> {
    let press = Press::new();
    let mut written: Vec<PathBuf> = Vec::new();
    for (name, sheet) in sheets {
        let picture = press.picture(sheet, &plan.look)?;
        written.extend(output.write(name, &picture, args.scale)?);
    }
    Ok(written)
}

/// Say which files of a directory were written.
fn tell(output: &Output, written: &[PathBuf]) {
    if matches!(output, Output::Directory(..)) {
        let written: Vec<_> = written
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        trace_core::say!("trace-plot: wrote {}", written.join(" "));
    }
}

/// What was made of an input.
#[derive(Debug)]
pub struct Drawn<'k> {
    /// The sheet of each kind, or why there is none.
    pub sheets: Vec<(&'k Kind, Result<Sheet, Nothing>)>,
    /// Lines that told what happened to their request.
    pub outcomes: u64,
    /// What a text beside the pictures says of them, line by line.
    pub words: Vec<String>,
}

/// The sheets of `kinds` from one pass over `input`, or why there is none.
///
/// # Errors
/// Bad input, or an input without lines.
pub fn sheets<'k>(
    kinds: &[&'k Kind],
    settings: &Settings,
    input: &mut Reader<'_>,
) -> Result<Drawn<'k>> {
    pass(kinds, settings, input, |_, _| Ok(()))
}

/// The same, while `also` sees each line that is counted.
pub(crate) fn pass<'k>(
    kinds: &[&'k Kind],
    settings: &Settings,
    input: &mut Reader<'_>,
    mut also: impl FnMut(&Line, Option<&Outcome>) -> Result<()>,
) -> Result<Drawn<'k>> {
    let mut plots: Vec<(&Kind, Box<dyn Plot>)> = kinds
        .iter()
        .map(|&kind| (kind, (kind.new)(settings)))
        .collect();
    let mut groups = Groups::by(&settings.by);
    let mut progress = Progress::new("lines", None);
    let (mut count, mut outcomes) = (0_u64, 0_u64);
    ahead::each_line(input, |line, outcome| {
        let group = groups.of(line);
        let sample = Sample {
            group,
            request: &line.request,
            outcome,
        };
        for (_, plot) in &mut plots {
            plot.add(&sample)?;
        }
        also(line, outcome)?;
        count += 1;
        outcomes += u64::from(outcome.is_some());
        if count.is_multiple_of(4_096) {
            progress.set(count, "");
        }
        anyhow::Ok(())
    })?;
    progress.finish();
    if count == 0 {
        bail!("nothing to draw: the input has no requests");
    }
    let mut words = plots.iter().map(|(_, plot)| plot.words(&groups));
    let words = words.find(|words| !words.is_empty()).unwrap_or_default();
    let sheets = plots.iter();
    let sheets = sheets.map(|(kind, plot)| (*kind, plot.sheet(&groups)));
    Ok(Drawn {
        sheets: sheets.collect(),
        outcomes,
        words,
    })
}

/// The sheets that there are, with the names of their files; those that were
/// not asked for by name may be missing, if one is left.
fn named(drawn: Drawn<'_>, draw: &Draw) -> Result<Sheets> {
    let mut sheets = Vec::new();
    // kinds by why they are missing, which many have in common
    let mut missing: Vec<(String, Vec<&str>)> = Vec::new();
    for (kind, sheet) in drawn.sheets {
        let name = match draw {
            Draw::Preset(preset) => preset.file(kind.name, drawn.outcomes > 0),
            _ => Some(kind.name),
        };
        match (name, sheet) {
            // the tool makes no such picture of such an input
            (None, _) => {}
            (Some(name), Ok(sheet)) => sheets.push((name, sheet)),
            (Some(_), Err(Nothing(reason))) => {
                let shared = reason.split(" with").next().filter(|_| drawn.outcomes == 0);
                let why = shared.unwrap_or(&reason);
                match missing.iter_mut().find(|(known, _)| known == why) {
                    Some((_, kinds)) => kinds.push(kind.name),
                    None => missing.push((why.to_owned(), vec![kind.name])),
                }
            }
        }
    }
    let missing: Vec<String> = missing
        .into_iter()
        .map(|(why, kinds)| format!("{}: {why}", kinds.join(", ")))
        .collect();
    let all = matches!(draw, Draw::Named(_));
    if sheets.is_empty() && missing.is_empty() {
        bail!("nothing to draw: that tool draws outcomes, and no line is one");
    }
    if sheets.is_empty() || all && !missing.is_empty() {
        bail!("nothing to draw: {}", missing.join("; "));
    }
    if !missing.is_empty() {
        trace_core::say!("trace-plot: not drawn: {}", missing.join("; "));
    }
    Ok(sheets)
}
