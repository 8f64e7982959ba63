//! The server behind the proxy, and the connections to it.

use std::fmt;
use std::io;
use std::thread;
use std::time::Duration;

use hyper::http::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use trace_core::ErrorKind;
use trace_core::clock::Timer;

use super::clerk::Clerk;
use super::head::Way;
use super::tls::Tls;
use super::vigil::Vigil;
use crate::settings::Forward;

/// How long the thread stays awake after the last byte where nobody says: longer than any engine
/// takes for a token. Beside longer waits a wake-up is nothing.
const AWAKE: Duration = Duration::from_millis(100);

/// A connection to the server.
pub(super) type Link = Box<dyn Duplex>;

/// What can be read and written.
pub(super) trait Duplex: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin> Duplex for S {}

/// The server behind the proxy.
#[derive(Debug)]
pub(crate) struct Upstream {
    host: String,
    port: u16,
    pub(super) way: Way,
    tls: Option<Tls>,
    pub(super) clerk: Clerk,
    /// Keeps the thread awake, if that is wanted.
    pub(super) vigil: Option<Vigil>,
}

impl Upstream {
    /// The server of `forward`. A path in it, such as a gateway's, stands before those of requests; a
    /// trailing `/v1` does not, since requests have it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(forward: &Forward) -> Result<Upstream, String> {
        let url = &forward.url;
        let wrong = |why: &str| {
            format!("--upstream {url}: {why}; expected a URL such as http://localhost:8000")
        };
        let uri: Uri = url.parse().map_err(|err| wrong(&format!("{err}")))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) => return Err(wrong("it is neither http nor https")),
            None => return Err(wrong("it has no scheme")),
        };
        if !secure && (forward.ca.is_some() || forward.insecure) {
            return Err(wrong("there are no certificates without https"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        let tls = secure.then(|| Tls::new(host, forward.ca.as_deref(), forward.insecure));
        let prefix = uri.path().trim_end_matches('/');
        Ok(Upstream {
            host: host.to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if secure { 443 } else { 80 }),
            way: Way {
                authority: authority.as_str().to_owned(),
                prefix: prefix.strip_suffix("/v1").unwrap_or(prefix).to_owned(),
            },
            tls: tls.transpose()?,
            clerk: Clerk::start().map_err(|err| trace_core::in_words(&err))?,
            vigil: vigil(forward.busy_poll.map(Duration::from)),
        })
    }

    /// Keep the thread awake while bytes are about to come, if that is wanted.
    pub(crate) async fn watch(&self, timer: &Timer) {
        if let Some(vigil) = &self.vigil {
            vigil.keep(timer).await;
        }
    }

    /// A new connection.
    ///
    /// # Errors
    /// Nobody listens there, or it is not who it should be.
    pub(super) async fn connect(&self) -> Result<Link, Unanswered> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = stream.map_err(Unanswered::Connect)?;
        // Where it fails the connection is gone already.
        let _ = stream.set_nodelay(true);
        Ok(match &self.tls {
            None => Box::new(stream),
            Some(tls) => Box::new(tls.over(stream).await.map_err(Unanswered::Tls)?),
        })
    }
}

/// Who keeps the thread awake for `span` after each byte, or for as long as it should be.
fn vigil(span: Option<Duration>) -> Option<Vigil> {
    // With one core somebody else always wants it.
    let spare = || thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    let span = span.unwrap_or_else(|| if spare() { AWAKE } else { Duration::ZERO });
    (!span.is_zero()).then(|| Vigil::new(span))
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    Connect(io::Error),
    Tls(io::Error),
}

impl Unanswered {
    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Unanswered::Connect(_) => ErrorKind::Connect,
            Unanswered::Tls(_) => ErrorKind::Tls,
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unanswered::Connect(err) => f.write_str(&trace_core::in_words(err)),
            Unanswered::Tls(err) => write!(f, "TLS: {}", trace_core::in_words(err)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(url: &str) -> Result<Upstream, String> {
        Upstream::new(&Forward::to(url))
    }

    #[test]
    fn a_url_says_where_the_server_is() {
        let upstream = upstream("http://[::1]:9/gateway/v1/").unwrap();
        assert_eq!((upstream.host.as_str(), upstream.port), ("::1", 9));
        assert_eq!(upstream.way.prefix, "/gateway");
        assert_eq!(upstream.way.authority, "[::1]:9");
        assert!(upstream.tls.is_none());
    }

    #[test]
    fn the_port_and_tls_follow_the_scheme() {
        assert_eq!(upstream("http://h").unwrap().port, 80);
        let secure = upstream("https://h").unwrap();
        assert!(secure.port == 443 && secure.tls.is_some());
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for (url, why) in [
            ("https://a..b", "a..b"),
            ("h:80", "scheme"),
            ("", "empty"),
            ("ftp://h", "neither http nor https"),
        ] {
            let reason = upstream(url).unwrap_err();
            assert!(reason.contains(why), "{reason}");
        }
        let insecure = Forward {
            insecure: true,
            ..Forward::to("http://h")
        };
        let reason = Upstream::new(&insecure).unwrap_err();
        assert!(reason.contains("without https"), "{reason}");
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let forward = |ca: &str| Forward {
            ca: Some(ca.into()),
            ..Forward::to("https://h")
        };
        let reason = Upstream::new(&forward("/nowhere")).unwrap_err();
        assert_eq!(reason, "--upstream-ca /nowhere: No such file or directory");
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let reason = Upstream::new(&forward(manifest)).unwrap_err();
        assert!(
            reason.ends_with("there is no certificate in it"),
            "{reason}"
        );
    }
}
