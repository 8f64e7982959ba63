//! A body that is read by code that waits, a piece at a time.

use crate::body;
use bytes::{Buf, Bytes};
use hyper::body::Incoming;
use std::io::{self, BufRead, Read};
use tokio::sync::mpsc;

/// Pieces that wait to be read.
const WAITING: usize = 4;

/// What of a body has come, as a reader on another thread.
pub(crate) struct Upload {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

/// `body` as a reader. It is moved by a task of its own, as fast as it is
/// read; what is left when the reader goes is heard out for a while, so that
/// the sender hears the answer.
pub(crate) fn upload(mut body: Incoming) -> Upload {
    let (sender, pieces) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        loop {
            let piece = match body::next(&mut body).await {
                Ok(Some(piece)) => Ok(piece),
                Ok(None) => return,
                Err(_) => Err(io::Error::other("the upload broke off")),
            };
            let broken = piece.is_err();
            if sender.send(piece).await.is_err() {
                body::hear_out(body).await;
                return;
            }
            if broken {
                return;
            }
        }
    });
    Upload {
        pieces,
        piece: Bytes::new(),
    }
}

impl BufRead for Upload {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => break,
            }
        }
        Ok(&self.piece)
    }

    fn consume(&mut self, count: usize) {
        self.piece.advance(count);
    }
}

impl Read for Upload {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let held = self.fill_buf()?;
        let count = held.len().min(buffer.len());
        buffer[..count].copy_from_slice(&held[..count]);
        self.consume(count);
        Ok(count)
    }
}
