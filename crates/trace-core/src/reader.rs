//! Requests from bytes, one line at a time.

use crate::chunk::{Chunk, Chunks};
use crate::error::{Error, LineError};
use crate::line::Line;
use crate::lines::{Lines, Skips};
use crate::outcome::Outcome;
use crate::source::Source;
use std::io::BufRead;

/// Reads the lines of a trace, from one source or several in turn.
///
/// Gzip and zstd are recognised by content, a byte-order mark and CRLF are
/// tolerated, blank lines are skipped. Memory is one line and what one call for
/// bytes brings. After an [`Error::Line`] the next call goes on with the next
/// line.
///
/// ```
/// let text = "{\"timestamp\":0,\"input_length\":3}\n";
/// let mut reader = trace_core::Reader::new("<stdin>", text.as_bytes());
/// let mut line = trace_core::Line::default();
/// while reader.read(&mut line)? {
///     assert_eq!(line.request.input_length, Some(3));
/// }
/// # Ok::<(), trace_core::Error>(())
/// ```
pub struct Reader<'a> {
    pub(crate) chunks: Chunks<'a>,
    /// Lines that were cut and not read yet.
    pub(crate) chunk: Chunk,
    pub(crate) skips: Skips,
}

impl<'a> Reader<'a> {
    /// Read `bytes`, calling them `name` in errors.
    pub fn new(name: &str, bytes: impl BufRead + Send + 'a) -> Self {
        Self::over([Source::stream(name, bytes)])
    }

    /// Read several sources as one stream; each is opened when its turn comes.
    pub fn over(sources: impl IntoIterator<Item = Source<'a>>) -> Self {
        Self {
            chunks: Chunks::of(sources),
            chunk: Chunk::default(),
            skips: Skips::default(),
        }
    }

    /// Go on past lines that cannot be read, and count them.
    #[must_use]
    pub fn skip_invalid(mut self, skip_invalid: bool) -> Self {
        self.skips.allowed = skip_invalid;
        self
    }

    /// How many lines were skipped so far.
    pub fn skipped(&self) -> u64 {
        self.skips.count
    }

    /// What was wrong with the first of them.
    pub fn first_skipped(&self) -> Option<&LineError> {
        self.skips.first.as_ref()
    }

    /// Put the next request into `line`; `false` at the end.
    ///
    /// # Errors
    /// [`Error::Line`] for a line that is no request, unless they are skipped;
    /// [`Error::Open`] and [`Error::Read`] for files.
    pub fn read(&mut self, line: &mut Line) -> Result<bool, Error> {
        self.next_line(line, &mut None)
    }

    /// The same, and what happened to the request into `outcome`; `None` on a
    /// line that does not tell.
    ///
    /// Gives what [`Line::outcome`] gives, from one pass over the line and
    /// without memory of its own for each. A line whose outcome cannot be read
    /// is no better than one that is no request: an error, or skipped.
    ///
    /// ```
    /// let text = "{\"input_length\":3,\"ttft_ms\":50.5}\n{\"input_length\":3}\n";
    /// let mut reader = trace_core::Reader::new("<stdin>", text.as_bytes());
    /// let (mut line, mut outcome) = (trace_core::Line::default(), None);
    /// let mut times = Vec::new();
    /// while reader.read_outcome(&mut line, &mut outcome)? {
    ///     times.push(outcome.as_ref().and_then(|outcome| outcome.ttft_ms));
    /// }
    /// assert_eq!(times, [trace_core::Micros::from_millis(50.5), None]);
    /// # Ok::<(), trace_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read), and a field of an outcome that has a wrong type.
    pub fn read_outcome(
        &mut self,
        line: &mut Line,
        outcome: &mut Option<Outcome>,
    ) -> Result<bool, Error> {
        self.next_line(line, &mut Some(outcome))
    }

