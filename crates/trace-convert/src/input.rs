//! The files to read, decompressed, with their beginning at hand.

use crate::head::Head;
use crate::json::Members;
use anyhow::{Context, bail};
use std::io::{self, BufRead, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trace_core::Source;
use trace_core::cli::InputArgs;

/// How much of a file is looked at to tell its format.
const HEAD_BYTES: usize = 1024 * 1024;

/// One file or stdin, not yet opened.
pub struct Input(Source<'static>);

/// An input that has been opened.
pub(crate) struct Opened {
    /// The path as it was given, or `<stdin>`.
    pub(crate) name: Arc<str>,
    /// The value for the field `source` of its lines.
    pub(crate) tag: Option<String>,
    /// What it begins with.
    pub(crate) head: Head,
    /// All of it, from the first byte.
    pub(crate) bytes: Box<dyn BufRead + Send>,
}

impl Input {
    /// Bytes that are at hand, called `name` in errors.
    pub fn text(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self(Source::stream(name, Cursor::new(bytes.into())))
    }

    /// What the arguments name; a directory is its files with data, in the
    /// order of their names.
    ///
    /// # Errors
    /// A file that is missing, a directory without a file to read, and a
    /// terminal where data should be.
    pub fn from_arguments(arguments: &InputArgs) -> anyhow::Result<Vec<Self>> {
        let mut files = Vec::new();
        for argument in &arguments.files {
            let (tag, path) = match argument.split_once('=') {
                Some((tag, path)) if !Path::new(argument).exists() => (format!("{tag}="), path),
                _ => (String::new(), argument.as_str()),
            };
            if !Path::new(path).is_dir() {
                files.push(argument.clone());
                continue;
            }
            let mut found = Vec::new();
            walk(Path::new(path), &mut found)?;
            if found.is_empty() {
                bail!(
                    "{path} is a directory without a file that ends in {}",
                    ENDINGS.join(", ")
                );
            }
            files.extend(found.iter().map(|path| format!("{tag}{}", path.display())));
        }
        let expanded = InputArgs {
            files,
            ..arguments.clone()
        };
        Ok(expanded.sources()?.into_iter().map(Self).collect())
    }

    /// Whether its lines get the field `source`.
    pub(crate) fn is_tagged(&self) -> bool {
        self.0.tag().is_some()
    }

    /// Open it, take off what compresses it, and look at its beginning.
    ///
    /// # Errors
    /// A file that cannot be opened or whose beginning cannot be read.
    pub(crate) fn open(self) -> anyhow::Result<Opened> {
        let name = self.0.name().clone();
        let tag = self.0.tag().map(str::to_owned);
        let bytes = self.0.open().map_err(plain);
        let mut bytes = bytes.with_context(|| format!("cannot open {name}"))?;
        let mut start = Vec::new();
        let head = read_head(&mut bytes, &mut start)
            .map_err(plain)
            .with_context(|| format!("{name}:1: cannot read on"))?;
        Ok(Opened {
            name,
            tag,
            head,
            bytes: Box::new(Cursor::new(start).chain(bytes)),
        })
    }
}

impl Opened {
    /// A member of the first object, where that stands whole in the beginning
    /// at hand.
    pub(crate) fn first_member(&mut self, name: &str) -> Option<Vec<u8>> {
        let start = self.bytes.fill_buf().ok()?;
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let start = start.trim_ascii_start();
        let start = start.strip_prefix(b"[").unwrap_or(start);
        let mut objects = serde_json::Deserializer::from_slice(start).into_iter::<Members<'_>>();
        let first = objects.next()?.ok()?;
        first.get(name).map(<[u8]>::to_vec)
    }
}

/// What the names of files with data end in, compressed or not.
const ENDINGS: [&str; 5] = [".json", ".jsonl", ".ndjson", ".csv", ".tsv"];

/// Every file below `directory` that could be data, by name.
fn walk(directory: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let cannot = || format!("cannot read {}", directory.display());
    let entries = std::fs::read_dir(directory)
        .map_err(plain)
        .with_context(cannot)?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(plain).with_context(cannot)?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let plain = name.trim_end_matches(".gz").trim_end_matches(".zst");
        if name.starts_with('.') {
        } else if path.is_dir() {
            walk(&path, found)?;
        } else if ENDINGS.iter().any(|end| plain.ends_with(end)) {
            found.push(path);
        }
    }
    Ok(())
}

/// Read until the format can be told, into `start`.
fn read_head(bytes: &mut impl BufRead, start: &mut Vec<u8>) -> io::Result<Head> {
    loop {
        let chunk = match bytes.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // Not even a first line: nothing could be made of it.
            Err(error) => return Err(error),
        };
        let used = chunk.len();
        start.extend_from_slice(chunk);
        bytes.consume(used);
        if used == 0 || start.len() >= HEAD_BYTES || Head::is_enough(start) {
            return Ok(Head::of(start));
        }
    }
}

/// An I/O error in its own words, without Rust's `(os error 2)`.
pub(crate) fn plain(error: io::Error) -> anyhow::Error {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) if error.kind() != io::ErrorKind::BrokenPipe => {
            anyhow::Error::msg(text[..end].to_owned())
        }
        _ => error.into(),
    }
}
