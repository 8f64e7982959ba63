//! A connection that notes when bytes came, for whoever answers them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::server::Wire;

/// When the last bytes of a connection came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Came(Arc<Mutex<Option<Instant>>>);

impl Came {
    /// When they did; now if there were none.
    pub(crate) fn last(&self) -> Instant {
        let came = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        came.unwrap_or_else(Instant::now)
    }

    fn note(&self, came: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(came);
    }
}

/// Bytes that are read at once, first and at most. Room is cleared before it is read into, and so
/// takes memory, of which an open stream needs none: most requests are short.
const FIRST_BYTES: usize = 1 << 10;
const MOST_BYTES: usize = 64 << 10;

/// A connection that notes when bytes came.
#[derive(Debug)]
pub(crate) struct Ear<S> {
    stream: S,
    came: Came,
    /// Bytes that are read at once: more, the more come.
    room: usize,
}

impl<S: Wire> Ear<S> {
    /// Of `stream`, noting in `came`.
    pub(crate) fn new(stream: S, came: Came) -> Ear<S> {
        Ear {
            stream,
            came,
            room: FIRST_BYTES,
        }
    }

    /// The connection alone.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: Wire> AsyncRead for Ear<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let ear = self.get_mut();
        let room = ear.room.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        ready!(Pin::new(&mut ear.stream).poll_read(cx, &mut part))?;
        let length = part.filled().len();
        buffer.advance(length);
        if length > 0 {
            ear.came.note(ear.stream.came());
        }
        if length == ear.room {
            ear.room = (2 * length).min(MOST_BYTES);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Wire> AsyncWrite for Ear<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
