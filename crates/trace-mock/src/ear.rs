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

/// A connection that notes when bytes came.
#[derive(Debug)]
pub(crate) struct Ear<S> {
    stream: S,
    came: Came,
}

impl<S: Wire> Ear<S> {
    /// Of `stream`, noting in `came`.
    pub(crate) fn new(stream: S, came: Came) -> Ear<S> {
        Ear { stream, came }
    }

    /// The connection alone.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: Wire> AsyncRead for Ear<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = room.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, room))?;
        if room.filled().len() > before {
            self.came.note(self.stream.came());
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