    fn next_line(
        &mut self,
        line: &mut Line,
        outcome: &mut Option<&mut Option<Outcome>>,
    ) -> Result<bool, Error> {
        loop {
            let mut lines = Lines {
                chunk: &mut self.chunk,
                skips: &mut self.skips,
            };
            if lines.next_line(line, outcome)? {
                return Ok(true);
            }
            if !self.chunks.next(&mut self.chunk)? {
                return Ok(false);
            }
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Line, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Line::default();
        match self.read(&mut line) {
            Ok(true) => Some(Ok(line)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::MAX_LINE_BYTES;
    use std::io::{self, Read, Write};

    fn lengths(bytes: &[u8]) -> Result<Vec<u64>, Error> {
        Reader::new("<stdin>", bytes)
            .map(|line| line.map(|line| line.request.input_length.unwrap()))
            .collect()
    }

    fn message(bytes: &[u8]) -> String {
        lengths(bytes).unwrap_err().to_string()
    }

    const TWO: &[u8] = b"{\"input_length\":1}\n{\"input_length\":2}\n";

    #[test]
    fn plain_lines_are_read() {
        assert_eq!(lengths(TWO).unwrap(), [1, 2]);
        assert!(lengths(b"").unwrap().is_empty());
        assert!(lengths(b"\n \n").unwrap().is_empty());
    }

    #[test]
    fn the_last_line_needs_no_end() {
        assert_eq!(
            lengths(b"{\"input_length\":1}\n{\"input_length\":2}").unwrap(),
            [1, 2]
        );
    }

    #[test]
    fn windows_files_are_read() {
        let text = b"\xef\xbb\xbf{\"input_length\":1}\r\n\r\n{\"input_length\":2}\r\n";
        assert_eq!(lengths(text).unwrap(), [1, 2]);
    }

    #[test]
    fn compressed_members_are_read_as_one() {
        let gzip = |bytes: &[u8]| {
            let mut pack = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            pack.write_all(bytes).unwrap();
            pack.finish().unwrap()
        };
        assert_eq!(
            lengths(&[gzip(TWO), gzip(TWO)].concat()).unwrap(),
            [1, 2, 1, 2]
        );
        let frame = zstd::encode_all(TWO, 1).unwrap();
        assert_eq!(
            lengths(&[frame.clone(), frame].concat()).unwrap(),
            [1, 2, 1, 2]
        );
    }

    #[test]
    fn a_truncated_archive_is_an_error_after_what_it_held() {
        let mut pack = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        pack.write_all(&TWO.repeat(1_000)).unwrap();
        let packed = pack.finish().unwrap();
        let mut reader = Reader::new("t.gz", &packed[..packed.len() / 2]);
        let error = reader.find_map(Result::err).unwrap();
        assert!(error.to_string().contains("cannot read on"), "{error}");
    }

    #[test]
    fn a_bad_line_is_reported_by_its_place() {
        assert_eq!(
            message(b"{\"input_length\":1}\n\noops\n"),
            "<stdin>:3:1: expected value"
        );
        assert_eq!(
            message(b"{\"input_length\":1}\n{\"input_length\": \"x\"}\n"),
            "<stdin>:2:18: invalid type: string \"x\", expected a whole number, 0 or more"
        );
        assert_eq!(
            message(b"{\"input_length\":1}\n{\"input_len"),
            "<stdin>:2:11: EOF while parsing a string"
        );
        assert_eq!(
            message(b"{\"timestamp\":-5,\"input_length\":1}"),
            "<stdin>:1:14: invalid value: integer `-5`, expected milliseconds, 0 or more"
        );
        assert!(
            message(b"{\"timestamp\":NaN,\"input_length\":1}")
                .starts_with("<stdin>:1:14: expected")
        );
    }

    #[test]
    fn other_files_are_named() {
        assert!(message(b"\x89PNG\r\n\x1a\n").contains("a PNG image"));
        assert!(
            message(b"TIMESTAMP,ContextTokens\n").contains("trace-convert reads other formats")
        );
        assert!(message(b"[{\"input_length\":1}]").contains("one JSON object per line"));
        assert!(message(b"{\"input_length\":1}\n\0\0\0\n").contains("binary data"));
    }

    #[test]
    fn invalid_lines_can_be_skipped_and_are_counted() {
        let text = b"oops\n{\"input_length\":1}\n{}\n{\"input_length\":2}";
        let mut reader = Reader::new("<stdin>", &text[..]).skip_invalid(true);
        let read: Vec<_> = reader
            .by_ref()
            .map(|line| line.unwrap().request.input_length)
            .collect();
        assert_eq!(read, [Some(1), Some(2)]);
        assert_eq!(reader.skipped(), 2);
        assert!(
            reader
                .first_skipped()
                .unwrap()
                .to_string()
                .starts_with("<stdin>:1:1: ")
        );
    }

    #[test]
    fn a_line_without_end_is_refused_in_bounded_memory() {
        let endless = io::repeat(b'x')
            .take(MAX_LINE_BYTES as u64 * 2)
            .chain(&b"\n{\"input_length\":7}"[..]);
        let mut reader = Reader::new("<stdin>", io::BufReader::new(endless));
        let mut line = Line::default();
        let error = reader.read(&mut line).unwrap_err();
        assert!(
            error.to_string().ends_with("line longer than 64 MiB"),
            "{error}"
        );
        assert!(reader.read(&mut line).unwrap(), "the next line is read");
        assert_eq!((line.number(), line.request.input_length), (2, Some(7)));
        assert!(!reader.read(&mut line).unwrap());
    }

    #[test]
    fn a_tag_becomes_the_source_field() {
        let source = Source::stream("a.jsonl", &b"{\"input_length\":1}"[..]).tagged("a \"b\"");
        let line = Reader::over([source]).next().unwrap().unwrap();
        assert_eq!(line.bytes(), br#"{"input_length":1,"source":"a \"b\""}"#);
        assert_eq!(line.request.source.as_deref(), Some("a \"b\""));
    }

    #[test]
    fn a_missing_file_is_named() {
        let mut reader = Reader::over([Source::file("no/such/day.jsonl")]);
        let error = reader.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "cannot open no/such/day.jsonl");
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.starts_with("No such file"), "{reason}");
    }
}
