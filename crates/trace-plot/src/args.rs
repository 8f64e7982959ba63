//! What was typed, and what it means.

use std::{
    io::{IsTerminal as _, stdout},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail, ensure};
use clap::{Parser, ValueEnum};
use trace_core::{
    Micros,
    cli::{BlockSizeArg, InputArgs},
    parse_duration,
};

use crate::{
    draw::Look,
    kinds::{KINDS, Kind, Settings, Spacing},
    output::{Format, Output},
    preset::Preset,
    theme::Theme,
};

const WHOLE: &str = "\
Drawn by themselves, of the whole input:
  cache        hit rate of an LRU cache against its capacity, of each group in a
               cache of its own; or what trace-stats cache --format json prints
  compare A B  two traces: gaps, lengths, context, LRU curve

These hold what they need: for a million requests some 20 MB (outcomes 112 MB)
and 16 to 48 bytes for each distinct block id; compare takes 300 MB, and 4 to 30
bytes an id. A sheet of compare is twice as high as --height.
";

const MANNERS: &str = "\
Requests are told apart by model, or by --by FIELD; the eight largest groups
have a colour, and of a field with many values the first 64 are told apart. A
failed request is never answered: it makes a latency curve end below 100 % and
counts as infinite in quantiles. What a picture leaves out is written below it.

Nothing is held but counts: per group at most 20,000 bins over time, and about
32 bytes for each latency that differs by more than 0.01 % from the others (at
most some 10 MB a group, however long the input).

Examples:
  trace-plot outcomes.jsonl --out report/
  trace-plot rate day1.jsonl day2.jsonl.gz > rate.png
  trace-plot latency-cdf before=a.jsonl after=b.jsonl --by source --out cdf.svg
  trace-plot cache conversation.jsonl > cache.png
  trace-stats cache --policy lru,optimum --capacities 1000,3000,10000,30000 \\
    --format json conversation.jsonl | trace-plot cache --out cache.svg
  trace-plot compare conversation.jsonl synthetic.jsonl --out compare.png
  trace-synth sine --time-duration 600 | trace-plot rate --theme dark > rate.png
  trace-synth curve drawn.json | trace-plot --preset traffic-designer";

/// The kinds with what they show, then the rest of the help.
fn after_help() -> String {
    let widest = KINDS.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    let mut help = "Kinds:\n".to_owned();
    for kind in KINDS {
        let mut line = format!("  {:widest$} ", kind.name);
        for word in kind.about.split_whitespace() {
            if line.chars().count() + word.chars().count() >= 80 {
                help.push_str(&line);
                line = format!("\n  {:widest$} ", "");
            }
            line.push(' ');
            line.push_str(word);
        }
        help.push_str(&line);
        help.push('\n');
    }
    help + "\n" + WHOLE + "\n" + MANNERS
}

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

    /// Where the pictures go: FILE.png or FILE.svg for one, else a directory,
    /// made if need be, that gets KIND.png and KIND.svg
    ///
    /// Without it, one KIND is written to stdout as PNG (`--format svg`: SVG).
    #[arg(short, long, value_name = "PATH")]
    pub out: Option<PathBuf>,

    /// Draw what another tool draws, as PNG under its file names, in the
    /// current directory unless --out says otherwise
    #[arg(long, value_name = "TOOL")]
    pub preset: Option<Preset>,

    /// Formats to write
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    pub format: Vec<Format>,

    /// Field that tells requests apart; the eight largest groups have a colour
    #[arg(long, value_name = "FIELD", default_value = "model")]
    pub by: String,

    /// Width of the bins of `rate` [default: fits the trace]
    #[arg(long, value_name = "DURATION", value_parser = parse_width)]
    pub bin: Option<Micros>,

    /// How an axis of latencies is spaced
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

/// A picture of its input as a whole, drawn by itself.
#[derive(Debug)]
pub(crate) struct Whole {
    /// `cache` or `compare`.
    pub(crate) name: &'static str,
    /// What to read.
    pub(crate) input: InputArgs,
    /// How each panel looks.
    pub(crate) look: Look,
    /// Where it goes.
    pub(crate) output: Output,
}

/// What to do.
#[derive(Debug)]
pub struct Plan {
    /// The kinds to draw.
    pub kinds: Vec<&'static Kind>,
    /// Whether each of them was asked for by name.
    pub named: bool,
    /// Whose file names the pictures get.
    pub preset: Option<Preset>,
    /// What to read.
    pub input: InputArgs,
    /// The field that tells requests apart.
    pub by: String,
    /// What the user decides about the content.
    pub settings: Settings,
    /// How it looks.
    pub look: Look,
    /// Where it goes.
    pub output: Output,
}

