//! A request and its answer as they pass: each byte goes on as soon as it is there, whichever way.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::head::MAX_HEAD_BYTES;
use super::heard::Heard;
use super::letter::Letter;
use super::passage::Passage;
use super::tunnel::Tunnel;
use super::upstream::Link;
use crate::server::Wire;

/// Bytes that are read at once: of answers, of bodies, and of requests that come early.
const READ_BYTES: usize = 16 << 10;
pub(super) const BODY_BYTES: usize = 256 << 10;
const EARLY_BYTES: usize = 512;

/// How an answer ended.
pub(super) enum End {
    /// Well. Whether the server may be asked again, and whether the client's connection ends with
    /// it.
    Whole { kept: bool, closes: bool },
    /// The server said nothing.
    Silent(String),
    /// The server stopped halfway, or said what is no answer.
    Broken(String),
    /// The client said what is no body, or too much of it.
    Unread(&'static str),
    /// The client left.
    Left,
}

/// What happens next.
enum Step {
    /// The server says something.
    Heard(io::Result<usize>),
    /// The server takes something.
    Sent(io::Result<usize>),
    /// The client says something.
    Said(io::Result<usize>),
}

impl<C: Wire> Tunnel<C> {
    /// Pass `letter` on to `server` and the answer back, and note it once that has happened.
    pub(super) async fn carry(
        &mut self,
        letter: &mut Letter,
        server: &mut Link,
        passage: &mut Option<Passage>,
    ) -> End {
        let (mut heard, mut sent, mut deaf) = (Heard::default(), 0, false);
        // Whether the server has all of it.
        let mut gone = false;
        let began = Instant::now();
        loop {
            self.stir();
            let unsent = letter.bytes().get(sent..).filter(|_| !deaf);
            let unsent = unsent.unwrap_or_default();
            match self.step(server, unsent, letter.is_whole()).await {
                Step::Sent(Ok(count @ 1..)) => {
                    sent += count;
                    deaf = server.flush().await.is_err();
                    gone = letter.is_whole() && sent == letter.bytes().len();
                    if gone {
                        self.note(letter, began, passage);
                    }
                }
                // Who closes before all is written may have said why.
                Step::Sent(_) => deaf = true,
                Step::Said(Ok(0) | Err(_)) => return End::Left,
                Step::Said(Ok(_)) if letter.is_whole() => {} // the next request, early
                Step::Said(Ok(_)) => {
                    if let Err(reason) = letter.take(&mut self.inbox) {
                        return End::Unread(reason);
                    }
                    if letter.is_too_long() {
                        return End::Unread("the body is too long");
                    }
                }
                Step::Heard(Ok(1..)) if sent == 0 && heard.is_nothing() => {
                    return End::Silent("an answer to nothing".into());
                }
                Step::Heard(Ok(1..)) => {
                    let now = Instant::now();
                    if self.tell().await.is_err() {
                        return End::Left;
                    }
                    self.note(letter, began, passage);
                    if gone {
                        hand_over(letter, passage);
                    }
                    match heard.look(&self.bytes, letter.asked.bare, passage, now) {
                        Ok(false) => {}
                        Ok(true) => return over(passage, now, gone, heard.closes),
                        Err(reason) => return End::Broken(reason),
                    }
                }
                Step::Heard(_) if heard.ends_with_connection() => {
                    return over(passage, Instant::now(), false, true);
                }
                Step::Heard(came) => return broken(came, &heard),
            }
        }
    }

    /// Write to the client what the server said.
    async fn tell(&mut self) -> io::Result<()> {
        self.client.write_all(&self.bytes).await?;
        self.client.flush().await
    }

    /// Take note of a request, if it is one for an answer and nobody has.
    pub(super) fn note(&self, letter: &Letter, sent: Instant, passage: &mut Option<Passage>) {
        if let (Some(api), None) = (letter.asked.api, &passage) {
            let parts = (letter.head(), letter.body());
            let times = (letter.arrival, sent);
            let noted = Passage::new(&self.service, &self.upstream, api, parts, times);
            *passage = Some(noted);
        }
    }

    /// Keep the thread awake, if that is wanted.
    pub(super) fn stir(&self) {
        if let Some(vigil) = &self.upstream.vigil {
            vigil.stir(Instant::now());
        }
    }

    /// Wait for what happens next. What the server says is in `bytes`, what the client says
    /// behind what the inbox had.
    async fn step(&mut self, server: &mut Link, unsent: &[u8], whole: bool) -> Step {
        let room = if whole { EARLY_BYTES } else { BODY_BYTES };
        let listens = !whole || self.inbox.len() < MAX_HEAD_BYTES;
        self.bytes.clear();
        self.bytes.reserve(READ_BYTES);
        let (client, inbox, bytes) = (&mut self.client, &mut self.inbox, &mut self.bytes);
        poll_fn(|cx| {
            // First of all, before a request goes on, too: what an idle server says is its end.
            if let Poll::Ready(count) = poll_read(server, bytes, cx) {
                return Poll::Ready(Step::Heard(count));
            }
            if !unsent.is_empty()
                && let Poll::Ready(count) = Pin::new(&mut *server).poll_write(cx, unsent)
            {
                return Poll::Ready(Step::Sent(count));
            }
            if listens {
                if inbox.capacity() - inbox.len() < room {
                    inbox.reserve(room);
                }
                return poll_read(client, inbox, cx).map(Step::Said);
            }
            Poll::Pending
        })
        .await
    }
}

fn poll_read<R: AsyncRead + Unpin>(
    from: &mut R,
    into: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    pin!(from.read_buf(into)).poll(cx)
}

/// Leave the body to the passage: the server needs it no more.
fn hand_over(letter: &mut Letter, passage: &mut Option<Passage>) {
    if let Some(passage) = passage {
        passage.take(letter);
    }
    letter.forget();
}

/// What it means that an answer is over, of which the server has all it was asked or not.
fn over(passage: &mut Option<Passage>, now: Instant, gone: bool, closes: bool) -> End {
    if let Some(passage) = passage {
        passage.end(now);
    }
    let kept = gone && !closes;
    End::Whole { kept, closes }
}

/// What it means that a server says no more.
fn broken(came: io::Result<usize>, heard: &Heard) -> End {
    let why = came.map_or_else(
        |err| trace_core::in_words(&err),
        |_| "the connection was closed".to_owned(),
    );
    if heard.is_nothing() {
        End::Silent(why)
    } else {
        End::Broken(why)
    }
}
