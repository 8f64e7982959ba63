//! Parts that add up.

use super::line;
use crate::collection::Collection;
use crate::numbered::each_numbered;
use anyhow::Context;
use trace_core::Source;
use trace_core::cli::Progress;

/// The longest line of a part. Twenty metrics of a million distinct values each,
/// as many as are kept unless more are asked for, take less than half of it.
/// With the byte beyond it, what is held is a gibibyte and not two.
const LONGEST: usize = (1 << 30) - 1;

/// The sum of all partial lines of `sources`.
///
/// Holds the sum and one line.
///
/// # Errors
///
/// Those of reading; a line that is no partial line, or was counted with other
/// settings; no line at all.
pub fn combine(sources: Vec<Source<'_>>) -> anyhow::Result<Collection> {
    let mut sum: Option<Collection> = None;
    let mut progress = Progress::new("trace-stats: combine", None);
    let mut parts = 0;
    for source in sources {
        each_numbered(source, LONGEST, false, |line| {
            let part = line::read(line)?;
            match &mut sum {
                None => sum = Some(part),
                Some(sum) => sum.append(part).map_err(|reason| (1, reason))?,
            }
            parts += 1;
            progress.set(parts, "parts");
            Ok(())
        })?;
    }
    progress.finish();
    sum.context("the input holds no partial lines; trace-stats --partial writes them")
}