impl Args {
    /// The plan these arguments stand for.
    ///
    /// # Errors
    /// A destination that does not fit, or a word that is no kind and no file.
    pub fn plan(&self) -> Result<Plan> {
        let named: Vec<&'static Kind> = self
            .words
            .iter()
            .map_while(|word| Kind::named(word))
            .collect();
        let files = self.words[named.len()..].to_vec();
        for word in &files {
            let misplaced = Kind::named(word).is_some() && !Path::new(word).exists();
            ensure!(
                !misplaced,
                "{word} is a kind of plot; kinds come before files"
            );
            ensure!(
                is_file(word),
                "{word} is neither a file nor a kind of plot ({})",
                names()
            );
        }
        let kinds = match self.preset {
            Some(_) if !named.is_empty() => {
                bail!(
                    "--preset says which kinds to draw; leave {} out",
                    named[0].name
                )
            }
            Some(preset) => preset.kinds(),
            None if named.is_empty() => KINDS.iter().collect(),
            None => named.clone(),
        };
        let output = self.output(if self.preset.is_some() {
            kinds.len()
        } else {
            named.len()
        })?;
        let look = self.look(1)?;
        Ok(Plan {
            named: !named.is_empty(),
            kinds,
            preset: self.preset,
            input: InputArgs {
                files,
                skip_invalid: self.skip_invalid,
            },
            by: self.by.clone(),
            settings: Settings {
                bin: self.bin.or(self.preset.map(Preset::bin)),
                x_axis: self.x_axis,
            },
            look,
            output,
        })
    }

    /// What is drawn of its input as a whole, if the first word says so.
    ///
    /// # Errors
    /// As [`plan`](Self::plan); words that do not fit.
    pub(crate) fn whole(&self) -> Result<Option<Whole>> {
        let Some((word, files)) = self.words.split_first() else {
            return Ok(None);
        };
        let name = match word.as_str() {
            "cache" => "cache",
            "compare" => "compare",
            _ => return Ok(None),
        };
        ensure!(
            self.preset.is_none(),
            "--preset says which kinds to draw; leave {name} out"
        );
        let several = files.first().filter(|word| {
            Kind::named(word).is_some() || ["cache", "compare"].contains(&word.as_str())
        });
        if let Some(other) = several.filter(|word| !Path::new(word).exists()) {
            bail!("{name} is drawn by itself; draw {other} apart");
        }
        for word in files {
            ensure!(is_file(word), "{word} is no file");
        }
        ensure!(
            name != "compare" || files.len() == 2,
            "compare takes two traces: trace-plot compare A B"
        );
        let panels = if name == "compare" { 6 } else { 1 };
        Ok(Some(Whole {
            name,
            input: InputArgs {
                files: files.to_vec(),
                skip_invalid: self.skip_invalid,
            },
            look: self.look(panels)?,
            output: self.output(1)?,
        }))
    }

    /// How each of so many pictures of one file looks.
    fn look(&self, panels: u32) -> Result<Look> {
        let pixels = f64::from(panels)
            * f64::from(self.width)
            * f64::from(self.height)
            * f64::from(self.scale * self.scale);
        ensure!(
            pixels <= 2e8,
            "a PNG of {pixels:.0} pixels is too large; a smaller --scale, --width or --height helps"
        );
        Ok(Look {
            width: self.width,
            height: self.height,
            theme: self.theme.theme(),
        })
    }

