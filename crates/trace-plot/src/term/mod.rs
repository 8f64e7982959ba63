//! Plots in a terminal: `--term`.
//!
//! The same figures as in the pictures, with dots of Braille characters for
//! pixels. Where there is no colour, series are told apart by letters.

mod chart;
mod legend;
mod screen;

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
};

use anyhow::{Context as _, Result};
use plotters::style::RGBColor;

use crate::{
    figure::Sheet,
    theme::{Ink, Theme},
};

/// Columns where nobody says how many there are.
const COLUMNS: usize = 100;

/// How plots look in a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Characters across.
    pub columns: usize,
    /// The colours, if there are any.
    pub theme: Option<Theme>,
}

impl Look {
    /// As wide as the terminal, or else as `COLUMNS` says, and in colour on a
    /// terminal unless `NO_COLOR` is set.
    pub fn of_stdout(theme: Theme) -> Self {
        let told = || env::var("COLUMNS").ok()?.parse().ok();
        let columns = match terminal_size::terminal_size_of(io::stdout()) {
            Some((width, _)) => Some(usize::from(width.0)),
            None => told(),
        };
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            columns: columns.unwrap_or(COLUMNS).clamp(30, 400),
            theme: (io::stdout().is_terminal() && !unwanted).then_some(theme),
        }
    }

    fn colored(&self, text: &str, ink: Ink) -> String {
        match self.theme {
            Some(theme) if !text.trim().is_empty() => {
                let RGBColor(red, green, blue) = theme.color(ink);
                format!("\x1b[38;2;{red};{green};{blue}m{text}\x1b[0m")
            }
            _ => text.to_owned(),
        }
    }

    fn strong(&self, text: &str) -> String {
        match self.theme {
            Some(_) => format!("\x1b[1m{text}\x1b[0m"),
            None => text.to_owned(),
        }
    }

    fn faint(&self, text: &str) -> String {
        match self.theme {
            Some(_) => format!("\x1b[2m{text}\x1b[0m"),
            None => text.to_owned(),
        }
    }
}

/// Write `sheets` on stdout, an empty line between two figures.
///
/// # Errors
/// A reader of stdout that has gone.
pub fn print<'s>(sheets: impl Iterator<Item = &'s Sheet>, look: &Look) -> Result<()> {
    let figures = sheets.flat_map(|sheet| &sheet.panels);
    let texts: Vec<String> = figures.map(|figure| chart::text(figure, look)).collect();
    let mut stdout = trace_core::cli::stdout().context("cannot write to stdout")?;
    stdout
        .write_all(texts.join("\n").as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot write to stdout")
}
