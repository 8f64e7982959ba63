//! A client's connection to the proxy, and the one to the server that goes with it.
//!
//! A request goes on as it comes. What the server says is written to the client byte for byte,
//! framing and all, as soon as it is there; only then is it looked at.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trace_core::ErrorKind;

use super::head::{self, Asked};
use super::letter::Letter;
use super::passage::Passage;
use super::pump::{BODY_BYTES, End};
use super::upstream::{Link, Unanswered, Upstream};
use crate::api::{Api, Family, error_json};
use crate::reply::Refusal;
use crate::server::Wire;
use crate::service::{MAX_BODY_BYTES, Service};

/// Bytes that are read at once while nobody has asked for anything.
const HEAD_BYTES: usize = 4 << 10;

/// Leave to send a body.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A client, and the server for it.
#[derive(Debug)]
pub(crate) struct Tunnel<C> {
    pub(super) service: Arc<Service>,
    pub(super) upstream: Arc<Upstream>,
    pub(super) client: C,
    /// What the client has said and nobody has read.
    pub(super) inbox: BytesMut,
    server: Option<Link>,
    /// What the server said last.
    pub(super) bytes: BytesMut,
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
                came = self.next() => came,
                () = &mut draining => return,
            };
            let goes_on = match came {
                None => return,
                Some(Err(reason)) => {
                    // Where it ends nobody knows.
                    self.service.books.refuse();
                    let _ = self.refuse(&Refusal::bad(reason), None).await;
                    return;
                }
                Some(Ok(letter)) => self.pass(letter).await,
            };
            if !goes_on {
                return;
            }
        }
    }

    /// The next request, or why it is none; `None` if the client says no more.
    async fn next(&mut self) -> Option<Result<Letter, String>> {
        loop {
            if !self.inbox.is_empty() {
                match head::request(&self.inbox, &self.upstream.way) {
                    Ok(Some(asked)) => {
                        let letter = Letter::new(asked, self.client.came(), &mut self.inbox);
                        return Some(letter.map_err(str::to_owned));
                    }
                    Ok(None) => {}
                    Err(reason) => return Some(Err(reason)),
                }
            }
            self.hear(HEAD_BYTES).await?;
        }
    }

    /// Wait for more from the client, with room for so much.
    async fn hear(&mut self, room: usize) -> Option<()> {
        self.stir();
        if self.inbox.capacity() - self.inbox.len() < room {
            self.inbox.reserve(room);
        }
        match self.client.read_buf(&mut self.inbox).await {
            Ok(1..) => Some(()),
            Ok(0) | Err(_) => None,
        }
    }

    /// Pass a request on and its answer back. Whether the client may ask again.
    async fn pass(&mut self, mut letter: Letter) -> bool {
        let allowed = match letter.asked.inquires {
            true => Ok(()),
            false => self.service.unlock(letter.asked.key.as_deref()),
        };
        if letter.asked.expects && self.client.write_all(CONTINUE).await.is_err() {
            return false;
        }
        if let Err(refusal) = allowed {
            return self.decline(&refusal, &mut letter).await;
        }
        if letter.is_too_long() {
            return self.decline_length(&mut letter).await;
        }
        let mut passage = None;
        loop {
            let (mut server, fresh) = match self.link().await {
                Ok(link) => link,
                Err(unanswered) => {
                    let (kind, why) = (unanswered.kind(), unanswered.to_string());
                    return self.bad_gateway(kind, &why, letter, passage).await;
                }
            };
            match self.carry(&mut letter, &mut server, &mut passage).await {
                End::Whole { kept, closes } => {
                    self.server = kept.then_some(server);
                    if closes {
                        // It may be what tells the client that the answer is over.
                        let _ = self.client.shutdown().await;
                    }
                    // A body that is later than the answer is in the way of the next request.
                    let finished = self.finish(&mut letter).await;
                    if let Some(passage) = &mut passage {
                        passage.take(&letter);
                    }
                    return finished && !closes && !letter.asked.closes;
                }
                // One that was idle for too long.
                End::Silent(_) if !fresh => {}
                End::Silent(why) => {
                    return self
                        .bad_gateway(ErrorKind::Stream, &why, letter, passage)
                        .await;
                }
                End::Broken(why) => {
                    if let Some(passage) = &mut passage {
                        passage.broken(&why);
                    }
                    // The client's connection is cut like the server's was.
                    self.client.reset();
                    return false;
                }
                End::Unread(_) if letter.is_too_long() => {
                    drop(server);
                    return self.decline_length(&mut letter).await;
                }
                End::Unread(reason) => {
                    self.service.books.refuse();
                    let refusal = Refusal::bad(reason);
                    let _ = self.refuse(&refusal, Some(&letter.asked)).await;
                    return false;
                }
                End::Left => return false,
            }
        }
    }

    /// A connection to the server, and whether it is a new one.
    async fn link(&mut self) -> Result<(Link, bool), Unanswered> {
        match self.server.take() {
            Some(server) => Ok((server, false)),
            None => Ok((self.upstream.connect().await?, true)),
        }
    }

    /// Read what is left of a body. Whether all of it came.
    async fn finish(&mut self, letter: &mut Letter) -> bool {
        while !letter.is_whole() {
            if self.hear(BODY_BYTES).await.is_none() || letter.take(&mut self.inbox).is_err() {
                return false;
            }
        }
        true
    }

    /// Refuse a request, once all of it has come: who still writes would not see it. Whether the
    /// client may ask again.
    async fn decline(&mut self, refusal: &Refusal, letter: &mut Letter) -> bool {
        self.service.books.refuse();
        self.finish(letter).await
            && self.refuse(refusal, Some(&letter.asked)).await.is_ok()
            && !letter.asked.closes
    }

    async fn decline_length(&mut self, letter: &mut Letter) -> bool {
        if !self.finish(letter).await {
            self.service.books.refuse();
            return false;
        }
        let size = letter.size();
        let reason = format!("the body has {size} bytes, more than {MAX_BODY_BYTES}");
        let refusal = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason);
        self.decline(&refusal, letter).await
    }

    /// Say that there is no answer, and write that down. Whether the client may ask again.
    async fn bad_gateway(
        &mut self,
        kind: ErrorKind,
        why: &str,
        mut letter: Letter,
        mut passage: Option<Passage>,
    ) -> bool {
        if !self.finish(&mut letter).await {
            return false;
        }
        let reason = format!("no answer from the server: {why}");
        self.note(&letter, Instant::now(), &mut passage);
        if let Some(passage) = &mut passage {
            passage.unanswered(kind, reason.clone());
            passage.take(&letter);
        }
        let refusal = Refusal::new(StatusCode::BAD_GATEWAY, reason);
        let refused = self.refuse(&refusal, Some(&letter.asked)).await;
        refused.is_ok() && !letter.asked.closes
    }

    /// Answer in the server's place, to what was asked if that could be read.
    async fn refuse(&mut self, refusal: &Refusal, asked: Option<&Asked>) -> io::Result<()> {
        let api = asked.and_then(|asked| asked.api);
        let family = api.map_or(Family::OpenAi, Api::family);
        let json = error_json(family, refusal.status.as_u16(), &refusal.reason);
        let mut head = format!(
            "HTTP/1.1 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            refusal.status,
            json.len()
        );
        let origin = asked.and_then(|asked| asked.origin.as_deref());
        let allowed = origin.and_then(|origin| self.service.origins.allow(origin));
        if let Some(allowed) = allowed.as_ref().and_then(|allowed| allowed.to_str().ok()) {
            head = format!("{head}access-control-allow-origin: {allowed}\r\n");
        }
        let message = format!("{head}\r\n{json}");
        self.client.write_all(message.as_bytes()).await?;
        self.client.flush().await
    }
}
