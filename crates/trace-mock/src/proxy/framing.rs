//! Where messages of HTTP/1.1 end. Pure: bytes → the data among them.

/// Bytes of a line of framing: the size of a chunk with its extensions, or a trailer.
const MAX_LINE_BYTES: usize = 8 << 10;

/// What is left of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    /// Chunks, and where in them it is.
    Chunked(Place),
    /// All until the connection ends.
    Rest,
}

/// A place among chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the digits of a size: their value so far, and how many bytes the line has.
    Size(u64, usize),
    /// Behind the digits, up to the line feed.
    Extension(u64, usize),
    /// In the data of a chunk, of which so much is to come.
    Data(u64),
    /// Between the data of a chunk and the next size.
    Break,
    /// In a line behind the last chunk, with so many bytes of it but for the carriage return.
    Trailer(usize),
    /// Behind it all.
    End,
}

impl Body {
    /// A body in chunks, from its beginning.
    pub(super) const CHUNKED: Body = Body::Chunked(Place::Size(0, 0));

    /// Whether all of it has come.
    pub(super) fn is_over(self) -> bool {
        matches!(self, Body::Length(0) | Body::Chunked(Place::End))
    }

    /// Take what comes next, and hand its data to `data`. Gives what is behind the end of the body.
    ///
    /// # Errors
    /// It is no chunk.
    pub(super) fn take<'a>(
        &mut self,
        mut bytes: &'a [u8],
        mut data: impl FnMut(&'a [u8]),
    ) -> Result<&'a [u8], &'static str> {
        while !bytes.is_empty() && !self.is_over() {
            match self {
                Body::Rest => {
                    data(bytes);
                    bytes = &[];
                }
                Body::Length(left) | Body::Chunked(Place::Data(left)) => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX);
                    let (now, later) = bytes.split_at(length.min(bytes.len()));
                    data(now);
                    bytes = later;
                    *left -= now.len() as u64;
                    if *self == Body::Chunked(Place::Data(0)) {
                        *self = Body::Chunked(Place::Break);
                    }
                }
                Body::Chunked(place) => {
                    *place = place.after(bytes[0])?;
                    bytes = &bytes[1..];
                }
            }
        }
        Ok(bytes)
    }
}

impl Place {
    /// The place behind `byte`, which is of the framing.
    fn after(self, byte: u8) -> Result<Place, &'static str> {
        let wrong = "a chunk has no size";
        Ok(match (self, byte) {
            (Place::Size(_, length) | Place::Extension(_, length) | Place::Trailer(length), _)
                if length > MAX_LINE_BYTES =>
            {
                return Err("a line between chunks has no end");
            }
            (Place::Size(0, 0), b'\r' | b'\n' | b';') => return Err(wrong),
            (Place::Size(size, _) | Place::Extension(size, _), b'\n') => match size {
                0 => Place::Trailer(0),
                size => Place::Data(size),
            },
            (Place::Size(size, length), b'\r' | b';' | b' ' | b'\t') => {
                Place::Extension(size, length + 1)
            }
            (Place::Size(size, length), digit) => {
                let digit = char::from(digit).to_digit(16).ok_or(wrong)?;
                let size = size.checked_mul(16).ok_or(wrong)? + u64::from(digit);
                Place::Size(size, length + 1)
            }
            (Place::Extension(size, length), _) => Place::Extension(size, length + 1),
            (Place::Break, b'\r') => Place::Break,
            (Place::Break, b'\n') => Place::Size(0, 0),
            (Place::Break, _) => return Err("a chunk is longer than it says"),
            (Place::Trailer(0), b'\n') => Place::End,
            (Place::Trailer(_), b'\n') => Place::Trailer(0),
            (Place::Trailer(length), b'\r') => Place::Trailer(length),
            (Place::Trailer(length), _) => Place::Trailer(length + 1),
            (Place::Data(_) | Place::End, _) => self,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of `bytes`, what is behind it, and whether the body was over.
    fn read(mut body: Body, bytes: &[u8], piece: usize) -> Result<(String, String, bool), String> {
        let (mut all, mut rest) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            let behind = body.take(piece, |data| all.extend_from_slice(data))?;
            rest.extend_from_slice(behind);
        }
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ok((text(all), text(rest), body.is_over()))
    }

    #[test]
    fn chunks_are_joined_however_they_come() {
        let bytes = b"5\r\nhello\r\nA;x=\"y\"\r\n, it is me\r\n0\r\nx-sum: 1\r\n\r\nHTTP/1.1";
        for piece in [1, 2, 7, 100] {
            let read = read(Body::CHUNKED, bytes, piece).unwrap();
            assert_eq!(read, ("hello, it is me".into(), "HTTP/1.1".into(), true));
        }
    }

    #[test]
    fn a_length_is_kept_and_without_one_all_is_data() {
        for piece in [1, 3, 100] {
            let five = read(Body::Length(5), b"hello you", piece).unwrap();
            assert_eq!(five, ("hello".into(), " you".into(), true));
            let rest = read(Body::Rest, b"hello you", piece).unwrap();
            assert_eq!(rest, ("hello you".into(), String::new(), false));
        }
        assert!(Body::Length(0).is_over());
        assert!(!read(Body::CHUNKED, b"5\r\nhello\r\n", 4).unwrap().2);
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let endless = [b"1;".as_slice(), &[b'x'; MAX_LINE_BYTES]].concat();
        for bytes in [
            b"\r\n".as_slice(),
            b"x\r\n",
            b"-1\r\n",
            b"1\r\nab",
            b"fffffffffffffffff\r\n",
            &endless,
        ] {
            assert!(read(Body::CHUNKED, bytes, 3).is_err());
        }
    }
}
