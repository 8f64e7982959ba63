//! Lines read ahead by a second thread, so that one takes them apart while
//! the other counts.

use crate::error::Error;
use crate::line::Line;
use crate::outcome::Outcome;
use crate::reader::Reader;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Lines handed over at a time: enough that waking a thread costs little, and
/// so few that all that are under way stay in the cache.
const LINES: usize = 128;
/// Bytes of lines handed over at a time, beyond which a batch ends early.
const BYTES: usize = 1 << 20;
/// Batches under way; each is used again when it has been counted.
const BATCHES: usize = 3;
/// Bytes of a line whose room is given back, not kept for another.
const BIG_LINE_BYTES: usize = 1 << 16;

/// A line, and what happened to its request if it tells.
type Pair = (Line, Option<Outcome>);

/// Pairs, and how many of them are filled.
type Batch = (Vec<Pair>, usize);

/// Give every line of `input`, and what happened to its request if the line
/// tells, to `take`, in order.
///
/// Takes a second thread, and room for the some four hundred lines that are
/// under way, or for a few megabytes of them where they are long.
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
pub fn each_line<E: From<Error>>(
    input: &mut Reader<'_>,
    take: impl FnMut(&Line, Option<&Outcome>) -> Result<(), E>,
) -> Result<(), E> {
    let (filled, batches) = sync_channel::<Result<Batch, Error>>(BATCHES);
    let (empty, spare) = channel::<Vec<Pair>>();
    for _ in 0..BATCHES {
        // Cannot fail: the receiver is right here.
        empty.send(vec![Pair::default(); LINES]).unwrap_or_default();
    }
    thread::scope(|scope| {
        scope.spawn(move || fill(input, &filled, &spare));
        count(batches, empty, take)
    })
}

/// Take what comes, and give its room back. Both ends are dropped with an
/// error, which ends the reading.
#[expect(
    clippy::needless_pass_by_value,
    reason = "to drop an end is to tell the other"
)]
fn count<E: From<Error>>(
    batches: Receiver<Result<Batch, Error>>,
    empty: Sender<Vec<Pair>>,
    mut take: impl FnMut(&Line, Option<&Outcome>) -> Result<(), E>,
) -> Result<(), E> {
    for batch in batches {
        let (mut pairs, length) = batch?;
        for pair in &mut pairs[..length] {
            take(&pair.0, pair.1.as_ref())?;
            if pair.0.bytes().len() > BIG_LINE_BYTES {
                *pair = Pair::default();
            }
        }
        // The reader may be done and gone.
        empty.send(pairs).unwrap_or_default();
    }
    Ok(())
}

/// Read until the end, an error, or nobody wants more.
fn fill(
    input: &mut Reader<'_>,
    filled: &SyncSender<Result<Batch, Error>>,
    spare: &Receiver<Vec<Pair>>,
) {
    while let Ok(mut pairs) = spare.recv() {
        let (mut length, mut bytes) = (0, 0);
        let mut error = None;
        for (line, outcome) in &mut pairs {
            match input.read_outcome(line, outcome) {
                Ok(true) => {
                    length += 1;
                    bytes += line.bytes().len();
                }
                Ok(false) => break,
                Err(found) => {
                    error = Some(found);
                    break;
                }
            }
            if bytes > BYTES {
                break;
            }
        }
        let last = length < LINES && bytes <= BYTES;
        if length > 0 && filled.send(Ok((pairs, length))).is_err() {
            return;
        }
        if let Some(error) = error {
            filled.send(Err(error)).unwrap_or_default();
            return;
        }
        if last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: usize, width: usize) -> String {
        let line = |i| {
            format!(
                "{{\"input_length\":{i},\"seq\":{i},\"x\":\"{}\"}}\n",
                "x".repeat(width)
            )
        };
        (0..lines).map(line).collect()
    }

    #[test]
    fn every_line_comes_in_order() {
        for (lines, width) in [(0, 0), (1, 0), (128, 0), (1_025, 3), (700, 9_000)] {
            let text = text(lines, width);
            let mut input = Reader::new("t", text.as_bytes());
            let mut met = Vec::new();
            let took = each_line(&mut input, |line, outcome| {
                met.push(line.request.input_length.unwrap());
                assert_eq!(outcome.unwrap().seq, line.request.input_length);
                Ok::<(), Error>(())
            });
            took.unwrap();
            assert_eq!(met, (0..lines as u64).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_came_before_a_bad_line_is_taken() {
        let text = text(300, 0) + "oops\n" + &text(300, 0);
        let mut input = Reader::new("t", text.as_bytes());
        let mut met = 0;
        let error = each_line(&mut input, |_, _| {
            met += 1;
            Ok::<(), Error>(())
        });
        assert!(error.unwrap_err().to_string().starts_with("t:301:1: "));
        assert_eq!(met, 300);
    }

    #[test]
    fn an_error_of_the_taker_ends_the_reading() {
        enum Stop {
            Enough,
            Read,
        }
        impl From<Error> for Stop {
            fn from(_: Error) -> Self {
                Self::Read
            }
        }
        let text = text(5_000, 0);
        let mut input = Reader::new("t", text.as_bytes());
        let stopped = each_line(&mut input, |_, _| Err(Stop::Enough));
        assert!(matches!(stopped, Err(Stop::Enough)));
    }
}
