//! Traces into one trace.
//!
//! ```text
//! trace-merge chat.jsonl code.jsonl.gz | trace-send --url http://localhost:8000
//! ```
//!
//! Inputs are sorted by timestamp and stay open together; the next line is
//! always the earliest of their first lines, and of equal times the one from
//! the earlier file, so that the same merge gives the same bytes. Memory is
//! a buffer per input. `--concat` puts the inputs one after the other in time
//! instead, `--sort` takes them in any order, `--outcomes` joins what several
//! senders of one trace saw.
//!
//! Two traces that were made apart use the same small integers for different
//! blocks. Merged as they are they would seem to share prefixes, so ids and
//! sessions are kept apart unless `--shared-ids` says that they mean the same.
//!
//! A line passes through these hands:
//!
//! | module | what it does |
//! |---|---|
//! | `input`, `lines` | bytes of a file, unpacked, to lines in a buffer |
//! | `members` | finds the few values that a merge may change, and holds the line to the format |
//! | `edit` (`shift`, `namespace`) | spells those values anew, the rest byte for byte |
//! | `trace` | the above for one input: its next line, and when it arrives |
//! | `merge` | the earliest of many |
//! | `sort`, `spool` | order where there was none, on disk if it must be |
//! | `interleave`, `concat`, `outcomes`, `aibrix` | the four ways to put inputs together |

mod aibrix;
mod args;
mod concat;
mod cursor;
mod edit;
mod input;
mod interleave;
mod limit;
mod lines;
mod members;
mod merge;
mod namespace;
mod outcomes;
mod output;
mod plan;
mod setting;
mod shift;
mod sort;
mod spool;
mod trace;

pub use args::{Args, Format};
pub use input::Input;
#[cfg(unix)]
pub use input::refuse_output_as_input;

use anyhow::bail;
use output::Output;
use plan::Plan;
use std::io::Write;

/// Write the lines of all `inputs` to `output` as `args` ask for; show
/// progress if `watched`.
///
/// # Errors
/// An input that is not sorted or cannot be read, a value that cannot be
/// moved, and whatever writing gives. All that came before is written.
pub fn run(
    args: &Args,
    inputs: Vec<Input<'_>>,
    output: impl Write,
    watched: bool,
) -> anyhow::Result<()> {
    let mut out = Output::new(output, watched);
    if args.format == Format::Aibrix {
        return rows(args, inputs, out);
    }
    let plan = Plan::new(args);
    let parts = plan::parts(args, inputs)?;
    let notes = if args.outcomes {
        let (notes, duplicates) = outcomes::outcomes(parts, plan, &mut out)?;
        duplicates.report();
        notes
    } else if args.concat {
        concat::concat(parts, args.gap, plan, &mut out)?
    } else {
        interleave::interleave(parts, plan, &mut out)?
    };
    out.finish()?;
    notes.report();
    Ok(())
}

/// The same for rows of AIBrix workloads.
fn rows(args: &Args, inputs: Vec<Input<'_>>, mut out: Output<impl Write>) -> anyhow::Result<()> {
    if args.outcomes || args.sort || args.input.skip_invalid {
        bail!(
            "--format aibrix goes with neither --outcomes nor --sort (rows may be unsorted) nor --skip-invalid"
        );
    }
    plan::refuse_for_aibrix(args, &inputs)?;
    let inputs = plan::shifts(args, inputs)?;
    if args.concat {
        aibrix::concat(inputs, args.gap, &mut out)?;
        return out.finish();
    }
    let dropped = aibrix::merge(inputs, args.sort_memory, &mut out)?;
    out.finish()?;
    aibrix::report(dropped);
    Ok(())
}
