//! HTTP/1.1 responses: bytes in, head and body out.
//!
//! No sockets and no clock here. hyper would do this too, but it reads,
//! decodes and hands over in a task of its own, so that the moment a byte
//! came in is known only after two more wake-ups; and it costs about as much
//! again as all the rest of a streamed answer. What a client needs of
//! RFC 9112 is one page: a head (read by httparse) and three ways to tell
//! where the body ends.

use memchr::memchr;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// The most bytes a head or a chunk's frame may have.
const MAX_HEAD: usize = 64 << 10;

/// The most header fields a head may have.
const MAX_FIELDS: usize = 100;

/// What the head of a response says, as far as anyone here asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code, 200 to 999; interim responses are skipped.
    pub status: u16,
    /// The media type, without parameters, in lower case.
    pub content_type: String,
    /// Whether the connection may carry another request.
    pub keep_alive: bool,
}

/// A part of a response.
#[derive(Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The head: comes first and once.
    Head(&'a Head),
    /// Some of the body.
    Body(&'a [u8]),
}

/// Why bytes are not a response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The head cannot be read.
    #[error("not an HTTP response: {0}")]
    Head(&'static str),
    /// The frame of a chunk cannot be read.
    #[error("broken chunked encoding: {0}")]
    Chunk(&'static str),
}

/// Reads one response, however it is split.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    head: Head,
    /// The beginning of a head or of a chunk's frame.
    held: Vec<u8>,
    /// Bytes of the body so far.
    body_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    /// This many bytes of a body of known length are to come.
    Length(u64),
    /// The body ends with the connection.
    ToEnd,
    ChunkSize,
    /// This many bytes of a chunk are to come.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    Trailer,
    Done,
}

/// How a response ended when the connection did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing of it had come.
    BeforeHead,
    /// It had no length, so that this is the end of it, or a cut: HTTP cannot tell.
    ToEnd,
    /// More was to come.
    Cut,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            state: State::Head,
            head: Head::default(),
            held: Vec::new(),
            body_bytes: 0,
        }
    }
}

