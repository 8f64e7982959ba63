//! One pass over a line tells of its outcome what taking it apart member by
//! member tells, and refuses what that refuses, at the same place.
//!
//! `cd crates/trace-core && cargo +nightly fuzz run outcomes`
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::BufReader;
use trace_core::{Error, Line, Outcome, Reader, ahead};

/// What a line came to: itself and its outcome, or where it is no good.
type Read = Result<(String, Option<Outcome>), String>;

fn shown(line: &Line) -> String {
    format!(
        "{}:{}: {:?}",
        line.number(),
        String::from_utf8_lossy(line.bytes()),
        line.request
    )
}

/// The lines of `bytes`, each taken apart again for its outcome.
fn apart(bytes: &[u8]) -> Vec<Read> {
    let (mut reader, mut line, mut all) = (Reader::new("fuzz", bytes), Line::default(), Vec::new());
    loop {
        all.push(match reader.read(&mut line) {
            Ok(true) => match line.outcome() {
                Ok(outcome) => Ok((shown(&line), outcome)),
                Err(error) => Err(error.to_string()),
            },
            Ok(false) => return all,
            Err(error @ Error::Line(_)) => Err(error.to_string()),
            Err(error) => panic!("memory is read: {error}"),
        });
    }
}

/// The same, from one pass over what comes `size` bytes at a time.
fn at_once(bytes: &[u8], size: usize) -> Vec<Read> {
    let pieces = BufReader::with_capacity(size, bytes);
    let mut reader = Reader::new("fuzz", pieces);
    let (mut line, mut all) = (Line::default(), Vec::new());
    let mut outcome = None;
    loop {
        all.push(match reader.read_outcome(&mut line, &mut outcome) {
            Ok(true) => Ok((shown(&line), outcome.clone())),
            Ok(false) => return all,
            Err(error) => Err(error.to_string()),
        });
    }
}

fuzz_target!(|bytes: &[u8]| {
    let expected = apart(bytes);
    for size in [1, 13, 1 << 16] {
        assert_eq!(at_once(bytes, size), expected, "{size} at a time");
    }
    // A thread for each input would leave time for few of them.
    if bytes.len() % 32 > 0 {
        return;
    }
    let mut good = expected.into_iter().filter_map(Result::ok);
    let mut input = Reader::new("fuzz", bytes).skip_invalid(true);
    let done = ahead::each_line(&mut input, |line, outcome| {
        assert_eq!(Some((shown(line), outcome.cloned())), good.next());
        Ok::<(), Error>(())
    });
    done.expect("lines that are no good are skipped");
    assert_eq!(good.next(), None);
});
