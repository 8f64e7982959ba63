//! The events of a stream: bytes → names and data, however they are split.
//!
//! Lines end in LF, CR or both; the data lines of an event are joined; a mark of the byte order may
//! stand in front. A stream of plain lines is one of events whose data are its lines.

/// Bytes of an event that are kept while its end has not come. Longer ones pass unread.
const MAX_EVENT_BYTES: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A stream on its way.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Whether each line stands for itself.
    bare: bool,
    /// A line without its end.
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    /// Whether a line feed would belong to the line before.
    after_return: bool,
    /// Whether a line has come.
    begun: bool,
}

impl Events {
    /// A stream of events, or of lines.
    pub(super) fn new(bare: bool) -> Events {
        Events {
            bare,
            ..Events::default()
        }
    }

    /// Take `bytes` and hand each event that is whole, its name and its data, to `event`.
    pub(super) fn take(&mut self, mut bytes: &[u8], mut event: impl FnMut(&[u8], &[u8])) {
        if std::mem::take(&mut self.after_return) {
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) {
            self.keep(&bytes[..end]);
            self.end_line(&mut event);
            let rest = &bytes[end + 1..];
            let return_ends = bytes[end] == b'\r';
            self.after_return = return_ends && rest.is_empty();
            let feed = rest.strip_prefix(b"\n").filter(|_| return_ends);
            bytes = feed.unwrap_or(rest);
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.line.len() + self.data.len() + bytes.len() <= MAX_EVENT_BYTES {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, event: &mut impl FnMut(&[u8], &[u8])) {
        let mut line = self.line.as_slice();
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if self.bare {
            event(b"", line.trim_ascii());
        } else if line.is_empty() {
            event(&self.name, &self.data);
            self.name.clear();
            self.data.clear();
        } else if let Some(data) = field(line, b"data") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data);
        } else if let Some(name) = field(line, b"event") {
            self.name.clear();
            self.name.extend_from_slice(name);
        }
        self.line.clear();
    }
}

/// What a line says, if it is of the field `name`.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = line.strip_prefix(name)?.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(bare: bool, text: &str, piece: usize) -> Vec<(String, String)> {
        let (mut events, mut found) = (Events::new(bare), Vec::new());
        for bytes in text.as_bytes().chunks(piece) {
            events.take(bytes, |name, data| {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                found.push((text(name), text(data)));
            });
        }
        found.retain(|(_, data)| !data.is_empty());
        found
    }

    #[test]
    fn events_are_the_same_however_lines_end_and_bytes_are_split() {
        let text = "\u{feff}data: a\n\n: ping\n\nevent: error\ndata:b\ndata: c\n\n";
        for end in ["\n", "\r\n", "\r"] {
            let text = text.replace('\n', end);
            for piece in [1, 2, 3, 1_000] {
                let expected = [("", "a"), ("error", "b\nc")];
                let expected = expected.map(|(name, data)| (name.to_owned(), data.to_owned()));
                assert_eq!(events(false, &text, piece), expected, "{end:?} {piece}");
            }
        }
    }

    #[test]
    fn plain_lines_stand_for_themselves() {
        let found = events(true, "{\"a\":1}\n\n{}\n", 4);
        let data: Vec<_> = found.iter().map(|(_, data)| data.as_str()).collect();
        assert_eq!(data, ["{\"a\":1}", "{}"]);
    }
}
