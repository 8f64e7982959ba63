//! Where pictures go, as typed: `--out`, `--format` and what may be meant.

use std::{
    io::{IsTerminal as _, stdout},
    path::Path,
};

use anyhow::{Result, bail, ensure};

use crate::{
    args::Args,
    output::{Format, Output},
    plan::names,
};

impl Args {
    /// Where so many pictures go that were asked for by name.
    ///
    /// # Errors
    /// A destination that does not fit.
    pub(crate) fn output(&self, kinds: usize) -> Result<Output> {
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
            if extension.as_deref() == Some("html") {
                bail!(
                    "--out takes FILE.png, FILE.svg or a directory; --html {} writes a page",
                    path.display()
                );
            }
            if let Some(other @ ("jpg" | "jpeg" | "gif" | "webp" | "pdf" | "eps")) =
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn output(words: &str, pictures: usize) -> Result<Output> {
        Args::try_parse_from(std::iter::once("trace-plot").chain(words.split_whitespace()))
            .unwrap()
            .output(pictures)
    }

    #[test]
    fn a_slash_makes_a_directory() {
        let output = output("-o out.png/", 0).unwrap();
        assert!(matches!(output, Output::Directory(..)));
    }

    #[test]
    fn a_file_takes_one_kind() {
        let refusal = |words, pictures| output(words, pictures).unwrap_err().to_string();
        assert!(output("-o x.SVG", 1).is_ok());
        assert!(refusal("-o x.svg", 0).contains("x.svg holds one plot"));
        assert!(refusal("-o x.svg --format png", 1).contains("do not agree"));
        assert!(refusal("-o x.pdf", 1).contains("cannot write pdf"));
    }
}
