//! Connections: how one is opened, and reading and writing on it.
//!
//! A name is looked up once, before the run; all its addresses are tried in
//! turn, beginning with the one that answered last. Nagle's algorithm is off.

use crate::target::Target;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trace_core::{ErrorKind, Failure};

/// Opens connections to one server.
pub(crate) struct Connector {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// Where it listens; the first is tried first. Empty until looked up.
    addresses: RefCell<Vec<SocketAddr>>,
}

impl Connector {
    /// Opens connections to `target`, by `tls` if it speaks that.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`] if its name cannot be in a certificate.
    pub(crate) fn new(target: &Target, tls: Option<Arc<ClientConfig>>) -> Result<Self, Failure> {
        let tls = tls.map(|config| {
            let name = ServerName::try_from(target.host.clone());
            let name =
                name.map_err(|error| failure(ErrorKind::Tls, format!("{}: {error}", target.host)))?;
            Ok((TlsConnector::from(config), name))
        });
        let addresses = match target.host.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, target.port)],
            Err(_) => Vec::new(),
        };
        Ok(Self {
            host: target.host.clone(),
            port: target.port,
            tls: tls.transpose()?,
            addresses: RefCell::new(addresses),
        })
    }

    /// Find the server's addresses, unless they are known.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`] if there are none.
    pub(crate) async fn look_up(&self) -> Result<(), Failure> {
        if !self.addresses.borrow().is_empty() {
            return Ok(());
        }
        let unknown = |why: &dyn std::fmt::Display| {
            failure(
                ErrorKind::Connect,
                format!("cannot find {}: {why}", self.host),
            )
        };
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        let found: Vec<_> = found.map_err(|error| unknown(&plain(&error)))?.collect();
        if found.is_empty() {
            return Err(unknown(&"the name has no address"));
        }
        *self.addresses.borrow_mut() = found;
        Ok(())
    }

    /// Open a connection.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`], [`ErrorKind::Tls`], or [`ErrorKind::Exhausted`]
    /// when this side has no more ports or descriptors.
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        self.look_up().await?;
        let addresses = self.addresses.borrow().clone();
        let mut last = None;
        for (i, address) in addresses.into_iter().enumerate() {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    if i > 0 {
                        let mut known = self.addresses.borrow_mut();
                        known.retain(|&known| known != address);
                        known.insert(0, address);
                    }
                    return self.greet(stream).await;
                }
                Err(error) if is_exhausted(&error) => {
                    return Err(failure(
                        ErrorKind::Exhausted,
                        format!("cannot connect: {}", plain(&error)),
                    ));
                }
                Err(error) => {
                    last = Some(failure(
                        ErrorKind::Connect,
                        format!("cannot connect to {address}: {}", plain(&error)),
                    ));
                }
            }
        }
        Err(last
            .unwrap_or_else(|| failure(ErrorKind::Connect, format!("cannot find {}", self.host))))
    }

    async fn greet(&self, stream: TcpStream) -> Result<Connection, Failure> {
        // It makes the clock finer and can fail only on a dead socket, which tells anyway.
        let _ = stream.set_nodelay(true);
        let Some((connector, name)) = &self.tls else {
            return Ok(Connection::Plain(stream));
        };
        match connector.connect(name.clone(), stream).await {
            Ok(stream) => Ok(Connection::Tls(Box::new(stream))),
            Err(error) => Err(failure(
                ErrorKind::Tls,
                format!("TLS with {}: {}", self.host, plain(&error)),
            )),
        }
    }
}

fn failure(kind: ErrorKind, message: String) -> Failure {
    Failure { kind, message }
}

/// The words of an I/O error without Rust's `(os error 2)`.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Whether it is this side that cannot open another connection.
fn is_exhausted(error: &io::Error) -> bool {
    // EMFILE and ENFILE have no kind in the standard library.
    let no_descriptor = matches!(error.raw_os_error(), Some(23 | 24)) && cfg!(unix);
    no_descriptor || error.kind() == io::ErrorKind::AddrNotAvailable
}

/// An open connection.
#[derive(Debug)]
pub(crate) enum Connection {
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Write some of `bytes`.
    ///
    /// # Errors
    /// As the socket says.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Write as much of `bytes` as goes at once, be it nothing.
    ///
    /// # Errors
    /// As the socket says.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
                written => written,
            },
            Self::Tls(stream) => {
                let mut cx = Context::from_waker(Waker::noop());
                match Pin::new(stream).poll_write(&mut cx, bytes) {
                    Poll::Ready(written) => written,
                    Poll::Pending => Ok(0),
                }
            }
        }
    }

    /// See to it that what was written leaves.
    ///
    /// # Errors
    /// As the socket says.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    /// Read into `buffer`; zero at the end.
    ///
    /// # Errors
    /// As the socket says. That a peer left without TLS's good-bye is an end
    /// like any other: HTTP tells whether it came too early.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(buffer);
        let read = match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, &mut room),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, &mut room),
        };
        read.map(|result| match result {
            Ok(()) => Ok(room.filled().len()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Err(error) => Err(error),
        })
    }

    /// Whether a connection nobody uses is still open and silent.
    ///
    /// Costs no system call unless something came.
    pub(crate) fn is_idle(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.poll_read(&mut cx, &mut [0; 16]).is_pending()
    }
}
