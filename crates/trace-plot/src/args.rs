//! What was typed.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use trace_core::{Micros, cli::BlockSizeArg, parse_duration};

use crate::{
    help::after_help, kinds::Spacing, output::Format, preset::Preset, report::Note, slo::SloArgs,
    theme::Theme,
};

/// Draw a request trace or its outcomes as PNG and SVG
#[derive(Clone, Debug, Parser)]
#[command(
    name = "trace-plot",
    version,
    after_help = after_help(),
    override_usage = "trace-plot [OPTIONS] [KIND]... [FILE]..."
)]
pub struct Args {
    /// Kinds of plot (see below; none: all that the input supports), then
    /// traces to read as one stream; `-` or none is stdin, NAME=FILE sets the
    /// field `source` to NAME on every line of FILE
    ///
    /// Gzip and zstd are recognised by content. A file whose name is a kind's
    /// is written as ./NAME.
    #[arg(value_name = "KIND|FILE")]
    pub words: Vec<String>,

    /// Kinds of plot, as KIND before the files; repeatable
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub kind: Vec<String>,

    /// Where the pictures go: FILE.png or FILE.svg for one, else a directory,
    /// made if need be, that gets KIND.png and KIND.svg
    ///
    /// Without it, one KIND is written to stdout as PNG (`--format svg`: SVG).
    #[arg(short, long, value_name = "PATH")]
    pub out: Option<PathBuf>,

    /// Write one page of HTML instead (- for stdout), with all plots, the numbers of
    /// trace-stats and the values under the pointer; it needs no other file and
    /// no network
    ///
    /// With several NAME=FILE the runs stand beside one another. A title and
    /// what made the runs are told by --title and --about.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "preset", "format"])]
    pub html: Option<PathBuf>,

    /// Draw in the terminal instead, with characters for dots, as wide as it is
    /// (or as COLUMNS says); in colour on a terminal, unless NO_COLOR is set
    #[arg(long, conflicts_with_all = ["out", "preset", "format", "html"])]
    pub term: bool,

    /// What the page of --html is called [default: the names of the files]
    #[arg(long, value_name = "TEXT", requires = "html")]
    pub title: Option<String>,

    /// What the page of --html is to say about how the run was made, such as
    /// 'send=trace-send --rate 20'; repeatable
    #[arg(long, value_name = "NAME=TEXT", requires = "html")]
    pub about: Vec<Note>,

    /// Draw what another tool draws, as PNG under its file names, in the
    /// current directory unless --out says otherwise
    #[arg(long, value_name = "TOOL")]
    pub preset: Option<Preset>,

    /// Formats to write
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    pub format: Vec<Format>,

    /// Field that tells requests apart; the eight largest groups have a colour
    /// [default: model; on a page of several NAME=FILE, source]
    #[arg(long, value_name = "FIELD")]
    pub by: Option<String>,

    /// What a good answer keeps.
    #[command(flatten)]
    pub slo: SloArgs,

    /// GPUs that served the run, for efficiency
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_gpus)]
    pub gpus: f64,

    /// Metrics that `telemetry` draws: those whose names contain NAME; repeatable
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,

    /// Width of the bins over time [default: fits the trace]
    #[arg(long, value_name = "DURATION", value_parser = parse_width)]
    pub bin: Option<Micros>,

    /// How an axis of latencies or lengths is spaced
    #[arg(long, value_name = "SPACING", default_value = "auto")]
    pub x_axis: Spacing,

    /// Colours
    #[arg(long, value_name = "THEME", default_value = "light")]
    pub theme: ThemeName,

    /// Width in pixels, before --scale
    #[arg(long, value_name = "PIXELS", default_value_t = 960, value_parser = clap::value_parser!(u32).range(240..=10_000))]
    pub width: u32,

    /// Height in pixels, before --scale
    #[arg(long, value_name = "PIXELS", default_value_t = 540, value_parser = clap::value_parser!(u32).range(200..=10_000))]
    pub height: u32,

    /// Pixels of a PNG for each of --width and --height, 0.5 to 8
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, value_parser = parse_scale)]
    pub scale: f32,

    /// Tokens per KV block.
    #[command(flatten)]
    pub block_size: BlockSizeArg,

    /// Go on past lines that cannot be read, and report their number
    #[arg(long)]
    pub skip_invalid: bool,
}

/// The name of a theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeName {
    /// Dark on white
    Light,
    /// Light on dark
    Dark,
}

fn parse_width(text: &str) -> Result<Micros, String> {
    match parse_duration(text)? {
        Micros::ZERO => Err("expected a duration above zero".to_owned()),
        width => Ok(width),
    }
}

fn parse_scale(text: &str) -> Result<f32, String> {
    let scale: f32 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.5..=8.0).contains(&scale) {
        Ok(scale)
    } else {
        Err("expected 0.5 to 8".to_owned())
    }
}

impl ThemeName {
    pub(crate) fn theme(self) -> Theme {
        match self {
            Self::Light => Theme::LIGHT,
            Self::Dark => Theme::DARK,
        }
    }
}

fn parse_gpus(text: &str) -> Result<f64, String> {
    let gpus: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    let some = gpus.is_finite() && gpus > 0.0;
    some.then_some(gpus)
        .ok_or_else(|| "expected a number above zero".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_has_a_width() {
        assert!(Args::try_parse_from(["trace-plot", "--bin", "0"]).is_err());
    }

    #[test]
    fn a_run_has_a_gpu() {
        for wrong in ["0", "-1", "x", "inf"] {
            assert!(Args::try_parse_from(["trace-plot", "--gpus", wrong]).is_err());
        }
    }
}
