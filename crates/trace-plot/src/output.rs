//! Where pictures go: a directory, one file, or stdout.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use trace_core::WholeFile;

use crate::picture::Picture;

/// A format of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Format {
    /// Pixels
    Png,
    /// Outlines that can be enlarged
    Svg,
}

/// A destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Files named for their kinds, in each of the formats.
    Directory(PathBuf, Vec<Format>),
    /// One file.
    File(PathBuf, Format),
    /// Standard output.
    Stdout(Format),
}

impl Format {
    /// The format of files that end in `.extension`.
    pub fn of_extension(extension: &str) -> Option<Self> {
        [Self::Png, Self::Svg]
            .into_iter()
            .find(|format| format.extension() == extension)
    }

    /// How files of this format end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
        }
    }

    fn encode(self, picture: &Picture<'_>, scale: f32) -> Result<Vec<u8>> {
        match self {
            Self::Png => picture.png(scale),
            Self::Svg => Ok(picture.svg().into_bytes()),
        }
    }
}

impl Output {
    /// Write `picture` of the kind `name`, and give the files written.
    ///
    /// # Errors
    /// A directory that cannot be made, a file that cannot be written, a
    /// reader of stdout that has gone.
    pub fn write(&self, name: &str, picture: &Picture<'_>, scale: f32) -> Result<Vec<PathBuf>> {
        match self {
            Self::Directory(directory, formats) => {
                make(directory)?;
                formats
                    .iter()
                    .map(|format| {
                        let path = directory.join(format!("{name}.{}", format.extension()));
                        save(path, &format.encode(picture, scale)?)
                    })
                    .collect()
            }
            Self::File(path, format) => {
                if let Some(parent) = path
                    .parent()
                    .filter(|parent| !parent.as_os_str().is_empty())
                {
                    make(parent)?;
                }
                Ok(vec![save(path.clone(), &format.encode(picture, scale)?)?])
            }
            Self::Stdout(format) => {
                let bytes = format.encode(picture, scale)?;
                let mut stdout = trace_core::cli::stdout().context("cannot write to stdout")?;
                stdout
                    .write_all(&bytes)
                    .and_then(|()| stdout.flush())
                    .context("cannot write to stdout")?;
                Ok(Vec::new())
            }
        }
    }
}

impl Output {
    /// Write `text` to the file `name` beside the pictures, if they are files of
    /// a directory; gives the file written.
    ///
    /// # Errors
    /// A directory that cannot be made, a file that cannot be written.
    pub fn write_text(&self, name: &str, text: &str) -> Result<Option<PathBuf>> {
        let Self::Directory(directory, _) = self else {
            return Ok(None);
        };
        make(directory)?;
        save(directory.join(name), text.as_bytes()).map(Some)
    }
}

fn make(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))
}

fn save(path: PathBuf, bytes: &[u8]) -> Result<PathBuf> {
    WholeFile::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
