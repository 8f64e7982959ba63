//! The frames of a stream: bytes in, events out.
//!
//! Server-sent events as the WHATWG HTML standard (§9.2.6) has them, with three
//! mercies for servers as they are: the last event counts although no blank
//! line follows it, an event larger than [`MAX_EVENT`] is an error instead of
//! memory, and ids and retry times are not kept. Or JSON values one to a line,
//! what Ollama and several proxies stream instead: each line with something in
//! it is an event of that. Where the bytes are split never matters.
//!
//! An event that arrived whole is handed over as a part of the bytes it
//! arrived in; only one that was split is copied.

use memchr::memchr2;
use std::ops::Range;

/// The most bytes one event may have.
pub const MAX_EVENT: usize = 16 << 20;

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the `event:` field says, or nothing.
    pub name: &'a [u8],
    /// The `data:` lines, joined by line feeds, or the one line.
    pub data: &'a [u8],
}

/// An event grew beyond [`MAX_EVENT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of more than {} MiB", MAX_EVENT >> 20)]
pub struct TooLong;

/// Reads a stream of events, however it is split.
#[derive(Debug, Default)]
pub struct Frames {
    /// Each line is an event.
    bare: bool,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// The event so far, from earlier bytes; its lines joined.
    data: Vec<u8>,
    name: Vec<u8>,
    /// Whether the event has a `data:` line, be it an empty one.
    has_data: bool,
    /// The line before ended in CR: an LF now belongs to it.
    after_cr: bool,
    /// Past the place where a byte order mark may stand.
    begun: bool,
    /// There was a line that no stream of events has.
    foreign: bool,
}

impl Frames {
    /// A stream of JSON values, one to a line.
    pub fn of_lines() -> Self {
        Self {
            bare: true,
            ..Self::default()
        }
    }

