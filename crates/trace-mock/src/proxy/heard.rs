//! What a server says, as far as the proxy must understand it: its head, and where it ends.

use std::time::Instant;

use bytes::{Buf, BytesMut};

use super::framing::Body;
use super::head;
use super::passage::Passage;

/// How much of an answer has been heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// What has come of the head, until that is over.
    head: BytesMut,
    /// What is to come of the body, once the head is over.
    body: Option<Body>,
    /// Whether the connection ends with it.
    pub(super) closes: bool,
}

impl Heard {
    /// Whether nothing has come.
    pub(super) fn is_nothing(&self) -> bool {
        self.body.is_none() && self.head.is_empty()
    }

    /// Whether it is over when the connection is.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.body == Some(Body::Rest)
    }

    /// Look at what the server said at `now`, the answer to a `bare` request or another. Whether
    /// the answer is over.
    ///
    /// # Errors
    /// It is no answer.
    pub(super) fn look(
        &mut self,
        bytes: &[u8],
        bare: bool,
        passage: &mut Option<Passage>,
        now: Instant,
    ) -> Result<bool, String> {
        let mut body = bytes;
        if self.body.is_none() {
            self.head.extend_from_slice(bytes);
            if !self.begin(bare, passage)? {
                return Ok(false);
            }
            body = &self.head;
        }
        let Some(framing) = &mut self.body else {
            return Ok(false);
        };
        let behind = framing.take(body, |data| {
            if let Some(passage) = passage {
                passage.bytes(data, now);
            }
        })?;
        // Who says more than was asked for cannot be asked again.
        self.closes |= !behind.is_empty();
        Ok(framing.is_over())
    }

    /// Whether the head is over, but for those that only announce it.
    fn begin(&mut self, bare: bool, passage: &mut Option<Passage>) -> Result<bool, String> {
        while let Some((told, length)) = head::answer(&self.head, bare)? {
            self.head.advance(length);
            if told.status >= 200 {
                self.body = Some(told.body);
                self.closes = told.closes;
                if let Some(passage) = passage {
                    passage.head(told);
                }
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(heard: &mut Heard, bytes: &str) -> Result<bool, String> {
        heard.look(bytes.as_bytes(), false, &mut None, Instant::now())
    }

    #[test]
    fn an_answer_is_over_where_its_head_says() {
        let mut heard = Heard::default();
        assert!(heard.is_nothing());
        let announced = "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-le";
        assert_eq!(look(&mut heard, announced), Ok(false));
        assert!(!heard.is_nothing());
        assert_eq!(look(&mut heard, "ngth: 4\r\n\r\nab"), Ok(false));
        assert_eq!(look(&mut heard, "cd"), Ok(true));
        assert!(!heard.closes && !heard.ends_with_connection());
    }

    #[test]
    fn who_says_more_than_the_answer_is_not_asked_again() {
        let mut heard = Heard::default();
        let answer = "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n";
        assert_eq!(look(&mut heard, answer), Ok(true));
        assert!(heard.closes);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        assert!(look(&mut Heard::default(), "hello\r\n\r\n").is_err());
    }
}
