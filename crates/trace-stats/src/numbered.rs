//! Lines that are no requests, one after the other: telemetry, parts of a sum.

use anyhow::{Context, bail};
use std::io::{BufRead, Read};
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
        bytes.clear();
        let mut first = (&mut input).take(longest as u64 + 1);
        let read = first.read_until(b'\n', &mut bytes);
        if read.with_context(|| format!("cannot read {name}:{number}"))? == 0 {
            break;
        }
        let overlong = bytes.len() > longest && !bytes.ends_with(b"\n");
        let line = bytes.trim_ascii_end();
        let taken = if overlong {
            let reason = format!("line longer than {} MiB", longest >> 20);
            Err((longest + 1, reason))
        } else if line.is_empty() {
            Ok(())
        } else {
            take(line)
        };
        match taken {
            Ok(()) => {}
            Err(_) if skip_invalid => {
                skipped += 1;
                if overlong {
                    let rest = input.skip_until(b'\n');
                    rest.with_context(|| format!("cannot read {name}:{number}"))?;
                }
            }
            Err((column, reason)) => bail!("{name}:{number}:{column}: {reason}"),
        }
    }
    Ok(skipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

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
    fn a_line_without_any_end_is_refused_before_it_ends() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        let source = Source::stream("t", endless);
        let error = each_numbered(source, 1 << 20, false, |_| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "t:1:1048577: line longer than 1 MiB");
    }
}
