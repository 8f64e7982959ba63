//! Connections: how one is opened, and reading and writing on it.
//!
//! A name is looked up once, before the run; all its addresses are tried in
//! turn, beginning with the one that answered last. Nagle's algorithm is off.

use crate::channel::{Channel, Lease};
use crate::socket::Socket;
use crate::target::Target;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use trace_core::tcp::Tcp;
use trace_core::{ErrorKind, Failure};

/// Opens connections to one server.
#[derive(Clone)]
pub(crate) struct Connector {
    host: String,
    port: u16,
    authority: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// Where it listens; the first is tried first. Empty until looked up.
    addresses: RefCell<Vec<SocketAddr>>,
    /// It listens at this file instead.
    unix: Option<PathBuf>,
    version: Version,
}

/// The HTTP that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Version {
    /// one request at a time on a connection
    #[value(name = "1.1")]
    Http1,
    /// up to 100 requests at once on a connection
    #[value(name = "2")]
    Http2,
    /// HTTP/1.1 as hyper has it, to compare with
    #[value(name = "1.1-hyper", hide = true)]
    Http1Hyper,
}

impl Connector {
    /// Opens connections to `target`, by `tls` if it speaks that, through the
    /// socket at `unix` if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Tls`] if its name cannot be in a certificate.
    pub(crate) fn new(
        target: &Target,
        tls: Option<Arc<ClientConfig>>,
        unix: Option<PathBuf>,
        version: Version,
    ) -> Result<Self, Failure> {
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
            authority: target.authority.clone(),
            tls: tls.transpose()?,
            addresses: RefCell::new(addresses),
            unix,
            version,
        })
    }

    /// Scheme and authority, as a URL begins.
    pub(crate) fn origin(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }

    /// How many requests may share a connection.
    pub(crate) fn streams(&self) -> usize {
        match self.version {
            Version::Http2 => crate::channel::MOST_STREAMS,
            _ => 1,
        }
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
    pub(crate) async fn connect(&self) -> Result<Opened, Failure> {
        let socket = self.socket().await?;
        let many = match self.version {
            Version::Http1 => return Ok(Opened::Own(socket)),
            Version::Http2 => true,
            Version::Http1Hyper => false,
        };
        Channel::open(socket, many).await.map(Opened::Shared)
    }

    /// Open a socket, on which anything may be said.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub(crate) async fn socket(&self) -> Result<Socket, Failure> {
        #[cfg(unix)]
        if let Some(path) = &self.unix {
            return Self::local(path).await;
        }
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
                Err(error) if is_exhausted(&error) => return Err(exhausted(&error)),
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

    #[cfg(unix)]
    async fn local(path: &std::path::Path) -> Result<Socket, Failure> {
        match tokio::net::UnixStream::connect(path).await {
            Ok(stream) => Ok(Socket::Unix(stream)),
            Err(error) if is_exhausted(&error) => Err(exhausted(&error)),
            Err(error) => Err(failure(
                ErrorKind::Connect,
                format!("cannot connect to {}: {}", path.display(), plain(&error)),
            )),
        }
    }

    async fn greet(&self, stream: TcpStream) -> Result<Socket, Failure> {
        let stream = Tcp::new(stream);
        let Some((connector, name)) = &self.tls else {
            return Ok(Socket::Plain(stream));
        };
        match connector.connect(name.clone(), stream).await {
            Ok(stream) if self.version == Version::Http2 && !speaks_http2(&stream) => Err(failure(
                ErrorKind::Tls,
                format!("{} does not speak HTTP/2; leave out --http 2", self.host),
            )),
            Ok(stream) => Ok(Socket::Tls(Box::new(stream))),
            Err(error) => Err(failure(
                ErrorKind::Tls,
                format!("TLS with {}: {}", self.host, in_words(&plain(&error))),
            )),
        }
    }
}

/// Whether the handshake agreed on HTTP/2.
fn speaks_http2(stream: &tokio_rustls::client::TlsStream<Tcp>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

/// What went wrong with TLS, and what to do about what usually does.
fn in_words(error: &str) -> String {
    let advice = [
        (
            "CaUsedAsEndEntity",
            "it is an authority's own (CA:TRUE); the server needs one that is not, such as openssl makes with -addext basicConstraints=CA:FALSE",
        ),
        (
            "UnknownIssuer",
            "name the authority's certificate with --ca-cert, or trust anybody with --insecure",
        ),
        (
            "NotValidForName",
            "use a name that the certificate has, or trust anybody with --insecure",
        ),
        (
            "Expired",
            "the server needs a new one, or trust anybody with --insecure",
        ),
        (
            "InvalidContentType",
            "the server does not speak TLS; use http://",
        ),
        (
            "NoApplicationProtocol",
            "the server does not speak HTTP/2; leave out --http 2",
        ),
    ];
    let advice = advice.iter().find(|(sign, _)| error.contains(sign));
    match advice {
        Some((_, advice)) => format!("{error}: {advice}"),
        None => error.to_owned(),
    }
}

fn exhausted(error: &io::Error) -> Failure {
    let message = match error.kind() {
        io::ErrorKind::AddrNotAvailable => {
            "no local port is free: connections are opened faster than the system lets go of closed ones"
                .to_owned()
        }
        _ => format!(
            "cannot connect: {}; raise the limit with ulimit -n",
            plain(error)
        ),
    };
    failure(ErrorKind::Exhausted, message)
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

/// What connecting gives.
#[derive(Debug)]
pub(crate) enum Opened {
    /// A connection for one request at a time.
    Own(Socket),
    /// A connection for many.
    Shared(Channel),
}

/// An open connection, ready for a request.
#[derive(Debug)]
pub(crate) enum Connection {
    /// For one request at a time, in our own HTTP/1.1.
    Own(Socket),
    /// A place on a connection that hyper serves.
    Leased(Lease),
}
