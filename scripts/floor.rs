//! The least a cut by time must do: find the line ends and read each line's
//! `timestamp`. `scripts/bench window` holds `trace-convert` against it.
//!
//! ```text
//! rustc -O scripts/floor.rs && ./floor trace.jsonl
//! ```
//!
//! Prints the number of lines and the sum of their timestamps, so that
//! nothing can be left out. No crates: it is compiled where it is used. std
//! finds a byte with libc's `memchr`, which has vector instructions.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let (mut lines, mut sum) = (0_u64, 0_u64);
    let mut begun = Vec::new();
    loop {
        let chunk = file.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let mut rest = chunk;
        while !rest.is_empty() {
            let line = rest;
            let length = rest.skip_until(b'\n')?;
            let line = &line[..length];
            if line.last() != Some(&b'\n') {
                begun.extend_from_slice(line);
                continue;
            }
            lines += 1;
            if begun.is_empty() {
                sum = sum.wrapping_add(timestamp(line));
            } else {
                begun.extend_from_slice(line);
                sum = sum.wrapping_add(timestamp(&begun));
                begun.clear();
            }
        }
        let used = chunk.len();
        file.consume(used);
    }
    println!("{lines} {sum}");
    Ok(())
}

/// The digits behind the first colon, where every published trace has its
/// `timestamp`.
fn timestamp(line: &[u8]) -> u64 {
    let colon = line.iter().position(|&byte| byte == b':');
    let Some(colon) = colon else {
        return 0;
    };
    let digits = line[colon + 1..].trim_ascii_start().iter();
    let digits = digits.take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit & 0xf))
}
