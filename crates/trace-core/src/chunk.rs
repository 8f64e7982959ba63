//! Whole lines, many at a time: what the bytes of a source are cut into.
//!
//! To find where a line ends costs a hundredth of reading what it says, so one
//! thread can cut for many that read. A chunk is what one call for bytes
//! brings, up to its last line end: a line that an interactive writer has
//! finished is not held up for the next.

use crate::error::Error;
use crate::record::push_string;
use crate::source::{BUFFER_BYTES, Source};
use memchr::{memchr, memchr_iter, memrchr};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

/// The longest line that is read. A million-token prompt in full text is a
/// tenth of it; beyond it stands a file that is no trace.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// Room of a chunk that is kept for the next.
const KEPT_BYTES: usize = 1024 * 1024;

/// What a busy writer gives at the least: a pipe holds eight times as much.
const SHORT_BYTES: usize = 8 * 1024;

/// Sources, cut into chunks one after the other.
pub(crate) struct Chunks<'a> {
    waiting: VecDeque<Source<'a>>,
    current: Option<Open<'a>>,
}

/// The source being read.
struct Open<'a> {
    origin: Arc<Origin>,
    bytes: Box<dyn io::BufRead + Send + 'a>,
    /// Lines that were cut so far.
    lines: u64,
    /// The beginning of the next line.
    begun: Vec<u8>,
    /// The rest of the current line is to be thrown away.
    overlong: bool,
}

/// What is known of a source in every line of it.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    pub(crate) name: Arc<str>,
    /// The JSON of its `source` field.
    pub(crate) tag: Option<Vec<u8>>,
}

/// Lines of one source, each with its end but the last of the source.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) origin: Arc<Origin>,
    /// Room for bytes, of which some are filled.
    room: Vec<u8>,
    filled: usize,
    /// How many bytes were taken.
    at: usize,
    /// The number of the last line that was taken, or that comes before.
    pub(crate) line: u64,
}

impl<'a> Chunks<'a> {
    pub(crate) fn of(sources: impl IntoIterator<Item = Source<'a>>) -> Self {
        Self {
            waiting: sources.into_iter().collect(),
            current: None,
        }
    }

    /// Fill `chunk` with the next lines; `false` at the end of all sources.
    pub(crate) fn next(&mut self, chunk: &mut Chunk) -> Result<bool, Error> {
        chunk.empty();
        loop {
            let open = match &mut self.current {
                Some(open) => open,
                None => match self.waiting.pop_front() {
                    Some(source) => self.current.insert(Open::new(source)?),
                    None => return Ok(false),
                },
            };
            if open.cut(chunk)? {
                return Ok(true);
            }
            self.current = None;
        }
    }
}

impl<'a> Open<'a> {
    fn new(source: Source<'a>) -> Result<Self, Error> {
        let name = source.name().clone();
        let tag = source.tag().map(|tag| {
            let mut json = Vec::new();
            push_string(&mut json, tag);
            json
        });
        match source.open() {
            Ok(bytes) => Ok(Self {
                origin: Arc::new(Origin { name, tag }),
                bytes,
                lines: 0,
                begun: Vec::new(),
                overlong: false,
            }),
            Err(source) => Err(Error::Open { name, source }),
        }
    }

    /// Fill `chunk` up to a line end; `false` at the end of the file.
    fn cut(&mut self, chunk: &mut Chunk) -> Result<bool, Error> {
        chunk.begin(&self.begun);
        self.begun.clear();
        loop {
            let new = self.fill(chunk)?;
            let text = &chunk.room[..chunk.filled];
            let (end, rest) = match memrchr(b'\n', &text[text.len() - new..]) {
                Some(at) => {
                    let end = text.len() - new + at + 1;
                    (end, end..text.len())
                }
                // A line beyond the limit is one, whatever else belongs to it.
                None if text.len() > MAX_LINE_BYTES => {
                    self.overlong = true;
                    (text.len(), 0..0)
                }
                None if new == 0 && text.is_empty() => return Ok(false),
                None if new == 0 => (text.len(), 0..0),
                None => continue,
            };
            self.begun.extend_from_slice(&text[rest]);
            self.begun.shrink_to(KEPT_BYTES);
            let lines = memchr_iter(b'\n', &text[..end]).count() as u64;
            let unended = u64::from(text[end - 1] != b'\n');
            chunk.origin = self.origin.clone();
            chunk.line = self.lines;
            chunk.filled = end;
            self.lines += lines + unended;
            return Ok(true);
        }
    }

