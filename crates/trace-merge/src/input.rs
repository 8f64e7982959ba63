//! What to merge: files and stdin, opened when their turn comes.

use crate::lines::Lines;
use anyhow::{Context, bail};
use flate2::bufread::MultiGzDecoder;
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trace_core::Error;
use trace_core::cli::InputArgs;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Memory that the buffers of all inputs share.
const BUFFERS_BYTES: usize = 64 << 20;

/// One input, not yet opened.
///
/// Not a [`trace_core::Source`]: those have buffers of one size, and ten
/// thousand of them would take 2.5 GB.
pub struct Input<'a> {
    pub(crate) name: Arc<str>,
    /// As it was called on the command line: NAME of `NAME=FILE`, else FILE.
    pub(crate) label: String,
    /// The field `source` of its lines.
    pub(crate) source: Option<String>,
    place: Place<'a>,
}

enum Place<'a> {
    Stream(Box<dyn Read + Send + 'a>),
    File(PathBuf),
}

impl<'a> Input<'a> {
    /// Bytes that are read as they are asked for, called `name` in errors.
    pub fn stream(name: &str, bytes: impl Read + Send + 'a) -> Self {
        Self {
            name: name.into(),
            label: name.to_owned(),
            source: None,
            place: Place::Stream(Box::new(bytes)),
        }
    }

    /// A file.
    pub fn file(path: &str) -> Self {
        Self {
            name: path.into(),
            label: path.to_owned(),
            source: None,
            place: Place::File(path.into()),
        }
    }

    /// Every input that the arguments name; none is opened yet, but a file
    /// that is missing is found now rather than after an hour of others.
    ///
    /// # Errors
    /// A file that is missing or a directory, and a terminal where a trace
    /// should be.
    pub fn all(args: &InputArgs) -> anyhow::Result<Vec<Input<'static>>> {
        if args.files.iter().filter(|file| is_stdin(file)).count() > 1 {
            bail!("`-` stands for stdin, which can be read only once");
        }
        match args.files.as_slice() {
            [] => Ok(vec![named("-")?]),
            files => files.iter().map(|file| named(file)).collect(),
        }
    }

    /// The file it is, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Stream(_) => None,
        }
    }

    /// Open it as one of `count` that share the memory for buffers, and take
    /// off what compresses it.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub(crate) fn open(self, count: usize) -> Result<Lines<'a>, Error> {
        let capacity = (BUFFERS_BYTES / count.max(1)).clamp(4 << 10, 256 << 10);
        let name = self.name.clone();
        let failed = |source| Error::Open {
            name: self.name,
            source,
        };
        open(self.place, name, capacity).map_err(failed)
    }
}

fn open<'a>(place: Place<'a>, name: Arc<str>, capacity: usize) -> io::Result<Lines<'a>> {
    let mut eager = false;
    let mut capacity = capacity;
    let mut bytes: Box<dyn Read + Send + 'a> = match place {
        Place::Stream(bytes) => bytes,
        Place::File(path) => {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(io::Error::other("Is a directory"));
            }
            eager = metadata.is_file();
            if eager {
                // A small file is read whole, and closed at once: one byte
                // more shows its end.
                let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
                capacity = capacity.min(size.saturating_add(1)).max(64);
            }
            Box::new(file)
        }
    };
    let head = peek(&mut bytes)?;
    let is_gzip = head.starts_with(GZIP);
    let is_zstd = head.starts_with(ZSTD);
    let whole = Cursor::new(head).chain(bytes);
    let unpacked: Box<dyn Read + Send + 'a> = if is_gzip {
        let packed = BufReader::with_capacity(capacity, whole);
        Box::new(MultiGzDecoder::new(packed))
    } else if is_zstd {
        let packed = BufReader::with_capacity(capacity, whole);
        Box::new(zstd::Decoder::with_buffer(packed)?)
    } else {
        Box::new(whole)
    };
    Ok(Lines::new(name, unpacked, capacity, eager))
}

/// The first bytes, as many as it takes to tell whether they are a magic
/// number: an interactive writer's first line is not held up for more.
fn peek(bytes: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(ZSTD.len());
    let mut byte = [0];
    while (ZSTD.starts_with(&head) && head != ZSTD) || (GZIP.starts_with(&head) && head != GZIP) {
        match bytes.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(head)
}

/// NAME and FILE of `NAME=FILE`.
fn split(argument: &str) -> (Option<&str>, &str) {
    match argument.split_once('=') {
        Some((name, path)) if !name.contains('/') && !Path::new(argument).exists() => {
            (Some(name), path)
        }
        _ => (None, argument),
    }
}

fn is_stdin(argument: &str) -> bool {
    split(argument).1 == "-"
}

/// `-`, `FILE` or `NAME=FILE`.
fn named(argument: &str) -> anyhow::Result<Input<'static>> {
    let (name, path) = split(argument);
    let mut input = if path == "-" {
        if io::stdin().is_terminal() {
            bail!("stdin is a terminal; pipe a trace in or name a FILE");
        }
        Input::stream("<stdin>", io::stdin())
    } else {
        let missing = fs::metadata(path).err().map(|source| Error::Open {
            name: path.into(),
            source,
        });
        if let Some(error) = missing {
            return Err(error.into());
        }
        Input::file(path)
    };
    input.label = name.unwrap_or(path).to_owned();
    input.source = name.map(str::to_owned);
    Ok(input)
}

/// Refuse to write to a file that is read, which with `>>` would never end.
///
/// # Errors
/// The input that is also the output.
#[cfg(unix)]
pub fn refuse_output_as_input(inputs: &[Input<'_>], output: &File) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let out = output.metadata().context("cannot tell what stdout is")?;
    let same = |path: &Path| {
        fs::metadata(path).is_ok_and(|input| {
            input.is_file() && (input.dev(), input.ino()) == (out.dev(), out.ino())
        })
    };
    match inputs.iter().find(|input| input.path().is_some_and(same)) {
        Some(input) => bail!("{} is both an input and the output", input.name),
        None => Ok(()),
    }
}