impl Decoder {
    /// Read `bytes` and give their parts to `part`. Returns how many of them
    /// belonged to this response: all, unless it is done.
    ///
    /// # Errors
    /// [`Malformed`]; the decoder and the connection are of no use after it.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        mut part: impl FnMut(Part<'_>),
    ) -> Result<usize, Malformed> {
        let mut rest = bytes;
        loop {
            match self.state {
                State::Head => {
                    let Some(after) = self.take_head(rest)? else {
                        return Ok(bytes.len());
                    };
                    rest = &rest[after..];
                    // 100 Continue and its like: the real head follows.
                    if self.state != State::Head {
                        part(Part::Head(&self.head));
                    }
                }
                State::Done => return Ok(bytes.len() - rest.len()),
                _ if rest.is_empty() => return Ok(bytes.len()),
                State::ToEnd => {
                    self.body_bytes += rest.len() as u64;
                    part(Part::Body(rest));
                    return Ok(bytes.len());
                }
                State::Length(left) | State::Chunk(left) => {
                    let here =
                        usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                    self.body_bytes += here as u64;
                    part(Part::Body(&rest[..here]));
                    rest = &rest[here..];
                    let left = left - here as u64;
                    self.state = match self.state {
                        State::Length(_) if left > 0 => State::Length(left),
                        State::Length(_) => State::Done,
                        _ if left > 0 => State::Chunk(left),
                        _ => State::ChunkEnd,
                    };
                }
                State::ChunkEnd => {
                    rest = match rest {
                        [b'\n', rest @ ..] => {
                            self.state = State::ChunkSize;
                            rest
                        }
                        [b'\r', rest @ ..] => rest,
                        _ => return Err(Malformed::Chunk("a chunk is longer than it said")),
                    }
                }
                State::ChunkSize => {
                    let Some((line, after)) = self.take_line(rest)? else {
                        return Ok(bytes.len());
                    };
                    let size = chunk_size(line)?;
                    self.held.clear();
                    rest = &rest[after..];
                    self.state = if size == 0 {
                        State::Trailer
                    } else {
                        State::Chunk(size)
                    };
                }
                State::Trailer => {
                    let Some((line, after)) = self.take_line(rest)? else {
                        return Ok(bytes.len());
                    };
                    let last = line.is_empty();
                    self.held.clear();
                    rest = &rest[after..];
                    if last {
                        self.state = State::Done;
                    }
                }
            }
        }
    }

    /// Whether the whole response has been read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Bytes of body read so far.
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// What it means that the connection ended here.
    pub fn end(&self) -> End {
        match self.state {
            State::Head if self.held.is_empty() => End::BeforeHead,
            State::ToEnd => End::ToEnd,
            _ => End::Cut,
        }
    }

    /// Read the head, if `bytes` complete it; how many of them it took.
    fn take_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        static BLANK_LINE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\r\n\r\n"));
        if bytes.is_empty() {
            return Ok(None);
        }
        // Nearly always the head comes whole, and need not be copied.
        if self.held.is_empty()
            && BLANK_LINE.find(bytes).is_some()
            && let Some(length) = self.parse_head(bytes)?
        {
            return Ok(Some(length));
        }
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        match self.parse_head(&held)? {
            Some(length) => Ok(Some(length - before)),
            None if held.len() > MAX_HEAD => Err(Malformed::Head("its head has no end")),
            None => {
                self.held = held;
                Ok(None)
            }
        }
    }

    fn parse_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let length = match response.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::Version) => {
                return Err(Malformed::Head("it speaks another protocol"));
            }
            Err(httparse::Error::TooManyHeaders) => {
                return Err(Malformed::Head("too many header fields"));
            }
            Err(_) => return Err(Malformed::Head("its head cannot be read")),
        };
        let status = response.code.unwrap_or_default();
        if (100..200).contains(&status) && status != 101 {
            return Ok(Some(length));
        }
        self.head = Head {
            status,
            keep_alive: response.version == Some(1),
            content_type: String::new(),
        };
        let mut body = State::ToEnd;
        for field in response.headers.iter() {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            let value = field.value.trim_ascii();
            if is("content-length") && body != State::ChunkSize {
                body = State::Length(content_length(value)?);
            } else if is("transfer-encoding") {
                let chunked =
                    value.len() >= 7 && value[value.len() - 7..].eq_ignore_ascii_case(b"chunked");
                body = if chunked {
                    State::ChunkSize
                } else {
                    State::ToEnd
                };
            } else if is("connection") {
                let has = |token: &[u8]| {
                    value
                        .split(|&b| b == b',')
                        .any(|t| t.trim_ascii().eq_ignore_ascii_case(token))
                };
                self.head.keep_alive =
                    !has(b"close") && (self.head.keep_alive || has(b"keep-alive"));
            } else if is("content-type") {
                let media = value
                    .split(|&b| b == b';')
                    .next()
                    .unwrap_or_default()
                    .trim_ascii();
                self.head.content_type = String::from_utf8_lossy(media).to_ascii_lowercase();
            }
        }
        self.state = match body {
            _ if status == 204 || status == 304 => State::Done,
            State::Length(0) => State::Done,
            body => body,
        };
        if self.state == State::ToEnd {
            self.head.keep_alive = false;
        }
        Ok(Some(length))
    }

    /// The line that `bytes` complete, without its end, and how many of them
    /// it took. The caller clears `held` when it is done with the line.
    fn take_line<'a>(
        &'a mut self,
        bytes: &'a [u8],
    ) -> Result<Option<(&'a [u8], usize)>, Malformed> {
        let Some(end) = memchr(b'\n', bytes) else {
            self.held.extend_from_slice(bytes);
            return if self.held.len() > MAX_HEAD {
                Err(Malformed::Chunk("a line has no end"))
            } else {
                Ok(None)
            };
        };
        let line = if self.held.is_empty() {
            &bytes[..end]
        } else {
            self.held.extend_from_slice(&bytes[..end]);
            &self.held
        };
        Ok(Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1)))
    }
}

fn content_length(value: &[u8]) -> Result<u64, Malformed> {
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    text.and_then(|text| text.parse().ok())
        .ok_or(Malformed::Head("its content-length is not a number"))
}