    /// Read more bytes into `chunk`; how many, 0 at the end of the file.
    fn fill(&mut self, chunk: &mut Chunk) -> Result<usize, Error> {
        loop {
            chunk.make_room();
            match self.bytes.read(&mut chunk.room[chunk.filled..]) {
                Ok(0) => return Ok(0),
                Ok(new) if self.overlong => {
                    // The tail of a line that was cut off already.
                    let text = &mut chunk.room[..new];
                    let Some(end) = memchr(b'\n', text) else {
                        continue;
                    };
                    text.copy_within(end + 1.., 0);
                    chunk.filled = new - end - 1;
                    self.overlong = false;
                    if chunk.filled > 0 {
                        return Ok(chunk.filled);
                    }
                }
                Ok(new) => {
                    chunk.filled += new;
                    return Ok(new);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    self.begun.extend_from_slice(&chunk.room[..chunk.filled]);
                    chunk.empty();
                    return Err(Error::Read {
                        name: self.origin.name.clone(),
                        line: self.lines + 1,
                        source,
                    });
                }
            }
        }
    }
}

impl Chunk {
    /// Put the next line without its end into `bytes`, and its number in
    /// `line`; how long it is. Of one beyond the limit nothing is put there.
    pub(crate) fn take(&mut self, bytes: &mut Vec<u8>) -> Option<usize> {
        bytes.clear();
        let rest = &self.room[self.at..self.filled];
        if rest.is_empty() {
            return None;
        }
        let (text, taken) = match memchr(b'\n', rest) {
            Some(end) => (&rest[..end], end + 1),
            None => (rest, rest.len()),
        };
        self.at += taken;
        self.line += 1;
        if text.len() <= MAX_LINE_BYTES {
            bytes.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        }
        Some(text.len())
    }

    /// Whether lines of it are left.
    pub(crate) fn is_begun(&self) -> bool {
        self.at < self.filled
    }

    /// Whether it is less than a writer has ready who does not keep us waiting.
    pub(crate) fn is_short(&self) -> bool {
        self.filled < SHORT_BYTES
    }

    fn empty(&mut self) {
        (self.filled, self.at) = (0, 0);
    }

    /// Begin with these bytes.
    fn begin(&mut self, begun: &[u8]) {
        if self.room.len() > KEPT_BYTES {
            self.room = Vec::new();
        }
        let room = self.room.len().max(BUFFER_BYTES + begun.len());
        self.room.resize(room, 0);
        self.room[..begun.len()].copy_from_slice(begun);
        (self.filled, self.at) = (begun.len(), 0);
    }

    /// Make room for more bytes, if none is left.
    fn make_room(&mut self) {
        if self.filled == self.room.len() {
            let most = MAX_LINE_BYTES + BUFFER_BYTES;
            self.room.resize((2 * self.room.len()).min(most), 0);
        }
    }
}

/// Gives bytes as many at a time as it is told, in turn.
#[cfg(test)]
pub(crate) struct Drip<'a> {
    text: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

#[cfg(test)]
impl<'a> Drip<'a> {
    /// Each of `sizes` at least 1.
    pub(crate) fn source(text: &'a [u8], sizes: Vec<usize>) -> Source<'a> {
        let sizes = sizes.into_iter().cycle();
        Source::stream("t", io::BufReader::with_capacity(1, Self { text, sizes }))
    }
}

#[cfg(test)]
impl Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().map_or(1, |size| size.min(out.len()));
        self.text.read(&mut out[..size])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lines with their numbers, as they are cut.
    fn lines(text: &[u8], sizes: &[usize]) -> Vec<(u64, Vec<u8>)> {
        let mut chunks = Chunks::of([Drip::source(text, sizes.to_vec())]);
        let (mut chunk, mut lines) = (Chunk::default(), Vec::new());
        while chunks.next(&mut chunk).unwrap() {
            assert!(chunk.is_begun(), "a chunk has lines");
            let mut line = Vec::new();
            while chunk.take(&mut line).is_some() {
                lines.push((chunk.line, line.clone()));
            }
        }
        lines
    }

    #[test]
    fn a_finished_line_is_not_held_up_for_the_next() {
        let mut chunks = Chunks::of([Drip::source(b"a\nbc", vec![3, 1])]);
        let mut chunk = Chunk::default();
        let mut line = Vec::new();
        for expected in ["a", "bc"] {
            assert!(chunks.next(&mut chunk).unwrap());
            assert!(chunk.take(&mut line).is_some());
            assert_eq!(line, expected.as_bytes());
            assert_eq!(chunk.take(&mut line), None);
        }
        assert!(!chunks.next(&mut chunk).unwrap());
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_bytes_come(
            text in "[ab\r\n]{0,40}",
            sizes in prop::collection::vec(1..9_usize, 1..5),
        ) {
            let expected: Vec<_> = text
                .split_inclusive('\n')
                .map(|line| line.strip_suffix('\n').unwrap_or(line))
                .map(|line| line.strip_suffix('\r').unwrap_or(line).as_bytes().to_vec())
                .zip(1..)
                .map(|(line, number)| (number, line))
                .collect();
            prop_assert_eq!(lines(text.as_bytes(), &sizes), expected);
        }
    }
}
