//! Who reads what was forwarded, and writes it down: a thread beside the one that forwards.
//!
//! Reading an event costs as much as forwarding it; streams whose tokens come at the same moment
//! would wait for each other. So bytes are put aside with the moment they came, and read in
//! portions. The clerk is not woken for each: that would keep who forwards from the next request,
//! and take a core at the very moment when a client, the proxy and the server want one.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Handle;
use trace_core::answer::Content;

use super::report::Report;
use super::unread::{Unread, untold};
use crate::api::Api;
use crate::count::{Counter, Order};

/// How long the clerk leaves notes lying while there are some.
const NAP: Duration = Duration::from_millis(5);

/// Naps without a note after which the clerk sleeps until there is one.
const IDLE_NAPS: u32 = 200;

/// A prompt that nobody has counted.
#[derive(Debug)]
pub(super) struct Uncounted {
    pub(super) api: Api,
    pub(super) body: Bytes,
    pub(super) counter: Arc<Counter>,
    /// Whose threads count it.
    pub(super) runtime: Handle,
}

/// A prompt that is being counted.
type Counted = Receiver<Result<Order, String>>;

impl Uncounted {
    fn count(self) -> Counted {
        let (done, counted) = sync_channel(1);
        self.runtime.spawn_blocking(move || {
            // The clerk may be gone with the server.
            let _ = done.send(self.counter.order(self.api, &self.body));
        });
        counted
    }
}

/// Something for the clerk.
#[derive(Debug)]
enum Note {
    /// The prompt of request `seq`, of which nothing came before.
    Asked { seq: u64, prompt: Uncounted },
    /// More of the answer to request `seq`, which went on at `sent`.
    More {
        seq: u64,
        sent: Instant,
        unread: Unread,
    },
    /// The last of it, and what became of it.
    Last { unread: Unread, report: Box<Report> },
}

/// Takes notes, at once. Its thread ends with it.
#[derive(Debug)]
pub(super) struct Clerk(Sender<Note>);

impl Clerk {
    /// A clerk at a new thread.
    ///
    /// # Errors
    /// There are no more threads.
    pub(super) fn start() -> io::Result<Clerk> {
        let (notes, taken) = channel();
        let thread = thread::Builder::new().name("clerk".into());
        thread.spawn(move || work(&taken))?;
        Ok(Clerk(notes))
    }

    /// Have the prompt of request `seq` counted.
    pub(super) fn asked(&self, seq: u64, prompt: Uncounted) {
        self.tell(Note::Asked { seq, prompt });
    }

    /// Read more of the answer to request `seq`.
    pub(super) fn more(&self, seq: u64, sent: Instant, unread: Unread) {
        self.tell(Note::More { seq, sent, unread });
    }

    /// Read the last of an answer, and write down what became of its request.
    pub(super) fn last(&self, unread: Unread, report: Box<Report>) {
        self.tell(Note::Last { unread, report });
    }

    fn tell(&self, note: Note) {
        // It is there as long as this is.
        let _ = self.0.send(note);
    }
}

/// A request whose answer is not over.
#[derive(Debug)]
struct Open {
    counted: Option<Counted>,
    answer: Content,
}

impl Default for Open {
    fn default() -> Open {
        Open {
            counted: None,
            answer: untold(),
        }
    }
}

/// The requests whose answers are not over.
#[derive(Debug, Default)]
struct Desk(HashMap<u64, Open>);

impl Desk {
    fn take(&mut self, note: Note) {
        match note {
            Note::Asked { seq, prompt } => {
                self.0.entry(seq).or_default().counted = Some(prompt.count());
            }
            Note::More { seq, sent, unread } => {
                unread.read(&mut self.0.entry(seq).or_default().answer, sent);
            }
            Note::Last { unread, mut report } => {
                let mut open = self.0.remove(&report.seq).unwrap_or_default();
                unread.read(&mut open.answer, report.sent);
                report.counted = open.counted;
                report.close(open.answer);
            }
        }
    }
}

/// Take notes until nobody can write any.
fn work(notes: &Receiver<Note>) {
    let mut desk = Desk::default();
    while let Ok(note) = notes.recv() {
        desk.take(note);
        let mut idle = 0;
        while idle < IDLE_NAPS {
            thread::sleep(NAP);
            idle += 1;
            for note in notes.try_iter() {
                desk.take(note);
                idle = 0;
            }
        }
    }
}
