//! Requests from bytes, one line at a time.

use crate::error::{Error, LineError};
use crate::field::Field;
use crate::line::Line;
use crate::outcome::Outcome;
use crate::record::push_string;
use crate::source::Source;
use memchr::memchr;
use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::sync::Arc;

/// The longest line that is read. A million-token prompt in full text is a
/// tenth of it; beyond it stands a file that is no trace.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// Reads the lines of a trace, from one source or several in turn.
///
/// Gzip and zstd are recognised by content, a byte-order mark and CRLF are
/// tolerated, blank lines are skipped. Memory is one line. After an
/// [`Error::Line`] the next call goes on with the next line.
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
    waiting: VecDeque<Source<'a>>,
    current: Option<Open<'a>>,
    skip_invalid: bool,
    skipped: u64,
    first_skipped: Option<LineError>,
}

/// The source being read.
struct Open<'a> {
    name: Arc<str>,
    /// The JSON of its `source` field.
    tag: Option<Vec<u8>>,
    bytes: Box<dyn BufRead + Send + 'a>,
    line: u64,
    /// The rest of the current line is to be thrown away.
    overlong: bool,
}

impl<'a> Reader<'a> {
    /// Read `bytes`, calling them `name` in errors.
    pub fn new(name: &str, bytes: impl BufRead + Send + 'a) -> Self {
        Self::over([Source::stream(name, bytes)])
    }

    /// Read several sources as one stream; each is opened when its turn comes.
    pub fn over(sources: impl IntoIterator<Item = Source<'a>>) -> Self {
        Self {
            waiting: sources.into_iter().collect(),
            current: None,
            skip_invalid: false,
            skipped: 0,
            first_skipped: None,
        }
    }

    /// Go on past lines that cannot be read, and count them.
    #[must_use]
    pub fn skip_invalid(self, skip_invalid: bool) -> Self {
        Self {
            skip_invalid,
            ..self
        }
    }

    /// How many lines were skipped so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// What was wrong with the first of them.
    pub fn first_skipped(&self) -> Option<&LineError> {
        self.first_skipped.as_ref()
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
            if self.current.is_none() && !self.open_next()? {
                return Ok(false);
            }
            let open = self.current.as_mut().expect("opened above");
            match open.read(line, outcome) {
                Ok(true) => return Ok(true),
                Ok(false) => self.current = None,
                Err(Error::Line(error)) if self.skip_invalid => {
                    self.skipped += 1;
                    self.first_skipped.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn open_next(&mut self) -> Result<bool, Error> {
        let Some(source) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let name = source.name.clone();
        let tag = source.tag.as_ref().map(|tag| {
            let mut json = Vec::new();
            push_string(&mut json, tag);
            json
        });
        let opened = source.open();
        let bytes = opened.map_err(|source| Error::Open {
            name: name.clone(),
            source,
        })?;
        self.current = Some(Open {
            name,
            tag,
            bytes,
            line: 0,
            overlong: false,
        });
        Ok(true)
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

impl Open<'_> {
    fn read(
        &mut self,
        line: &mut Line,
        outcome: &mut Option<&mut Option<Outcome>>,
    ) -> Result<bool, Error> {
        loop {
            line.bytes.clear();
            if !self.fill(&mut line.bytes)? {
                return Ok(false);
            }
            if self.line == 1 && line.bytes.starts_with(b"\xef\xbb\xbf") {
                line.bytes.drain(..3);
            }
            if !line.bytes.trim_ascii().is_empty() {
                break;
            }
        }
        if !Arc::ptr_eq(&line.name, &self.name) {
            line.name = self.name.clone();
        }
        line.number = self.line;
        let read = match outcome {
            Some(outcome) => line.decode_with(outcome),
            None => line.decode(),
        };
        read.map_err(|error| self.explain(error, &line.bytes))?;
        if let Some(tag) = &self.tag {
            line.set(Field::Source, tag)?;
        }
        Ok(true)
    }

    /// Append the next line without its end; `false` at the end of the file.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> Result<bool, Error> {
        let mut started = false;
        loop {
            let chunk = match self.bytes.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(Error::Read {
                        name: self.name.clone(),
                        line: self.line + 1,
                        source,
                    });
                }
            };
            let ended = memchr(b'\n', chunk);
            let used = ended.map_or(chunk.len(), |at| at + 1);
            let at_end = chunk.is_empty();
            if !self.overlong {
                bytes.extend_from_slice(&chunk[..ended.unwrap_or(used)]);
            }
            self.bytes.consume(used);
            started |= used > 0;
            if std::mem::take(&mut self.overlong) {
                // The tail of a line that was reported already.
                self.overlong = ended.is_none() && !at_end;
                started = false;
                if at_end {
                    return Ok(false);
                }
                continue;
            }
            if bytes.len() > MAX_LINE_BYTES {
                self.overlong = ended.is_none();
                self.line += 1;
                bytes.clear();
                bytes.shrink_to(BIG_LINE_BYTES);
                return Err(self.overlong_line());
            }
            if ended.is_some() || at_end {
                self.line += u64::from(started);
                if bytes.last() == Some(&b'\r') {
                    bytes.pop();
                }
                return Ok(started);
            }
        }
    }

    fn overlong_line(&self) -> Error {
        let reason = format!("line longer than {} MiB", MAX_LINE_BYTES >> 20);
        Error::Line(LineError {
            name: self.name.clone(),
            line: self.line,
            column: MAX_LINE_BYTES + 1,
            reason,
        })
    }

    /// A clearer reason when the file as a whole is something else.
    fn explain(&self, error: LineError, bytes: &[u8]) -> LineError {
        let file = if self.line == 1 {
            foreign_file(bytes)
        } else {
            None
        };
        let reason = match file {
            Some(what) => format!("this is {what}, not a trace of one JSON object per line"),
            None if bytes.contains(&0) => "binary data, not a JSON object".to_owned(),
            None if self.line == 1 && !bytes.trim_ascii_start().starts_with(b"{") => {
                format!(
                    "{} (a trace has one JSON object per line; trace-convert reads other formats)",
                    error.reason
                )
            }
            None => error.reason,
        };
        LineError { reason, ..error }
    }
}

/// Room for a line that is kept between lines.
const BIG_LINE_BYTES: usize = 1024 * 1024;

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

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
