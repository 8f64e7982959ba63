//! Lines out of a chunk, decoded, each with its place if it is wrong.

use crate::chunk::{Chunk, MAX_LINE_BYTES};
use crate::error::{Error, LineError};
use crate::field::Field;
use crate::line::Line;
use crate::outcome::Outcome;
use std::sync::Arc;

/// Lines that cannot be read: whether they are gone past, and which were.
#[derive(Debug, Default)]
pub(crate) struct Skips {
    pub(crate) allowed: bool,
    pub(crate) count: u64,
    pub(crate) first: Option<LineError>,
}

impl Skips {
    /// None yet, as these are meant.
    pub(crate) fn anew(&self) -> Self {
        Self {
            allowed: self.allowed,
            ..Self::default()
        }
    }

    /// Count those that came `later`, too.
    pub(crate) fn append(&mut self, later: Self) {
        self.count += later.count;
        self.first = self.first.take().or(later.first);
    }
}

/// The lines of one piece of the input, to be read one by one.
///
/// Made by [`each_chunk`](crate::ahead::each_chunk), on any thread.
pub struct Lines<'c> {
    pub(crate) chunk: &'c mut Chunk,
    pub(crate) skips: &'c mut Skips,
}

impl Lines<'_> {
    /// As [`Reader::read`](crate::Reader::read).
    ///
    /// # Errors
    /// A line that is no request, unless they are skipped.
    pub fn read(&mut self, line: &mut Line) -> Result<bool, Error> {
        Ok(self.next_line(line, &mut None)?)
    }

    /// As [`Reader::read_outcome`](crate::Reader::read_outcome).
    ///
    /// # Errors
    /// The same, and a field of an outcome that has a wrong type.
    pub fn read_outcome(
        &mut self,
        line: &mut Line,
        outcome: &mut Option<Outcome>,
    ) -> Result<bool, Error> {
        Ok(self.next_line(line, &mut Some(outcome))?)
    }

    pub(crate) fn next_line(
        &mut self,
        line: &mut Line,
        outcome: &mut Option<&mut Option<Outcome>>,
    ) -> Result<bool, LineError> {
        loop {
            match self.try_next(line, outcome) {
                Err(error) if self.skips.allowed => {
                    self.skips.count += 1;
                    self.skips.first.get_or_insert(error);
                }
                done => return done,
            }
        }
    }

    fn try_next(
        &mut self,
        line: &mut Line,
        outcome: &mut Option<&mut Option<Outcome>>,
    ) -> Result<bool, LineError> {
        loop {
            let Some(length) = self.chunk.take(&mut line.bytes) else {
                return Ok(false);
            };
            if length > MAX_LINE_BYTES {
                return Err(self.overlong());
            }
            if self.chunk.line == 1 && line.bytes.starts_with(b"\xef\xbb\xbf") {
                line.bytes.drain(..3);
            }
            if !line.bytes.trim_ascii().is_empty() {
                break;
            }
        }
        let origin = &self.chunk.origin;
        if !Arc::ptr_eq(&line.name, &origin.name) {
            line.name = origin.name.clone();
        }
        line.number = self.chunk.line;
        let read = match outcome {
            Some(outcome) => line.decode_with(outcome),
            None => line.decode(),
        };
        read.map_err(|error| explain(error, &line.bytes))?;
        if let Some(tag) = &origin.tag {
            line.set(Field::Source, tag)?;
        }
        Ok(true)
    }

    fn overlong(&self) -> LineError {
        LineError {
            name: self.chunk.origin.name.clone(),
            line: self.chunk.line,
            column: MAX_LINE_BYTES + 1,
            reason: format!("line longer than {} MiB", MAX_LINE_BYTES >> 20),
        }
    }
}

/// A clearer reason when the file as a whole is something else.
fn explain(error: LineError, bytes: &[u8]) -> LineError {
    let file = if error.line == 1 {
        foreign_file(bytes)
    } else {
        None
    };
    let reason = match file {
        Some(what) => format!("this is {what}, not a trace of one JSON object per line"),
        None if bytes.contains(&0) => "binary data, not a JSON object".to_owned(),
        None if error.line == 1 && !bytes.trim_ascii_start().starts_with(b"{") => {
            format!(
                "{} (a trace has one JSON object per line; trace-convert reads other formats)",
                error.reason
            )
        }
        None => error.reason,
    };
    LineError { reason, ..error }
}

/// What a file is that begins like this, when it is surely no trace.
fn foreign_file(head: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 8] = [
        (b"\x89PNG", "a PNG image"),
        (b"\xfd7zXZ", "an xz archive (unpack it first)"),
        (b"BZh", "a bzip2 archive (unpack it first)"),
        (b"PK\x03\x04", "a zip archive (unpack it first)"),
        (b"PAR1", "a Parquet file"),
        (b"\x7fELF", "a program"),
        (b"%PDF", "a PDF"),
        (b"\x80\x04\x95", "a Python pickle"),
    ];
    known
        .into_iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, what)| what)
}