    fn output(&self, kinds: usize) -> Result<Output> {
        let here = self.preset.map(|_| Path::new("./"));
        let out = self.out.as_deref().or(here);
        let Some(path) = out.filter(|path| *path != Path::new("-")) else {
            return self.stdout(kinds);
        };
        let slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if slash || path.is_dir() {
            return Ok(Output::Directory(path.to_owned(), self.formats()));
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        let extension = extension.map(str::to_ascii_lowercase);
        let Some(format) = extension.as_deref().and_then(Format::of_extension) else {
            if let Some(other @ ("jpg" | "jpeg" | "gif" | "webp" | "pdf" | "eps" | "html")) =
                extension.as_deref()
            {
                bail!("cannot write {other}: --out takes FILE.png, FILE.svg or a directory");
            }
            return Ok(Output::Directory(path.to_owned(), self.formats()));
        };
        ensure!(
            kinds == 1,
            "{} holds one plot: name the kind to draw ({}), or give --out a directory",
            path.display(),
            names()
        );
        ensure!(
            self.format.is_empty() || self.format == [format],
            "{} and --format do not agree",
            path.display()
        );
        Ok(Output::File(path.to_owned(), format))
    }

    fn stdout(&self, kinds: usize) -> Result<Output> {
        ensure!(
            kinds == 1 && self.format.len() <= 1,
            "several pictures need --out DIR; for one on stdout name its kind ({})",
            names()
        );
        let format = self.format.first().copied().unwrap_or(Format::Png);
        ensure!(
            format != Format::Png || !stdout().is_terminal(),
            "stdout is a terminal; pipe the PNG on or give --out FILE.png"
        );
        Ok(Output::Stdout(format))
    }

    fn formats(&self) -> Vec<Format> {
        let mut formats = match (&self.format[..], self.preset) {
            ([], None) => vec![Format::Png, Format::Svg],
            ([], Some(_)) => vec![Format::Png],
            (formats, _) => formats.to_vec(),
        };
        formats.sort_unstable();
        formats.dedup();
        formats
    }
}

/// Whether `word` can be meant as a file: it is one, or looks like one.
fn is_file(word: &str) -> bool {
    word.contains(['.', '/', '=']) || word == "-" || Path::new(word).exists()
}

fn names() -> String {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    names.join(", ")
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
    fn theme(self) -> Theme {
        match self {
            Self::Light => Theme::LIGHT,
            Self::Dark => Theme::DARK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(words: &str) -> Result<Plan> {
        Args::try_parse_from(std::iter::once("trace-plot").chain(words.split_whitespace()))
            .unwrap()
            .plan()
    }

    #[test]
    fn kinds_come_before_files() {
        let plan = plan("rate latency-cdf a.jsonl rate.gz -o out").unwrap();
        let names: Vec<_> = plan.kinds.iter().map(|kind| kind.name).collect();
        assert_eq!(names, ["rate", "latency-cdf"]);
        assert_eq!(plan.input.files, ["a.jsonl", "rate.gz"]);
        assert!(plan.named);
    }

    #[test]
    fn no_kind_means_all() {
        let plan = plan("a.jsonl -o out").unwrap();
        assert_eq!(plan.kinds.len(), KINDS.len());
        assert!(!plan.named);
    }

    #[test]
    fn a_misspelt_kind_is_no_missing_file() {
        let error = plan("latency-cfd -o out").unwrap_err().to_string();
        assert_eq!(
            error,
            "latency-cfd is neither a file nor a kind of plot (rate, latency-cdf, ttft-histogram)"
        );
    }

    #[test]
    fn a_kind_behind_a_file_is_no_missing_file() {
        let error = plan("a.jsonl rate -o out").unwrap_err().to_string();
        assert_eq!(error, "rate is a kind of plot; kinds come before files");
    }

    #[test]
    fn a_slash_makes_a_directory() {
        let plan = plan("a.jsonl -o out.png/").unwrap();
        assert!(matches!(plan.output, Output::Directory(..)));
    }

    #[test]
    fn a_file_takes_one_kind() {
        assert!(plan("rate -o x.SVG").is_ok());
        assert!(
            plan("-o x.svg")
                .unwrap_err()
                .to_string()
                .contains("x.svg holds one plot")
        );
        assert!(plan("rate -o x.svg --format png").is_err());
        assert!(
            plan("rate -o x.pdf")
                .unwrap_err()
                .to_string()
                .contains("cannot write pdf")
        );
    }

    #[test]
    fn the_help_tells_of_every_kind() {
        let help = after_help();
        for kind in KINDS {
            assert!(help.contains(&format!("\n  {} ", kind.name)), "{help}");
        }
        assert!(
            help.lines().all(|line| line.chars().count() <= 80),
            "{help}"
        );
    }

    #[test]
    fn a_preset_goes_to_the_current_directory_in_bins_of_a_second() {
        let plan = plan("--preset traffic-designer a.jsonl").unwrap();
        let names: Vec<_> = plan.kinds.iter().map(|kind| kind.name).collect();
        assert_eq!(names, ["rate", "latency-cdf"]);
        assert_eq!(plan.settings.bin, Some(Micros::from_micros(1_000_000)));
        assert_eq!(
            plan.output,
            Output::Directory("./".into(), vec![Format::Png])
        );
        let named = self::plan("rate --preset traffic-designer a.jsonl");
        assert_eq!(
            named.unwrap_err().to_string(),
            "--preset says which kinds to draw; leave rate out"
        );
    }

    #[test]
    fn a_bin_has_a_width() {
        assert!(Args::try_parse_from(["trace-plot", "--bin", "0"]).is_err());
    }
}
