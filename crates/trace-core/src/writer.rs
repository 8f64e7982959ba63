//! Requests to bytes, one line at a time.

use crate::line::Line;
use crate::record::Request;
use std::io::{self, Write};

/// Written in one piece once this much is waiting.
const BATCH_BYTES: usize = 64 * 1024;

/// Writes lines, each ended by LF, in large batches.
///
/// Errors stay [`io::Error`], so that a reader that hung up can be told from a
/// full disk. Call [`flush`](Self::flush) when done: dropping a writer writes
/// what is waiting too, which keeps what was made before an error, but an
/// error there is lost.
pub struct Writer<W: Write> {
    out: W,
    waiting: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Write to `out`, which needs no buffer of its own.
    pub fn new(out: W) -> Self {
        Self {
            out,
            waiting: Vec::with_capacity(BATCH_BYTES + 4096),
        }
    }

    /// Write a request.
    ///
    /// # Errors
    /// Those of the underlying writer.
    pub fn write(&mut self, request: &Request) -> io::Result<()> {
        request.append_to(&mut self.waiting);
        self.end_line()
    }

    /// Write a request with further members: JSON as it stands between the
    /// braces, such as `"client":17,"turn":2`, or nothing.
    ///
    /// # Errors
    /// Those of the underlying writer.
    pub fn write_with(&mut self, request: &Request, members: &[u8]) -> io::Result<()> {
        request.append_to(&mut self.waiting);
        if !members.is_empty() {
            // What was appended ends in a brace, and holds nothing else only
            // if there was nothing to write.
            self.waiting.pop();
            if self.waiting.last() != Some(&b'{') {
                self.waiting.push(b',');
            }
            self.waiting.extend_from_slice(members);
            self.waiting.push(b'}');
        }
        self.end_line()
    }

    /// Write a line as it now is.
    ///
    /// # Errors
    /// Those of the underlying writer.
    pub fn write_line(&mut self, line: &Line) -> io::Result<()> {
        self.write_bytes(line.bytes())
    }

    /// Write one line of JSON given as bytes without their LF.
    ///
    /// # Errors
    /// Those of the underlying writer.
    pub fn write_bytes(&mut self, line: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(line);
        self.end_line()
    }

    /// Write all that is waiting, and flush the underlying writer.
    ///
    /// # Errors
    /// Those of the underlying writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.send()?;
        self.out.flush()
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.waiting.push(b'\n');
        if self.waiting.len() < BATCH_BYTES {
            return Ok(());
        }
        self.send()
    }

    fn send(&mut self) -> io::Result<()> {
        // Emptied even on error: a second try, on drop, must not write twice
        // what was half written.
        let sent = self.out.write_all(&self.waiting);
        self.waiting.clear();
        sent
    }
}

impl<W: Write> Drop for Writer<W> {
    fn drop(&mut self) {
        if !self.waiting.is_empty() {
            // Only reached on the way out of another error, which is the one
            // to report.
            let _ = self.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Micros, Reader, SessionId};
    use proptest::prelude::*;

    #[test]
    fn further_members_come_last() {
        let request = Request {
            input_length: Some(3),
            ..Request::default()
        };
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.write_with(&request, br#""client":7"#).unwrap();
        writer.write_with(&request, b"").unwrap();
        writer.write_with(&Request::default(), br#""a":1"#).unwrap();
        drop(writer);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"input_length\":3,\"client\":7}\n{\"input_length\":3}\n{\"a\":1}\n"
        );
    }

    #[test]
    fn fields_come_in_the_order_of_the_format() {
        let request = Request {
            timestamp: Some(Micros::from_micros(1_500)),
            input_length: Some(600),
            output_length: Some(7),
            hash_ids: Some(vec![0, 1]),
            session_id: Some(SessionId::Number(-1)),
            model: Some("a\"b".into()),
            ..Request::default()
        };
        let mut out = Vec::new();
        Writer::new(&mut out).write(&request).unwrap();
        let expected = r#"{"timestamp":1.5,"input_length":600,"output_length":7,"hash_ids":[0,1],"session_id":-1,"model":"a\"b"}"#;
        assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"));
    }

    struct HangsUp;
    impl Write for HangsUp {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_hung_up_is_seen_as_such() {
        let mut writer = Writer::new(HangsUp);
        writer.write(&Request::default()).unwrap();
        assert_eq!(
            writer.flush().unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }

    prop_compose! {
        fn requests()(
            timestamp in proptest::option::of((0..1u64 << 50).prop_map(Micros::from_micros)),
            input_length in 0..1u64 << 53,
            output_length in proptest::option::of(0..1u64 << 53),
            hash_ids in proptest::option::of(proptest::collection::vec(any::<u64>(), 0..6)),
            session in proptest::option::of(prop_oneof![any::<i64>().prop_map(SessionId::Number), ".*".prop_map(SessionId::Text)]),
            model in proptest::option::of(".*"),
            text_input in proptest::option::of("\\PC*"),
        ) -> Request {
            Request { timestamp, input_length: Some(input_length), output_length, hash_ids, session_id: session, model, text_input, ..Request::default() }
        }
    }

    proptest! {
        #[test]
        fn what_was_written_reads_back(requests in proptest::collection::vec(requests(), 0..8)) {
            let mut out = Vec::new();
            let mut writer = Writer::new(&mut out);
            for request in &requests {
                writer.write(request).unwrap();
            }
            writer.flush().unwrap();
            drop(writer);
            let read: Vec<_> = Reader::new("t", &out[..]).map(|line| line.unwrap().request).collect();
            prop_assert_eq!(format!("{read:?}"), format!("{requests:?}"));
        }
    }
}
