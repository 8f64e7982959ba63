//! Traces into one trace.
//!
//! ```text
//! trace-merge chat.jsonl code.jsonl.gz | trace-send --url http://localhost:8000
//! ```
//!
//! Inputs are sorted by timestamp and stay open together; the next line is
//! always the earliest of their first lines, and of equal times the one from
//! the earlier file, so that the same merge gives the same bytes. Memory is
//! one line per input. `--concat` puts the inputs one after the other in time
//! instead.
//!
//! Two traces that were made apart use the same small integers for different
//! blocks. Merged as they are they would seem to share prefixes, so ids and
//! sessions are kept apart unless `--shared-ids` says that they mean the same.

mod args;
pub mod concat;
pub mod merge;
pub mod namespace;

pub use args::Args;

use anyhow::Context;
use merge::Merge;
use namespace::Namespace;
use std::io::Write;
use trace_core::{Reader, Writer, cli};

/// Write the lines of all `inputs` to `output` as one trace, sorted by time.
///
/// # Errors
/// An input that is not sorted or cannot be read, an id too large to be kept
/// apart, and whatever writing gives.
pub fn run(args: &Args, inputs: Vec<Reader<'_>>, output: impl Write) -> anyhow::Result<()> {
    let mut out = Writer::new(output);
    let space = |input: usize, count: usize| match args.shared_ids {
        true => None,
        false => Namespace::new(input, count),
    };
    if args.concat {
        concat::concat(inputs, args.gap, space, &mut out)?;
        return out.flush().context("cannot write");
    }
    let count = inputs.len();
    let mut merge = Merge::new(inputs)?;
    while let Some((input, line)) = merge.line() {
        if let Some(space) = space(input, count) {
            space.apply(line)?;
        }
        out.write_line(line).context("cannot write")?;
        merge.advance()?;
    }
    out.flush().context("cannot write")?;
    merge
        .inputs()
        .iter()
        .for_each(|input| cli::report_skipped("trace-merge", input));
    Ok(())
}
