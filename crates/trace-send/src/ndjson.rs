//! JSON values one to a line: bytes in, lines out.
//!
//! What Ollama and several proxies stream instead of server-sent events.
//! Blank lines are skipped, CRLF is fine, and the last line needs no end.

use crate::sse::{MAX_EVENT, TooLong};
use memchr::memchr;

/// Reads lines, however the stream is split.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

impl Decoder {
    /// Read `bytes`, and give each line that ends in them to `line`.
    ///
    /// # Errors
    /// [`TooLong`] for a line beyond [`MAX_EVENT`].
    pub fn feed(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) -> Result<(), TooLong> {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            if self.line.is_empty() {
                give(&rest[..end], &mut line);
            } else {
                self.line.extend_from_slice(&rest[..end]);
                give(&self.line, &mut line);
                self.line.clear();
            }
            rest = &rest[end + 1..];
        }
        self.line.extend_from_slice(rest);
        if self.line.len() > MAX_EVENT {
            Err(TooLong)
        } else {
            Ok(())
        }
    }

    /// The stream is over: give the line that had no end.
    pub fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        give(&std::mem::take(&mut self.line), &mut line);
    }
}

fn give(line: &[u8], to: &mut impl FnMut(&[u8])) {
    let line = line.trim_ascii();
    if !line.is_empty() {
        to(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
        let mut decoder = Decoder::default();
        let mut lines = Vec::new();
        for part in parts {
            decoder
                .feed(part, |line| lines.push(line.to_vec()))
                .unwrap();
        }
        decoder.finish(|line| lines.push(line.to_vec()));
        lines
    }

    #[test]
    fn blank_lines_are_skipped_and_the_last_needs_no_end() {
        assert_eq!(
            decode([&b"{\"a\":1}\r\n\r\n\n{}\n{\"b\":2}"[..]]),
            [&b"{\"a\":1}"[..], b"{}", b"{\"b\":2}"]
        );
    }

    #[test]
    fn an_endless_line_is_an_error() {
        let mut decoder = Decoder::default();
        let piece = vec![b'x'; 1 << 20];
        assert!((0..20).any(|_| decoder.feed(&piece, |_| {}).is_err()));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_split_does_not_matter(bytes in prop::collection::vec(prop::sample::select(b"a\n\r {".to_vec()), 0..100), size in 1..9_usize) {
            prop_assert_eq!(decode(bytes.chunks(size)), decode([&bytes[..]]));
        }
    }
}
