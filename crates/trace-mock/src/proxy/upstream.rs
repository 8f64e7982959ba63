//! The server behind the proxy, and the connections to it.

use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HeaderValue;
use hyper::http::Uri;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection to the server.
pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// The server behind the proxy.
#[derive(Debug)]
pub(crate) struct Upstream {
    host: String,
    port: u16,
    /// As its `host` header has it.
    pub(crate) authority: HeaderValue,
    /// What its paths begin with, without a slash at the end.
    prefix: String,
    idle: Mutex<Vec<Connection>>,
}

impl Upstream {
    /// The server at `url`. A path in it, such as a gateway's, stands before those of requests; a
    /// trailing `/v1` does not, since requests have it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Upstream, String> {
        let wrong = |why: &str| {
            format!("--upstream {url}: {why}; expected a URL such as http://localhost:8000")
        };
        let uri: Uri = url.parse().map_err(|err| wrong(&format!("{err}")))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(wrong("TLS is not spoken; put the proxy beside the server"));
            }
            _ => return Err(wrong("it has no scheme")),
        }
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        let prefix = uri.path().trim_end_matches('/');
        Ok(Upstream {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: HeaderValue::from_str(authority.as_str())
                .map_err(|err| wrong(&err.to_string()))?,
            prefix: prefix.strip_suffix("/v1").unwrap_or(prefix).to_owned(),
            idle: Mutex::default(),
        })
    }

    /// Where `path`, with its query, is there.
    pub(crate) fn place(&self, path: &str) -> Result<Uri, hyper::http::Error> {
        Ok(format!("{}{path}", self.prefix).parse::<Uri>()?)
    }

    /// Take `connection` back once its answer has been read.
    pub(crate) fn put_back(&self, connection: Connection) {
        if !connection.is_closed() {
            self.idle().push(connection);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Send `request`, on a connection that is open if there is one. One that turns out to have
    /// been closed before it took anything is replaced.
    ///
    /// # Errors
    /// The server cannot be connected to, or closed without an answer.
    pub(crate) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Connection), Unanswered> {
        loop {
            let kept = self.idle().pop();
            let fresh = kept.is_none();
            let mut connection = match kept {
                Some(connection) if connection.is_closed() => continue,
                Some(connection) => connection,
                None => self.connect().await.map_err(Unanswered::Connect)?,
            };
            if connection.ready().await.is_err() && !fresh {
                continue;
            }
            match connection.try_send_request(request).await {
                Ok(response) => return Ok((response, connection)),
                Err(mut err) => match err.take_message() {
                    Some(unsent) if !fresh => request = unsent,
                    _ => return Err(Unanswered::Closed(err.into_error())),
                },
            }
        }
    }

    async fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // Ends when the sender is dropped, or the server closes.
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    Connect(io::Error),
    Closed(hyper::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_the_server_is() {
        let upstream = Upstream::parse("http://[::1]:9/gateway/v1/").unwrap();
        assert_eq!((upstream.host.as_str(), upstream.port), ("::1", 9));
        assert_eq!(
            upstream.place("/v1/models?x=1").unwrap(),
            "/gateway/v1/models?x=1"
        );
        assert_eq!(upstream.authority, "[::1]:9");
        assert_eq!(Upstream::parse("http://h").unwrap().port, 80);
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for (url, why) in [
            ("https://h", "TLS"),
            ("h:80", "scheme"),
            ("", "empty"),
            ("ftp://h", "scheme"),
        ] {
            let reason = Upstream::parse(url).unwrap_err();
            assert!(reason.contains(why), "{reason}");
        }
    }
}
