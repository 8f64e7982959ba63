//! Connections that wait for a request.

use crate::channel::Channel;
use crate::connect::{Connection, Opened};
use crate::socket::Socket;
use trace_core::time::Micros;

/// The shortest time ahead of a deadline at which a connection is opened.
const LEAST_LEAD: Micros = Micros::from_micros(5_000);

/// Idle connections, and how many are on their way.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// The one used last is used first, so that what is too many grows old
    /// and is closed by the server.
    idle: Vec<Socket>,
    /// Those that many requests share, full or not.
    shared: Vec<Channel>,
    /// Room for requests on connections that are being opened.
    opening: usize,
    /// Time to open one, recently.
    connect_time: Micros,
    /// The last attempt failed: requests try for themselves then.
    unreachable: bool,
}

impl Pool {
    /// A connection that is open and silent. Those that are not are dropped.
    pub(crate) fn take(&mut self) -> Option<Connection> {
        while let Some(mut socket) = self.idle.pop() {
            if socket.is_idle() {
                return Some(Connection::Own(socket));
            }
        }
        let shared = self.shared.iter().find(|channel| channel.room() > 0)?;
        Some(Connection::Leased(shared.lease()))
    }

    /// A connection that has done its work. A lease just ends.
    pub(crate) fn put(&mut self, connection: Connection) {
        if let Connection::Own(socket) = connection {
            self.idle.push(socket);
        }
    }

    /// A connection that was opened.
    pub(crate) fn admit(&mut self, opened: Opened) {
        match opened {
            Opened::Own(socket) => self.idle.push(socket),
            Opened::Shared(channel) => self.shared.push(channel),
        }
    }

    /// Drop those that the server has closed.
    pub(crate) fn sweep(&mut self) {
        self.idle.retain_mut(Socket::is_idle);
        self.shared.retain(|channel| !channel.is_closed());
    }

    /// How far ahead of a request its connection should be opened: three
    /// times what it takes, for two at once may take longer.
    pub(crate) fn lead(&self) -> Micros {
        Micros::from_micros(3 * self.connect_time.as_micros()).max(LEAST_LEAD)
    }

    /// For how many of `needed` requests there will be no connection. Of the idle ones, those that would be taken are looked at.
    pub(crate) fn missing(&mut self, needed: usize) -> usize {
        if self.unreachable {
            return 0;
        }
        let mut at = self.idle.len();
        let mut alive: usize = self.shared.iter().map(Channel::room).sum();
        while alive + self.opening < needed && at > 0 {
            at -= 1;
            if self.idle[at].is_idle() {
                alive += 1;
            } else {
                self.idle.remove(at);
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
