//! The report: one page of HTML with the numbers and the plots of a run, or of
//! several beside one another.
//!
//! ```text
//! lines ─┬─ kinds of plot → sheets → SVG ─┬─ page
//!        └─ trace-stats   → tables ───────┘
//! ```
//!
//! Plots and numbers come from one pass over the input. The page asks nothing
//! of a network: pictures are SVG inside it, as are its style and the script
//! that shows the values under the pointer. Without that script it reads the
//! same.

mod hover;
mod made;
mod page;
mod tables;
mod when;

use std::{fs, io::Write as _, path::Path};

use anyhow::{Context as _, Result};
use trace_core::{WholeFile, cli};
use trace_stats::{collection::Collection, partial, results::Rules};

use crate::{Args, Plan, figure::Sheet, kinds::Kind, picture::Press};

pub use self::made::Note;
use self::{
    made::Made,
    page::{Page, Plot},
    when::When,
};

/// Draw and count what `plan` names, and write the page to `path`, or to stdout
/// if that is `-`.
///
/// # Errors
/// Bad input, nothing to report on, or a file that cannot be written.
pub fn write(args: &Args, plan: &Plan, path: &Path) -> Result<u8> {
    let mut input = plan.input.open()?;
    let mut numbers = Collection::new(partial::Settings {
        by: vec![plan.settings.by.clone()],
        rules: Rules {
            slo: plan.settings.slo.clone(),
            ..Rules::default()
        },
        ..partial::Settings::default()
    });
    let mut when = When::default();
    let drawn = crate::pass(
        &plan.draw.kinds(),
        &plan.settings,
        &mut input,
        |line, outcome| {
            when.see(outcome);
            numbers.push(line, outcome)
        },
    )?;
    cli::report_skipped("trace-plot", &input);
    let mut left_out = Vec::new();
    let mut sheets: Vec<(&Kind, Sheet)> = Vec::new();
    for (kind, sheet) in drawn.sheets {
        match sheet {
            Ok(sheet) => sheets.push((kind, sheet)),
            Err(reason) => left_out.push(format!("{}: {reason}", kind.name)),
        }
    }
    let press = Press::new();
    let plots = sheets.iter().map(|(kind, sheet)| {
        let picture = press.picture(sheet, &plan.look)?;
        let hover = hover::json(sheet, picture.places(), &plan.look.theme)?;
        Ok(Plot {
            name: kind.name,
            svg: picture.svg_among(kind.name),
            hover,
        })
    });
    let page = Page {
        title: title(args, plan),
        theme: args.theme,
        report: numbers.report()?,
        plots: plots.collect::<Result<_>>()?,
        left_out,
        made: Made::of(&plan.input.files, &args.about, &when),
    };
    if path == Path::new("-") {
        let mut stdout = cli::stdout().context("cannot write to stdout")?;
        stdout.write_all(page.html().as_bytes())?;
        stdout.flush()?;
        return Ok(cli::DONE);
    }
    if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot create {}", parent.display()))?;
    }
    WholeFile::write(path, page.html().as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    trace_core::say!("trace-plot: wrote {}", path.display());
    Ok(cli::DONE)
}

/// What the page is called: as asked for, or for its input.
fn title(args: &Args, plan: &Plan) -> String {
    let files: Vec<&str> = plan.input.files.iter().map(String::as_str).collect();
    match (&args.title, files.as_slice()) {
        (Some(title), _) => title.clone(),
        (None, [] | ["-"]) => "Traffic of a trace".to_owned(),
        (None, files) => files.join(", "),
    }
}
