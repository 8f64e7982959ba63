//! A request as it goes on: a new head, and the body byte for byte, framing and all.

use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};

use super::framing::Body;
use super::head::Asked;
use crate::service::MAX_BODY_BYTES;

/// A request on its way.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) asked: Asked,
    pub(super) arrival: Instant,
    /// What goes to the server, while more of it is to come.
    coming: BytesMut,
    /// All of it. It is kept while another connection may have to take it.
    whole: Bytes,
    /// Bytes of the head among them.
    head: usize,
    /// What of the body has not come.
    body: Body,
    /// Bytes of the body that have, framing and all.
    size: u64,
}

impl Letter {
    /// A letter with what `inbox` has of it, which came at `arrival`.
    ///
    /// # Errors
    /// The body is none.
    pub(super) fn new(
        mut asked: Asked,
        arrival: Instant,
        inbox: &mut BytesMut,
    ) -> Result<Letter, &'static str> {
        inbox.advance(asked.length);
        let onward = std::mem::take(&mut asked.onward);
        let mut letter = Letter {
            arrival,
            head: onward.len(),
            coming: onward,
            whole: Bytes::new(),
            body: asked.body,
            size: 0,
            asked,
        };
        letter.take(inbox)?;
        Ok(letter)
    }

    /// Take what `inbox` has of the body.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn take(&mut self, inbox: &mut BytesMut) -> Result<(), &'static str> {
        let behind = self.body.take(inbox, |_| ())?.len();
        let length = inbox.len() - behind;
        self.size += length as u64;
        if !self.is_too_long() {
            self.coming.extend_from_slice(&inbox[..length]);
        }
        inbox.advance(length);
        if self.is_whole() {
            self.whole = self.coming.split().freeze();
        }
        Ok(())
    }

    /// Whether all of it has come.
    pub(super) fn is_whole(&self) -> bool {
        self.body.is_over()
    }

    /// Whether its body is longer than any that is passed on.
    pub(super) fn is_too_long(&self) -> bool {
        let announced = match self.asked.body {
            Body::Length(length) => length,
            _ => 0,
        };
        self.size.max(announced) > MAX_BODY_BYTES as u64
    }

    /// Bytes of the body that have come.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// What goes to the server, as far as it has come.
    pub(super) fn bytes(&self) -> &[u8] {
        if self.whole.is_empty() {
            &self.coming
        } else {
            &self.whole
        }
    }

    /// The head of what goes to the server.
    pub(super) fn head(&self) -> &[u8] {
        self.bytes().get(..self.head).unwrap_or_default()
    }

    /// Its body without framing, once all of it has come.
    pub(super) fn body(&self) -> Option<Bytes> {
        let raw = self.whole.get(self.head..)?;
        if !matches!(self.asked.body, Body::Chunked(_)) {
            return Some(self.whole.slice(self.head..));
        }
        let mut body = Vec::with_capacity(raw.len());
        let mut framing = Body::CHUNKED;
        // All of it has been taken like this before.
        let _ = framing.take(raw, |data| body.extend_from_slice(data));
        Some(body.into())
    }

    /// Let go of what nobody needs again.
    pub(super) fn forget(&mut self) {
        self.whole = Bytes::new();
    }
}

#[cfg(test)]
mod tests {
    use super::super::head::{Way, request};
    use super::*;

    fn letter(text: &str, inbox: &mut BytesMut) -> Letter {
        let way = Way {
            authority: "h".into(),
            prefix: String::new(),
        };
        inbox.extend_from_slice(text.as_bytes());
        let asked = request(inbox, &way).unwrap().unwrap();
        Letter::new(asked, Instant::now(), inbox).unwrap()
    }

    #[test]
    fn a_body_may_come_in_pieces_and_the_next_request_stays() {
        let mut inbox = BytesMut::new();
        let mut letter = letter("POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhe", &mut inbox);
        assert!(!letter.is_whole() && inbox.is_empty());
        inbox.extend_from_slice(b"lloGET /");
        letter.take(&mut inbox).unwrap();
        assert!(letter.is_whole());
        assert_eq!(
            (&inbox[..], &letter.bytes()[letter.head..]),
            (&b"GET /"[..], &b"hello"[..])
        );
        assert_eq!(letter.body().unwrap(), "hello");
    }

    #[test]
    fn chunks_go_on_as_they_are_and_are_read_as_one() {
        let mut inbox = BytesMut::new();
        let chunks = "3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\n\r\n";
        let head = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        let letter = letter(&format!("{head}{chunks}"), &mut inbox);
        assert!(letter.is_whole());
        assert_eq!(&letter.bytes()[letter.head..], chunks.as_bytes());
        assert_eq!(letter.body().unwrap(), "hello");
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let mut inbox = BytesMut::new();
        let length = MAX_BODY_BYTES + 1;
        let head = format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\nabc");
        let letter = letter(&head, &mut inbox);
        assert!(letter.is_too_long() && letter.bytes().len() == letter.head);
        assert_eq!(letter.size(), 3);
    }
}
