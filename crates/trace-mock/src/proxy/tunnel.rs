//! A client's connection to the proxy, and the one to the server that goes with it.
//!
//! A request is read whole and goes on at once. What the server says is written to the client
//! byte for byte, framing and all, as soon as it is there; only then is it looked at.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use hyper::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};

use super::framing::Body;
use super::head::{self, Asked, MAX_HEAD_BYTES};
use super::passage::Passage;
use super::upstream::{Link, Upstream};
use crate::api::{Api, Family, error_json};
use crate::reply::Refusal;
use crate::server::Wire;
use crate::service::{MAX_BODY_BYTES, REQUEST, Service};

/// Bytes that are read at once: of heads, of answers, and of bodies.
const HEAD_BYTES: usize = 4 << 10;
const READ_BYTES: usize = 16 << 10;
const BODY_BYTES: usize = 256 << 10;

/// Leave to send a body.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A client, and the server for it.
#[derive(Debug)]
pub(crate) struct Tunnel<C> {
    service: Arc<Service>,
    upstream: Arc<Upstream>,
    client: C,
    /// What the client has said and nobody has read.
    inbox: BytesMut,
    server: Option<Link>,
    /// What the server said last.
    bytes: BytesMut,
}

/// A request that has come.
struct Came {
    asked: Asked,
    arrival: Instant,
    body: Bytes,
}

/// How an answer ended.
enum End {
    /// Well, and the connections can go on or not.
    Whole { kept: bool },
    /// The server said nothing.
    Silent(String),
    /// The server stopped halfway, or said what is no answer.
    Broken(String),
    /// The client left.
    Left,
}

impl<C: Wire> Tunnel<C> {
    pub(crate) fn new(client: C, service: Arc<Service>, upstream: Arc<Upstream>) -> Tunnel<C> {
        Tunnel {
            service,
            upstream,
            client,
            inbox: BytesMut::new(),
            server: None,
            bytes: BytesMut::new(),
        }
    }

    /// Pass requests on until either side ends, or none runs once `draining` is ready.
    pub(crate) async fn run(mut self, draining: impl Future<Output = ()>) {
        let mut draining = pin!(draining);
        loop {
            let came = tokio::select! {
                biased;
                () = &mut draining => return,
                came = self.next() => came,
            };
            let goes_on = match came {
                None => return,
                Some(Err((refusal, kept))) => {
                    self.service.books.refuse();
                    self.refuse(&refusal, Family::OpenAi).await.is_ok() && kept
                }
                Some(Ok(came)) => self.pass(came).await,
            };
            if !goes_on {
                return;
            }
        }
    }

    /// The next request, or why it is refused and whether another may follow; `None` if the client
    /// says no more.
    async fn next(&mut self) -> Option<Result<Came, (Refusal, bool)>> {
        let (asked, arrival) = loop {
            match head::request(&self.inbox) {
                Ok(Some((asked, length))) => {
                    self.inbox.advance(length);
                    break (asked, Instant::now());
                }
                Ok(None) => self.hear(HEAD_BYTES).await?,
                // Where it ends nobody knows.
                Err(reason) => return Some(Err((Refusal::bad(reason), false))),
            }
        };
        if Self::api(&asked).is_some() {
            self.service.books.arrive(arrival);
        }
        if asked.expects {
            self.client.write_all(CONTINUE).await.ok()?;
        }
        let body = match self.body(asked.body).await? {
            Ok(body) => body,
            Err(refusal) => {
                let kept = refusal.status == StatusCode::PAYLOAD_TOO_LARGE && !asked.closes;
                return Some(Err((refusal, kept)));
            }
        };
        Some(Ok(Came {
            asked,
            arrival,
            body,
        }))
    }

    /// Wait for more from the client, with room for so much.
    async fn hear(&mut self, room: usize) -> Option<()> {
        self.inbox.reserve(room);
        match self.client.read_buf(&mut self.inbox).await {
            Ok(1..) => Some(()),
            Ok(0) | Err(_) => None,
        }
    }

