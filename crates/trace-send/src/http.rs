//! HTTP/1.1 responses: bytes in, head and body out.
//!
//! No sockets and no clock here. What a client needs of RFC 9112 is one page:
//! a head (read by httparse) and three ways to tell where the body ends.
//!
//! Why not hyper, which serves HTTP/2 here: the same closed loop (16 streamed
//! tokens, one runtime, `scripts/bench http`) costs through hyper's client
//! connection 0.042 CPU-s per 1000 requests against our 0.024 at 64 in flight,
//! and 0.065 against 0.029 at 256: 1.7 and 2.3 times as much, the best of four
//! runs each. It reads, decodes and hands over in a task of its own. The times
//! to first token are as true either way, within what a busy machine tells, as
//! long as the socket notes when bytes came. `--http 1.1-hyper` repeats it.

mod head;
mod retry;

pub use head::Head;
pub use retry::RetryAfter;

use memchr::memchr;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// The most bytes a head or a chunk's frame may have.
const MAX_HEAD: usize = 64 << 10;

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

impl State {
    /// Where a body stands when `bytes` more of it have come, no more than were
    /// to come.
    fn after(self, bytes: u64) -> Self {
        match self {
            Self::Length(left) if left > bytes => Self::Length(left - bytes),
            Self::Length(_) => Self::Done,
            Self::Chunk(left) if left > bytes => Self::Chunk(left - bytes),
            Self::Chunk(_) => Self::ChunkEnd,
            framed => framed,
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            state: State::Head,
            head: Head::default(),
            held: Vec::new(),
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
                    part(Part::Body(rest));
                    return Ok(bytes.len());
                }
                State::Length(left) | State::Chunk(left) => {
                    let here =
                        usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                    part(Part::Body(&rest[..here]));
                    rest = &rest[here..];
                    self.state = self.state.after(here as u64);
                }
                State::ChunkSize | State::ChunkEnd | State::Trailer => {
                    let Some(after) = self.take_frame(rest)? else {
                        return Ok(bytes.len());
                    };
                    rest = &rest[after..];
                }
            }
        }
    }

    /// Whether the whole response has been read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// What it means that the connection ended here.
    pub fn end(&self) -> End {
        match self.state {
            State::Head if self.held.is_empty() => End::BeforeHead,
            State::ToEnd => End::ToEnd,
            _ => End::Cut,
        }
    }

    /// Read the head, if `bytes` complete it; how many of them it took. One
    /// that cannot be read is held, so that something is known to have come.
    fn take_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let taken = self.find_head(bytes);
        if taken.is_err() {
            self.held.extend_from_slice(bytes);
        }
        taken
    }

    fn find_head(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
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
        let Some((length, head)) = head::read(bytes)? else {
            return Ok(None);
        };
        // Interim: the real one follows.
        let Some((head, body)) = head else {
            return Ok(Some(length));
        };
        self.head = head;
        self.state = body;
        Ok(Some(length))
    }

    /// Read one piece of what stands around chunks; how many of `bytes` it
    /// took, nothing while its end is to come.
    fn take_frame(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        if self.state == State::ChunkEnd {
            return match bytes.first() {
                Some(b'\n') => {
                    self.state = State::ChunkSize;
                    Ok(Some(1))
                }
                Some(b'\r') => Ok(Some(1)),
                _ => Err(Malformed::Chunk("a chunk is longer than it said")),
            };
        }
        let in_trailer = self.state == State::Trailer;
        let Some((line, after)) = self.take_line(bytes)? else {
            return Ok(None);
        };
        let next = match in_trailer {
            true if line.is_empty() => State::Done,
            true => State::Trailer,
            false => match chunk_size(line)? {
                0 => State::Trailer,
                size => State::Chunk(size),
            },
        };
        self.held.clear();
        self.state = next;
        Ok(Some(after))
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
mod tests;
