//! Lines read ahead by other threads, so that some take them apart while one
//! counts.
//!
//! ```text
//! source → chunks ─┬─ digest ─┬─ take, in order
//!                  └─ digest ─┘
//! ```
//!
//! Whichever thread has nothing to do cuts the next chunk of lines off the
//! input, makes of it what is wanted, and hands that over. Whoever counts gets
//! all in the order of the input, so that nothing depends on the number of
//! threads.

use crate::chunk::{Chunk, Chunks};
use crate::error::Error;
use crate::line::Line;
use crate::lines::{Lines, Skips};
use crate::outcome::Outcome;
use crate::reader::Reader;
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Threads that read, at most: beyond so many, one that counts is what all
/// wait for.
const MOST_THREADS: usize = 8;
/// Bytes of a line whose room is given back, not kept for another.
const BIG_LINE_BYTES: usize = 1 << 16;

/// Make a `D` of each piece of `input` with `digest`, and give it to `take`.
///
/// A piece is some hundred lines: where one ends says nothing, and the pieces
/// come to `take` in the order of the input. `digest` runs on as many threads as
/// there are processors, eight at most, and adds what it reads to a `D` that
/// `take` left behind, and which it should leave empty; so its room is used
/// again. Memory is that of two pieces a thread, and what is made of them.
///
/// ```
/// use trace_core::{Error, Line, Reader, ahead};
///
/// let text = "{\"input_length\":3}\n{\"input_length\":4}\n";
/// let mut input = Reader::new("<stdin>", text.as_bytes());
/// let mut all = Vec::new();
/// ahead::each_chunk(
///     &mut input,
///     |lines, lengths: &mut Vec<u64>| {
///         let mut line = Line::default();
///         while lines.read(&mut line)? {
///             lengths.extend(line.request.input_length);
///         }
///         Ok::<(), Error>(())
///     },
///     |lengths| {
///         all.append(lengths);
///         Ok(())
///     },
/// )?;
/// assert_eq!(all, [3, 4]);
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// Those of [`Reader::read`], and what `digest` and `take` return. What was
/// made of the lines before a bad one is taken first.
pub fn each_chunk<D: Default + Send, E: From<Error> + Send>(
    input: &mut Reader<'_>,
    digest: impl Fn(&mut Lines<'_>, &mut D) -> Result<(), E> + Sync,
    take: impl FnMut(&mut D) -> Result<(), E>,
) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    on_threads(threads.min(MOST_THREADS), input, &digest, take)
}

/// The same, on so many threads.
fn on_threads<D: Default + Send, E: From<Error> + Send>(
    threads: usize,
    input: &mut Reader<'_>,
    digest: &(impl Fn(&mut Lines<'_>, &mut D) -> Result<(), E> + Sync),
    take: impl FnMut(&mut D) -> Result<(), E>,
) -> Result<(), E> {
    let (filled, pieces) = channel();
    let (empty, spare) = channel();
    // One that is filled and one that is taken, for each thread: with fewer
    // than that they wait for one another.
    for _ in 0..2 * threads {
        // Cannot fail: the receiver is right here.
        empty.send(Piece::default()).unwrap_or_default();
    }
    let feed = Mutex::new(Feed {
        chunks: &mut input.chunks,
        begun: Some(std::mem::take(&mut input.chunk)),
        skips: input.skips.anew(),
        spare,
        next: 0,
        over: false,
    });
    thread::scope(|scope| {
        for _ in 0..threads {
            let (feed, filled) = (&feed, filled.clone());
            scope.spawn(move || work(feed, &filled, digest));
        }
        drop(filled);
        count(pieces, empty, &mut input.skips, take)
    })
}

/// A piece of the input, on its way from the source to who counts.
struct Piece<D, E> {
    /// Its place among all.
    place: u64,
    chunk: Chunk,
    digest: D,
    skips: Skips,
    end: Option<End<E>>,
}

/// What ended the reading behind a piece.
enum End<E> {
    Error(E),
    Panic(Box<dyn Any + Send>),
}

impl<D: Default, E> Default for Piece<D, E> {
    fn default() -> Self {
        Self {
            place: 0,
            chunk: Chunk::default(),
            digest: D::default(),
            skips: Skips::default(),
            end: None,
        }
    }
}

/// Where pieces begin.
struct Feed<'f, 'a, D, E> {
    chunks: &'f mut Chunks<'a>,
    /// What was cut off before, and not all read.
    begun: Option<Chunk>,
    /// What a piece begins with.
    skips: Skips,
    /// Pieces to be used again.
    spare: Receiver<Piece<D, E>>,
    next: u64,
    /// What was read ended it.
    over: bool,
}

impl<D, E: From<Error>> Feed<'_, '_, D, E> {
    /// The next piece; `None` at the end, after an error, or if nobody wants
    /// more.
    ///
    /// It has its room before it has its place, so that those who hold room are
    /// never all behind one that waits for some.
    fn next(&mut self) -> Option<Piece<D, E>> {
        let mut piece = self.spare.recv().ok().filter(|_| !self.over)?;
        piece.place = self.next;
        piece.skips = self.skips.anew();
        self.next += 1;
        if let Some(begun) = self.begun.take().filter(Chunk::is_begun) {
            piece.chunk = begun;
            return Some(piece);
        }
        match self.chunks.next(&mut piece.chunk) {
            Ok(false) => return None,
            Ok(true) => {}
            Err(error) => piece.end = Some(End::Error(error.into())),
        }
        Some(piece)
    }
}

/// Make digests until the end, an error, or nobody wants more.
///
/// Little comes at a time where the writer is slower than we are. Nobody then
/// waits for more before it is known whether more is wanted: an error is told
/// when it is met, not when the next line comes.
fn work<D, E: From<Error>>(
    feed: &Mutex<Feed<'_, '_, D, E>>,
    filled: &Sender<Piece<D, E>>,
    digest: &impl Fn(&mut Lines<'_>, &mut D) -> Result<(), E>,
) {
    loop {
        let mut feed = feed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut piece) = feed.next() else {
            return;
        };
        let mut alone = Some(feed).filter(|_| piece.chunk.is_short());
        if piece.end.is_none() {
            let mut lines = Lines {
                chunk: &mut piece.chunk,
                skips: &mut piece.skips,
            };
            let made = AssertUnwindSafe(|| digest(&mut lines, &mut piece.digest));
            // Else the others would wait for a piece that never comes.
            piece.end = match catch_unwind(made) {
                Ok(made) => made.err().map(End::Error),
                Err(panic) => Some(End::Panic(panic)),
            };
        }
        let last = piece.end.is_some();
        if let Some(feed) = &mut alone {
            feed.over = last;
        }
        if filled.send(piece).is_err() || last {
            return;
        }
    }
}

/// Take what comes, in order, and give its room back. Both ends are dropped with
/// an error, which ends the reading.
#[expect(
    clippy::needless_pass_by_value,
    reason = "to drop an end is to tell the other"
)]
fn count<D, E>(
    pieces: Receiver<Piece<D, E>>,
    empty: Sender<Piece<D, E>>,
    skips: &mut Skips,
    mut take: impl FnMut(&mut D) -> Result<(), E>,
) -> Result<(), E> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for piece in pieces {
        early.insert(piece.place, piece);
        while let Some(mut piece) = early.remove(&next) {
            next += 1;
            skips.append(std::mem::take(&mut piece.skips));
            take(&mut piece.digest)?;
            match piece.end.take() {
                None => {}
                Some(End::Error(error)) => return Err(error),
                Some(End::Panic(panic)) => resume_unwind(panic),
            }
            // The readers may be done and gone.
            empty.send(piece).unwrap_or_default();
        }
    }
    Ok(())
}