    /// A whole body. One that is too long is read to its end, too: who still writes would not see
    /// that it is refused.
    async fn body(&mut self, mut framing: Body) -> Option<Result<Bytes, Refusal>> {
        let (mut body, mut size) = (BytesMut::new(), 0);
        loop {
            let taken = framing.take(&self.inbox, |data| {
                size += data.len() as u64;
                if size <= MAX_BODY_BYTES as u64 {
                    body.extend_from_slice(data);
                }
            });
            match taken.map(<[u8]>::len) {
                Ok(behind) => self.inbox.advance(self.inbox.len() - behind),
                Err(reason) => return Some(Err(Refusal::bad(reason))),
            }
            if framing.is_over() {
                break;
            }
            self.hear(BODY_BYTES).await?;
        }
        if size > MAX_BODY_BYTES as u64 {
            let reason = format!("the body has {size} bytes, more than {MAX_BODY_BYTES}");
            return Some(Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)));
        }
        Some(Ok(body.freeze()))
    }

    fn api(asked: &Asked) -> Option<Api> {
        let path = asked.path.split('?').next().unwrap_or_default();
        Api::at(path).filter(|_| asked.method == "POST")
    }

    /// Pass a request on and its answer back. Whether the client may ask again.
    async fn pass(&mut self, came: Came) -> bool {
        let Came {
            asked,
            arrival,
            body,
        } = came;
        let api = Self::api(&asked);
        let family = api.map_or(Family::OpenAi, Api::family);
        if let Err(refusal) = self.service.admit(&asked.headers) {
            self.service.books.refuse();
            return self.refuse(&refusal, family).await.is_ok() && !asked.closes;
        }
        let request = self.upstream.onward(&asked, &body);
        let mut passage = api.map(|api| {
            let names = [&self.service.session_header, &REQUEST];
            let names = names.map(|name| crate::reply::quoted_header(&asked.headers, name));
            Passage::new(Arc::clone(&self.service), api, arrival, names, body)
        });
        let mut fresh = false;
        loop {
            if self.server.as_mut().is_some_and(is_closed) {
                self.server = None;
            }
            let mut server = match self.server.take() {
                Some(server) => server,
                None => match self.upstream.connect().await {
                    Ok(server) => {
                        fresh = true;
                        server
                    }
                    Err(unanswered) => {
                        let reason = format!("no answer from the server: {unanswered}");
                        if let Some(passage) = &mut passage {
                            passage.unanswered(unanswered.kind(), reason.clone());
                        }
                        return self.bad_gateway(reason, family, &asked).await;
                    }
                },
            };
            // Who closes before all is written may have said why.
            let _ = server.write_all(&request).await;
            let _ = server.flush().await;
            match self.answer(&mut server, &asked, &mut passage).await {
                End::Whole { kept } => {
                    self.server = kept.then_some(server);
                    return kept;
                }
                End::Silent(_) if !fresh => {}
                End::Silent(why) => {
                    let reason = format!("no answer from the server: {why}");
                    if let Some(passage) = &mut passage {
                        passage.unanswered(trace_core::ErrorKind::Stream, reason.clone());
                    }
                    return self.bad_gateway(reason, family, &asked).await;
                }
                End::Broken(why) => {
                    if let Some(passage) = &mut passage {
                        passage.broken(&why);
                    }
                    // The client's connection is cut like the server's was.
                    self.client.reset();
                    return false;
                }
                End::Left => return false,
            }
        }
    }

    /// Pass an answer back, and look at it.
    async fn answer(
        &mut self,
        server: &mut Link,
        asked: &Asked,
        passage: &mut Option<Passage>,
    ) -> End {
        let mut head = BytesMut::new();
        let mut told = None;
        loop {
            self.bytes.clear();
            self.bytes.reserve(READ_BYTES);
            let came = tokio::select! {
                biased;
                came = server.read_buf(&mut self.bytes) => came,
                said = self.client.read_buf(&mut self.inbox), if self.inbox.len() < MAX_HEAD_BYTES => {
                    match said {
                        Ok(1..) => continue, // the next request, early
                        Ok(0) | Err(_) => return End::Left,
                    }
                }
            };
            let now = Instant::now();
            let silent = told.is_none() && head.is_empty();
            match came {
                Ok(1..) => {}
                Ok(0) | Err(_) if matches!(told, Some((Body::Rest, _))) => {
                    if let Some(passage) = passage {
                        passage.end(now);
                    }
                    return End::Whole { kept: false };
                }
                came => {
                    let why = came.map_or_else(
                        |err| trace_core::in_words(&err),
                        |_| "the connection was closed".to_owned(),
                    );
                    return if silent {
                        End::Silent(why)
                    } else {
                        End::Broken(why)
                    };
                }
            }
            if self.client.write_all(&self.bytes).await.is_err()
                || self.client.flush().await.is_err()
            {
                return End::Left;
            }
            match look(&self.bytes, &mut head, &mut told, asked, passage, now) {
                Ok(false) => {}
                Ok(true) => {
                    if let Some(passage) = passage {
                        passage.end(now);
                    }
                    let closes = told.is_some_and(|(_, closes)| closes);
                    return End::Whole {
                        kept: !closes && !asked.closes,
                    };
                }
                Err(reason) => return End::Broken(reason),
            }
        }
    }

    async fn bad_gateway(&mut self, reason: String, family: Family, asked: &Asked) -> bool {
        let refusal = Refusal::new(StatusCode::BAD_GATEWAY, reason);
        self.refuse(&refusal, family).await.is_ok() && !asked.closes
    }

    /// Answer in the server's place.
    async fn refuse(&mut self, refusal: &Refusal, family: Family) -> io::Result<()> {
        let json = error_json(family, refusal.status.as_u16(), &refusal.reason);
        let head = format!(
            "HTTP/1.1 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{json}",
            refusal.status,
            json.len()
        );
        self.client.write_all(head.as_bytes()).await?;
        self.client.flush().await
    }
}

/// Look at what the server said: its `head`, until that is `told`, and then the body. Whether the
/// answer is over.
fn look(
    bytes: &[u8],
    head: &mut BytesMut,
    told: &mut Option<(Body, bool)>,
    asked: &Asked,
    passage: &mut Option<Passage>,
    now: Instant,
) -> Result<bool, String> {
    let mut body = bytes;
    if told.is_none() {
        head.extend_from_slice(bytes);
        loop {
            let Some((heard, length)) = head::answer(head, asked.method == "HEAD")? else {
                return Ok(false);
            };
            head.advance(length);
            if heard.status >= 200 {
                if let Some(passage) = passage {
                    passage.head(heard.status, &heard.media);
                }
                *told = Some((heard.body, heard.closes));
                break;
            }
        }
        body = head;
    }
    let Some((framing, _)) = told else {
        return Ok(false);
    };
    framing.take(body, |data| {
        if let Some(passage) = passage {
            passage.bytes(data, now);
        }
    })?;
    Ok(framing.is_over())
}

/// Whether the server has ended a connection that was idle, or said something that nobody asked.
fn is_closed(server: &mut Link) -> bool {
    let mut byte = [0];
    let mut byte = ReadBuf::new(&mut byte);
    let mut context = Context::from_waker(Waker::noop());
    let looked = Pin::new(server).poll_read(&mut context, &mut byte);
    looked.is_ready()
}
