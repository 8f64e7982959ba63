//! The lines of a file as bytes, numbered.

use std::io::{self, BufRead};
use std::sync::Arc;
use trace_core::{Error, LineError, MAX_LINE_BYTES};

/// Reads line by line into a buffer of the caller.
pub(crate) struct Lines {
    name: Arc<str>,
    bytes: Box<dyn BufRead + Send>,
    number: u64,
}

impl Lines {
    /// The lines of `bytes`, called `name` in errors.
    pub(crate) fn new(name: &Arc<str>, bytes: Box<dyn BufRead + Send>) -> Self {
        Self {
            name: name.clone(),
            bytes,
            number: 0,
        }
    }

    /// The name of the file.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The number of the line read last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Append the next line without its end; `false` at the end of the file.
    ///
    /// # Errors
    /// A file that cannot be read on; more than 64 MiB in `line`.
    pub(crate) fn append(&mut self, line: &mut Vec<u8>) -> Result<bool, Error> {
        let mut started = false;
        loop {
            let chunk = waiting(&mut self.bytes, &self.name, self.number + 1)?;
            let ended = memchr::memchr(b'\n', chunk);
            let used = ended.map_or(chunk.len(), |at| at + 1);
            line.extend_from_slice(&chunk[..ended.unwrap_or(used)]);
            self.bytes.consume(used);
            started |= used > 0;
            if ended.is_some() || used == 0 {
                self.number += u64::from(started);
                if started && line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(started);
            }
            if line.len() > MAX_LINE_BYTES {
                // Not a LineError: behind it there is no line to go on with.
                return Err(Error::Read {
                    name: self.name.clone(),
                    line: self.number + 1,
                    source: io::Error::other(format!(
                        "a line longer than {} MiB",
                        MAX_LINE_BYTES >> 20
                    )),
                });
            }
        }
    }

    /// What follows the line read last.
    pub(crate) fn into_bytes(self) -> Box<dyn BufRead + Send> {
        self.bytes
    }

    /// An error about byte `column` of the line `number`.
    pub(crate) fn error(&self, number: u64, column: usize, reason: impl Into<String>) -> Error {
        Error::Line(LineError {
            name: self.name.clone(),
            line: number,
            column,
            reason: reason.into(),
        })
    }
}

/// What is waiting to be read; nothing at the end. `line` is for the error.
///
/// # Errors
/// A file that cannot be read on.
pub(crate) fn waiting<'a>(
    bytes: &'a mut Box<dyn BufRead + Send>,
    name: &Arc<str>,
    line: u64,
) -> Result<&'a [u8], Error> {
    let broken = |source| Error::Read {
        name: name.clone(),
        line,
        source,
    };
    loop {
        match bytes.fill_buf() {
            // Asked for again below: the borrow checker cannot see that the
            // early return is the only use.
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(broken(source)),
        }
    }
    bytes.fill_buf().map_err(broken)
}
