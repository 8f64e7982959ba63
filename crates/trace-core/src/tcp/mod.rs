//! A TCP connection that knows when its bytes came.
//!
//! A program learns of bytes when it gets to run, which on a busy machine is
//! milliseconds after they came. Linux notes when they did and tells it with
//! them; elsewhere [`Tcp::came`] says nothing.
//!
//! A read has one time, that of the last packet it took from. Packets that lie
//! unread in a socket are joined by Linux, which keeps the time of the later:
//! reading less at once would tell no more.

#[cfg(target_os = "linux")]
mod stamp;

#[cfg(target_os = "linux")]
use stamp::Stamps;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Let the kernel note times on all connections of `listener`, of what comes
/// before they are accepted, too. Where it does not, none are told.
pub fn note_times(listener: &TcpListener) {
    #[cfg(target_os = "linux")]
    let _ = stamp::turn_on(listener);
    #[cfg(not(target_os = "linux"))]
    let _ = listener;
}

/// An open connection.
#[derive(Debug)]
pub struct Tcp {
    stream: TcpStream,
    /// Where the kernel tells times.
    #[cfg(target_os = "linux")]
    stamps: Option<Stamps>,
    /// When the last bytes that were read came, if the kernel said so.
    came: Option<Instant>,
}

impl Tcp {
    /// `stream`, which writes at once and tells the times of what it reads
    /// from now on.
    pub fn new(stream: TcpStream) -> Self {
        // It makes the clock finer and can fail only on a dead socket, which tells anyway.
        let _ = stream.set_nodelay(true);
        Self {
            #[cfg(target_os = "linux")]
            stamps: Stamps::ask(&stream),
            stream,
            came: None,
        }
    }

    /// When the last bytes that were read came, or others that lay in the socket
    /// with them, if the kernel said so.
    pub fn came(&self) -> Option<Instant> {
        self.came
    }

    /// The connection itself.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Write as much of `bytes` as goes at once.
    ///
    /// # Errors
    /// As the socket says, that nothing goes among it.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.try_write(bytes)
    }
}

#[cfg(target_os = "linux")]
impl Tcp {
    /// Read once there is something, with its time.
    fn poll_stamped(
        &mut self,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(stamps) = &mut self.stamps else {
            return Pin::new(&mut self.stream).poll_read(cx, room);
        };
        let stream = &self.stream;
        loop {
            std::task::ready!(stream.poll_read_ready(cx))?;
            let buffer = room.initialize_unfilled();
            let whole = buffer.len();
            let mut part = None;
            let read = stream.try_io(tokio::io::Interest::READABLE, || {
                let read = stamps.receive(stream, buffer)?;
                // There is no more: the runtime need not try again to know.
                if (1..whole).contains(&read.0) {
                    part = Some(read);
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Ok(read)
            });
            let (length, came) = match (part, read) {
                (Some(read), _) | (None, Ok(read)) => read,
                (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => continue,
                (None, Err(error)) => return Poll::Ready(Err(error)),
            };
            room.advance(length);
            self.came = came;
            return Poll::Ready(Ok(()));
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tcp = self.get_mut();
        #[cfg(target_os = "linux")]
        return tcp.poll_stamped(cx, room);
        #[cfg(not(target_os = "linux"))]
        Pin::new(&mut tcp.stream).poll_read(cx, room)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was written has left.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
