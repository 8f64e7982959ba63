//! Lines read ahead by a second thread, so that one takes them apart while
//! the other counts.

use std::{
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread,
};

use anyhow::Result;
use trace_core::{Error, Line, Reader};

/// Lines handed over at a time: enough that waking a thread costs nothing.
const LINES: usize = 256;
/// Bytes of lines handed over at a time, beyond which a batch ends early.
const BYTES: usize = 1 << 20;
/// Batches under way; each is used again when it has been counted.
const BATCHES: usize = 4;

/// Lines, and how many of them are filled.
type Batch = (Vec<Line>, usize);

/// Give every line of `input` to `take`, in order.
///
/// # Errors
/// Bad input, after what came before it was taken; what `take` returns.
pub(crate) fn read(input: &mut Reader<'_>, take: impl FnMut(&Line) -> Result<()>) -> Result<()> {
    let (filled, batches) = sync_channel::<Result<Batch, Error>>(BATCHES);
    let (empty, spare) = channel::<Vec<Line>>();
    for _ in 0..BATCHES {
        // cannot fail: the receiver is right here
        empty.send(vec![Line::default(); LINES]).unwrap_or_default();
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
fn count(
    batches: Receiver<Result<Batch, Error>>,
    empty: Sender<Vec<Line>>,
    mut take: impl FnMut(&Line) -> Result<()>,
) -> Result<()> {
    for batch in batches {
        let (lines, length) = batch?;
        for line in &lines[..length] {
            take(line)?;
        }
        // the reader may be done and gone
        empty.send(lines).unwrap_or_default();
    }
    Ok(())
}

/// Read until the end, an error, or nobody wants more.
fn fill(
    input: &mut Reader<'_>,
    filled: &SyncSender<Result<Batch, Error>>,
    spare: &Receiver<Vec<Line>>,
) {
    while let Ok(mut lines) = spare.recv() {
        let (mut length, mut bytes) = (0, 0);
        let mut error = None;
        for line in &mut lines {
            match input.read(line) {
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
        if length > 0 && filled.send(Ok((lines, length))).is_err() {
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
        let line = |i| format!("{{\"input_length\":{i},\"x\":\"{}\"}}\n", "x".repeat(width));
        (0..lines).map(line).collect()
    }

    #[test]
    fn every_line_comes_in_order() {
        for (lines, width) in [(0, 0), (1, 0), (256, 0), (1_025, 3), (700, 9_000)] {
            let text = text(lines, width);
            let mut input = Reader::new("t", text.as_bytes());
            let mut met = Vec::new();
            let took = read(&mut input, |line| {
                met.push(line.request.input_length.unwrap());
                Ok(())
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
        let error = read(&mut input, |_| {
            met += 1;
            Ok(())
        });
        assert!(error.unwrap_err().to_string().starts_with("t:301:1: "));
        assert_eq!(met, 300);
    }

    #[test]
    fn an_error_of_the_taker_ends_the_reading() {
        let text = text(5_000, 0);
        let mut input = Reader::new("t", text.as_bytes());
        let error = read(&mut input, |_| anyhow::bail!("enough"));
        assert_eq!(error.unwrap_err().to_string(), "enough");
    }
}