/// Lines and what happened to their requests, of which some are filled.
#[derive(Default)]
struct Pairs {
    room: Vec<(Line, Option<Outcome>)>,
    filled: usize,
}

impl Pairs {
    /// Read all `lines`.
    fn fill(&mut self, lines: &mut Lines<'_>) -> Result<(), Error> {
        loop {
            if self.filled == self.room.len() {
                self.room.push(Default::default());
            }
            let (line, outcome) = &mut self.room[self.filled];
            if !lines.read_outcome(line, outcome)? {
                return Ok(());
            }
            self.filled += 1;
        }
    }

    /// Give all to `take`, and be empty.
    fn drain<E>(
        &mut self,
        mut take: impl FnMut(&Line, Option<&Outcome>) -> Result<(), E>,
    ) -> Result<(), E> {
        let filled = std::mem::take(&mut self.filled);
        for (line, outcome) in &mut self.room[..filled] {
            take(line, outcome.as_ref())?;
            if line.bytes().len() > BIG_LINE_BYTES {
                (*line, *outcome) = Default::default();
            }
        }
        Ok(())
    }
}

/// Give every line of `input`, and what happened to its request if the line
/// tells, to `take`, in order.
///
/// Lines are read on as many threads as there are processors, as
/// [`each_chunk`] says; some thousand of them are under way, or a few megabytes
/// where they are long.
///
/// ```
/// let text = "{\"input_length\":3,\"ttft_ms\":50.5}\n{\"input_length\":4}\n";
/// let mut input = trace_core::Reader::new("<stdin>", text.as_bytes());
/// let (mut tokens, mut outcomes) = (0, 0);
/// trace_core::ahead::each_line(&mut input, |line, outcome| {
///     tokens += line.request.input_length.unwrap_or(0);
///     outcomes += u64::from(outcome.is_some());
///     Ok::<(), trace_core::Error>(())
/// })?;
/// assert_eq!((tokens, outcomes), (7, 1));
/// # Ok::<(), trace_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`Reader::read_outcome`], after what came before was taken; what
/// `take` returns.
pub fn each_line<E: From<Error> + Send>(
    input: &mut Reader<'_>,
    mut take: impl FnMut(&Line, Option<&Outcome>) -> Result<(), E>,
) -> Result<(), E> {
    each_chunk(
        input,
        |lines, pairs: &mut Pairs| pairs.fill(lines).map_err(E::from),
        |pairs| pairs.drain(&mut take),
    )
}

#[cfg(test)]
mod tests;