    /// Read `bytes`, and give each event that ends in them to `event`.
    ///
    /// # Errors
    /// [`TooLong`]; nothing can be read after it.
    pub fn feed(&mut self, bytes: &[u8], mut event: impl FnMut(Frame<'_>)) -> Result<(), TooLong> {
        // The one data line of the event so far, if it stands in `bytes`.
        let mut here: Option<Range<usize>> = None;
        let mut from = 0;
        if self.after_cr && !bytes.is_empty() {
            from = usize::from(bytes[0] == b'\n');
            self.after_cr = false;
        }
        while let Some(length) = memchr2(b'\n', b'\r', &bytes[from..]) {
            let end = from + length;
            let next = match bytes[end..] {
                [b'\r', b'\n', ..] => end + 2,
                [b'\r'] => {
                    self.after_cr = true;
                    end + 1
                }
                _ => end + 1,
            };
            if self.line.is_empty() && self.begun {
                self.whole_line(bytes, from..end, &mut here, &mut event)?;
            } else {
                self.split_line(bytes, from..end, &mut here, &mut event)?;
            }
            from = next;
        }
        self.keep(bytes, &mut here)?;
        self.line.extend_from_slice(&bytes[from..]);
        if self.line.len() > MAX_EVENT {
            Err(TooLong)
        } else {
            Ok(())
        }
    }

    /// The stream is over: give the event that no blank line followed. Nothing
    /// may come after it.
    ///
    /// # Errors
    /// [`TooLong`]
    pub fn finish(&mut self, event: impl FnMut(Frame<'_>)) -> Result<(), TooLong> {
        self.feed(b"\n\n", event)
    }

    /// Whether there was a line that no stream of events has: a field without
    /// a meaning.
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// A line that began in earlier bytes, or the first of all.
    fn split_line(
        &mut self,
        bytes: &[u8],
        end: Range<usize>,
        here: &mut Option<Range<usize>>,
        event: &mut impl FnMut(Frame<'_>),
    ) -> Result<(), TooLong> {
        self.keep(bytes, here)?;
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(&bytes[end]);
        let mut start = 0;
        if !self.begun {
            self.begun = true;
            start = if line.starts_with(b"\xef\xbb\xbf") {
                3
            } else {
                0
            };
        }
        let mut here = None;
        self.whole_line(&line, start..line.len(), &mut here, event)?;
        self.keep(&line, &mut here)?;
        line.clear();
        self.line = line;
        Ok(())
    }

    fn whole_line(
        &mut self,
        bytes: &[u8],
        line: Range<usize>,
        here: &mut Option<Range<usize>>,
        event: &mut impl FnMut(Frame<'_>),
    ) -> Result<(), TooLong> {
        let text = &bytes[line.clone()];
        if self.bare {
            let data = text.trim_ascii();
            if !data.is_empty() {
                event(Frame { name: b"", data });
            }
            return Ok(());
        }
        if line.is_empty() {
            self.end_event(here.take().map(|data| &bytes[data]), event);
            return Ok(());
        }
        let (field, value) = match text {
            [b'd', b'a', b't', b'a', b':', ..] => (&b"data"[..], line.start + 5),
            _ => match text.iter().position(|&b| b == b':') {
                Some(0) => return Ok(()), // a comment
                Some(colon) => (&text[..colon], line.start + colon + 1),
                None => (text, line.end),
            },
        };
        let value = value + usize::from(value < line.end && bytes[value] == b' ')..line.end;
        match field {
            b"data" if self.has_data || here.is_some() => {
                self.keep(bytes, here)?;
                self.data.push(b'\n');
                self.data.extend_from_slice(&bytes[value]);
            }
            b"data" => *here = Some(value),
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(&bytes[value]);
            }
            b"id" | b"retry" => {}
            _ => self.foreign = true,
        }
        Ok(())
    }

    /// A blank line: the event has ended, whose data are `here`, or else were kept.
    fn end_event(&mut self, here: Option<&[u8]>, event: &mut impl FnMut(Frame<'_>)) {
        let kept = self.has_data.then_some(self.data.as_slice());
        if let Some(data) = here.or(kept) {
            let name = &self.name;
            event(Frame { name, data });
        }
        self.data.clear();
        self.name.clear();
        self.has_data = false;
    }

    /// Copy the event's data line before its bytes go.
    fn keep(&mut self, bytes: &[u8], here: &mut Option<Range<usize>>) -> Result<(), TooLong> {
        if let Some(data) = here.take() {
            self.data.extend_from_slice(&bytes[data]);
            self.has_data = true;
        }
        if self.data.len() > MAX_EVENT {
            Err(TooLong)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Owned = (Vec<u8>, Vec<u8>);

    fn read<'a>(mut frames: Frames, parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Owned> {
        let mut events = Vec::new();
        let mut push = |event: Frame<'_>| events.push((event.name.to_vec(), event.data.to_vec()));
        for part in parts {
            frames.feed(part, &mut push).unwrap();
        }
        frames.finish(&mut push).unwrap();
        events
    }

    fn decode<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Owned> {
        read(Frames::default(), parts)
    }

    fn data(text: &str) -> Vec<String> {
        let events = decode([text.as_bytes()]);
        events
            .into_iter()
            .map(|(_, data)| String::from_utf8(data).unwrap())
            .collect()
    }

    #[test]
    fn each_event_is_its_data() {
        assert_eq!(
            data("data: {\"a\":1}\n\ndata: [DONE]\n\n"),
            ["{\"a\":1}", "[DONE]"]
        );
    }

    #[test]
    fn the_space_after_the_colon_is_optional() {
        assert_eq!(data("data:a\n\ndata:  b\n\n"), ["a", " b"]);
    }

    #[test]
    fn lines_end_in_lf_crlf_or_cr() {
        assert_eq!(
            data("data: a\r\n\r\ndata: b\r\rdata: c\n\n"),
            ["a", "b", "c"]
        );
    }

    #[test]
    fn several_data_lines_are_one_event() {
        assert_eq!(
            data("data: a\ndata: b\ndata\n\ndata: c\n\n"),
            ["a\nb\n", "c"]
        );
    }

    #[test]
    fn comments_and_unknown_fields_are_no_events() {
        assert_eq!(
            data(": ping\n\nid: 7\nretry: 10\n\n:\ndata: a\nfoo\n\n"),
            ["a"]
        );
    }

    #[test]
    fn an_event_may_have_a_name() {
        let events = decode([&b"event: error\ndata: {}\n\ndata: x\n\n"[..]]);
        assert_eq!(
            events,
            [(b"error".to_vec(), b"{}".to_vec()), (vec![], b"x".to_vec())]
        );
    }

    #[test]
    fn the_last_event_counts_without_its_blank_line() {
        assert_eq!(data("data: a\n\ndata: b\n"), ["a", "b"]);
        assert_eq!(data("data: a\n\ndata: b"), ["a", "b"]);
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(data("\u{feff}data: a\n\n"), ["a"]);
    }

    #[test]
    fn of_lines_each_is_an_event_if_there_is_something_in_it() {
        let text = "\u{feff}{\"a\":1}\r\n\r\n\n {}\r{\"b\":2}\ndata: x";
        let lines = read(Frames::of_lines(), [text.as_bytes()]);
        let expected = ["{\"a\":1}", "{}", "{\"b\":2}", "data: x"];
        assert_eq!(
            lines,
            expected.map(|line| (vec![], line.as_bytes().to_vec()))
        );
    }

    #[test]
    fn an_endless_event_is_an_error() {
        let piece = vec![b'x'; 1 << 20];
        let line = [b"data: ", &piece[..], b"\n"].concat();
        for (mut frames, begin, piece) in [
            (Frames::default(), &b"data: "[..], &piece),
            (Frames::default(), b"", &line),
            (Frames::of_lines(), b"", &piece),
        ] {
            frames.feed(begin, |_| {}).unwrap();
            assert!((0..20).any(|_| frames.feed(piece, |_| {}).is_err()));
        }
    }

    /// Streams of likely lines, and plain garbage.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let line = prop::sample::select(vec![
            &b"data: {\"choices\":[]}"[..],
            b"data:x",
            b"data",
            b"data: ",
            b"event: e",
            b": comment",
            b"",
            b"",
            b"id: 1",
            b"data: \xc3\xa4\xf0\x9f\x98\x80",
            b"\xef\xbb\xbfdata: bom",
        ]);
        let end = prop::sample::select(vec![&b"\n"[..], b"\r\n", b"\r"]);
        let likely = prop::collection::vec((line, end), 0..20).prop_map(|lines| {
            lines
                .into_iter()
                .flat_map(|(line, end)| [line, end].concat())
                .collect()
        });
        let alphabet = prop::sample::select(b"dat:ev n\n\r\xef\xbb\xbf{}0".to_vec());
        prop_oneof![
            likely,
            prop::collection::vec(alphabet, 0..200),
            prop::collection::vec(any::<u8>(), 0..200)
        ]
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_split_does_not_matter(bytes in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            for frames in [Frames::default, Frames::of_lines] {
                let whole = read(frames(), [&bytes[..]]);
                let parts = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
                prop_assert_eq!(&read(frames(), parts), &whole);
                prop_assert_eq!(&read(frames(), bytes.chunks(1)), &whole);
            }
        }
    }
}
