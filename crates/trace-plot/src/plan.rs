//! What is to be done: words and flags made into kinds, inputs and places.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use trace_core::cli::InputArgs;

use crate::{
    args::Args,
    draw::Look,
    kinds::{KINDS, Kind, Settings},
    output::Output,
    picture,
    preset::Preset,
    whole::{WHOLES, Whole},
};

/// What to do.
#[derive(Debug)]
pub struct Plan {
    /// What to draw.
    pub draw: Draw,
    /// What to read.
    pub input: InputArgs,
    /// What the user decides about the content.
    pub settings: Settings,
    /// How it looks.
    pub look: Look,
    /// Where the pictures go, if there are to be any.
    pub output: Option<Output>,
}

/// What to draw.
#[derive(Debug)]
pub enum Draw {
    /// These kinds, by name.
    Named(Vec<&'static Kind>),
    /// Every kind that the input supports.
    All,
    /// What another tool draws.
    Preset(Preset),
    /// The input as a whole.
    Whole(&'static Whole),
}

impl Draw {
    /// The kinds it asks for.
    pub fn kinds(&self) -> Vec<&'static Kind> {
        match self {
            Self::Named(kinds) => kinds.clone(),
            Self::All => KINDS.iter().filter(|kind| kind.usual).collect(),
            Self::Preset(preset) => preset.kinds(),
            Self::Whole(_) => Vec::new(),
        }
    }

    /// How many pictures are asked for by name.
    fn pictures(&self) -> usize {
        match self {
            Self::Named(kinds) => kinds.len(),
            Self::All => 0,
            Self::Preset(preset) => preset.kinds().len(),
            Self::Whole(_) => 1,
        }
    }
}

impl Args {
    /// The plan these arguments stand for.
    ///
    /// # Errors
    /// A destination that does not fit, or a word that is no kind and no file.
    pub fn plan(&self) -> Result<Plan> {
        let is_kind = |word: &&String| Kind::named(word).is_some() || Whole::named(word).is_some();
        let kinds = self.words.iter().take_while(is_kind).count();
        let (words, files) = self.words.split_at(kinds);
        let names: Vec<&String> = self.kind.iter().chain(words).collect();
        for word in files {
            check_file(word)?;
        }
        let draw = self.draw(&names)?;
        if let (Draw::Whole(whole), Some(_)) = (&draw, &self.html) {
            bail!(
                "{0} is no part of the page of --html; draw {0} apart",
                whole.name
            );
        }
        let takes = match &draw {
            Draw::Whole(whole) => whole.files,
            _ => None,
        };
        ensure!(
            takes.is_none_or(|takes| takes == files.len()),
            "{} takes two traces: trace-plot {} A B",
            names[0],
            names[0]
        );
        let preset = match draw {
            Draw::Preset(preset) => Some(preset),
            _ => None,
        };
        Ok(Plan {
            input: InputArgs {
                files: files.to_vec(),
                skip_invalid: self.skip_invalid,
            },
            settings: Settings {
                by: self.by(files),
                bin: self.bin.or(preset.and_then(Preset::bin)),
                x_axis: self.x_axis,
                slo: self.slo.slo()?,
                gpus: self.gpus,
            },
            look: self.look()?,
            // a page and a terminal take no pictures
            output: match self.html.is_some() || self.term {
                true => None,
                false => Some(self.output(draw.pictures())?),
            },
            draw,
        })
    }

    /// The field that tells requests apart: on a page about several runs the
    /// run, unless another is asked for.
    fn by(&self, files: &[String]) -> String {
        let runs = files.iter().filter(|file| file.contains('=')).count();
        match &self.by {
            Some(by) => by.clone(),
            None if self.html.is_some() && runs > 1 => "source".to_owned(),
            None => Settings::default().by,
        }
    }

    /// What these names ask for.
    fn draw(&self, names: &[&String]) -> Result<Draw> {
        if let (Some(preset), first) = (self.preset, names.first()) {
            let Some(first) = first else {
                return Ok(Draw::Preset(preset));
            };
            bail!("--preset says which kinds to draw; leave {first} out");
        }
        let mut kinds = Vec::new();
        for (place, name) in names.iter().enumerate() {
            if let Some(kind) = Kind::named(name) {
                kinds.push(kind);
                continue;
            }
            let Some(whole) = Whole::named(name) else {
                bail!("{name} is no kind of plot ({})", self::names());
            };
            let other = names.iter().enumerate().find(|(other, _)| *other != place);
            if let Some((_, other)) = other {
                bail!("{name} is drawn by itself; draw {other} apart");
            }
            return Ok(Draw::Whole(whole));
        }
        Ok(match kinds.len() {
            0 => Draw::All,
            _ => Draw::Named(kinds),
        })
    }

