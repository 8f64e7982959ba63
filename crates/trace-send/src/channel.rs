//! HTTP/2, by hyper: many requests on one connection.
//!
//! The connection has a task of its own, which reads and hands over. So that
//! a piece of an answer is still stamped when its bytes came, and not when
//! that task got round to it, the socket notes the time of each read.
//!
//! hyper's HTTP/1.1 goes the same way, and is here to be compared with ours:
//! see [`http`](crate::http).

use crate::connect::plain;
use crate::http::Head;
use crate::socket::Socket;
use ::http::{Request, Response};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::spawn_local;
use trace_core::{ErrorKind, Failure};

/// Requests that share a connection at most, though the server allow more:
/// what the best-known servers allow.
pub(crate) const MOST_STREAMS: usize = 100;

/// What stands for the server's limit until it has told it.
const UNTOLD: usize = MOST_STREAMS + 1;

/// How long a server may take to begin.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes that one stream, and all of a connection, may have under way.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// A connection that hyper serves, shared by its [`Lease`]s.
#[derive(Clone)]
pub(crate) struct Channel {
    sender: Sender,
    heard: Rc<Cell<Heard>>,
    /// Requests that the server allows at once.
    most: Rc<dyn Fn() -> usize>,
    /// Requests under way.
    streams: Rc<Cell<usize>>,
}

/// When bytes last came, and when they were read.
#[derive(Debug, Clone, Copy)]
struct Heard {
    /// As the kernel says, if it does.
    came: Option<Instant>,
    read: Instant,
}

#[derive(Debug)]
enum Sender {
    /// Boxed, since it is taken along by the one request it can carry.
    One(Rc<tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>>),
    Many(http2::SendRequest<Full<Bytes>>),
}

impl Clone for Sender {
    fn clone(&self) -> Self {
        match self {
            Self::One(sender) => Self::One(Rc::clone(sender)),
            Self::Many(sender) => Self::Many(sender.clone()),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("streams", &self.streams)
            .finish_non_exhaustive()
    }
}

/// Wait until the server has told how many requests it takes at once, which
/// is the first that it says: not to know is to be refused.
async fn settings(
    sender: &http2::SendRequest<Full<Bytes>>,
    most: &dyn Fn() -> usize,
) -> Result<(), Failure> {
    let begun = Instant::now();
    while most() == UNTOLD && !sender.is_closed() && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // One that is over has no limit any more.
    if sender.is_closed() || matches!(most(), UNTOLD | 0) {
        return Err(Failure {
            kind: ErrorKind::Stream,
            message: "the server does not speak HTTP/2; leave out --http 2".to_owned(),
        });
    }
    Ok(())
}

impl Channel {
    /// Speak HTTP/2 on `socket`, or HTTP/1.1 if not `many`.
    ///
    /// # Errors
    /// [`ErrorKind::Stream`] if the server does not.
    pub(crate) async fn open(socket: Socket, many: bool) -> Result<Self, Failure> {
        let heard = Rc::new(Cell::new(Heard {
            came: None,
            read: Instant::now(),
        }));
        let io = TokioIo::new(Stamped {
            socket,
            heard: Rc::clone(&heard),
        });
        let mut most: Rc<dyn Fn() -> usize> = Rc::new(|| 1);
        let no = |error: hyper::Error| failure(&error);
        let sender = if many {
            let mut builder = http2::Builder::new(Local);
            builder
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW);
            builder.initial_max_send_streams(UNTOLD);
            let (sender, connection) = builder.handshake(io).await.map_err(no)?;
            let connection = Rc::new(RefCell::new(connection));
            let asked = Rc::downgrade(&connection);
            spawn_local(poll_fn(move |cx| {
                // Requests under way are told of what went wrong.
                Pin::new(&mut *connection.borrow_mut()).poll(cx).map(|_| ())
            }));
            most = Rc::new(move || {
                let connection = asked.upgrade();
                connection.map_or(0, |known| known.borrow().current_max_send_streams())
            });
            settings(&sender, &*most).await?;
            Sender::Many(sender)
        } else {
            let (sender, connection) = http1::handshake(io).await.map_err(no)?;
            spawn_local(async move {
                let _ = connection.await;
            });
            Sender::One(Rc::new(tokio::sync::Mutex::new(sender)))
        };
        Ok(Self {
            sender,
            heard,
            most,
            streams: Rc::default(),
        })
    }

