//! Lines that are no requests, one after the other: telemetry, parts of a sum.

use anyhow::{Context, bail};
use std::io::{self, BufRead, Read};
use trace_core::Source;

/// What is wrong with a line: the column, and why.
pub(crate) type Flaw = (usize, String);

/// Give every line of `source` that is not blank to `take`, without its end, and
/// count those that it refuses if they are to be gone past.
///
/// Holds one line, and at most `longest` bytes of it: a longer one is refused
/// before it fills the memory.
///
/// # Errors
///
/// A file that cannot be read; the place of a line that was refused.
pub(crate) fn each_numbered(
    source: Source<'_>,
    longest: usize,
    skip_invalid: bool,
    mut take: impl FnMut(&[u8]) -> Result<(), Flaw>,
) -> anyhow::Result<u64> {
    let name = source.name().clone();
    let mut input = source
        .open()
        .with_context(|| format!("cannot open {name}"))?;
    let mut bytes = Vec::new();
    let mut skipped = 0;
    for number in 1_u64.. {
        let more = next(&mut input, longest, &mut bytes);
        if !more.with_context(|| format!("cannot read {name}:{number}"))? {
            break;
        }
        let line = bytes.trim_ascii_end();
        let taken = if bytes.len() > longest {
            let reason = format!("line longer than {} MiB", longest >> 20);
            Err((longest + 1, reason))
        } else if line.is_empty() {
            Ok(())
        } else {
            take(line)
        };
        match taken {
            Ok(()) => {}
            Err(_) if skip_invalid => skipped += 1,
            Err((column, reason)) => bail!("{name}:{number}:{column}: {reason}"),
        }
    }
    Ok(skipped)
}

/// Put the next line into `bytes`, its end included, or more than `longest` bytes
/// if it is longer; `false` at the end of the input.
fn next(input: &mut impl BufRead, longest: usize, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    let start = input.take(longest as u64 + 1).read_until(b'\n', bytes)?;
    if start > longest && bytes.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    } else if start > longest {
        // Only its end is beyond.
        bytes.pop();
    }
    Ok(start > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], skip_invalid: bool) -> (Vec<String>, anyhow::Result<u64>) {
        let mut lines = Vec::new();
        let source = Source::stream("t", text);
        let skipped = each_numbered(source, 1 << 20, skip_invalid, |line| {
            lines.push(String::from_utf8_lossy(line).chars().take(9).collect());
            Ok(())
        });
        (lines, skipped)
    }

    #[test]
    fn lines_have_no_ends_and_blank_ones_are_none() {
        let (lines, skipped) = all(b"one\r\n\n  \ntwo", false);
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(skipped.unwrap(), 0);
    }

    #[test]
    fn a_line_without_end_is_refused_and_the_next_one_read() {
        let long = vec![b'x'; (1 << 20) + 1];
        let text = [b"one\n".as_slice(), &long, b"\ntwo\n"].concat();
        let (lines, skipped) = all(&text, false);
        assert_eq!(lines, ["one"]);
        let error = skipped.unwrap_err().to_string();
        assert_eq!(error, "t:2:1048577: line longer than 1 MiB");
        let (lines, skipped) = all(&text, true);
        assert_eq!((lines.len(), skipped.unwrap()), (2, 1));
    }

    #[test]
    fn the_longest_line_is_read() {
        let long = vec![b'x'; 1 << 20];
        let (lines, skipped) = all(&[long.as_slice(), b"\ntwo"].concat(), false);
        assert_eq!((lines.len(), skipped.unwrap()), (2, 0));
        let (lines, _) = all(&long, false);
        assert_eq!(lines.len(), 1);
    }

    #[test]
    fn memory_ends_where_the_line_is_too_long() {
        let endless = io::BufReader::new(io::repeat(b'x').take(1 << 24));
        let mut bytes = Vec::new();
        let mut input = endless;
        assert!(next(&mut input, 1 << 10, &mut bytes).unwrap());
        assert_eq!(bytes.len(), (1 << 10) + 1);
        assert!(bytes.capacity() <= 1 << 12, "{}", bytes.capacity());
        assert!(!next(&mut input, 1 << 10, &mut bytes).unwrap());
    }
}
