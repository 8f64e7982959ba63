//! Lines on their way from the server to a writer that may be slow.
//!
//! The server appends to memory and goes on; a thread of its own writes what has gathered, a few
//! milliseconds at a time, and flushes. The server never waits for the reader of its records,
//! so its answers keep their times whoever reads.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::origin::Origin;

/// What a line begins with.
const TIMESTAMP: &[u8] = b"{\"timestamp\":";

/// How long lines gather before they are written.
const GATHER: Duration = Duration::from_millis(5);

/// How much may wait for a reader that does not keep up: about a million lines.
const BACKLOG: usize = 256 << 20;

/// The server's end: takes lines, at once and from any thread.
#[derive(Clone, Debug)]
pub(crate) struct Journal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    origin: Arc<Origin>,
}

#[derive(Debug)]
struct State {
    lines: Lines,
    phase: Phase,
    lost: u64,
}

/// Lines behind their timestamps.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    /// When the request of each arrived, and where it ends among the bytes.
    ends: Vec<(Instant, usize)>,
}

impl Lines {
    fn write(&self, origin: &Origin, out: &mut impl Write) -> io::Result<()> {
        let (mut start, mut timestamp) = (0, Vec::new());
        for (arrival, end) in &self.ends {
            timestamp.clear();
            origin.timestamp(*arrival).push_millis(&mut timestamp);
            for part in [TIMESTAMP, &timestamp, &self.bytes[start..*end]] {
                out.write_all(part)?;
            }
            start = *end;
        }
        out.flush()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Lines come, and are written.
    Open,
    /// No more lines are awaited; what has gathered is still written.
    Closing,
    /// Nobody reads any more; lines are dropped.
    Deaf,
}

/// The writing end, to be closed once the last line is in.
#[derive(Debug)]
pub(crate) struct Writing {
    journal: Journal,
    thread: JoinHandle<io::Result<()>>,
}

impl Journal {
    /// A journal that is written to `out` by a new thread, with timestamps that count from `origin`.
    pub(crate) fn start(
        out: Box<dyn Write + Send>,
        origin: Arc<Origin>,
    ) -> io::Result<(Journal, Writing)> {
        let journal = Journal(Arc::new(Shared {
            state: Mutex::new(State {
                lines: Lines::default(),
                phase: Phase::Open,
                lost: 0,
            }),
            changed: Condvar::new(),
            origin,
        }));
        let thread = thread::Builder::new().name("records".into()).spawn({
            let journal = journal.clone();
            move || journal.write_to(out)
        })?;
        let writing = Writing {
            journal: journal.clone(),
            thread,
        };
        Ok((journal, writing))
    }

    /// Take the `line` of a request that arrived then: what is behind its timestamp, up to a line
    /// feed.
    pub(crate) fn push(&self, arrival: Instant, line: &[u8]) {
        let mut state = self.state();
        if state.phase == Phase::Deaf {
            return;
        }
        let lines = &mut state.lines;
        if lines.bytes.len() + line.len() > BACKLOG {
            state.lost += 1;
            return;
        }
        let first = lines.ends.is_empty();
        lines.bytes.extend_from_slice(line);
        lines.ends.push((arrival, lines.bytes.len()));
        drop(state);
        if first {
            self.0.changed.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Write lines as they gather until the journal is closed, or `out` takes no more.
    fn write_to(&self, out: Box<dyn Write + Send>) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        let mut lines = Lines::default();
        loop {
            let open = |state: &mut State| state.phase == Phase::Open;
            let idle = |state: &mut State| open(state) && state.lines.ends.is_empty();
            let wait = &self.0.changed;
            let state = wait
                .wait_while(self.state(), idle)
                .unwrap_or_else(PoisonError::into_inner);
            let gathered = wait.wait_timeout_while(state, GATHER, open);
            let (mut state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
            mem::swap(&mut lines, &mut state.lines);
            let closing = state.phase == Phase::Closing;
            drop(state);

            // Meanwhile the server goes on reading who came first.
            self.0.origin.settle();
            if let Err(err) = lines.write(&self.0.origin, &mut out) {
                // What is left there nobody takes.
                let _ = out.into_parts();
                self.deafen();
                return match err.kind() {
                    ErrorKind::BrokenPipe => Ok(()),
                    _ => Err(err),
                };
            }
            lines.clear();
            if closing {
                return Ok(());
            }
        }
    }

    fn deafen(&self) {
        let mut state = self.state();
        state.phase = Phase::Deaf;
        state.lines = Lines::default();
    }
}

impl Writing {
    /// Write the rest and end.
    ///
    /// # Errors
    ///
    /// What the writer met, other than a reader that hung up; or that lines were lost because the
    /// reader was too far behind.
    pub(crate) fn close(self) -> io::Result<()> {
        {
            let mut state = self.journal.state();
            if state.phase == Phase::Open {
                state.phase = Phase::Closing;
            }
        }
        self.journal.0.changed.notify_one();
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread of records panicked")))?;
        match self.journal.state().lost {
            0 => Ok(()),
            lost => Err(io::Error::other(format!(
                "{lost} records are lost: their reader was more than {} MB behind",
                BACKLOG >> 20
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Hands on what is written, or an error once `fail` is due.
    struct Sink(mpsc::Sender<Vec<u8>>, Option<ErrorKind>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.1 {
                Some(kind) => Err(kind.into()),
                None => {
                    self.0.send(bytes.to_vec()).unwrap();
                    Ok(bytes.len())
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A journal that hands on what it writes, or fails.
    fn start(fail: Option<ErrorKind>) -> (Journal, Writing, mpsc::Receiver<Vec<u8>>) {
        let (sender, receiver) = mpsc::channel();
        let sink = Box::new(Sink(sender, fail));
        let (journal, writing) = Journal::start(sink, Arc::default()).unwrap();
        (journal, writing, receiver)
    }

    #[test]
    fn lines_come_out_while_it_is_open_and_the_rest_when_it_closes() {
        let (journal, writing, receiver) = start(None);
        let arrival = Instant::now();
        journal.push(arrival, b",one\n");
        assert_eq!(receiver.recv().unwrap(), b"{\"timestamp\":0,one\n");
        for _ in 0..1_000 {
            journal.push(arrival + Duration::from_micros(1_500), b",more\n");
        }
        writing.close().unwrap();
        let rest: Vec<u8> = receiver.iter().flatten().collect();
        assert_eq!(rest, b"{\"timestamp\":1.5,more\n".repeat(1_000));
    }

    #[test]
    fn a_reader_that_hangs_up_ends_it_silently() {
        let (journal, writing, _) = start(Some(ErrorKind::BrokenPipe));
        journal.push(Instant::now(), b"one\n");
        while journal.state().phase != Phase::Deaf {
            thread::yield_now();
        }
        journal.push(Instant::now(), b"two\n");
        assert!(journal.state().lines.ends.is_empty());
        writing.close().unwrap();
    }

    #[test]
    fn any_other_error_is_told_at_the_end() {
        let (journal, writing, _) = start(Some(ErrorKind::StorageFull));
        journal.push(Instant::now(), b"one\n");
        assert_eq!(writing.close().unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