/// The size in front of a chunk; what follows a semicolon means nothing to us.
fn chunk_size(line: &[u8]) -> Result<u64, Malformed> {
    let digits = line
        .split(|&b| b == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    if digits.is_empty() || digits.len() > 15 {
        return Err(Malformed::Chunk("a chunk has no size"));
    }
    digits.iter().try_fold(0, |size, &digit| {
        let value = (digit as char)
            .to_digit(16)
            .ok_or(Malformed::Chunk("the size of a chunk is not a number"))?;
        Ok(size << 4 | u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Default, PartialEq)]
    struct Read {
        head: Option<Head>,
        body: Vec<u8>,
        done: bool,
        taken: usize,
        error: Option<Malformed>,
    }

    fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Read {
        let (mut decoder, mut read) = (Decoder::default(), Read::default());
        for bytes in parts {
            let fed = decoder.feed(bytes, |part| match part {
                Part::Head(head) => read.head = Some(head.clone()),
                Part::Body(body) => read.body.extend_from_slice(body),
            });
            match fed {
                Ok(taken) => read.taken += taken,
                Err(error) => {
                    read.error = Some(error);
                    break;
                }
            }
            if decoder.is_done() {
                break;
            }
        }
        read.done = decoder.is_done();
        read
    }

    fn whole(text: &str) -> Read {
        read([text.as_bytes()])
    }

    #[test]
    fn a_body_of_known_length_ends_there() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: Application/JSON; charset=utf-8\r\n\r\n{}HTTP";
        let read = whole(text);
        assert_eq!(read.body, b"{}");
        assert!(read.done);
        assert_eq!(
            read.taken,
            text.len() - "HTTP".len(),
            "what follows is not taken"
        );
        let head = read.head.unwrap();
        assert_eq!(
            (head.status, head.content_type.as_str(), head.keep_alive),
            (200, "application/json", true)
        );
    }

    #[test]
    fn chunks_are_joined_and_extensions_and_trailers_skipped() {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n, a\r\nworld\r\n0\r\nX: y\r\n\r\n";
        let read = whole(text);
        assert_eq!(read.body, b"hello, a\r\nworld");
        assert!(read.done);
        assert_eq!(read.taken, text.len());
    }

    #[test]
    fn interim_responses_are_skipped() {
        let read = whole(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        );
        assert_eq!(read.head.unwrap().status, 204);
        assert!(read.done);
    }

    #[test]
    fn a_body_without_length_ends_with_the_connection() {
        let mut decoder = Decoder::default();
        decoder
            .feed(
                b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc",
                |_| {},
            )
            .unwrap();
        assert_eq!(decoder.end(), End::ToEnd);
        assert!(!decoder.head.keep_alive);
    }

    #[test]
    fn an_early_end_is_told_from_none_at_all() {
        let end = |text: &str| {
            let mut decoder = Decoder::default();
            decoder.feed(text.as_bytes(), |_| {}).unwrap();
            decoder.end()
        };
        assert_eq!(end(""), End::BeforeHead);
        assert_eq!(end("HTTP/1.1 200"), End::Cut);
        assert_eq!(
            end("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab"),
            End::Cut
        );
        assert_eq!(
            end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"),
            End::Cut
        );
    }

    #[test]
    fn keep_alive_follows_version_and_connection() {
        let keeps = |version: &str, connection: &str| {
            whole(&format!(
                "HTTP/{version} 200 OK\r\n{connection}content-length: 0\r\n\r\n"
            ))
            .head
            .unwrap()
            .keep_alive
        };
        assert!(keeps("1.1", ""));
        assert!(!keeps("1.0", ""));
        assert!(keeps("1.0", "Connection: Keep-Alive\r\n"));
        assert!(!keeps("1.1", "connection: foo, Close\r\n"));
    }

    #[test]
    fn what_is_no_http_is_refused() {
        for text in [
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "\x16\x03\x01 tls \r\n\r\n",
        ] {
            assert!(
                matches!(whole(text).error, Some(Malformed::Head(_))),
                "{text}"
            );
        }
        let chunk = |size: &str| {
            whole(&format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{size}\r\nab"
            ))
            .error
        };
        for size in ["x", "", "-1", "fffffffffffffffff", "1"] {
            assert!(matches!(chunk(size), Some(Malformed::Chunk(_))), "{size}");
        }
        let length = whole("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n").error;
        assert!(length.is_some());
    }

    #[test]
    fn a_head_or_a_frame_without_end_is_refused() {
        let long = vec![b'a'; 100 << 10];
        assert!(
            read([&b"HTTP/1.1 200 OK\r\nx: "[..], &long])
                .error
                .is_some()
        );
        assert!(
            read([
                &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;"[..],
                &long
            ])
            .error
            .is_some()
        );
    }

    fn response() -> impl Strategy<Value = Vec<u8>> {
        let chunk = prop::collection::vec(any::<u8>(), 1..40).prop_map(|bytes| {
            [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat()
        });
        let chunked = prop::collection::vec(chunk, 0..5).prop_map(|chunks| {
            [
                &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"[..],
                &chunks.concat(),
                b"0\r\n\r\n",
            ]
            .concat()
        });
        let sized = prop::collection::vec(any::<u8>(), 0..60).prop_map(|body| {
            [
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(),
                &body,
            ]
            .concat()
        });
        let alphabet = prop::sample::select(b"HTP/1. 20OK\r\n:ac0;".to_vec());
        prop_oneof![chunked, sized, prop::collection::vec(alphabet, 0..80)]
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_split_does_not_matter(bytes in response(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let split = read(cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]));
            let whole = read([&bytes[..]]);
            prop_assert_eq!((split.error.is_some(), &split.body, split.done), (whole.error.is_some(), &whole.body, whole.done));
            let single = read(bytes.chunks(1));
            prop_assert_eq!((single.error.is_some(), &single.body, single.done), (whole.error.is_some(), &whole.body, whole.done));
        }
    }
}
