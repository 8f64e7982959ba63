//! Connections that wait for a request.
//!
//! Some servers say keep-alive and close all the same: llama.cpp's after most
//! streamed answers, within a tenth of a millisecond. In a closed loop that is
//! just when the next request is written, which is lost and has to be sent
//! again: 113 of 250 requests with one in flight. So where connections are
//! seen to die young, one rests before it is used again, long enough to tell;
//! requests open others meanwhile. It takes [`PROOFS`] that survived their
//! rest to believe the server again.

use crate::channel::Channel;
use crate::connect::{Connection, Opened};
use crate::socket::Socket;
use std::time::Duration;
use trace_core::time::Micros;

/// The shortest time ahead of a deadline at which a connection is opened.
const LEAST_LEAD: Micros = Micros::from_micros(5_000);

/// A connection that is closed sooner after an answer dies young: no idle
/// timeout is that short.
const YOUNG: Micros = Micros::from_micros(500_000);

/// How long a connection rests where they die young. The close follows the
/// answer by less than a millisecond.
const REST: Micros = Micros::from_micros(10_000);

/// Connections in a row that have to survive their rest.
const PROOFS: u32 = 8;

/// A connection is not used within this of the end that the server set to
/// keeping it: it may be closing.
const MARGIN: Duration = Duration::from_millis(100);

/// Idle connections, and how many are on their way.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// The one used last is used first, so that what is too many grows old
    /// and is closed by the server.
    idle: Vec<Idle>,
    /// Those that many requests share, full or not.
    shared: Vec<Channel>,
    /// Room for requests on connections that are being opened.
    opening: usize,
    /// Time to open one, recently.
    connect_time: Micros,
    /// The last attempt failed: requests try for themselves then.
    unreachable: bool,
    /// How many more have to survive their rest, where they died young.
    doubts: u32,
    /// Connections that died young, since this was last asked.
    died_young: u64,
}

/// A connection nobody uses.
#[derive(Debug)]
struct Idle {
    socket: Socket,
    /// Since its last answer, if it had one.
    since: Option<Micros>,
    /// It is not to be used from then on.
    until: Option<Micros>,
}

impl Idle {
    fn is_over(&self, now: Micros) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    fn age(&self, now: Micros) -> Option<Micros> {
        self.since.map(|since| now.saturating_sub(since))
    }
}

impl Pool {
    /// A connection that is open and silent at `now`. Those that are not are
    /// dropped.
    pub(crate) fn take(&mut self, now: Micros) -> Option<Connection> {
        while let Some(at) = self.usable(self.idle.len(), now) {
            let idle = self.idle.remove(at);
            if let Some(socket) = self.alive(idle, now) {
                return Some(Connection::Own(socket));
            }
        }
        let shared = self.shared.iter().find(|channel| channel.room() > 0)?;
        Some(Connection::Leased(shared.lease()))
    }

    /// The last connection before `end` that has rested as long as it has to.
    fn usable(&self, end: usize, now: Micros) -> Option<usize> {
        let rested = |idle: &Idle| idle.age(now).is_none_or(|age| age >= REST);
        self.idle[..end]
            .iter()
            .rposition(|idle| self.doubts == 0 || rested(idle))
    }

    /// The socket of `idle` if it can be used at `now`.
    fn alive(&mut self, mut idle: Idle, now: Micros) -> Option<Socket> {
        if idle.is_over(now) {
            return None;
        }
        if !idle.socket.is_idle() {
            self.lost(&idle, now);
            return None;
        }
        if idle.age(now).is_some_and(|age| age >= REST) {
            self.doubts = self.doubts.saturating_sub(1);
        }
        Some(idle.socket)
    }

    /// The server has closed `idle`.
    fn lost(&mut self, idle: &Idle, now: Micros) {
        if idle.age(now).is_some_and(|age| age < YOUNG) {
            self.doubt();
        }
    }

    /// A connection died as it was used again, or before.
    pub(crate) fn doubt(&mut self) {
        self.doubts = PROOFS;
        self.died_young += 1;
    }

    /// How many connections died young, since this was last asked.
    pub(crate) fn take_died_young(&mut self) -> u64 {
        std::mem::take(&mut self.died_young)
    }

    /// A connection that has done its work at `now`, and that the server keeps
    /// open for `time` if it said so. A lease just ends.
    ///
    /// The number of requests that `Keep-Alive: max=` speaks of is left to the
    /// server, which says `Connection: close` with the last: some count down,
    /// others always tell the same.
    pub(crate) fn put(&mut self, connection: Connection, now: Micros, time: Option<Duration>) {
        if let Connection::Own(socket) = connection {
            let kept = time.map(|time| now + Micros::from(time.saturating_sub(MARGIN)));
            self.idle.push(Idle {
                socket,
                since: Some(now),
                until: kept,
            });
        }
    }

    /// A connection that was opened.
    pub(crate) fn admit(&mut self, opened: Opened) {
        match opened {
            Opened::Own(socket) => self.idle.push(Idle {
                socket,
                since: None,
                until: None,
            }),
            Opened::Shared(channel) => self.shared.push(channel),
        }
    }

    /// Drop those that the server has closed by `now`.
    pub(crate) fn sweep(&mut self, now: Micros) {
        for mut idle in std::mem::take(&mut self.idle) {
            if idle.is_over(now) {
                continue;
            }
            if idle.socket.is_idle() {
                self.idle.push(idle);
            } else {
                self.lost(&idle, now);
            }
        }
        self.shared.retain(|channel| !channel.is_closed());
    }

    /// How far ahead of a request its connection should be opened: three
    /// times what it takes, for two at once may take longer.
    pub(crate) fn lead(&self) -> Micros {
        Micros::from_micros(3 * self.connect_time.as_micros()).max(LEAST_LEAD)
    }

    /// For how many of `needed` requests there will be no connection. Of the
    /// idle ones, those that would be taken are looked at.
    pub(crate) fn missing(&mut self, needed: usize, now: Micros) -> usize {
        if self.unreachable {
            return 0;
        }
        let mut end = self.idle.len();
        let mut alive: usize = self.shared.iter().map(Channel::room).sum();
        while alive + self.opening < needed
            && let Some(at) = self.usable(end, now)
        {
            end = at;
            if !self.idle[at].is_over(now) && self.idle[at].socket.is_idle() {
                alive += 1;
            } else {
                let idle = self.idle.remove(at);
                if !idle.is_over(now) {
                    self.lost(&idle, now);
                }
            }
        }
        needed.saturating_sub(alive + self.opening)
    }

    /// A connection for `streams` requests is being opened ahead.
    pub(crate) fn opening(&mut self, streams: usize) {
        self.opening += streams;
    }

    /// One for `streams` requests that was opened ahead is there, or not.
    pub(crate) fn opened(&mut self, opened: Option<Opened>, streams: usize) {
        self.opening -= streams;
        match opened {
            Some(opened) => self.admit(opened),
            None => self.unreachable = true,
        }
    }

    /// A connection was opened in `time`.
    pub(crate) fn learn(&mut self, time: Micros) {
        // Up at once, down slowly: being early costs less than being late.
        let known = self.connect_time.as_micros();
        self.connect_time = time.max(Micros::from_micros(known - known / 8));
        self.unreachable = false;
    }
}

#[cfg(test)]
mod tests;
