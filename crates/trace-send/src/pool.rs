//! Connections that wait for a request.

use crate::connect::Connection;
use trace_core::time::Micros;

/// The shortest time ahead of a deadline at which a connection is opened.
const LEAST_LEAD: Micros = Micros::from_micros(5_000);

/// Idle connections, and how many are on their way.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// The one used last is used first, so that what is too many grows old
    /// and is closed by the server.
    idle: Vec<Connection>,
    opening: usize,
    /// Time to open one, recently.
    connect_time: Micros,
    /// The last attempt failed: requests try for themselves then.
    unreachable: bool,
}

impl Pool {
    /// A connection that is open and silent. Those that are not are dropped.
    pub(crate) fn take(&mut self) -> Option<Connection> {
        while let Some(mut connection) = self.idle.pop() {
            if connection.is_idle() {
                return Some(connection);
            }
        }
        None
    }

    /// A connection that has nothing to do.
    pub(crate) fn put(&mut self, connection: Connection) {
        self.idle.push(connection);
    }

    /// Drop those that the server has closed.
    pub(crate) fn sweep(&mut self) {
        self.idle.retain_mut(Connection::is_idle);
    }

    /// How far ahead of a request its connection should be opened: three
    /// times what it takes, for two at once may take longer.
    pub(crate) fn lead(&self) -> Micros {
        Micros::from_micros(3 * self.connect_time.as_micros()).max(LEAST_LEAD)
    }

    /// How many connections are to be opened, for `needed` requests to find
    /// theirs. Of the idle ones, those that would be taken are looked at.
    pub(crate) fn missing(&mut self, needed: usize) -> usize {
        if self.unreachable {
            return 0;
        }
        let mut at = self.idle.len();
        let mut alive = 0;
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

    /// One is being opened ahead.
    pub(crate) fn opening(&mut self) {
        self.opening += 1;
    }

    /// One that was opened ahead is there, or not.
    pub(crate) fn opened(&mut self, connection: Option<Connection>) {
        self.opening -= 1;
        match connection {
            Some(connection) => self.put(connection),
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
