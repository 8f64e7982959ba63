//! The files to read, decompressed, with their beginning at hand.

use crate::head::Head;
use anyhow::{Context, bail};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Large enough that a read costs little beside what it brings.
const BUFFER_BYTES: usize = 256 * 1024;

/// How much of a file is looked at to tell its format.
const HEAD_BYTES: usize = 1024 * 1024;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// One file or stdin, not yet opened.
#[derive(Debug, Clone)]
pub struct Input {
    name: Arc<str>,
    tag: Option<String>,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Stdin,
    File(PathBuf),
    Text(Vec<u8>),
}

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
        Self {
            name: name.into(),
            tag: None,
            place: Place::Text(bytes.into()),
        }
    }

    /// What the arguments name: `-` or nothing is stdin, a directory is its
    /// JSON, JSONL and CSV files in the order of their names, `NAME=FILE` a
    /// file whose lines get the field `source`.
    ///
    /// # Errors
    /// A file that is missing, a directory without a file to read, and a
    /// terminal where data should be.
    pub fn from_arguments(files: &[String]) -> anyhow::Result<Vec<Self>> {
        if files.iter().filter(|file| *file == "-").count() > 1 {
            bail!("`-` stands for stdin, which can be read only once");
        }
        let named: Vec<&str> = match files {
            [] => vec!["-"],
            files => files.iter().map(String::as_str).collect(),
        };
        let mut inputs = Vec::new();
        for argument in named {
            let (tag, path) = match argument.split_once('=') {
                Some((tag, path)) if !tag.contains('/') && !Path::new(argument).exists() => {
                    (Some(tag.to_owned()), path)
                }
                _ => (None, argument),
            };
            if path == "-" {
                if io::stdin().is_terminal() {
                    bail!("stdin is a terminal; pipe a trace in or name a FILE");
                }
                inputs.push(Self {
                    name: "<stdin>".into(),
                    tag,
                    place: Place::Stdin,
                });
                continue;
            }
            let about = std::fs::metadata(path)
                .map_err(plain)
                .with_context(|| format!("cannot open {path}"))?;
            let mut paths = Vec::new();
            if about.is_dir() {
                walk(Path::new(path), &mut paths)?;
                if paths.is_empty() {
                    bail!("{path} is a directory without a .json, .jsonl or .csv file in it");
                }
            } else {
                paths.push(path.into());
            }
            inputs.extend(paths.into_iter().map(|path| Self {
                name: path.to_string_lossy().into(),
                tag: tag.clone(),
                place: Place::File(path),
            }));
        }
        Ok(inputs)
    }

    /// Whether its lines get the field `source`.
    pub(crate) fn is_tagged(&self) -> bool {
        self.tag.is_some()
    }

    /// Open it, take off what compresses it, and look at its beginning.
    ///
    /// # Errors
    /// A file that cannot be opened or whose beginning cannot be read.
    pub(crate) fn open(self) -> anyhow::Result<Opened> {
        let name = self.name;
        let raw: Box<dyn BufRead + Send> = match self.place {
            Place::Stdin => Box::new(BufReader::with_capacity(BUFFER_BYTES, io::stdin())),
            Place::Text(bytes) => Box::new(Cursor::new(bytes)),
            Place::File(path) => {
                let file = std::fs::File::open(&path)
                    .map_err(plain)
                    .with_context(|| format!("cannot open {name}"))?;
                Box::new(BufReader::with_capacity(BUFFER_BYTES, file))
            }
        };
        let begin = || format!("{name}:1: cannot read on");
        let mut bytes = decompressed(raw).map_err(plain).with_context(begin)?;
        let mut start = Vec::new();
        let head = read_head(&mut bytes, &mut start)
            .map_err(plain)
            .with_context(begin)?;
        Ok(Opened {
            name,
            tag: self.tag,
            head,
            bytes: Box::new(Cursor::new(start).chain(bytes)),
        })
    }
}

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
        } else if [".json", ".jsonl", ".csv"]
            .iter()
            .any(|end| plain.ends_with(end))
        {
            found.push(path);
        }
    }
    Ok(())
}

/// The same bytes without gzip or zstd around them.
fn decompressed(mut raw: Box<dyn BufRead + Send>) -> io::Result<Box<dyn BufRead + Send>> {
    let mut magic = Vec::with_capacity(ZSTD.len());
    let mut byte = [0];
    while (ZSTD.starts_with(&magic) && magic != ZSTD) || (GZIP.starts_with(&magic) && magic != GZIP)
    {
        match raw.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => magic.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let (gzip, zstd) = (magic == GZIP, magic == ZSTD);
    let whole = Cursor::new(magic).chain(raw);
    Ok(if gzip {
        Box::new(BufReader::with_capacity(
            BUFFER_BYTES,
            MultiGzDecoder::new(whole),
        ))
    } else if zstd {
        Box::new(BufReader::with_capacity(
            BUFFER_BYTES,
            zstd::Decoder::with_buffer(whole)?,
        ))
    } else {
        Box::new(whole)
    })
}

/// Read until the format can be told, into `start`.
fn read_head(bytes: &mut impl BufRead, start: &mut Vec<u8>) -> io::Result<Head> {
    loop {
        let chunk = match bytes.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // What could be read is still to be used; the error comes again.
            Err(error) if start.is_empty() => return Err(error),
            Err(_) => return Ok(Head::of(start)),
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
