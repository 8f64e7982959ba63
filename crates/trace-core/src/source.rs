//! Where bytes come from: a file, stdin, plain or compressed.

use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// Large enough that a read costs little beside what it brings, and so small
/// that what is made of it by several threads stays in their caches.
pub(crate) const BUFFER_BYTES: usize = 128 * 1024;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// One input of a [`Reader`](crate::Reader), not yet opened.
pub struct Source<'a> {
    pub(crate) name: Arc<str>,
    pub(crate) tag: Option<String>,
    bytes: Bytes<'a>,
}

enum Bytes<'a> {
    Stream(Box<dyn BufRead + Send + 'a>),
    File(PathBuf),
}

impl<'a> Source<'a> {
    /// Bytes that are read as they are asked for; gzip and zstd are
    /// recognised by content.
    pub fn stream(name: &str, bytes: impl BufRead + Send + 'a) -> Self {
        Self {
            name: name.into(),
            tag: None,
            bytes: Bytes::Stream(Box::new(bytes)),
        }
    }

    /// Standard input.
    pub fn stdin() -> Self {
        Self::stream(
            "<stdin>",
            BufReader::with_capacity(BUFFER_BYTES, io::stdin()),
        )
    }

    /// A file, opened when its turn comes.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: path.to_string_lossy().into(),
            tag: None,
            bytes: Bytes::File(path),
        }
    }

    /// The same, its lines marked with `source`.
    #[must_use]
    pub fn tagged(self, tag: &str) -> Self {
        Self {
            tag: Some(tag.to_owned()),
            ..self
        }
    }

    /// What to call it in errors.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The `source` that its lines are marked with.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Its bytes, freed of what compresses them: for tools that read other
    /// things than requests.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(self) -> io::Result<Box<dyn BufRead + Send + 'a>> {
        self.open_with(BUFFER_BYTES)
    }

    /// The same with buffers of `capacity` bytes, for those who open thousands.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(self, capacity: usize) -> io::Result<Box<dyn BufRead + Send + 'a>> {
        let mut bytes: Box<dyn BufRead + Send + 'a> = match self.bytes {
            Bytes::Stream(bytes) => bytes,
            Bytes::File(path) => {
                let file = std::fs::File::open(&path)?;
                if file.metadata()?.is_dir() {
                    return Err(io::Error::other("Is a directory"));
                }
                Box::new(BufReader::with_capacity(capacity, file))
            }
        };
        let head = peek(&mut bytes)?;
        let packed = head.clone();
        let whole = Cursor::new(head).chain(bytes);
        Ok(if packed.starts_with(&GZIP) {
            Box::new(BufReader::with_capacity(
                capacity,
                MultiGzDecoder::new(whole),
            ))
        } else if packed.starts_with(&ZSTD) {
            Box::new(BufReader::with_capacity(
                capacity,
                zstd::Decoder::with_buffer(whole)?,
            ))
        } else {
            Box::new(whole)
        })
    }
}

/// The first bytes, as many as it takes to tell whether they are a magic
/// number: an interactive writer's first line is not held up for more.
fn peek(bytes: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(ZSTD.len());
    let mut byte = [0];
    while ZSTD.starts_with(&head) || GZIP.starts_with(&head) {
        if head.len() == ZSTD.len() || head == GZIP {
            break;
        }
        match bytes.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(head)
}