    /// How many more requests may go on it now.
    pub(crate) fn room(&self) -> usize {
        let most = match &self.sender {
            Sender::One(sender) => match sender.try_lock() {
                Ok(sender) if sender.is_closed() => 0,
                _ => 1,
            },
            Sender::Many(sender) if sender.is_closed() => 0,
            Sender::Many(_) => (self.most)().min(MOST_STREAMS),
        };
        most.saturating_sub(self.streams.get())
    }

    /// Whether no further request can go on it, ever.
    pub(crate) fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::One(sender) => sender.try_lock().is_ok_and(|sender| sender.is_closed()),
            Sender::Many(sender) => sender.is_closed(),
        }
    }

    /// A place for one request.
    pub(crate) fn lease(&self) -> Lease {
        self.streams.set(self.streams.get() + 1);
        Lease(self.clone())
    }
}

/// A place for one request on a [`Channel`].
#[derive(Debug)]
pub(crate) struct Lease(Channel);

impl Lease {
    /// Send `request`, and wait for the head of its answer.
    ///
    /// # Errors
    /// As hyper has them.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        match &mut self.0.sender {
            Sender::One(sender) => {
                let mut sender = sender.lock().await;
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Many(sender) => sender.send_request(request).await,
        }
    }

    /// When bytes were last read on this connection.
    pub(crate) fn heard(&self) -> Instant {
        self.0.heard.get().read
    }

    /// When they came, if the kernel said so.
    pub(crate) fn came(&self) -> Option<Instant> {
        self.0.heard.get().came
    }

    /// Whether requests go as in HTTP/2, their target whole.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.0.sender, Sender::Many(_))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.streams.set(self.0.streams.get() - 1);
    }
}

/// The request whose HTTP/1.1 bytes are `wire`. `origin` is the scheme and
/// the authority that go before its path in HTTP/2.
pub(crate) fn request(wire: &Bytes, origin: Option<&str>) -> Option<Request<Full<Bytes>>> {
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(end) = parsed.parse(wire).ok()? else {
        return None;
    };
    let path = parsed.path?;
    let mut request = Request::builder().method(parsed.method?);
    request = match origin {
        Some(origin) => request.uri(format!("{origin}{path}")),
        None => request.uri(path),
    };
    for field in parsed.headers.iter() {
        // HTTP/2 has the authority instead, and no connections to keep.
        let h1_only = field.name == "host" || field.name == "connection";
        if !(h1_only && origin.is_some()) {
            request = request.header(field.name, field.value);
        }
    }
    request.body(Full::new(wire.slice(end..))).ok()
}

/// What the head of `response` says, as far as anyone here asks.
pub(crate) fn head(response: &Response<Incoming>) -> Head {
    let mut head = Head {
        status: response.status().as_u16(),
        keep_alive: true,
        ..Head::default()
    };
    for (name, value) in response.headers() {
        head.field(name.as_str(), value.as_bytes());
    }
    head
}

/// hyper's words for what went wrong, with the reason behind them.
pub(crate) fn words(error: &hyper::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(deeper) = reason.source() {
        reason = deeper;
    }
    match reason.downcast_ref::<io::Error>() {
        Some(reason) => plain(reason),
        None => reason.to_string(),
    }
}

fn failure(error: &hyper::Error) -> Failure {
    Failure {
        kind: ErrorKind::Stream,
        message: format!("HTTP/2: {}", words(error)),
    }
}

/// Spawns on this thread.
#[derive(Debug, Clone, Copy)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, task: F) {
        spawn_local(task);
    }
}

/// A socket that notes when bytes came.
struct Stamped {
    socket: Socket,
    heard: Rc<Cell<Heard>>,
}

impl AsyncRead for Stamped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.socket).poll_read(cx, room);
        if read.is_ready() {
            let came = self.socket.came();
            let read = Instant::now();
            self.heard.set(Heard { came, read });
        }
        read
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
