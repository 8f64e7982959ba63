//! Parts that add up.

use super::line;
use crate::collection::Collection;
use anyhow::{Context, bail};
use std::io::BufRead;
use trace_core::Source;
use trace_core::cli::Progress;

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
    let mut bytes = Vec::new();
    let mut parts = 0;
    for source in sources {
        let name = source.name().clone();
        let mut input = source
            .open()
            .with_context(|| format!("cannot open {name}"))?;
        for number in 1_u64.. {
            bytes.clear();
            let length = input.read_until(b'\n', &mut bytes);
            if length.with_context(|| format!("cannot read {name}:{number}"))? == 0 {
                break;
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let part = line::read(bytes.trim_ascii_end());
            let part = match part {
                Ok(part) => part,
                Err((column, reason)) => bail!("{name}:{number}:{column}: {reason}"),
            };
            match &mut sum {
                None => sum = Some(part),
                Some(sum) => {
                    let added = sum.append(part);
                    added.map_err(|reason| anyhow::anyhow!("{name}:{number}:1: {reason}"))?;
                }
            }
            parts += 1;
            progress.set(parts, "parts");
        }
    }
    progress.finish();
    sum.context("the input holds no partial lines; trace-stats --partial writes them")
}
