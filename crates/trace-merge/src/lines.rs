//! The lines of one input, as bytes in a buffer.

use memchr::memchr;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use trace_core::{Error, LineError, MAX_LINE_BYTES};

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Finds lines without copying them: a merge looks at each only once.
///
/// A byte-order mark and CRLF are tolerated, blank lines are skipped.
pub(crate) struct Lines<'a> {
    name: Arc<str>,
    /// `None` once all of it is in the buffer, so that its descriptor is free
    /// while the last lines wait for their time.
    bytes: Option<Box<dyn Read + Send + 'a>>,
    /// Why reading stopped, told after the lines before it.
    failed: Option<io::Error>,
    /// Read until the buffer is full, as one should not do with a pipe whose
    /// writer is waiting for an answer.
    eager: bool,
    buffer: Vec<u8>,
    filled: usize,
    next: usize,
    line: Range<usize>,
    number: u64,
    /// The rest of a line that was too long is to be thrown away.
    overlong: bool,
}

impl<'a> Lines<'a> {
    /// The lines of `bytes`, read through `capacity` bytes of memory, more
    /// when a line is longer.
    pub(crate) fn new(
        name: Arc<str>,
        bytes: Box<dyn Read + Send + 'a>,
        capacity: usize,
        eager: bool,
    ) -> Self {
        Self {
            name,
            bytes: Some(bytes),
            failed: None,
            eager,
            buffer: vec![0; capacity],
            filled: 0,
            next: 0,
            line: 0..0,
            number: 0,
            overlong: false,
        }
    }

    /// The file, or `<stdin>`.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The number of the current line, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The current line without its end.
    pub(crate) fn line(&self) -> &[u8] {
        &self.buffer[self.line.clone()]
    }

    /// Go to the next line that is not blank; `false` at the end.
    ///
    /// # Errors
    /// [`Error::Read`], and [`Error::Line`] for a line that is too long; the
    /// next call goes on behind it.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        let mut searched = self.next;
        loop {
            let found = memchr(b'\n', &self.buffer[searched..self.filled]);
            let end = match found {
                Some(at) => searched + at,
                None if self.bytes.is_some() => {
                    if self.overlong {
                        self.next = self.filled;
                    } else if self.filled - self.next > MAX_LINE_BYTES {
                        self.overlong = true;
                        return Err(self.too_long());
                    }
                    searched = self.filled - self.next;
                    self.fill();
                    continue;
                }
                None => {
                    if let Some(error) = self.failed.take() {
                        self.next = self.filled;
                        return Err(self.broken_off(error));
                    }
                    if self.next == self.filled {
                        return Ok(false);
                    }
                    self.filled
                }
            };
            let line = self.next..end;
            self.next = self.filled.min(end + 1);
            searched = self.next;
            if std::mem::take(&mut self.overlong) {
                continue;
            }
            if line.len() > MAX_LINE_BYTES {
                return Err(self.too_long());
            }
            self.number += 1;
            self.line = self.trimmed(line);
            if self.line().first() == Some(&b'{') || !self.line().trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn trimmed(&self, mut line: Range<usize>) -> Range<usize> {
        if line.end > line.start && self.buffer[line.end - 1] == b'\r' {
            line.end -= 1;
        }
        if self.number == 1 && self.buffer[line.clone()].starts_with(MARK) {
            line.start += MARK.len();
        }
        line
    }

    fn too_long(&mut self) -> Error {
        self.number += 1;
        Error::Line(LineError {
            name: self.name.clone(),
            line: self.number,
            column: MAX_LINE_BYTES + 1,
            reason: format!("line longer than {} MiB", MAX_LINE_BYTES >> 20),
        })
    }

    fn broken_off(&self, source: io::Error) -> Error {
        Error::Read {
            name: self.name.clone(),
            line: self.number + 1,
            source,
        }
    }

    /// Move what is left to the front of the buffer, and read more behind it.
    fn fill(&mut self) {
        self.buffer.copy_within(self.next..self.filled, 0);
        self.filled -= self.next;
        self.next = 0;
        if self.filled == self.buffer.len() {
            self.buffer.resize(2 * self.filled.max(512), 0);
        }
        while let Some(bytes) = &mut self.bytes
            && self.filled < self.buffer.len()
        {
            match bytes.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.bytes = None;
                    self.buffer.truncate(self.filled);
                    self.buffer.shrink_to_fit();
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.bytes = None;
                    self.failed = Some(error);
                }
            }
            if !self.eager {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &[u8], capacity: usize, eager: bool) -> Vec<(u64, Vec<u8>)> {
        let mut lines = Lines::new("t".into(), Box::new(text), capacity, eager);
        let mut all = Vec::new();
        while lines.advance().unwrap() {
            all.push((lines.number(), lines.line().to_vec()));
        }
        all
    }

    #[test]
    fn windows_files_and_blank_lines_are_read() {
        let text = b"\xef\xbb\xbf{a}\r\n\r\n \n{b}";
        assert_eq!(
            lines(text, 3, true),
            [(1, b"{a}".to_vec()), (4, b"{b}".to_vec())]
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_left_behind() {
        let mut text = vec![b'x'; MAX_LINE_BYTES + (8 << 20)];
        text.extend_from_slice(b"\n{b}\n");
        let mut lines = Lines::new("t".into(), Box::new(&text[..]), 1 << 20, true);
        let error = lines.advance().unwrap_err().to_string();
        assert_eq!(error, "t:1:67108865: line longer than 64 MiB");
        assert!(lines.advance().unwrap());
        assert_eq!((lines.number(), lines.line()), (2, &b"{b}"[..]));
        assert!(!lines.advance().unwrap());
    }

    proptest! {
        #[test]
        fn every_line_is_found_at_every_buffer_size(parts in proptest::collection::vec("[a-z\r ]{0,9}", 0..20), capacity in 0..40_usize, eager: bool) {
            let text = parts.join("\n");
            let expected: Vec<_> = text.split('\n').enumerate()
                .map(|(n, line)| (n as u64 + 1, line.strip_suffix('\r').unwrap_or(line)))
                .filter(|(_, line)| !line.trim_ascii().is_empty())
                .map(|(n, line)| (n, line.as_bytes().to_vec()))
                .collect();
            prop_assert_eq!(lines(text.as_bytes(), capacity, eager), expected);
        }
    }
}