    fn look(&self) -> Result<Look> {
        picture::check_size((self.width, self.height), self.scale)?;
        Ok(Look {
            width: self.width,
            height: self.height,
            theme: self.theme.theme(),
            panel: false,
            labels: 0,
        })
    }
}

/// Refuse a word that can be meant as nothing but a kind in the wrong place or
/// misspelt.
fn check_file(word: &str) -> Result<()> {
    let exists = Path::new(word).exists();
    let is_kind = Kind::named(word).is_some() || Whole::named(word).is_some();
    ensure!(
        !is_kind || exists,
        "{word} is a kind of plot; kinds come before files"
    );
    ensure!(
        exists || word.contains(['.', '/', '=']) || word == "-",
        "{word} is neither a file nor a kind of plot ({})",
        names()
    );
    Ok(())
}

/// The names of the kinds that people ask for.
pub(crate) fn names() -> String {
    let usual = KINDS.iter().filter(|kind| kind.usual);
    let kinds = usual.map(|kind| kind.name);
    let names: Vec<&str> = kinds.chain(WHOLES.iter().map(|whole| whole.name)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use trace_core::Micros;

    use super::*;
    use crate::output::Format;

    fn plan(words: &str) -> Result<Plan> {
        Args::try_parse_from(std::iter::once("trace-plot").chain(words.split_whitespace()))
            .unwrap()
            .plan()
    }

    fn kinds(plan: &Plan) -> Vec<&'static str> {
        plan.draw.kinds().iter().map(|kind| kind.name).collect()
    }

    fn refusal(words: &str) -> String {
        plan(words).unwrap_err().to_string()
    }

    #[test]
    fn kinds_come_before_files_or_behind_a_flag() {
        for words in [
            "rate latency-cdf a.jsonl rate.gz -o out",
            "--kind rate,latency-cdf a.jsonl rate.gz -o out",
            "--kind rate latency-cdf a.jsonl rate.gz -o out",
        ] {
            let plan = plan(words).unwrap();
            assert_eq!(kinds(&plan), ["rate", "latency-cdf"]);
            assert_eq!(plan.input.files, ["a.jsonl", "rate.gz"]);
            assert!(matches!(plan.draw, Draw::Named(_)));
        }
    }

    #[test]
    fn no_kind_means_all_that_are_usual() {
        let plan = plan("a.jsonl -o out").unwrap();
        assert!(matches!(plan.draw, Draw::All));
        assert!(kinds(&plan).contains(&"sweep") && !kinds(&plan).contains(&"sweep-itl-p50"));
    }

    #[test]
    fn a_misspelt_kind_is_no_missing_file() {
        let error = refusal("latency-cfd -o out");
        assert!(
            error.starts_with("latency-cfd is neither a file nor a kind of plot (rate, "),
            "{error}"
        );
        assert!(refusal("--kind latency-cfd -o out").starts_with("latency-cfd is no kind"));
    }

    #[test]
    fn a_kind_behind_a_file_is_no_missing_file() {
        let error = refusal("a.jsonl rate -o out");
        assert_eq!(error, "rate is a kind of plot; kinds come before files");
    }

    #[test]
    fn a_whole_is_drawn_by_itself() {
        assert!(matches!(
            plan("cache -o x.png").unwrap().draw,
            Draw::Whole(_)
        ));
        for words in ["cache rate -o out", "rate cache -o out"] {
            assert!(refusal(words).contains("cache is drawn by itself; draw rate apart"));
        }
        assert!(refusal("compare a.jsonl -o x.png").contains("compare takes two traces"));
    }

    #[test]
    fn a_preset_goes_to_the_current_directory_in_bins_of_a_second() {
        let plan = plan("--preset traffic-designer a.jsonl").unwrap();
        assert_eq!(
            kinds(&plan),
            ["scheduled-rate", "rate", "totals", "latency-cdf"]
        );
        assert_eq!(plan.settings.bin, Some(Micros::from_micros(1_000_000)));
        assert_eq!(
            plan.output,
            Some(Output::Directory("./".into(), vec![Format::Png]))
        );
        assert_eq!(
            refusal("rate --preset traffic-designer a.jsonl"),
            "--preset says which kinds to draw; leave rate out"
        );
    }
}
