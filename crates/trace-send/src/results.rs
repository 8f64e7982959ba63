//! Outcome lines, written as requests finish, on a thread of their own.
//!
//! The thread that sends must never wait for a pipe. It hands outcomes over
//! and goes on; where the reader of the pipe is slow they pile up to a bound,
//! and then nothing more is sent until it has caught up. What that costs
//! shows as lateness.

use crate::uncounted::Uncounted;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use trace_core::{Outcome, Writer};
use trace_prompt::Tokenizer;

/// Bytes of outcomes that may wait to be written.
const MOST_WAITING: usize = 8 << 20;

/// How long the writer lets outcomes gather. A line is in the pipe within
/// this; at thousands a second they share a write, and waking up for one.
const GATHER: Duration = Duration::from_millis(2);

/// A request line, what happened to it, and what is still to be counted of it.
pub(crate) type Ended = (Vec<u8>, Outcome, Option<Uncounted>);

/// Takes outcomes to the writing thread.
pub(crate) struct Results {
    /// Until nothing more comes.
    sender: Mutex<Option<mpsc::Sender<Ended>>>,
    shared: Arc<Shared>,
    /// How writing ended, once.
    ended: Mutex<Option<oneshot::Receiver<io::Result<()>>>>,
}

/// What both threads know.
#[derive(Default)]
struct Shared {
    waiting: AtomicUsize,
    failed: AtomicBool,
    /// It failed because the reader has gone.
    hung_up: AtomicBool,
    /// Told when there is room again, and when writing failed.
    changes: watch::Sender<()>,
}

impl Results {
    /// Write to `output`. What servers do not count `tokenizer` counts.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub(crate) fn start(
        output: impl Write + Send + 'static,
        tokenizer: Tokenizer,
    ) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let shared = Arc::new(Shared::default());
        let known = Arc::clone(&shared);
        thread::Builder::new()
            .name("results".into())
            .spawn(move || {
                let written = write(&receiver, output, &tokenizer, &known);
                if let Err(error) = &written {
                    let gone = error.kind() == io::ErrorKind::BrokenPipe;
                    known.hung_up.store(gone, Ordering::SeqCst);
                    known.failed.store(true, Ordering::SeqCst);
                    known.changes.send_replace(());
                }
                // Nobody waits for it after the second ^C.
                let _ = end.send(written);
            })?;
        Ok(Self {
            sender: Mutex::new(Some(sender)),
            shared,
            ended: Mutex::new(Some(ended)),
        })
    }

    /// Write the request line of `ended` with its outcome.
    pub(crate) fn put(&self, ended: Ended) {
        self.shared
            .waiting
            .fetch_add(cost(&ended), Ordering::SeqCst);
        if let Some(sender) = &*lock(&self.sender) {
            // It fails when writing has; that is told by has_failed.
            let _ = sender.send(ended);
        }
    }

    /// Whether so much waits that nothing should be added.
    pub(crate) fn is_full(&self) -> bool {
        self.shared.waiting.load(Ordering::SeqCst) > MOST_WAITING
    }

    /// Whether nobody will ever read another line.
    pub(crate) fn has_failed(&self) -> bool {
        self.shared.failed.load(Ordering::SeqCst)
    }

    /// Whether the reader of the outcomes has gone.
    pub(crate) fn has_hung_up(&self) -> bool {
        self.shared.hung_up.load(Ordering::SeqCst)
    }

    /// Tells when there is room again or writing failed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.shared.changes.subscribe()
    }

    /// Write what waits, and flush. Nothing can be put after this.
    ///
    /// # Errors
    /// What went wrong with writing, now or before.
    pub(crate) async fn finish(&self) -> io::Result<()> {
        drop(lock(&self.sender).take());
        let ended = lock(&self.ended).take();
        match ended {
            Some(ended) => ended.await.unwrap_or_else(|_| {
                Err(io::Error::other("the thread that writes outcomes panicked"))
            }),
            None => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while holding one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cost((line, outcome, uncounted): &Ended) -> usize {
    let gaps = outcome.itl_ms.as_ref().map_or(0, |gaps| 8 * gaps.len());
    let uncounted = uncounted.as_ref().map_or(0, Uncounted::cost);
    line.len() + size_of::<Outcome>() + gaps + uncounted
}

fn write(
    receiver: &mpsc::Receiver<Ended>,
    output: impl Write,
    tokenizer: &Tokenizer,
    shared: &Shared,
) -> io::Result<()> {
    let mut writer = Writer::new(output);
    while let Ok(first) = receiver.recv() {
        // A full pipe is no reason to dawdle.
        if shared.waiting.load(Ordering::SeqCst) < MOST_WAITING / 4 {
            thread::sleep(GATHER);
        }
        for ended in std::iter::once(first).chain(receiver.try_iter()) {
            let cost = cost(&ended);
            let (mut line, mut outcome, uncounted) = ended;
            if let Some(uncounted) = uncounted {
                uncounted.count(tokenizer, &line, &mut outcome);
            }
            outcome.append_to(&mut line);
            writer.write_bytes(&line)?;
            let before = shared.waiting.fetch_sub(cost, Ordering::SeqCst);
            if before > MOST_WAITING && before - cost <= MOST_WAITING {
                shared.changes.send_replace(());
            }
        }
        writer.flush()?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Pipe(Arc<Mutex<Vec<u8>>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn seq(seq: u64) -> Outcome {
        Outcome {
            seq: Some(seq),
            ..Outcome::default()
        }
    }

    #[test]
    fn lines_are_written_with_their_outcomes_in_order() {
        let pipe = Pipe::default();
        let results = Results::start(pipe.clone(), Tokenizer::words()).unwrap();
        (0..3).for_each(|i| results.put((b"{\"x\": 1}".to_vec(), seq(i), None)));
        block_on(results.finish()).unwrap();
        let written = pipe.0.lock().unwrap();
        assert_eq!(
            *written,
            b"{\"x\": 1,\"seq\":0}\n{\"x\": 1,\"seq\":1}\n{\"x\": 1,\"seq\":2}\n"
        );
    }

    #[test]
    fn a_reader_that_hangs_up_is_known_of() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let results = Results::start(Closed, Tokenizer::words()).unwrap();
        let mut changes = results.changes();
        results.put((b"{}".to_vec(), seq(0), None));
        block_on(changes.changed()).unwrap();
        assert!(results.has_failed());
        assert_eq!(
            block_on(results.finish()).unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
    }
}
